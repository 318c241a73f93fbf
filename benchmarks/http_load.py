"""HTTP load. It shares the processor with what it measures, so a request costs it as little Python as possible."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

CONNECTIONS = 32

Progress = Callable[[], None]
"""Called after each answer."""

_LAST_CHUNK = b"0\r\n\r\n"


class RequestFailed(Exception):
    """The system refused a request of the benchmark, so its figures would mean nothing."""


class HttpConnection(asyncio.Protocol):
    """One keep-alive connection that asks one thing at a time. Understands only what is asked here: a status line,
    headers with a content-length, a body; or chunks, which are not put together."""

    def __init__(self, expects: bytes) -> None:
        """`expects` is how the status of every answer begins."""
        self._expects = expects
        self._transport: asyncio.Transport | None = None
        self._answered: Callable[[bytes | RequestFailed], None] | None = None
        self._buffer = b""

    @classmethod
    async def open(cls, host: str, port: int, expects: bytes = b"2") -> "HttpConnection":
        """A connected one."""
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(expects), host, port)
        return connection

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self._transport = transport

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises RequestFailed for one that is not expected."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def answered(body: bytes | RequestFailed) -> None:
            if isinstance(body, RequestFailed):
                answer.set_exception(body)
            else:
                answer.set_result(body)

        self.send(request, answered)
        return await answer

    def send(self, request: bytes, answered: Callable[[bytes | RequestFailed], None]) -> None:
        """Calls `answered` when the answer is there; it may send the next request at once."""
        self._answered = answered
        if self._transport is None:
            answered(RequestFailed("not connected"))
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or self._answered is None or not _is_whole(buffer, end):
            return
        self._buffer = b""
        answered, self._answered = self._answered, None
        body = buffer[end + 4 :]
        if buffer.startswith(self._expects, 9):
            answered(body)
        else:
            answered(RequestFailed(f"{buffer[9:12].decode()}: {body[:300].decode(errors='replace')}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._answered is not None:
            answered, self._answered = self._answered, None
            answered(RequestFailed(f"the server closed the connection: {exc}"))

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()


def _is_whole(buffer: bytes, end: int) -> bool:
    """Whether what begins with a head of `end` bytes has its whole body."""
    lowered = buffer[:end].lower()
    start = lowered.find(b"content-length:") + 15
    if start < 15:
        return buffer.endswith(_LAST_CHUNK)
    stop = lowered.find(b"\r\n", start)
    return len(buffer) - end - 4 >= int(lowered[start : stop if stop > 0 else None])


async def saturate_http(
    address: tuple[str, int], requests: Iterable[bytes], progress: Progress, expects: bytes = b"2"
) -> list[float]:
    """Sends the requests over as many connections as ever, each the next one as soon as it is answered. Returns the
    seconds that each took. Raises RequestFailed."""
    connections = [await HttpConnection.open(*address, expects) for _ in range(CONNECTIONS)]
    left = iter(requests)
    spans: list[float] = []
    ended: list[asyncio.Future[None]] = []

    def work(connection: HttpConnection, done: asyncio.Future[None]) -> None:
        began = 0.0

        def ask() -> None:
            nonlocal began
            request = next(left, None)
            if request is None:
                done.set_result(None)
            else:
                began = perf_counter()
                connection.send(request, answered)

        def answered(body: bytes | RequestFailed) -> None:
            if isinstance(body, RequestFailed):
                done.set_exception(body)
                return
            spans.append(perf_counter() - began)
            progress()
            ask()

        ask()

    for connection in connections:
        ended.append(asyncio.get_running_loop().create_future())
        work(connection, ended[-1])
    await asyncio.gather(*ended)
    for connection in connections:
        connection.close()
    return spans


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
