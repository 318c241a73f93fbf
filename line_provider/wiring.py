"""Puts line_provider together: the only place where its adapters are made."""

import asyncio
from datetime import UTC, datetime
from functools import partial

from line_provider import queries, tables
from line_provider.handlers import HANDLED, ScoreHandler
from line_provider.repository import EventWork, SqlScores
from line_provider.servicer import EventServicer
from line_provider.settings import Settings
from mesh.background import running
from mesh.idempotency import Once
from mesh.inbox.servicer import InboxServicer
from mesh.maintenance import MaintenanceServicer, inbox_tasks, request_tasks
from mesh.server import Server
from mesh.signal import Signal
from mesh.uow import UnitOfWork, disposing, open_engine
from mesh.watch import Watch

NAME = "line_provider"


def wire(settings: Settings) -> Server:
    """A server that is not started yet. Nothing is connected before it starts."""
    dsn = settings.database_dsn.get_secret_value()
    engine = open_engine(dsn)
    reads = engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip a read, not three
    changed = Signal(dsn, "line_provider_event")
    clock = partial(datetime.now, UTC)
    draining = asyncio.Event()

    def begin(once: Once | None) -> EventWork:
        return EventWork(engine, changed, once=once)

    def scores(work: UnitOfWork) -> SqlScores:
        return SqlScores(work, changed)

    events = EventServicer(reads, begin, Watch(partial(queries.get_event, reads), changed, draining), clock)
    inbox = InboxServicer(engine, NAME, dict.fromkeys(HANDLED, ScoreHandler(scores, clock)))
    maintenance = MaintenanceServicer([*inbox_tasks(engine), *request_tasks(engine, tables.request)])
    return Server(
        settings,
        [
            (events, events.SERVICE),
            (inbox, inbox.SERVICE),
            (maintenance, maintenance.SERVICE),
        ],
        resources=[disposing(engine), running("signal", changed.run)],
        draining=draining,
        ready=lambda: changed.is_carried,
    )
