"""Takes back sagas whose deadline passed before their pivot was done.

The message of the running step is deleted first: whoever deletes it decides the step, so a settlement of the same
message either came before, and the saga has moved on, or finds nothing. What that message may have done, or may yet do
while it is in flight, is taken back by the step's own undo and the participant's barrier.
"""

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.outbox.rows import delete, lock
from mesh.saga.engine import Sagas, StepReport
from mesh.saga.machine import Report
from mesh.uow import UnitOfWork

_BATCH = 200
_OVERDUE = text("""SELECT message_id FROM saga WHERE state = 1 AND deadline < now() ORDER BY deadline LIMIT :limit""")
_PASSED = Status(code=code_pb2.DEADLINE_EXCEEDED, message="The saga's deadline passed.")


async def expire(engine: AsyncEngine, sagas: Sagas) -> int:
    """Takes back overdue sagas, in batches; returns how many."""
    total = 0
    while True:
        async with UnitOfWork(engine) as work:
            overdue = (await work.connection.execute(_OVERDUE, {"limit": _BATCH})).scalars().all()
            rows = await lock(work.connection, overdue)
            await delete(work.connection, [row.seq for row in rows.values()])
            reports = [
                StepReport(row.saga_id, row.message_id, Report.TIMED_OUT, error=_PASSED)
                for row in rows.values()
                if row.saga_id is not None
            ]
            await sagas.apply(work, reports)
            await work.commit()
        total += len(reports)
        if len(reports) < _BATCH:
            return total
