"""InboxService over the handlers of the service that mounts it."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from sagamesh.mesh.v1 import inbox_pb2, inbox_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.errors import InvalidArgument
from mesh.inbox.delivery import Delivery, Handler


class InboxServicer(inbox_pb2_grpc.InboxServiceServicer):
    """Takes the messages whose destination is `name`."""

    SERVICE = inbox_pb2.DESCRIPTOR.services_by_name["InboxService"]

    def __init__(self, engine: AsyncEngine, name: str, handlers: Mapping[type[Message], Handler]) -> None:
        self._name = name
        self._delivery = Delivery(engine, handlers)

    async def Deliver(self, request: inbox_pb2.DeliverRequest, context: Any) -> inbox_pb2.DeliverResponse:
        """Raises InvalidArgument for a message that is not for this service; then nothing was handled."""
        for index, envelope in enumerate(request.envelopes):
            if envelope.destination != self._name:
                raise InvalidArgument(
                    f"this is {self._name}, not {envelope.destination}", field=f"envelopes[{index}].destination"
                )
        return inbox_pb2.DeliverResponse(outcomes=await self._delivery.deliver(request.envelopes))
