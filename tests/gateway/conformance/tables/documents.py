"""The gateway's own pages: OpenAPI, its documentation, health."""

from tests.gateway.conformance.cases import Case, get

OPENAPI, HEALTH = "OpenAPI: 3.1", "gateway.md: health"

CASES: tuple[Case, ...] = (
    Case(
        "the document",
        OPENAPI,
        get("/openapi.json"),
        200,
        "",
        has=(b'"openapi":"3.1.0"', b'"/v1/publishers/{parent}/volumes:batchGet"', b'"Lists volumes."', b'"bearer"'),
        headers={"content-type": "application/json"},
    ),
    Case("its page", OPENAPI, get("/docs"), 200, "", has=(b"swagger-ui",)),
    Case("of the process", HEALTH, get("/healthz"), 200, "", b'{"status":"SERVING"}'),
    Case("of the services", HEALTH, get("/readyz"), 200, "", has=(b'"test.conformance.v1":"SERVING"',)),
)
