"""The gateway's own pages: the documentation, metrics, health. They serve nothing of the contract."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Page

from gateway.docs import docs_routes
from gateway.generation import Generation
from gateway.reload import ContractState

OPENAPI = "/openapi.json"


def own_pages(
    title: str, metrics: CollectorRegistry, state: ContractState, current: Callable[[], Generation]
) -> list[Page]:
    """Every page, each at an exact path. `current` gives what serves now."""

    async def show_openapi(request: Request) -> Response:
        return Response(current().plan.openapi, media_type="application/json")

    async def show_metrics(request: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    async def show_health(request: Request) -> Response:
        return JSONResponse({"status": "SERVING"})

    async def show_readiness(request: Request) -> Response:
        with current() as generation:
            health = await generation.plan.upstreams.health()
        ready = not generation.missing and all(state == "SERVING" for state in health.values())
        contract = {**state.told(), "routes": len(generation.plan.table.routes), "missing": generation.missing}
        return JSONResponse({"upstreams": health, "contract": contract}, status_code=200 if ready else 503)

    return [
        *docs_routes(title),
        Page(OPENAPI, show_openapi),
        Page("/metrics", show_metrics),
        Page("/healthz", show_health),
        Page("/readyz", show_readiness),
    ]
