"""What one delivery takes, and how long a failing destination rests."""

from sagamesh.mesh.v1.envelope_pb2 import Envelope
from sagamesh.mesh.v1.outbox_pb2 import LeasedEnvelope

from arq_worker.lane import MAX_BATCH, Backoff, Destination, Lane


async def _never() -> bool:
    return False


def _lane() -> Lane:
    return Lane(Destination("a", None, _never), Backoff())  # pyright: ignore[reportArgumentType]  # cut() calls nobody


def _envelopes(count: int, size: int) -> list[LeasedEnvelope]:
    return [LeasedEnvelope(envelope=Envelope(payload=b"x" * size)) for _ in range(count)]


def test_a_batch_has_at_most_500_messages() -> None:
    assert len(_lane().cut(_envelopes(MAX_BATCH + 1, 1))) == MAX_BATCH


def test_a_batch_has_at_most_one_mebibyte_but_never_nothing() -> None:
    assert len(_lane().cut(_envelopes(10, 300_000))) == 3
    assert len(_lane().cut(_envelopes(3, 3_000_000))) == 1


def test_a_rest_grows_to_its_cap_and_is_never_none() -> None:
    longest = Backoff(base=1, cap=4, jitter=lambda: 1.0)
    assert [longest.delay(n) for n in range(4)] == [1, 2, 4, 4]
    assert Backoff(base=1, cap=4, jitter=lambda: 0.0).delay(9) == 0.4
