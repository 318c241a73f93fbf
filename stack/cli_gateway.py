"""`sagamesh gateway`: the REST gateway alone, for any contract."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stack.errors import StackError

DescriptorSet = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A FileDescriptorSet with its imports, as protoc or buf make; it is watched."),
]
Upstreams = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PACKAGE=HOST:PORT",
        help="Who serves a package of the descriptor set, and the packages below it; repeatable.",
    ),
]
Reflected = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST:PORT", help="A server that tells what it serves by gRPC reflection; repeatable."),
]


def gateway(
    descriptor_set: DescriptorSet = None,
    upstream: Upstreams = None,
    reflect: Reflected = None,
    port: Annotated[int, typer.Option(help="The port of the REST side; 0 picks one, and the log says which.")] = 8080,
    host: Annotated[str, typer.Option(help="The address of the REST side.")] = "127.0.0.1",
) -> None:
    """Serve the REST side of any gRPC contract that carries google.api.http annotations, until Ctrl-C or SIGTERM.

    The contract is a file, or is asked of the services themselves, or both:

    \b
    sagamesh gateway --reflect 127.0.0.1:50051 --port 9090

    \b
    protoc -I proto --include_imports --include_source_info --descriptor_set_out=shop.binpb proto/shop.proto
    sagamesh gateway --descriptor-set shop.binpb --upstream shop.v1=127.0.0.1:50051 --port 9090

    A contract that changes is served without a stop: the file is looked at every second, and on SIGHUP; a service is
    asked every 10 seconds, and when it is back. One that cannot be served changes nothing, and the log says why.

    Anything else is set by the environment, such as GATEWAY_TITLE or GATEWAY_MAX_BODY_BYTES.
    """
    from pydantic import ValidationError

    from gateway.__main__ import serve
    from gateway.settings import GatewaySettings
    from mesh import logs
    from mesh.process import StartError

    if (descriptor_set is None) != (not upstream):
        raise StackError("--descriptor-set and --upstream go together.")
    if descriptor_set is None and not reflect:
        raise StackError("A gateway needs --reflect, or --descriptor-set and --upstream.")
    contract: dict[str, Any] = {"upstreams": dict(map(_pair, upstream or [])), "reflect": tuple(reflect or [])}
    if descriptor_set is not None:
        contract["descriptor_set"] = descriptor_set
    try:
        settings = GatewaySettings(listen=f"{host}:{port}", **contract)
        logs.configure("gateway", settings.log_level)
        serve(settings)
    except StartError as error:
        raise StackError(str(error)) from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise StackError(f"The gateway's settings are not valid: {faults}.") from None


def _pair(text: str) -> tuple[str, str]:
    package, _, target = text.partition("=")
    if not package or not target:
        raise StackError(f"--upstream takes PACKAGE=HOST:PORT, not {text}.")
    return package, target
