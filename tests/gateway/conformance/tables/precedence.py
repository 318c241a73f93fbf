"""Which rule is found when several match, and what is said when none does."""

from tests.gateway.conformance.cases import Case, finds_nothing, get, request, takes

ORDER, BACKTRACK = "gateway.md: literal > * > **", "gateway.md: backtracking"
NOT_FOUND, NOT_ALLOWED = "RFC 9110: 404", "RFC 9110: 405 and Allow"

CASES: tuple[Case, ...] = (
    takes("a literal is found before *", ORDER, get("/p/a/b"), "Literal()"),
    takes("* is found before **", ORDER, get("/p/a/c"), 'AnyStar(name: "c")'),
    takes("** is found at last", ORDER, get("/p/a/c/d"), 'AnyRest(name: "a/c/d")'),
    takes("** of a longer prefix comes first", ORDER, request("PUT", "/p/deep/x"), 'Inner(name: "x")'),
    takes("and the shorter one after it", ORDER, request("PUT", "/p/shallow/x"), 'Outer(name: "shallow/x")'),
    takes("a verb comes before a value with a colon", ORDER, get("/p/a/c:open"), 'StarOpened(name: "c")'),
    takes("a literal with a verb's path is a *", ORDER, get("/p/a/b:open"), 'StarOpened(name: "b")'),
    takes("a literal that leads on", BACKTRACK, request("POST", "/p/x/n/y"), 'LiteralEnd(name: "n")'),
    takes(
        "a literal that leads nowhere is left again",
        BACKTRACK,
        request("POST", "/p/x/z/q"),
        'LiteralMiddle(name: "x" other: "q")',
    ),
    takes("a literal that lacks the method is left too", BACKTRACK, request("DELETE", "/p/a/b"), 'AnyStar(name: "b")'),
    finds_nothing("no rule at all", NOT_FOUND, get("/nowhere")),
    finds_nothing("a prefix of rules", NOT_FOUND, get("/v1")),
    finds_nothing("no rule for any method", NOT_FOUND, request("LOCK", "/nowhere")),
    Case(
        "no rule for this method",
        NOT_ALLOWED,
        request("PATCH", "/p/a/b"),
        405,
        "",
        reason="METHOD_NOT_ALLOWED",
        headers={"allow": "DELETE, GET, HEAD, OPTIONS, PUT"},
    ),
    Case(
        "Allow is of this path with this verb",
        NOT_ALLOWED,
        request("PATCH", "/t/one/x:open"),
        405,
        "",
        reason="METHOD_NOT_ALLOWED",
        headers={"allow": "GET, HEAD, OPTIONS"},
    ),
    finds_nothing("an rpc without a rule has no path", "gateway.md: settled 2", request("POST", "/v1/hide")),
    finds_nothing(
        "nor gRPC's own",
        "gateway.md: settled 2",
        request("POST", "/test.conformance.v1.Messaging/HideMessage", {"content-type": "application/json"}, b"{}"),
    ),
    finds_nothing(
        "nor has an rpc with one",
        "gateway.md: settled 2",
        request("POST", "/test.conformance.v1.Messaging/GetMessage", {"content-type": "application/grpc"}, b""),
    ),
)
