"""The gateway's own pages: OpenAPI, its documentation, health."""

from tests.gateway.conformance.cases import Case, finds_nothing, get, takes

OPENAPI, HEALTH, ANY_CONTRACT = "OpenAPI: 3.1", "gateway.md: health", "gateway.md: routes of a descriptor set"

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
    takes("a contract that this system does not have", ANY_CONTRACT, get("/t/one/abc"), 'One(name: "abc")'),
    finds_nothing("and not this system's own", ANY_CONTRACT, get("/v1/events")),
    Case("of the process", HEALTH, get("/healthz"), 200, "", b'{"status":"SERVING"}'),
    Case("of the services", HEALTH, get("/readyz"), 200, "", has=(b'"test.conformance.v1":"SERVING"',)),
)
