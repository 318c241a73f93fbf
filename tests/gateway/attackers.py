"""Hostile clients, in a process of their own: `python -m tests.gateway.attackers`.

A port on standard input makes them begin there, an empty line stop, and either is answered by a line when they have:
what each has had for an answer since, as JSON. Each is moderate, so that the gateway has to bear their kind, and not
the machine their number; and they take the processor last.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.gateway.http import Connection

LOITERERS = 300
_GET = b"GET /v1/echo HTTP/1.1\r\nhost: x\r\n"
_POST = b"POST /v1/echo HTTP/1.1\r\nhost: x\r\n"
_MALFORMED = (
    b"nonsense\r\n\r\n",
    b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
    _GET + b"x-a : b\r\n\r\n",
    _POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
    _POST + b"transfer-encoding: chunked\r\n\r\nno size\r\n",
    os.urandom(1000).replace(b"\n", b""),
)
Attack = Callable[[int, Counter[str]], Awaitable[None]]


async def loiter(port: int, tally: Counter[str]) -> None:
    """Slowloris: a header a second, without end."""
    connection = await Connection.open(port)
    try:
        connection.writer.write(_GET)
        tally["loiterers"] += 1
        while not connection.reader.at_eof():
            connection.writer.write(b"x-a: b\r\n")
            await asyncio.sleep(1)
    finally:
        connection.close()


async def send_large_head(port: int, tally: Counter[str]) -> None:
    """64 KB of headers, forty times a second."""
    await _answered(port, _GET + b"x-a: %s\r\n\r\n" % (b"a" * 64_000), tally, "heads")
    await asyncio.sleep(1 / 40)


async def send_large_body(port: int, tally: Counter[str]) -> None:
    """50 MB in 50 pieces, whatever the answer, and again."""
    connection = await Connection.open(port)
    try:
        connection.writer.write(_POST + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(50):
            connection.writer.write(b"f4240\r\n%s\r\n" % (b"x" * 1_000_000))
            await connection.writer.drain()
            await asyncio.sleep(1 / 100)
        tally[f"bodies {(await connection.head())[0]}"] += 1
    finally:
        connection.close()


async def pipeline(port: int, tally: Counter[str]) -> None:
    """Twenty requests at once, five times a second."""
    connection = await Connection.open(port)
    try:
        while True:
            connection.writer.write((_GET + b"\r\n") * 20)
            for _ in range(20):
                tally[f"pipelined {(await connection.response()).status}"] += 1
            await asyncio.sleep(1 / 5)
    finally:
        connection.close()


async def stop_reading(port: int, tally: Counter[str]) -> None:
    """A stream that nobody reads."""
    connection = await Connection.open(port)
    try:
        connection.send("GET", "/v1/books/b1:watch", {"accept": "text/event-stream"})
        await connection.head()
        connection.pause()
        tally["idle watchers"] += 1
        await asyncio.Event().wait()
    finally:
        connection.close()


async def send_malformed(port: int, tally: Counter[str]) -> None:
    """What is no request, sixty times a second."""
    for raw in _MALFORMED:
        await _answered(port, raw, tally, "malformed")
        await asyncio.sleep(1 / 60)


async def _answered(port: int, raw: bytes, tally: Counter[str], kind: str) -> None:
    connection = await Connection.open(port)
    try:
        connection.writer.write(raw)
        tally[f"{kind} {(await connection.head())[0]}"] += 1
    finally:
        connection.close()


async def _forever(attack: Attack, port: int, tally: Counter[str]) -> None:
    while True:
        try:
            await attack(port, tally)
        except (OSError, EOFError) as refused:
            tally[f"{attack.__name__} {type(refused).__name__}"] += 1


async def _attack(port: int, tally: Counter[str]) -> None:
    attacks = [loiter] * LOITERERS
    attacks += [send_large_head, send_large_body, pipeline, send_malformed, stop_reading]
    async with asyncio.TaskGroup() as group:
        for attack in attacks:
            group.create_task(_forever(attack, port, tally))


async def main() -> None:
    loop = asyncio.get_running_loop()
    tally = Counter[str]()
    while port := await loop.run_in_executor(None, sys.stdin.readline):
        attack = loop.create_task(_attack(int(port), tally))
        while not tally["loiterers"] >= LOITERERS:
            await asyncio.sleep(0.01)
        _say(tally)
        await loop.run_in_executor(None, sys.stdin.readline)
        attack.cancel()
        await asyncio.wait({attack})
        _say(tally)
        tally.clear()


def _say(tally: Counter[str]) -> None:
    sys.stdout.write(f"{json.dumps(tally)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.nice(10)
    asyncio.run(main())
