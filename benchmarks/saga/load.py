"""The load. It shares the processor with what it measures, so a request costs it as little Python as possible."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from grpc import aio
from sagamesh.score_maker.v1.score_pb2 import SubmitScoreRequest

CONNECTIONS = 32
_SUBMIT = "/sagamesh.score_maker.v1.ScoreService/SubmitScore"

Progress = Callable[[], None]
"""Called after each answer."""


class RequestFailed(Exception):
    """The system refused a request of the benchmark, so its figures would mean nothing."""


class HttpConnection(asyncio.Protocol):
    """One keep-alive connection that asks one thing at a time. Understands only what the gateway answers: a status
    line, headers with a content-length, a body."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = b""

    @classmethod
    async def open(cls, host: str, port: int) -> "HttpConnection":
        """A connected one."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self._transport = transport

    async def ask(self, request: bytes) -> bytes:
        """The body of a 2xx answer. Raises RequestFailed for any other."""
        if self._transport is None:
            raise RequestFailed("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head, body = self._buffer[:end], self._buffer[end + 4 :]
        if len(body) < _content_length(head):
            return
        self._buffer = b""
        if head[9:10] == b"2":
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RequestFailed(f"{head[9:12].decode()}: {body[:300].decode(errors='replace')}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RequestFailed(f"the gateway closed the connection: {exc}"))

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    end = lowered.find(b"\r\n", start)
    return int(lowered[start : end if end > 0 else None])


async def saturate_http(address: tuple[str, int], requests: Iterable[bytes], progress: Progress) -> None:
    """Sends the requests over as many connections as ever, each the next one as soon as it is answered."""
    connections = [await HttpConnection.open(*address) for _ in range(CONNECTIONS)]
    left = iter(requests)

    async def work(connection: HttpConnection) -> None:
        for request in left:
            await connection.ask(request)
            progress()

    await _together(work(connection) for connection in connections)
    for connection in connections:
        connection.close()


async def offer_http(
    address: tuple[str, int], requests: Sequence[bytes], per_second: float, progress: Progress
) -> float:
    """Sends the requests at a constant rate, whatever the answers do; returns the rate that was kept."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[HttpConnection] = asyncio.Queue()
    for _ in range(4 * CONNECTIONS):
        free.put_nowait(await HttpConnection.open(*address))

    async def send(request: bytes) -> None:
        connection = await free.get()
        await connection.ask(request)
        free.put_nowait(connection)
        progress()

    began = loop.time()
    tasks: list[asyncio.Task[None]] = []
    for number, request in enumerate(requests):
        await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
        tasks.append(asyncio.create_task(send(request)))
    kept = len(requests) / (loop.time() - began + 1 / per_second)
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()
    return kept


async def saturate_submit(target: str, requests: Iterable[tuple[SubmitScoreRequest, str]], progress: Progress) -> None:
    """Calls SubmitScore with (request, token) pairs, as many at a time as HTTP connections; bytes in, bytes out."""
    left = [(request.SerializeToString(), (("authorization", f"Bearer {token}"),)) for request, token in requests]
    pending = iter(left)
    async with aio.insecure_channel(target) as channel:
        call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_SUBMIT)

        async def work() -> None:
            for request, metadata in pending:
                await call(request, metadata=metadata, timeout=10.0)
                progress()

        await _together(work() for _ in range(CONNECTIONS))


async def _together(work: Iterable[Any]) -> None:
    """Runs all of it; the first failure ends the rest."""
    async with asyncio.TaskGroup() as group:
        for coroutine in work:
            group.create_task(coroutine)
