"""Puts score_maker together: the only place where its adapters are made."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from grpc import aio

from mesh.background import running
from mesh.channel import open_channel
from mesh.idempotency import Once
from mesh.identity import ServiceTokens
from mesh.maintenance import MaintenanceServicer, request_tasks, saga_tasks
from mesh.outbox.backlog import observe
from mesh.outbox.servicer import OutboxServicer
from mesh.saga import Sagas, SagaServicer
from mesh.server import Server
from mesh.signal import Signal
from mesh.uow import UnitOfWork, disposing, open_engine
from score_maker import tables
from score_maker.clients import EventClient
from score_maker.repository import ScoreWork, SqlScores
from score_maker.saga import LINE_PROVIDER, ScoreSagas, define
from score_maker.servicer import ScoreServicer
from score_maker.settings import Settings

NAME = "score_maker"


def wire(settings: Settings) -> Server:
    """A server that is not started yet. Nothing is connected before it starts."""
    dsn = settings.database_dsn.get_secret_value()
    engine = open_engine(dsn)
    reads = engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip a read, not three
    written = Signal(dsn, "score_maker_outbox")
    clock = partial(datetime.now, UTC)
    draining = asyncio.Event()
    definitions = define(SqlScores, clock, settings.saga_deadline)
    sagas = Sagas(definitions.all, written.ring)
    line_provider = _line_provider(settings)

    def starter(work: UnitOfWork) -> ScoreSagas:
        return ScoreSagas(sagas, definitions, work)

    def begin(once: Once | None) -> ScoreWork:
        return ScoreWork(engine, starter, once=once)

    shown_sagas = SagaServicer(reads)
    scores = ScoreServicer(
        reads, begin, EventClient(line_provider, keep=settings.event_keep_seconds), shown_sagas, clock
    )
    outbox = OutboxServicer(engine, sagas, written, draining, settings.outbox)
    maintenance = MaintenanceServicer([*saga_tasks(engine, sagas), *request_tasks(engine, tables.request)])
    return Server(
        settings,
        [
            (scores, scores.SERVICE),
            (outbox, outbox.SERVICE),
            (shown_sagas, shown_sagas.SERVICE),
            (maintenance, maintenance.SERVICE),
        ],
        resources=[
            disposing(engine),
            line_provider,
            running("signal", written.run),
            running("backlog", partial(observe, engine)),
            _registered(outbox),
        ],
        draining=draining,
        ready=lambda: written.is_carried,
    )


def _line_provider(settings: Settings) -> aio.Channel:
    tokens = ServiceTokens(settings.key_file) if settings.key_file else None
    return open_channel(settings.line_provider_target, [EventClient.SERVICE], tokens)


@asynccontextmanager
async def _registered(outbox: OutboxServicer) -> AsyncGenerator[None]:
    await outbox.register([LINE_PROVIDER])
    yield
