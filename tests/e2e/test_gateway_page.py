"""The five minutes of docs/gateway.md, run as they stand. Needs curl (`.ci/run` installs it)."""

import json
import re
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway.contracts import message_class
from tests.shell import output_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"

pytestmark = pytest.mark.system


def blocks(marked: str) -> Iterator[tuple[str, str]]:
    """The page's code blocks whose first line ends in a mark: what follows the mark, and the code."""
    for found in re.finditer(rf"^```\w+ {marked}(\S*)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        yield found[1], found[2]


async def test_a_newcomer_has_the_gateway_before_their_own_service(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name, text in blocks("file="):
        (tmp_path / name).write_text(text)
    compile_, serve, use = (code for _, code in blocks("run"))
    await output_of(compile_, tmp_path)
    async with shop((tmp_path / "shop.binpb").read_bytes()) as target:
        stop = "\nkill %1; wait %1 || true\n"
        session = (serve + use + stop).replace("\ncurl", "\necho; curl").replace("127.0.0.1:50051", target)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        lines = await output_of(session.replace("9090", str(port)), tmp_path)

    ready, got, changed, refused = (json.loads(line) for line in lines if line.startswith("{"))
    assert ready["upstreams"] == {"shop.v1": "SERVING"}
    assert got == {"itemId": "items/tea", "title": "Tea", "stock": "3"}
    assert changed == {"itemId": "items/tea", "title": "Green tea", "stock": "3"}
    assert refused["error"]["details"][1]["fieldViolations"][0]["field"] == "stok"
    watched = [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]
    assert [item["stock"] for item in watched] == ["2", "1"]


@asynccontextmanager
async def shop(image: bytes) -> AsyncGenerator[str]:
    """A service as the page describes it; gives its address."""
    item, get, update = (
        message_class(image, f"shop.v1.{name}") for name in ("Item", "GetItemRequest", "UpdateItemRequest")
    )

    async def answer(request: Any, context: Any) -> Any:
        return item(item_id=request.item_id, title="Tea", stock=3)

    async def change(request: Any, context: Any) -> Any:
        return item(item_id=request.item.item_id, title=request.item.title, stock=3)

    async def watch(request: Any, context: Any) -> AsyncIterator[Any]:
        for stock in (2, 1):
            yield item(item_id=request.item_id, title="Tea", stock=stock)

    handlers = {
        "GetItem": grpc.unary_unary_rpc_method_handler(answer, get.FromString, item.SerializeToString),
        "UpdateItem": grpc.unary_unary_rpc_method_handler(change, update.FromString, item.SerializeToString),
        "WatchItem": grpc.unary_stream_rpc_method_handler(watch, get.FromString, item.SerializeToString),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.v1.ShopService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)
