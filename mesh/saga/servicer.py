"""SagaService over the tables of the service that mounts it."""

from typing import Any
from uuid import UUID

from sagamesh.mesh.v1 import saga_pb2, saga_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.errors import NotFound
from mesh.paging import id_position, limit_of, page_of
from mesh.saga.store import list_sagas, read_saga
from mesh.uow import UnitOfWork


class SagaNotFound(NotFound):
    """There is no such saga."""

    reason = "SAGA_NOT_FOUND"


class SagaServicer(saga_pb2_grpc.SagaServiceServicer):
    """Reads sagas for operators."""

    SERVICE = saga_pb2.DESCRIPTOR.services_by_name["SagaService"]

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def GetSaga(self, request: saga_pb2.GetSagaRequest, context: Any) -> saga_pb2.Saga:
        """Raises SagaNotFound."""
        async with UnitOfWork(self._engine) as work:
            saga = await read_saga(work.connection, UUID(request.saga_id))
        if saga is None:
            raise SagaNotFound(field="saga_id")
        return saga

    async def ListSagas(self, request: saga_pb2.ListSagasRequest, context: Any) -> saga_pb2.ListSagasResponse:
        """Newest first."""
        before, limit = id_position(request, request.page_token), limit_of(request)
        async with UnitOfWork(self._engine) as work:
            found = await list_sagas(
                work.connection, state=request.state, entity_id=request.entity_id, before=before, limit=limit
            )
        page = page_of(request, found, lambda saga: saga, lambda saga: saga.saga_id)
        return saga_pb2.ListSagasResponse(sagas=page.messages, next_page_token=page.token)
