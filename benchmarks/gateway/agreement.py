"""Fronts are compared only when they say the same: equal JSON, and the same status and message of an error."""

import json
from http.client import HTTPConnection
from typing import Any

from benchmarks.gateway.fronts import FRONTS, OURS, Stage
from benchmarks.gateway.requests import QUESTIONS, Question

Json = Any
"""Any JSON."""


class FrontsDisagree(Exception):
    """The fronts answer one question differently."""


def expect_agreement(stage: Stage) -> None:
    """Asks every front everything once. Raises FrontsDisagree."""
    for question in QUESTIONS:
        answers = {front: _answer(stage.address(front), question) for front in FRONTS}
        for front, answer in answers.items():
            if answer != answers[OURS]:
                raise FrontsDisagree(f"{question.name}: {OURS} says {answers[OURS]}, {front} says {answer}")


def _answer(address: tuple[str, int], question: Question) -> tuple[str, list[Json]]:
    """How the status begins, and the messages."""
    connection = HTTPConnection(*address)
    connection.request(question.method, question.target, question.body or None, question.headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    status = str(response.status)
    if not status.startswith(question.status):
        raise FrontsDisagree(f"{question.name}: {status} {text.decode(errors='replace')[:500]}")
    messages = [json.loads(line) for line in text.splitlines()] if question.messages > 1 else [json.loads(text)]
    if len(messages) != question.messages:
        raise FrontsDisagree(f"{question.name}: {len(messages)} messages, not {question.messages}")
    return question.status, [_essence(message) for message in messages]


def _essence(message: Json) -> Json:
    """An error's message, which every front wraps in its own way; any other message as it is."""
    error = message.get("error", message)
    return error.get("message", message)
