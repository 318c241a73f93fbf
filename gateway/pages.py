"""The gateway's own pages, compressed for clients that like it. Knows no contract."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.compression import Compression


def compressed_page(page: Route, compression: Compression) -> Route:
    """The same page, whose endpoint answers at once."""
    show: Callable[[Request], Awaitable[Response]] = page.endpoint

    async def send(request: Request) -> Response:
        response = await show(request)
        headers = [header for header in response.raw_headers if header[0] != b"content-length"]
        accept = request.headers.get("accept-encoding", "").encode("latin-1")
        body = await compression.apply(accept, headers, bytes(response.body))
        compressed = Response(status_code=response.status_code)
        compressed.body = body
        compressed.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
        return compressed

    return Route(page.path, send)
