"""`sagamesh gateway`: the REST gateway alone, for any contract."""

from pathlib import Path
from typing import Annotated

import typer


def gateway(
    descriptor_set: Annotated[Path, typer.Option(help="A FileDescriptorSet with its imports, as protoc or buf make.")],
    upstream: Annotated[list[str], typer.Option(metavar="PACKAGE=HOST:PORT", help="Who serves a package; repeatable.")],
    port: Annotated[int, typer.Option(help="The port of the REST side; 0 picks one.")] = 8080,
    host: Annotated[str, typer.Option(help="The address of the REST side.")] = "127.0.0.1",
) -> None:
    """Serve the REST side of any gRPC contract that carries google.api.http annotations.

    \b
    sagamesh gateway --descriptor-set shop.binpb --upstream shop.v1=127.0.0.1:50051 --port 9090
    """
    raise NotImplementedError
