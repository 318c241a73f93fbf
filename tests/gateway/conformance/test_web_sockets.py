"""What is said on a WebSocket: bidi and client streams of a contract, frame by frame (gateway.md, RFC 6455)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.gateway.conformance.cases import Fails
from tests.gateway.conformance.world import World, normalised, running_world
from tests.gateway.sockets import hear, socket

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF_CLOSE = ""
TALK = "/f/talks/s"


@dataclass(frozen=True, slots=True)
class Talk:
    """What a client says, frame by frame, and what it hears until the close. `received` is as in cases.Case."""

    id: str
    source: str
    target: str
    says: tuple[str | bytes, ...]
    hears: tuple[object, ...]
    received: str | None
    code: int = 1000
    answers: tuple[str | bytes, ...] | None = None
    fails: Fails | None = None
    refusal: str = ""
    """Part of the message of the error that is the last frame."""


TALKS = [
    Talk(
        "an answer to each message",
        "gateway.md: bidi over WebSocket",
        TALK,
        ('{"text":"a"}', '{"text":"b"}', HALF_CLOSE),
        ({"speaker": "s", "text": "a"}, {"speaker": "s", "text": "b"}),
        'Talk(speaker: "s" text: "a")\nTalk(speaker: "s" text: "b")',
    ),
    Talk(
        "the path is of every message, whatever it says",
        "gateway.md: a path-bound field cannot be overridden",
        TALK,
        ('{"speaker":"other"}', HALF_CLOSE),
        ({"speaker": "s"},),
        'Talk(speaker: "s")',
    ),
    Talk("nothing said", "gateway.md: bidi over WebSocket", TALK, (HALF_CLOSE,), (), ""),
    Talk(
        "a client stream is answered once",
        "gateway.md: client streaming over WebSocket",
        "/f/gauges/g:record?note=n",
        ('{"version":1}', '{"version":2}', HALF_CLOSE),
        ({"count": 2},),
        'Record(gauge: "g" reading { version: 1 } note: "n")\nRecord(gauge: "g" reading { version: 2 } note: "n")',
        answers=("count: 2",),
    ),
    Talk(
        "a server stream without a body needs no frame",
        "gateway.md: bidi over WebSocket",
        "/f/gauges/g:watch?afterVersion=1",
        (),
        ({"version": "2"}, {"version": "3"}),
        'Watch(gauge: "g" after_version: 1)',
        answers=("version: 2", "version: 3"),
    ),
    Talk(
        "a server stream with a body takes one frame",
        "gateway.md: bidi over WebSocket",
        "/f/lines:recite",
        ('{"text":"a"}',),
        ({"text": "a"},),
        'Recite(text: "a")',
    ),
    Talk(
        "an error is the last frame, and the close code has its status",
        "gateway.md: errors in-band",
        "/f/gauges/g:watch",
        (),
        ({"version": "1"},),
        None,
        4404,
        answers=("version: 1",),
        fails=Fails("NOT_FOUND", "gone"),
        refusal="gone",
    ),
    Talk(
        "a message that is none",
        "gateway.md: errors in-band",
        TALK,
        ('{"txt":"a"}',),
        (),
        None,
        4400,
        refusal="message 1: txt: unknown field; did you mean text?",
    ),
    Talk(
        "a message that is no JSON",
        "gateway.md: errors in-band",
        TALK,
        ("{",),
        (),
        None,
        4400,
        refusal="malformed JSON",
    ),
    Talk("bytes", "RFC 6455: data frames", TALK, (b"{}",), (), None, 4400, refusal="A message is a text frame."),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_world(tmp_path_factory.mktemp("sockets")) as running:
        yield running


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: f"{talk.source}: {talk.id}")
async def test_a_socket_conforms(world: World, talk: Talk) -> None:
    world.backend.begin(talk.answers, talk.fails, waits=False)

    async with socket(world.port, talk.target) as connection:
        for frame in talk.says:
            await connection.send(frame)
        heard, code = await hear(connection)

    if talk.refusal:
        assert talk.refusal in heard.pop()["error"]["message"]
    assert (tuple(heard), code) == (talk.hears, talk.code)
    if talk.received is not None:
        assert world.received() == normalised(talk.received)
