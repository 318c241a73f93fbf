"""`/docs`: Swagger UI over `/openapi.json`. Its files come with the package fastapi-offline; nothing is loaded from
other hosts."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PATH = "/docs"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_CACHE = {"cache-control": "public, max-age=86400"}
# The page runs nothing but Swagger UI and the line that starts it, and talks to nobody but this gateway.
_POLICY = {
    "content-security-policy": "default-src 'none'; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({{
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  validatorUrl: null,
}});
</script>
</body>
</html>
"""


def docs_routes(title: str) -> list[Route]:
    """The page and its assets, each at an exact path."""
    page = HTMLResponse(_PAGE.format(title=_escaped(title)), headers=_POLICY)

    async def show(request: Request) -> Response:
        return page

    return [Route(PATH, show), *(_asset(name, media_type) for name, media_type in _ASSETS.items())]


def _asset(name: str, media_type: str) -> Route:
    content = files("fastapi_offline").joinpath("static", name).read_bytes()

    async def send(request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_CACHE)

    return Route(f"{PATH}/{name}", send)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
