"""Everything that can be wrong with a request over REST, and how it is refused: a table for test_refusals.py.

`{open}`, `{finished}` and the others in a path are those of stage.py. Field paths are those of the request message
where the service refuses, and as the client wrote them where the gateway does.
"""

import json
from dataclasses import dataclass, field

SUBMIT, SCORE = "/v1/events/{open}/scores", "/v1/scores/{finished_score}"
EVENTS, EVENT = "/v1/events", "/v1/events/{open}"


@dataclass(frozen=True, slots=True)
class Case:
    """A request, by whom it is made, and how it is refused. `at` is the field that the refusal names."""

    request: str
    status: int
    reason: str
    at: str = ""
    body: str | bytes | None = None
    by: str = "alice"
    headers: dict[str, str] = field(default_factory=dict[str, str])


def score(body: str | bytes, reason: str, at: str) -> Case:
    """A score that is not one."""
    return Case(f"POST {SUBMIT}", 400, reason, at, body)


def event(reason: str, at: str, **fields: object) -> Case:
    """An event that is not one. A field of None is left out."""
    given = {"title": "The final", "deadline": "2100-01-01T00:00:00Z", **fields}
    body = json.dumps({name: value for name, value in given.items() if value is not None})
    return Case(f"POST {EVENTS}", 400, reason, f"event.{at}" if at else "event", body, "maria")


def edit(reason: str, at: str, body: str, path: str = EVENT, **headers: str) -> Case:
    """A manager's edit."""
    return Case(f"PATCH {path}", 400, reason, at, body, "maria", headers)


def query(path: str, reason: str, at: str, by: str = "alice") -> Case:
    """A wrong question."""
    return Case(f"GET {path}", 400, reason, at, by=by)


RATES = {
    "rate 0": score('{"rate": 0}', "INVALID_ARGUMENT", "rate"),
    "rate 6": score('{"rate": 6}', "INVALID_ARGUMENT", "rate"),
    "rate -1": score('{"rate": -1}', "INVALID_ARGUMENT", "rate"),
    "rate x": score('{"rate": "x"}', "INVALID_BODY", "rate"),
    "rate 1.5": score('{"rate": 1.5}', "INVALID_BODY", "rate"),
    "rate true": score('{"rate": true}', "INVALID_BODY", "rate"),
    "rate null": score('{"rate": null}', "INVALID_ARGUMENT", "rate"),
    "rate a list": score('{"rate": [5]}', "INVALID_BODY", "rate"),
    "rate NaN": score('{"rate": NaN}', "INVALID_BODY", "body"),
    "rate beyond 32 bits": score('{"rate": 4294967301}', "INVALID_BODY", "rate"),
    "rate of 5,000 digits": score('{"rate": %s}' % ("9" * 5000), "INVALID_BODY", "body"),
    "rate beyond any number": score('{"rate": 1e400}', "INVALID_BODY", "rate"),
    "rate twice": score('{"rate": 5, "rate": 4}', "INVALID_BODY", "rate"),
    "rate missing": score("{}", "INVALID_ARGUMENT", "rate"),
    "no body": score("", "INVALID_ARGUMENT", "rate"),
}
BODIES = {
    "an unknown field": score('{"rate": 5, "colour": "red"}', "INVALID_BODY", "colour"),
    "a field whose name is a NUL": score('{"rate": 5, "\\u0000": 1}', "INVALID_BODY", "\0"),
    "malformed JSON": score('{"rate": 5', "INVALID_BODY", "body"),
    "something after the JSON": score('{"rate": 5}}', "INVALID_BODY", "body"),
    "a list": score("[]", "INVALID_BODY", "body"),
    "null": score("null", "INVALID_BODY", "body"),
    "bytes that are no UTF-8": score(b'{"rate": "\xff"}', "INVALID_BODY", "body"),
    "UTF-16": score('{"rate": 5}'.encode("utf-16"), "INVALID_BODY", "body"),
    "half a surrogate pair": score('{"rate": "\\ud800"}', "INVALID_BODY", "body"),
    "100,000 open lists": score("[" * 100_000, "INVALID_BODY", "body"),
    "100,000 objects in each other": score('{"a":' * 100_000 + "1" + "}" * 100_000, "INVALID_BODY", "body"),
    "5 MB": Case(f"POST {SUBMIT}", 413, "BODY_TOO_LARGE", "body", '{"rate": "%s"}' % ("5" * 5_000_000)),
    "a request id that is none": score('{"rate": 5, "requestId": "1"}', "INVALID_ARGUMENT", "request_id"),
    "a form": Case(
        f"POST {SUBMIT}",
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "content-type",
        "rate=5",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "compressed as it may not be": Case(
        f"POST {SUBMIT}",
        415,
        "UNSUPPORTED_CONTENT_ENCODING",
        "content-encoding",
        '{"rate": 5}',
        headers={"Content-Encoding": "br"},
    ),
    "not compressed, though it says so": Case(
        f"POST {SUBMIT}", 400, "INVALID_BODY", "body", '{"rate": 5}', headers={"Content-Encoding": "gzip"}
    ),
    "a body on GET": Case(f"GET {EVENT}", 400, "UNEXPECTED_BODY", "body", "{}"),
    "a body on DELETE": Case(f"DELETE {SCORE}", 400, "UNEXPECTED_BODY", "body", "{}"),
}
EVENTS_TO_BE = {
    "no title": event("TITLE_INVALID", "title", title=None),
    "an empty title": event("TITLE_INVALID", "title", title=""),
    "a blank title": event("TITLE_INVALID", "title", title=" \t"),
    "a title of 201 characters": event("INVALID_ARGUMENT", "title", title="x" * 201),
    "a title with a NUL": event("TITLE_INVALID", "title", title="The\0final"),
    "a title with half a surrogate pair": event("INVALID_BODY", "", title="\ud800"),
    "a title that is a number": event("INVALID_BODY", "title", title=5),
    "no deadline": event("DEADLINE_INVALID", "deadline", deadline=None),
    "a deadline in the past": event("DEADLINE_INVALID", "deadline", deadline="2020-01-01T00:00:00Z"),
    "a deadline in the year 0": event("INVALID_BODY", "deadline", deadline="0000-01-01T00:00:00Z"),
    "a deadline in the year 1": event("DEADLINE_INVALID", "deadline", deadline="0001-01-01T00:00:00Z"),
    "a deadline in the year 10000": event("INVALID_BODY", "deadline", deadline="10000-01-01T00:00:00Z"),
    "a deadline on 30 February": event("INVALID_BODY", "deadline", deadline="2100-02-30T00:00:00Z"),
    "a deadline without a time": event("INVALID_BODY", "deadline", deadline="2100-01-01"),
    "a deadline without a zone": event("INVALID_BODY", "deadline", deadline="2100-01-01T00:00:00"),
    "a deadline of ten fractional digits": event(
        "INVALID_BODY", "deadline", deadline="2100-01-01T00:00:00.1234567890Z"
    ),
    "a deadline that is a number": event("INVALID_BODY", "deadline", deadline=4102444800),
    "an event id that is none": event("INVALID_ARGUMENT", "event_id", eventId="x"),
    "an unknown status": event("INVALID_BODY", "status", status="GREAT"),
    "a version beyond 64 bits": event("INVALID_BODY", "version", version="9" * 30),
}
EDITS = {
    "title null": edit("TITLE_INVALID", "event.title", '{"title": null}'),
    "deadline null": edit("DEADLINE_INVALID", "event.deadline", '{"deadline": null}'),
    "a mask of no field": edit("UPDATE_MASK_INVALID", "update_mask", '{"title": "x"}', f"{EVENT}?updateMask=colour"),
    "a mask with a NUL": edit("INVALID_PARAMETER", "updateMask", '{"title": "x"}', f"{EVENT}?updateMask=%00"),
    "two versions to match": edit("INVALID_HEADER", "if-match", '{"title": "x"}', **{"If-Match": '"1.1", "1.2"'}),
    "a version that is no UTF-8": edit("INVALID_HEADER", "if-match", '{"title": "x"}', **{"If-Match": "\xff"}),
    "an edit of a finished event": edit("EVENT_FINISHED", "event.event_id", '{"title": "x"}', "/v1/events/{finished}"),
    "an edit past the deadline": edit("DEADLINE_PASSED", "event.event_id", '{"title": "x"}', "/v1/events/{past}"),
    "a version that never was": Case(
        f"PATCH {EVENT}", 409, "ETAG_MISMATCH", "etag", '{"title": "x"}', "maria", {"If-Match": "garbage"}
    ),
    "a version where none is known": Case(
        f"POST {SUBMIT}",
        400,
        "UNSUPPORTED_PRECONDITION",
        "if-match",
        '{"rate": 5}',
        headers={"If-Match": '"1"'},
    ),
}
QUERIES = {
    "an unknown parameter": query(f"{EVENTS}?colour=red", "UNKNOWN_PARAMETER", "colour"),
    "an unknown parameter beside a body": Case(
        f"POST {SUBMIT}?colour=red", 400, "UNKNOWN_PARAMETER", "colour", '{"rate": 5}'
    ),
    "a parameter that the body has": Case(f"POST {SUBMIT}?rate=5", 400, "UNKNOWN_PARAMETER", "rate", '{"rate": 5}'),
    "a parameter that the path has": query(f"{EVENT}?eventId=x", "UNKNOWN_PARAMETER", "eventId"),
    "a parameter twice": query(f"{EVENTS}?page_size=1&pageSize=2", "INVALID_PARAMETER", "pageSize"),
    "a page of -1": query(f"{EVENTS}?pageSize=-1", "INVALID_ARGUMENT", "page_size"),
    "a page of 501": query("/v1/scores?pageSize=501", "INVALID_ARGUMENT", "page_size"),
    "a page of x": query(f"{EVENTS}?pageSize=x", "INVALID_PARAMETER", "pageSize"),
    "a page beyond 32 bits": query(f"{EVENTS}?pageSize={'9' * 30}", "INVALID_PARAMETER", "pageSize"),
    "a page token that is garbage": query(f"{EVENTS}?pageToken=garbage", "INVALID_ARGUMENT", "page_token"),
    "a page token that is a NUL": query(f"{EVENTS}?pageToken=%00", "INVALID_ARGUMENT", "page_token"),
    "a page token of a list": query("/v1/scores?pageToken=W10", "INVALID_ARGUMENT", "page_token"),
    "a page token of null": query("/v1/scores?pageToken=bnVsbA", "INVALID_ARGUMENT", "page_token"),
    "a page token that is no UTF-8": query(f"{EVENTS}?pageToken=%ff", "MALFORMED_QUERY", ""),
    "a status that is none": query(f"{EVENTS}?status=GREAT", "INVALID_PARAMETER", "status"),
    "the number of no status": query(f"{EVENTS}?status=99", "INVALID_ARGUMENT", "status"),
    "open: maybe": query("/events?open=maybe", "INVALID_PARAMETER", "open"),
    "a user with a NUL": query("/v1/scores?userId=%00", "USER_ID_INVALID", "user_id", by="maria"),
    "an event that is no id": query("/v1/scores?eventId=x", "INVALID_ARGUMENT", "event_id"),
    "a watch from before the beginning": query(f"{EVENT}:watch?afterVersion=-1", "INVALID_ARGUMENT", "after_version"),
}
THINGS = {
    "an unknown event scored": Case(
        "POST /v1/events/{unknown}/scores", 404, "EVENT_NOT_FOUND", "event_id", '{"rate": 5}'
    ),
    "an unknown event scored by the original's path": Case(
        "POST /events/{unknown}/score", 404, "EVENT_NOT_FOUND", "event_id", '{"rate": 5}'
    ),
    "an unknown event read": Case("GET /v1/events/{unknown}", 404, "EVENT_NOT_FOUND", "event_id"),
    "an unknown event watched": Case("GET /v1/events/{unknown}:watch", 404, "EVENT_NOT_FOUND", "event_id"),
    "an unknown event edited": Case(
        "PATCH /v1/events/{unknown}", 404, "EVENT_NOT_FOUND", "event.event_id", '{"title": "x"}', "maria"
    ),
    "an unknown event finished": Case(
        "POST /v1/events/{unknown}:finish", 404, "EVENT_NOT_FOUND", "event_id", "{}", "maria"
    ),
    "a finished event scored": Case(
        "POST /v1/events/{finished}/scores", 400, "EVENT_FINISHED", "event_id", '{"rate": 5}'
    ),
    "a finished event scored for the first time": Case(
        "POST /v1/events/{finished}/scores", 400, "EVENT_FINISHED", "event_id", '{"rate": 5}', "bob"
    ),
    "a finished event scored with a request id": Case(
        "POST /v1/events/{finished}/scores",
        400,
        "EVENT_FINISHED",
        "event_id",
        '{"rate": 5, "requestId": "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d8"}',
    ),
    "an event past its deadline scored": Case(
        "POST /v1/events/{past}/scores", 400, "DEADLINE_PASSED", "event_id", '{"rate": 5}'
    ),
    "a score of a finished event withdrawn": Case(f"DELETE {SCORE}", 400, "EVENT_FINISHED", "event_id"),
    "a score withdrawn past the deadline": Case("DELETE /v1/scores/{past_score}", 400, "DEADLINE_PASSED", "event_id"),
    "an unknown score read": Case("GET /v1/scores/{unknown}", 404, "SCORE_NOT_FOUND", "score_id"),
    "an unknown score withdrawn": Case("DELETE /v1/scores/{unknown}", 404, "SCORE_NOT_FOUND", "score_id"),
    "the saga of an unknown score": Case("GET /v1/scores/{unknown}/saga", 404, "SCORE_NOT_FOUND", "score_id"),
    "an id that is none": query("/v1/events/1", "INVALID_ARGUMENT", "event_id"),
    "an id that is a NUL": query("/v1/events/%00", "INVALID_ARGUMENT", "event_id"),
    "an id that is no UTF-8": query("/v1/events/%ff", "MALFORMED_PATH", ""),
    "no id": Case("POST /v1/events//scores", 404, "NO_ROUTE", body='{"rate": 5}'),
    "nothing at all": Case("GET /v1/nothing", 404, "NO_ROUTE"),
    "a service's own rpc": Case("POST /sagamesh.mesh.v1.OutboxService/Pull", 404, "NO_ROUTE", body="{}"),
    "a method that a path lacks": Case(f"PUT {EVENT}", 405, "METHOD_NOT_ALLOWED", body="{}"),
    "a timeout that gRPC cannot read": Case(
        f"GET {EVENT}", 400, "INVALID_HEADER", "grpc-timeout", headers={"Grpc-Timeout": "soon"}
    ),
}
PEOPLE = {
    "a score by nobody": Case(f"POST {SUBMIT}", 401, "TOKEN_MISSING", body='{"rate": 5}', by=""),
    "scores listed by nobody": Case("GET /v1/scores", 401, "TOKEN_MISSING", by=""),
    "an event by nobody": Case(f"POST {EVENTS}", 401, "TOKEN_MISSING", body="{}", by=""),
    "an event by a user": Case(f"POST {EVENTS}", 403, "PERMISSION_DENIED", body="{}"),
    "an event by an operator": Case(f"POST {EVENTS}", 403, "PERMISSION_DENIED", body="{}", by="olga"),
    "an edit by a user": Case(f"PATCH {EVENT}", 403, "PERMISSION_DENIED", body="{}"),
    "a finish by a user": Case(f"POST {EVENT}:finish", 403, "PERMISSION_DENIED", body="{}"),
    "a score by a service": Case(f"POST {SUBMIT}", 403, "PERMISSION_DENIED", body='{"rate": 5}', by="score_maker"),
    "somebody else's score read": Case(f"GET {SCORE}", 404, "SCORE_NOT_FOUND", "score_id", by="bob"),
    "somebody else's score withdrawn": Case(f"DELETE {SCORE}", 404, "SCORE_NOT_FOUND", "score_id", by="bob"),
    "somebody else's saga read": Case(f"GET {SCORE}/saga", 404, "SCORE_NOT_FOUND", "score_id", by="bob"),
    "a user's score withdrawn by a manager": Case(f"DELETE {SCORE}", 403, "NOT_YOUR_SCORE", "score_id", by="maria"),
    "somebody else's scores listed": Case("GET /v1/scores?userId=alice", 403, "NOT_YOUR_SCORES", "user_id", by="bob"),
}
CASES = RATES | BODIES | EVENTS_TO_BE | EDITS | QUERIES | THINGS | PEOPLE
