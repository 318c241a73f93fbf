"""How the gateway's own pages refuse: as the contract's paths do. The pages are in pages.py."""

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import ErrorReply, MethodNotAllowed, reply_to_bug, reply_to_refusal

PAGE_METHODS = ("GET", "HEAD")
_ALLOW = ", ".join([*PAGE_METHODS, "OPTIONS"])


async def _answer_other_method(request: Request, error: Exception) -> Response:
    """A page's path is an exact one, so that only the method can be wrong."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"allow": _ALLOW})
    refusal = MethodNotAllowed(reason="METHOD_NOT_ALLOWED", headers=[(b"allow", _ALLOW.encode())])
    return _response(reply_to_refusal(refusal))


async def _answer_bug(request: Request, error: Exception) -> Response:
    return _response(reply_to_bug())


def _response(error: ErrorReply) -> Response:
    headers = {name.decode(): value.decode() for name, value in error.headers}
    return Response(error.body, error.http_status, headers, media_type="application/json")


PAGE_ERRORS: dict[type[Exception], Callable[[Request, Any], Any]] = {
    HTTPException: _answer_other_method,
    Exception: _answer_bug,
}
"""Starlette's table of what answers an exception; its types are those of Starlette's own parameter."""
