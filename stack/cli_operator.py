"""`sagamesh outbox` and `sagamesh saga`: what an operator reads and does in a running stack."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.table import Table
from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc, saga_pb2, saga_pb2_grpc
from sagamesh.mesh.v1.envelope_pb2 import SagaStep

from stack.console import output
from stack.directory import DataDirectory
from stack.operator import Session, ask_all, ask_around
from stack.options import AsJson, DataDir, OneService

outbox = typer.Typer(help="What waits in the services' outboxes, and what was given up.", no_args_is_help=True)
saga = typer.Typer(help="Sagas, as the services that started them tell.", no_args_is_help=True)

MessageId = Annotated[str, typer.Argument(help="The message, as `outbox dead` shows it.")]
Destination = Annotated[str, typer.Argument(help="The service that messages go to.")]
_DEFAULT = Path(".sagamesh")


@outbox.command()
def backlog(service: OneService = None, data_dir: DataDir = _DEFAULT, as_json: AsJson = False) -> None:
    """Show how much waits for each destination, and for how long."""

    async def call(session: Session) -> outbox_pb2.GetBacklogResponse:
        stub = outbox_pb2_grpc.OutboxServiceStub(session.channel)
        return await stub.GetBacklog(outbox_pb2.GetBacklogRequest(), metadata=session.metadata, timeout=session.timeout)

    answers = asyncio.run(ask_all(DataDirectory(data_dir), service, call))
    if as_json:
        _print_json(answers)
        return
    table = Table("service", "destination", "waiting", "oldest", "dead", "parked keys", "paused", box=None)
    for name, answer in answers.items():
        for row in answer.destinations:
            age = str(timedelta(seconds=row.oldest_age.seconds))
            numbers = (str(row.depth), age, str(row.dead_letters), str(row.parked_keys))
            table.add_row(name, row.destination, *numbers, "yes" if row.paused else "")
    output().print(table)


@outbox.command()
def dead(
    service: OneService = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The most of each service, oldest first.")] = 50,
    data_dir: DataDir = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List the messages that were given up, oldest first."""

    async def call(session: Session) -> outbox_pb2.ListDeadLettersResponse:
        stub = outbox_pb2_grpc.OutboxServiceStub(session.channel)
        request = outbox_pb2.ListDeadLettersRequest(page_size=limit)
        return await stub.ListDeadLetters(request, metadata=session.metadata, timeout=session.timeout)

    answers = asyncio.run(ask_all(DataDirectory(data_dir), service, call))
    if as_json:
        _print_json(answers)
        return
    table = Table("service", "message", "destination", "type", "attempts", "redrivable", "error", box=None)
    for name, answer in answers.items():
        for letter in answer.dead_letters:
            what = (letter.envelope.message_id, letter.envelope.destination, letter.envelope.type)
            table.add_row(name, *what, str(letter.attempts), "yes" if letter.redrivable else "no", letter.error.message)
    output().print(table)


@outbox.command()
def redrive(message_id: MessageId, service: OneService = None, data_dir: DataDir = _DEFAULT) -> None:
    """Put a message that was given up back to work, and its saga with it.

    \b
    sagamesh outbox redrive 0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7
    """

    async def call(session: Session) -> outbox_pb2.RedriveResponse:
        stub = outbox_pb2_grpc.OutboxServiceStub(session.channel)
        request = outbox_pb2.RedriveRequest(message_id=message_id)
        return await stub.Redrive(request, metadata=session.metadata, timeout=session.timeout)

    name, _ = asyncio.run(ask_around(DataDirectory(data_dir), service, call))
    typer.echo(f"{name}: {message_id} is due again.")


@outbox.command()
def pause(destination: Destination, service: OneService = None, data_dir: DataDir = _DEFAULT) -> None:
    """Stop deliveries to a destination; its messages wait and lose no attempt."""

    async def call(session: Session) -> outbox_pb2.PauseDestinationResponse:
        stub = outbox_pb2_grpc.OutboxServiceStub(session.channel)
        request = outbox_pb2.PauseDestinationRequest(destination=destination)
        return await stub.PauseDestination(request, metadata=session.metadata, timeout=session.timeout)

    _tell_all(data_dir, service, call, f"deliveries to {destination} are paused.")


@outbox.command()
def resume(destination: Destination, service: OneService = None, data_dir: DataDir = _DEFAULT) -> None:
    """Start deliveries to a paused destination again."""

    async def call(session: Session) -> outbox_pb2.ResumeDestinationResponse:
        stub = outbox_pb2_grpc.OutboxServiceStub(session.channel)
        request = outbox_pb2.ResumeDestinationRequest(destination=destination)
        return await stub.ResumeDestination(request, metadata=session.metadata, timeout=session.timeout)

    _tell_all(data_dir, service, call, f"deliveries to {destination} go on.")


@saga.command()
def show(
    saga_id: Annotated[str, typer.Argument(help="The saga.")],
    service: OneService = None,
    data_dir: DataDir = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show where a saga stands, and every attempt it made."""

    async def call(session: Session) -> saga_pb2.Saga:
        stub = saga_pb2_grpc.SagaServiceStub(session.channel)
        request = saga_pb2.GetSagaRequest(saga_id=saga_id)
        return await stub.GetSaga(request, metadata=session.metadata, timeout=session.timeout)

    name, found = asyncio.run(ask_around(DataDirectory(data_dir), service, call))
    if as_json:
        _print_json({name: found})
        return
    console = output()
    state = saga_pb2.Saga.State.Name(found.state)
    console.print(f"{name}: saga {found.name} v{found.version} of {found.owner} for {found.entity_id}: {state}")
    if found.error.message:
        console.print(f"because: {found.error.message}")
    table = Table("time", "step", "asked", "came of it", "why", box=None)
    for entry in found.log:
        what = (SagaStep.Direction.Name(entry.direction), saga_pb2.SagaLogEntry.Kind.Name(entry.kind))
        table.add_row(entry.time.ToJsonString(), entry.step, *what, entry.error.message)
    console.print(table)


def _tell_all(data_dir: Path, service: str | None, call: Callable[[Session], Awaitable[Any]], sentence: str) -> None:
    for name in asyncio.run(ask_all(DataDirectory(data_dir), service, call)):
        typer.echo(f"{name}: {sentence}")


def _print_json(answers: dict[str, Any]) -> None:
    plain: dict[str, Message] = answers
    typer.echo(
        json.dumps(
            {
                name: MessageToDict(message, always_print_fields_with_no_presence=True)
                for name, message in plain.items()
            },
            indent=2,
        )
    )
