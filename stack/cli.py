"""The `sagamesh` command. Arguments in, sentences out; what it does is elsewhere in this package."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from stack import detach
from stack.cli_gateway import gateway
from stack.cli_migrate import migrate
from stack.cli_operator import outbox, saga
from stack.console import output, process_table
from stack.directory import DataDirectory
from stack.errors import NothingRuns, StackError
from stack.options import AsJson, DataDir
from stack.services import SERVICES, WORKER
from stack.tail import follow_log, last_lines

_UP_HELP = """Run the whole system here, until Ctrl-C or SIGTERM.

    \b
    sagamesh up
    sagamesh up --port 9090 --data-dir second
    sagamesh up --detach; sagamesh ps; sagamesh down
    sagamesh up --replicas arq_worker=2 --replicas line_provider=2

PostgreSQL, two Redis servers, all services, the worker and the gateway are started in the data directory, kept
running, and found again by the next `up`. Real servers are used instead where the environment names them:

    \b
    SAGAMESH_POSTGRES_DSN      a PostgreSQL, as an account that may create roles and databases
    <SERVICE>_DATABASE_DSN     the database of one service, such as LINE_PROVIDER_DATABASE_DSN
    SAGAMESH_REDIS_WORK_DSN    a Redis that may be flushed at any time
    SAGAMESH_REDIS_LOG_DSN     a Redis that keeps what it acknowledges
    SAGAMESH_REPLICAS          NAME=N,... before those of --replicas

Any other setting of a process is passed on by its prefix, such as SCORE_MAKER_LOG_LEVEL=DEBUG.
"""

app = typer.Typer(
    help="Sagamesh: gRPC services, their REST gateway, and everything they need, on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("up", help=_UP_HELP)
def up_command(
    port: Annotated[int, typer.Option(help="Port of the gateway on 127.0.0.1; 0 picks a free one.")] = 8080,
    data_dir: Annotated[
        Path | None,
        typer.Option(envvar="SAGAMESH_DATA_DIR", help="Where data, keys and logs live. [default: .sagamesh]"),
    ] = None,
    ephemeral: Annotated[bool, typer.Option(help="Throw all data away at the end.")] = False,
    detached: Annotated[bool, typer.Option("--detach", help="Return when ready and leave it running.")] = False,
    replicas: Annotated[list[str] | None, typer.Option(help="NAME=N: run N processes of a service or worker.")] = None,
    # What `--detach` starts has been checked, and says nothing into its log that is a secret.
    announce: Annotated[bool, typer.Option(hidden=True)] = True,
) -> None:
    """Runs the stack."""
    # Here and below: what takes long to import is imported by the command that needs it, so that `ps` is instant.
    from stack.up import Request, check, run

    numbers = os.environ.get("SAGAMESH_REPLICAS", "").replace(",", " ").split() + (replicas or [])
    directory = data_dir or (None if ephemeral else Path(".sagamesh"))
    request = Request(port, directory, ephemeral, dict(map(_replica, numbers)))
    if announce:
        check(request)
    if detached:
        _announce(*detach.start_detached(directory, request.arguments(), _say))
    else:
        run(request, _announce if announce else lambda directory, url: None)


@app.command()
def ps(data_dir: DataDir = Path(".sagamesh"), as_json: AsJson = False) -> None:
    """Show the processes of the running stack.

    \b
    sagamesh ps --json | jq -r '.[] | select(.name == "gateway") | .pid'
    """
    directory = DataDirectory(data_dir)
    rows = directory.running() if directory.is_locked() else []
    if as_json:
        typer.echo(json.dumps([{name: row[name] for name in ("name", "pid", "address", "status")} for row in rows]))
    elif rows:
        output(markup=True).print(process_table(rows))
    else:
        raise NothingRuns(f"Nothing runs in {directory.path}.")


@app.command()
def down(data_dir: DataDir = Path(".sagamesh")) -> None:
    """Stop the stack of a data directory. Its data stays."""
    detach.stop_detached(DataDirectory(data_dir))


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A process as `ps` names it, or `supervisor`.")],
    data_dir: DataDir = Path(".sagamesh"),
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
) -> None:
    """Show the log of a process.

    \b
    sagamesh logs score_maker --follow
    """
    directory = DataDirectory(data_dir)
    sys.stdout.write(last_lines(directory, name, lines))
    if follow:
        follow_log(directory, name, sys.stdout)


def _user(name: str) -> str:
    if not name.strip() or not name.isprintable() or name.startswith("service:"):
        raise typer.BadParameter("A user's id is not empty, has no control characters, and is no service's.")
    return name


@app.command("token")
def token_command(
    sub: Annotated[str, typer.Option(help="Who the token is for: the user's id.", callback=_user)],
    role: Annotated[list[str] | None, typer.Option(help="A role, such as manager or operator; repeatable.")] = None,
    ttl: Annotated[float, typer.Option(min=1, help="Seconds that it lasts.")] = 3600,
    data_dir: DataDir = Path(".sagamesh"),
) -> None:
    """Print a user's bearer token that the stack of a data directory accepts.

    \b
    curl -H "Authorization: Bearer $(sagamesh token --sub maria --role manager)" http://127.0.0.1:8080/v1/events
    """
    from stack.operator import token

    typer.echo(token(DataDirectory(data_dir), sub, role or [], ttl))


@app.command()
def keys(directory: Annotated[Path, typer.Argument(help="Where the keys are to be.")]) -> None:
    """Make the keys that are missing: one for each service, one for users' tokens, and the public JWK Set.

    For stacks that `up` does not run, such as compose.yaml's.
    """
    from stack.keys import ensure_keys

    ensure_keys(directory, [*(service.name for service in SERVICES), WORKER])


app.command("migrate")(migrate)
app.add_typer(outbox, name="outbox")
app.add_typer(saga, name="saga")
app.command("gateway")(gateway)


def main() -> None:
    """Runs the command line. Ends with 0, with 1 and a sentence, or with 2 for a wrong command line."""
    try:
        app()
    except StackError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
    except Exception as error:
        if os.environ.get("SAGAMESH_DEBUG"):
            raise
        _fail(f"This is a defect of sagamesh: {type(error).__name__}: {error}. SAGAMESH_DEBUG=1 shows where.")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _fail(sentence: str) -> None:
    typer.echo(f"sagamesh: {sentence}", err=True)
    sys.exit(1)


def _replica(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name, int(number) if number.isdecimal() else 0


def _announce(directory: DataDirectory, url: str) -> None:
    from stack.announcement import first_steps, ready_line

    typer.echo(f"{ready_line(url)}\n{first_steps(directory, url)}")
