"""A contract that changes under load: nothing is dropped, nothing is mixed up, nothing is kept. gateway.md,
"reloaded without restart"."""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.generation import Generation
from tests.gateway.contracts import ROOT
from tests.gateway.http import Connection, request
from tests.gateway.shop import GET, WATCH, Backend, Front, rpc, running_backend, running_front, running_shop, shop
from tests.gateway.sockets import hear, socket

OLD = shop(GET, WATCH, rpc("Old", 'get: "/v1/old/{name}"'), answer="old")
# Another rpc at the same path, another name of the answer's field, and streams of another rpc.
NEW = shop(
    rpc("GetAnew", 'get: "/v1/items/{name}"'),
    rpc("WatchAnew", 'get: "/v1/items/{name}:watch"', stream=True),
    rpc("New", 'get: "/v1/new/{name}"'),
    answer="new",
)
ANSWERS = ({"old": "/test.shop.v1.Shop/Get"}, {"new": "/test.shop.v1.Shop/GetAnew"})


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest_asyncio.fixture
async def target(backend: Backend) -> AsyncIterator[str]:
    async with running_backend(backend) as address:
        yield address


@pytest_asyncio.fixture
async def front(tmp_path: Path, target: str) -> AsyncIterator[Front]:
    async with running_shop(tmp_path, OLD, target) as front:
        yield front


async def test_no_request_fails_or_goes_astray_while_contracts_are_swapped(front: Front, backend: Backend) -> None:
    stopping = asyncio.Event()
    stream = await Connection.open(front.port)
    stream.send("GET", "/v1/items/s:watch")
    assert (await stream.head())[0] == 200
    lines = stream.chunks()

    async def ask(worker: int) -> int:
        connection, asked = await Connection.open(front.port), 0
        while not stopping.is_set():
            asked += 1
            name = f"{worker}-{asked}"
            connection.send("GET", f"/v1/items/{name}")
            response = await connection.response()
            assert response.status == 200, response.body
            assert response.json in [{"name": name, **answer} for answer in ANSWERS]
        connection.close()
        return asked

    workers = [asyncio.create_task(ask(worker)) for worker in range(4)]
    for contract in [NEW, OLD] * 15:
        await front.load(contract)
        line = json.loads(await anext(lines))
        assert line == {"name": "s", "old": "/test.shop.v1.Shop/Watch"}  # of the contract that it began with
        await backend.tick()
    stopping.set()

    assert sum([await worker for worker in workers]) > 100
    assert (await front.contract())["generation"] == 31
    assert await front.metric("gateway_contracts_retiring") == 1
    stream.close()


async def test_an_rpc_that_is_added_appears_and_one_that_is_removed_is_gone(front: Front) -> None:
    before = [await front.status("/v1/old/x"), await front.status("/v1/new/x")]
    front.replace(NEW)
    await front.generation(2)
    after = [await front.status("/v1/old/x"), await front.status("/v1/new/x")]
    document = (await request(front.port, "GET", "/openapi.json")).json

    assert (before, after) == ([200, 404], [404, 200])
    assert list(document["paths"]) == ["/v1/items/{name}", "/v1/items/{name}:watch", "/v1/new/{name}"]


BAD = {
    "nonsense": (b"\xff\xff", "not a complete descriptor set"),
    "half": (NEW[:-20], "not a complete descriptor set"),
    "nothing": (b"", "no rpc with an http rule in test"),
    "no rules": (shop(rpc("Get")), "no rpc with an http rule in test"),
    "template": (shop(rpc("Get", 'get: "/v1/{name=*/"')), "test.shop.v1.Shop.Get: path template"),
    "conflict": (
        shop(GET, rpc("Other", 'get: "/v1/items/{name}"')),
        "test.shop.v1.Shop.Other (GET /v1/items/{name}) and test.shop.v1.Shop.Get (GET /v1/items/{name}) serve the",
    ),
    "own page": (shop(rpc("Get", 'get: "/healthz"')), "is hidden by the gateway's own page /healthz"),
    "field": (shop(rpc("Get", 'get: "/v1/{absent}"')), "test.shop.v1.Shop.Get (GET /v1/{absent})"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_does_not_compile_changes_nothing_and_is_told(
    front: Front, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    descriptor_set, sentence = BAD[name]
    front.replace(descriptor_set)
    await front.failures(1)
    answer = await front.get("/v1/old/x")
    contract = await front.contract()
    record = next(record for record in caplog.records if record.name == "gateway.reload")
    front.replace(NEW)
    await front.generation(2)

    assert answer["old"] == "/test.shop.v1.Shop/Old"
    assert contract["generation"] == 1
    assert contract["lastFailureAt"] >= contract["loadedAt"]
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "contract not loaded")
    assert sentence in vars(record)["facts"]["error"]
    assert await front.status("/v1/new/x") == 200


async def test_a_file_that_is_written_slowly_is_read_when_it_is_whole(front: Front) -> None:
    with front.file.open("wb") as file:
        for start in range(0, len(NEW), len(NEW) // 10):
            file.write(NEW[start : start + len(NEW) // 10])
            file.flush()
            await asyncio.sleep(0.05)  # shorter than what counts as an end
    await front.generation(2)

    assert await front.status("/v1/new/x") == 200
    assert await front.metric("gateway_contract_failures_total") == 0


async def test_a_file_that_is_gone_and_comes_back_is_read_again(front: Front) -> None:
    front.file.unlink()
    await front.failures(1)
    answer = await front.get("/v1/old/x")
    front.file.write_bytes(NEW)
    await front.generation(2)

    assert answer["old"] == "/test.shop.v1.Shop/Old"
    assert await front.status("/v1/new/x") == 200


async def test_a_link_that_leads_elsewhere_is_followed(tmp_path: Path, target: str) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder, contract in zip(folders, (OLD, NEW), strict=True):
        folder.mkdir()
        (folder / "shop.binpb").write_bytes(contract)
    data = tmp_path / "data"  # as Kubernetes mounts a ConfigMap
    data.symlink_to(folders[0])
    async with running_front(
        upstreams={"test": target}, descriptor_set=data / "shop.binpb", descriptor_set_poll=0.02
    ) as front:
        before = await front.status("/v1/new/x")
        (tmp_path / "new").symlink_to(folders[1])
        (tmp_path / "new").replace(data)
        await front.generation(2)
        after = await front.status("/v1/new/x")

    assert (before, after) == (404, 200)


async def test_the_same_bytes_are_no_new_contract(front: Front) -> None:
    front.replace(OLD)
    front.gateway.reload()
    await asyncio.sleep(0.5)  # what must not happen has no event
    same = (await front.contract())["generation"]
    await front.load(NEW)

    assert (same, (await front.contract())["generation"]) == (1, 2)


async def test_a_call_in_flight_ends_with_the_contract_that_it_began_with(
    tmp_path: Path, target: str, backend: Backend
) -> None:
    slow = rpc("SlowGet", 'get: "/v1/slow/{name}"')
    async with running_shop(tmp_path, shop(slow, answer="old"), target, stream_grace=0) as front:
        call = asyncio.create_task(request(front.port, "GET", "/v1/slow/x"))
        await backend.arrived.wait()
        await front.load(NEW)
        gone = await front.status("/v1/slow/x")
        retiring = await front.metric("gateway_contracts_retiring")
        backend.released.set()
        response = await call

    assert (response.status, response.json) == (200, {"name": "x", "old": "/test.shop.v1.Shop/SlowGet"})
    assert (gone, retiring) == (404, 1)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_a_stream_that_outlasts_its_contract_for_long_is_asked_to_come_again(
    tmp_path: Path, target: str, accept: str
) -> None:
    async with running_shop(tmp_path, OLD, target, stream_grace=0.1) as front:
        connection = await Connection.open(front.port)
        connection.send("GET", "/v1/items/s:watch", {"accept": accept})
        await connection.head()
        chunks = connection.chunks()
        await anext(chunks)
        await front.load(NEW)
        rest = b"".join([chunk async for chunk in chunks])
        connection.send("GET", "/v1/items/s:watch")
        await connection.head()
        again = json.loads(await anext(connection.chunks()))
        connection.close()

    assert b"DRAINING" in rest
    assert b"UNAVAILABLE" in rest
    assert again["new"] == "/test.shop.v1.Shop/WatchAnew"


async def test_a_socket_that_outlasts_its_contract_for_long_is_asked_to_come_again(tmp_path: Path, target: str) -> None:
    async with (
        running_shop(tmp_path, OLD, target, stream_grace=0.1) as front,
        socket(front.port, "/v1/items/s:watch") as connection,
    ):
        first = json.loads(await connection.recv())
        await front.load(NEW)
        heard, code = await hear(connection)

    assert first["old"] == "/test.shop.v1.Shop/Watch"
    assert (heard[-1]["error"]["details"][0]["reason"], code) == ("DRAINING", 4503)


async def test_a_stop_ends_the_streams_of_every_contract(tmp_path: Path, target: str) -> None:
    connections: list[Connection] = []
    async with running_shop(tmp_path, OLD, target) as front:
        for contract in (NEW, OLD, NEW):
            connections.append(await Connection.open(front.port))
            connections[-1].send("GET", "/v1/items/s:watch")
            await connections[-1].head()
            await front.load(contract)
        streams = await front.metric("gateway_contracts_retiring")
    ends = [await connection.reader.read() for connection in connections]
    for connection in connections:
        connection.close()

    assert streams == 3
    assert all(b"DRAINING" in end for end in ends)


async def test_a_contract_that_comes_while_the_gateway_stops_begins_no_streams(front: Front) -> None:
    front.gateway.drain()
    await front.load(NEW)
    stream = await request(front.port, "GET", "/v1/items/s:watch")

    assert (stream.status, stream.reason) == (503, "DRAINING")
    assert await front.status("/v1/new/x") == 200


async def test_former_contracts_and_refused_ones_leave_nothing_behind(front: Front) -> None:
    for contract in [NEW, OLD] * 5:
        await front.load(contract)
    generations, objects = await _kept(front)
    for contract in [NEW, OLD] * 25:
        await front.load(contract)
        await front.get("/v1/items/x")
    for number in range(10):
        front.replace(BAD["own page" if number % 2 else "conflict"][0])
        front.gateway.reload()
        await front.failures(number + 1)

    kept = await _kept(front)
    assert (await front.contract())["generation"] == 61
    assert kept[0] <= generations
    assert kept[1] < objects * 1.02


async def _kept(front: Front) -> tuple[int, int]:
    """Generations, and objects of any kind, when no former contract has a request in flight."""
    async with asyncio.timeout(20):
        while await front.metric("gateway_contracts_retiring"):
            await asyncio.sleep(0.01)
    gc.collect()
    objects = gc.get_objects()
    return sum(isinstance(one, Generation) for one in objects), len(objects)


async def test_sighup_reads_the_contract_at_once(tmp_path: Path, target: str) -> None:
    file = tmp_path / "shop.binpb"
    file.write_bytes(OLD)
    environment = {
        **os.environ,
        "GATEWAY_LISTEN": "127.0.0.1:0",
        "GATEWAY_UPSTREAMS": f"test={target}",
        "GATEWAY_DESCRIPTOR_SET": str(file),
        "GATEWAY_DESCRIPTOR_SET_POLL": "3600",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    port = int(json.loads(await process.stderr.readline())["address"].rpartition(":")[2])
    await request(port, "GET", "/healthz")  # it serves, so it hears signals
    file.write_bytes(NEW)
    process.send_signal(signal.SIGHUP)
    loaded = json.loads(await asyncio.wait_for(process.stderr.readline(), 20))
    response = await request(port, "GET", "/v1/new/x")
    process.terminate()
    await process.communicate()

    assert (loaded["message"], loaded["generation"], loaded["routes"]) == ("contract loaded", 2, 3)
    assert response.json["new"] == "/test.shop.v1.Shop/New"
    assert process.returncode == 0
