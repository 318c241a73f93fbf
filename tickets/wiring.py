"""Puts tickets together: the only place where its adapters are made."""

import asyncio
from datetime import UTC, datetime
from functools import partial

from mesh.background import running
from mesh.idempotency import Once
from mesh.maintenance import MaintenanceServicer, request_tasks
from mesh.server import Server
from mesh.signal import Signal
from mesh.uow import disposing, open_engine
from mesh.watch import Watch
from tickets import queries, tables
from tickets.repository import TicketWork
from tickets.servicer import CommentServicer, TicketServicer
from tickets.settings import Settings

NAME = "tickets"


def wire(settings: Settings) -> Server:
    """A server that is not started yet. Nothing is connected before it starts."""
    dsn = settings.database_dsn.get_secret_value()
    engine = open_engine(dsn)
    reads = engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip a read, not three
    changed = Signal(dsn, "tickets_ticket")
    clock = partial(datetime.now, UTC)
    draining = asyncio.Event()

    def begin(once: Once | None) -> TicketWork:
        return TicketWork(engine, changed, once=once)

    watch = Watch(partial(queries.read_ticket, reads), changed, draining)
    tickets = TicketServicer(reads, begin, watch, clock)
    comments = CommentServicer(reads, begin, clock)
    maintenance = MaintenanceServicer(request_tasks(engine, tables.request))
    return Server(
        settings,
        [
            (tickets, tickets.SERVICE),
            (comments, comments.SERVICE),
            (maintenance, maintenance.SERVICE),
        ],
        resources=[disposing(engine), running("signal", changed.run)],
        draining=draining,
        ready=lambda: changed.is_carried,
    )
