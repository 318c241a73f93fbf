"""A WebSocket client for tests: the library's, so that the protocol is not judged by those who wrote it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError


@asynccontextmanager
async def socket(port: int, target: str, headers: dict[str, str] | None = None) -> AsyncGenerator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{port}{target}", additional_headers=headers, proxy=None) as connection:
        yield connection


async def say(connection: ClientConnection, *documents: Any) -> None:
    """Sends messages, a frame each."""
    for document in documents:
        await connection.send(json.dumps(document))


async def hear(connection: ClientConnection) -> tuple[list[Any], int | None]:
    """Everything until the close, and its code."""
    heard: list[Any] = []
    with suppress(ConnectionClosedError):
        async for text in connection:
            heard.append(json.loads(text))
    return heard, connection.close_code
