"""The policy's `alias`: exact extra paths (gateway.md settled 8)."""

from tests.gateway.conformance.cases import Case, finds_nothing, refuses, send

ALIAS = "gateway.md: settled 8"


def reports(id: str, target: str) -> Case:
    """A report at a path."""
    return Case(id, ALIAS, send("POST", target, '{"text":"t"}'), 201, 'ReportFault(text: "t")')


CASES: tuple[Case, ...] = (
    reports("the rule's own path", "/v1/faults"),
    reports("a path with a slash at its end", "/fault-report/"),
    reports("a longer path", "/api/v1/faults"),
    reports("an encoded path", "/old%20faults"),
    finds_nothing("without its slash", ALIAS, send("POST", "/fault-report", "{}")),
    finds_nothing("with one more segment", ALIAS, send("POST", "/fault-report/x", "{}")),
    finds_nothing("with one more slash", ALIAS, send("POST", "/api/v1/faults/", "{}")),
    refuses(
        "for the rule's method alone", ALIAS, send("PUT", "/fault-report/", "{}"), "METHOD_NOT_ALLOWED", status=405
    ),
    refuses("with the rule's body", ALIAS, send("POST", "/fault-report/?text=x", "{}"), "UNKNOWN_PARAMETER", "text"),
)
