"""The grammar is the one in the comments of google/api/http.proto; each case says which sentence of it it is from."""

import pytest

from gateway.template import TemplateError, Variable, Wildcard, parse_template

ONE, REST = Wildcard.ONE, Wildcard.REST


@pytest.mark.parametrize(
    ("source", "segments", "variables", "verb"),
    [
        pytest.param("/v1/messages", ("v1", "messages"), (), "", id="Segments = Segment { / Segment }"),
        pytest.param("/v1/*", ("v1", ONE), (), "", id="* matches a single URL path segment"),
        pytest.param("/v1/**", ("v1", REST), (), "", id="** matches zero or more segments"),
        pytest.param("/**", (REST,), (), "", id="** alone"),
        pytest.param(
            "/v1/{name}", ("v1", ONE), (Variable("name", 1, 2, (ONE,)),), "", id="{var} is equivalent to {var=*}"
        ),
        pytest.param("/v1/{name=*}", ("v1", ONE), (Variable("name", 1, 2, (ONE,)),), "", id="{var=*}"),
        pytest.param(
            "/v1/{name=messages/*}",
            ("v1", "messages", ONE),
            (Variable("name", 1, 3, ("messages", ONE)),),
            "",
            id="a variable of several segments",
        ),
        pytest.param(
            "/v1/{name=shelves/**}",
            ("v1", "shelves", REST),
            (Variable("name", 1, None, ("shelves", REST)),),
            "",
            id="a variable to the end",
        ),
        pytest.param(
            "/v1/{a.b.c}/x/{d}",
            ("v1", ONE, "x", ONE),
            (Variable("a.b.c", 1, 2, (ONE,)), Variable("d", 3, 4, (ONE,))),
            "",
            id="FieldPath = IDENT { . IDENT }",
        ),
        pytest.param("/v1/events:batchGet", ("v1", "events"), (), "batchGet", id="Verb = : LITERAL"),
        pytest.param(
            "/v1/{name}:cancel", ("v1", ONE), (Variable("name", 1, 2, (ONE,)),), "cancel", id="a verb after a variable"
        ),
        pytest.param(
            "/v1/{name=**}:cancel", ("v1", REST), (Variable("name", 1, None, (REST,)),), "cancel", id="a verb after **"
        ),
        pytest.param("/v1/a%20b/ü".replace("ü", "%C3%BC"), ("v1", "a b", "ü"), (), "", id="literals are decoded"),
        pytest.param("/v1/urn:isbn/x", ("v1", "urn:isbn", "x"), (), "", id="a colon before the last segment"),
        pytest.param("/", ("",), (), "", id="the root, as the peers take it"),
    ],
)
def test_a_template_of_the_grammar_is_parsed(
    source: str, segments: tuple[str | Wildcard, ...], variables: tuple[Variable, ...], verb: str
) -> None:
    template = parse_template(source)

    assert (template.segments, template.variables, template.verb) == (segments, variables, verb)


@pytest.mark.parametrize(
    ("source", "position", "reason"),
    [
        ("", 0, "expected '/'"),
        ("v1/x", 0, "expected '/'"),
        ("//", 1, "expected a segment"),
        ("/v1/", 4, "expected a segment"),
        ("/v1//x", 4, "expected a segment"),
        ("/v1/{", 5, "expected a field name"),
        ("/v1/{}", 5, "expected a field name"),
        ("/v1/{1a}", 5, "expected a field name"),
        ("/v1/{a.}", 7, "expected a field name"),
        ("/v1/{a", 6, "expected '}'"),
        ("/v1/{a=}", 7, "expected a segment"),
        ("/v1/{a={b}}", 7, "a variable may not hold another variable"),
        ("/v1/{a}/{a}", 8, "a is bound twice"),
        ("/v1/{a}b", 7, "expected '/', ':' or the end"),
        ("/v1/**/x", 6, "'**' must be the last segment"),
        ("/v1/{a=**}/x", 10, "'**' must be the last segment"),
        ("/v1/x:", 6, "expected a verb"),
        ("/v1/{a}:b:c", 9, "a template has one verb"),
        ("/v1/***", 6, "expected '/', ':' or the end"),
        ("/v1/a b", 5, "expected '/', ':' or the end"),
        ("/v1/%ff", 7, "percent-encoding is not of UTF-8"),
        ("/v1/:verb", 4, "expected a segment"),
    ],
)
def test_a_fault_is_reported_with_its_position(source: str, position: int, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(source)

    assert (caught.value.position, caught.value.reason) == (position, reason)
    assert str(caught.value) == f"{source!r} at {position}: {reason}"
