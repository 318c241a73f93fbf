"""Headers that reach the service, as metadata or as fields of the request, and those that do not."""

import pytest

from gateway.headers import HeaderError, HeaderForwarding
from tests.gateway.http import request
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_allowed_headers_become_metadata_and_others_do_not(running: Running) -> None:
    headers = {
        "Authorization": "Bearer abc",
        "Accept-Language": "de",
        "X-Request-Id": "r1",
        "X-Secret": "no",
        "Cookie": "no",
        "Grpc-Metadata-Admin": "no",
        "TE": "gzip",
    }

    await request(running.port, "GET", "/v1/books/b1", headers)

    metadata = running.library.metadata
    assert metadata["authorization"] == "Bearer abc"
    assert (metadata["accept-language"], metadata["x-request-id"]) == ("de", "r1")
    assert not {"x-secret", "cookie", "grpc-metadata-admin", "admin", "host"} & metadata.keys()


@pytest.mark.parametrize("received", [None, "", "nonsense", TRACEPARENT.replace("00-", "ff-"), "00-" + "0" * 52])
async def test_a_trace_begins_where_none_is_usable(running: Running, received: str | None) -> None:
    await request(running.port, "GET", "/v1/books/b1", {"traceparent": received} if received is not None else {})

    assert len(str(running.library.metadata["traceparent"])) == len(TRACEPARENT)
    assert running.library.metadata["traceparent"] != received


@pytest.mark.parametrize(
    "name", ["connection", "te", "transfer-encoding", "host", "content-length", "grpc-timeout", "upgrade", "ä"]
)
async def test_a_hop_by_hop_header_cannot_be_allowed(name: str) -> None:
    with pytest.raises(HeaderError, match="cannot be forwarded"):
        HeaderForwarding([name])
