"""What the trie finds. Precedence and verbs: gateway.md; wildcards: the comments of google/api/http.proto."""

import pytest

from gateway.template import parse_template
from gateway.trie import Found, NotAllowed, PathTrie, TrieConflictError

RULES = [
    "GET /v1/events",
    "POST /v1/events",
    "GET /v1/events/{id}",
    "GET /v1/events/latest",
    "DELETE /v1/events/{id}",
    "POST /v1/events/{id}:finish",
    "GET /v1/events/{id}:watch",
    "GET /v1/{name=shelves/*/books/*}",
    "GET /v1/shelves/{shelf}",
    "GET /v1/shelves/special/books/{book}/pages",
    "GET /v1/files/{path=**}",
    "GET /v1/files/{path=**}:stat",
    "PUT /v1/files/index",
    "* /v1/anything",
    "PURGE /v1/cache",
    "GET /",
]


@pytest.fixture(scope="module")
def trie() -> PathTrie[str]:
    trie = PathTrie[str]()
    for rule in RULES:
        method, _, path = rule.partition(" ")
        template = parse_template(path)
        trie.add(method, template.segments, template.verb, rule)
    return trie


@pytest.mark.parametrize(
    ("method", "path", "rule"),
    [
        pytest.param("GET", "/v1/events", "GET /v1/events", id="literals"),
        pytest.param("GET", "/v1/%65vents", "GET /v1/events", id="RFC 3986: an encoded unreserved character is itself"),
        pytest.param("GET", "/v1/events/1", "GET /v1/events/{id}", id="* matches one segment"),
        pytest.param("GET", "/v1/events/latest", "GET /v1/events/latest", id="literal before *"),
        pytest.param("DELETE", "/v1/events/latest", "DELETE /v1/events/{id}", id="backtracking over the method"),
        pytest.param("GET", "/v1/shelves/special/books/1", "GET /v1/{name=shelves/*/books/*}", id="backtracking"),
        pytest.param(
            "GET",
            "/v1/shelves/special/books/1/pages",
            "GET /v1/shelves/special/books/{book}/pages",
            id="the literal branch where it goes on",
        ),
        pytest.param("GET", "/v1/files", "GET /v1/files/{path=**}", id="** matches zero segments"),
        pytest.param("GET", "/v1/files/a/b/c", "GET /v1/files/{path=**}", id="** matches many"),
        pytest.param("GET", "/v1/files/a//c/", "GET /v1/files/{path=**}", id="** matches empty segments"),
        pytest.param("GET", "/v1/files/index", "GET /v1/files/{path=**}", id="literal before **, but not for GET"),
        pytest.param("PUT", "/v1/files/index", "PUT /v1/files/index", id="literal before **"),
        pytest.param("GET", "/v1/files/a/b:stat", "GET /v1/files/{path=**}:stat", id="a verb after **"),
        pytest.param("GET", "/v1/files/a:b", "GET /v1/files/{path=**}", id="a colon that is no known verb"),
        pytest.param("POST", "/v1/events/1:finish", "POST /v1/events/{id}:finish", id="a verb"),
        pytest.param("GET", "/v1/events/1:watch", "GET /v1/events/{id}:watch", id="another verb"),
        pytest.param(
            "GET", "/v1/events/a:1:watch", "GET /v1/events/{id}:watch", id="the last colon separates the verb"
        ),
        pytest.param("GET", "/v1/events/1%3Awatch", "GET /v1/events/{id}", id="an encoded colon separates nothing"),
        pytest.param("GET", "/v1/events/:watch", "GET /v1/events/{id}", id="a verb of nothing is a value"),
        pytest.param("GET", "/v1/events/1:nope", "GET /v1/events/{id}", id="an unknown verb belongs to the value"),
        pytest.param("GET", "/v1/events/a%2Fb", "GET /v1/events/{id}", id="an encoded slash separates nothing"),
        pytest.param("HEAD", "/v1/events/1", "GET /v1/events/{id}", id="HEAD follows GET"),
        pytest.param("PURGE", "/v1/cache", "PURGE /v1/cache", id="a custom kind"),
        pytest.param("BREW", "/v1/anything", "* /v1/anything", id="kind * is any method"),
        pytest.param("GET", "/", "GET /", id="the root"),
    ],
)
def test_a_path_finds_its_rule(trie: PathTrie[str], method: str, path: str, rule: str) -> None:
    found = trie.find(method, path)

    assert isinstance(found, Found)
    assert found.target == rule


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("PUT", "/v1/events", {"GET", "POST"}),
        ("GET", "/v1/events/1:finish", {"POST"}),
        ("PATCH", "/v1/events/latest", {"GET", "DELETE"}),
        ("HEAD", "/v1/cache", {"PURGE"}),
        ("DELETE", "/v1/files/index", {"GET", "PUT"}),
    ],
)
def test_a_path_of_other_methods_says_which(trie: PathTrie[str], method: str, path: str, methods: set[str]) -> None:
    assert trie.find(method, path) == NotAllowed(frozenset(methods))


@pytest.mark.parametrize("path", ["/v2", "/v1", "/v1/", "/v1/events/", "/v1/events/1/x", "", "*"])
def test_nothing_is_found_where_nothing_is(trie: PathTrie[str], path: str) -> None:
    assert trie.find("GET", path) is None


def test_a_path_that_is_not_utf8_is_an_error(trie: PathTrie[str]) -> None:
    with pytest.raises(UnicodeDecodeError):
        trie.find("GET", "/v1/%ff")


def test_found_segments_are_raw_and_without_the_verb(trie: PathTrie[str]) -> None:
    found = trie.find("GET", "/v1/events/a%20b:watch")

    assert isinstance(found, Found)
    assert found.segments == ["v1", "events", "a%20b"]


def test_two_rules_for_the_same_requests_conflict() -> None:
    trie = PathTrie[str]()
    trie.add("GET", parse_template("/v1/{a}").segments, "", "first")

    with pytest.raises(TrieConflictError) as caught:
        trie.add("GET", parse_template("/v1/{b}").segments, "", "second")

    assert caught.value.existing == "first"


def test_a_search_is_linear_in_the_trie_whatever_the_path() -> None:
    trie = PathTrie[str]()
    for depth in range(1, 12):
        trie.add("GET", parse_template("/a" * depth + "/end").segments, "", f"literal {depth}")
        trie.add("GET", parse_template("/*" * depth + "/end").segments, "", f"star {depth}")

    assert trie.find("GET", "/a" * 5_000) is None
