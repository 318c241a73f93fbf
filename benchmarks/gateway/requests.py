"""What the fronts are asked."""

import json
from dataclasses import dataclass

from benchmarks.gateway.backend import EVENT_ID, FEW, MANY, MISSING_ID, event

_TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJiZW5jaG1hcmsifQ.c2lnbmF0dXJl"
_NEW_EVENT = {
    "title": event().title,
    "deadline": event().deadline.ToJsonString(),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One sort of request. `messages` are those of an answer, which is what is counted; `status` is how the answer's
    begins; `small_unary` says that the targets for CPU apply."""

    name: str
    method: str
    target: str
    body: bytes = b""
    accept: str = "application/json"
    status: str = "2"
    messages: int = 1
    small_unary: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What an ordinary client sends."""
        headers = {
            "host": "localhost",
            "user-agent": "benchmark/1.0",
            "accept": self.accept,
            "authorization": f"Bearer {_TOKEN}",
        }
        if self.body:
            headers |= {"content-type": "application/json", "content-length": str(len(self.body))}
        return headers

    @property
    def raw(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {text}" for name, text in self.headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


LIST = Question("GET of 55 KB", "GET", f"/v1/events?page_size={MANY}")

QUESTIONS = (
    Question("GET, by path", "GET", f"/v1/events/{EVENT_ID}", small_unary=True),
    Question("GET, by query", "GET", f"/v1/events?page_size={FEW}&open=true&status=HIGH_SCORE", small_unary=True),
    Question("POST, JSON body", "POST", "/v1/events", json.dumps(_NEW_EVENT).encode(), small_unary=True),
    LIST,
    Question("error answer", "GET", f"/v1/events/{MISSING_ID}", status="404"),
    Question(
        "stream, a message",
        "GET",
        f"/v1/events/{EVENT_ID}:watch?after_version=17",
        accept="application/x-ndjson",
        messages=MANY,
    ),
)
