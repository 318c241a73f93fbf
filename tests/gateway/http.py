"""A client of raw HTTP/1.1 bytes, so that nothing between a test and the gateway is helpful."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

Json = Any
"""Any JSON."""


@dataclass(frozen=True)
class Response:
    """What came back; header names are in lower case, and the values of one that came twice are joined."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def error(self) -> Json:
        """The error of AIP-193."""
        return self.json["error"]

    @property
    def reason(self) -> str:
        """The reason that ErrorInfo gives."""
        return next(detail["reason"] for detail in self.error["details"] if "reason" in detail)

    @property
    def fields(self) -> list[str]:
        """The fields that BadRequest names."""
        details = self.error["details"]
        return [one["field"] for detail in details for one in detail.get("fieldViolations", ())]


class Connection:
    """A connection that is used for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> None:
        lines = [f"{method} {target} HTTP/1.1", "host: test"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None and "transfer-encoding" not in (headers or {}):
            lines.append(f"content-length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next response."""
        status_line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in filter(None, lines):
            name, _, value = line.partition(": ")
            before = f"{headers[name.lower()]}, " if name.lower() in headers else ""
            headers[name.lower()] = before + value
        return int(status_line.split()[1]), headers

    async def response(self, *, head_only: bool = False) -> Response:
        status, headers = await self.head()
        if head_only or status < 200 or status in (204, 304):
            return Response(status, headers, b"")
        if "content-length" in headers:
            return Response(status, headers, await self.reader.readexactly(int(headers["content-length"])))
        return Response(status, headers, b"".join([chunk async for chunk in self.chunks()]))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of a chunked body, as they come."""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")

    def pause(self) -> None:
        """Reads nothing more from the socket."""
        assert isinstance(self.writer.transport, asyncio.ReadTransport)
        self.writer.transport.pause_reading()

    def reset(self) -> None:
        """Closes at once, and says so even to a server that reads nothing."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.writer.transport.abort()


async def request(
    port: int, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Response:
    """One request on a connection of its own."""
    connection = await Connection.open(port)
    try:
        connection.send(method, target, headers, body)
        return await connection.response(head_only=method == "HEAD")
    finally:
        connection.close()


async def request_json(port: int, method: str, target: str, document: Json, **headers: str) -> Response:
    """One request with a JSON body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(
        port, method, target, {"content-type": "application/json", **names}, json.dumps(document).encode()
    )
