"""The step from the service's bytes to JSON alone, in one process: this gateway's codec beside json_format."""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

from google.protobuf.json_format import MessageToJson
from sagamesh.line_provider.v1.event_pb2 import ListEventsResponse

from benchmarks.gateway.backend import MANY, page
from gateway.settings import OWN_CONTRACT
from mesh.codec import Codec

_ROUNDS = 9
_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Codecs:
    """Microseconds of the best round, for a page of `size` bytes of JSON."""

    size: int
    ours: float
    json_format: float


def measure() -> Codecs:
    """Rounds of both in turn; takes some seconds."""
    codec = Codec.of_descriptor_set(OWN_CONTRACT.read_bytes())
    wire = page(MANY).SerializeToString()
    name = ListEventsResponse.DESCRIPTOR.full_name

    def ours() -> object:
        return codec.encode_json(name, wire)

    def theirs() -> object:
        return MessageToJson(ListEventsResponse.FromString(wire), indent=None).encode()

    rounds = [(_microseconds(ours), _microseconds(theirs)) for _ in range(_ROUNDS)]
    best_ours, best_theirs = (min(column) for column in zip(*rounds, strict=True))
    return Codecs(len(codec.encode_json(name, wire)), best_ours, best_theirs)


def _microseconds(once: Callable[[], object]) -> float:
    began, count = process_time(), 0
    while (spent := process_time() - began) < _SECONDS:
        once()
        count += 1
    return spent / count * 1e6
