"""`sagamesh gateway`: the REST gateway alone, for any contract."""

from pathlib import Path
from typing import Annotated

import typer

from stack.errors import StackError

Upstreams = Annotated[
    list[str], typer.Option(metavar="PACKAGE=HOST:PORT", help="Who serves a package and those below it; repeatable.")
]


def gateway(
    descriptor_set: Annotated[Path, typer.Option(help="A FileDescriptorSet with its imports, as protoc or buf make.")],
    upstream: Upstreams,
    port: Annotated[int, typer.Option(help="The port of the REST side; 0 picks one, and the log says which.")] = 8080,
    host: Annotated[str, typer.Option(help="The address of the REST side.")] = "127.0.0.1",
) -> None:
    """Serve the REST side of any gRPC contract that carries google.api.http annotations, until Ctrl-C or SIGTERM.

    \b
    protoc -I proto --include_imports --include_source_info --descriptor_set_out=shop.binpb proto/shop.proto
    sagamesh gateway --descriptor-set shop.binpb --upstream shop.v1=127.0.0.1:50051 --port 9090

    Anything else is set by the environment, such as GATEWAY_TITLE or GATEWAY_MAX_BODY_BYTES.
    """
    from pydantic import ValidationError

    from gateway.__main__ import serve
    from gateway.settings import GatewaySettings
    from mesh import logs
    from mesh.process import StartError

    upstreams = dict(map(_pair, upstream))
    try:
        settings = GatewaySettings(  # pyright: ignore[reportCallIssue]  # the environment has the rest
            listen=f"{host}:{port}", upstreams=upstreams, descriptor_set=descriptor_set
        )
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
