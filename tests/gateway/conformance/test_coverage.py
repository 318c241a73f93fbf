"""The suite says where each of its cases comes from, and leaves no line of the specification out."""

from collections import Counter

import pytest

from tests.gateway.conformance.catalogue import TABLES
from tests.gateway.conformance.coverage import ROWS, SETTLED, Requirement
from tests.gateway.conformance.test_web_sockets import TALKS
from tests.gateway.contracts import ROOT

CASES = [
    *((name, case.source, case.id) for name, cases in TABLES.items() for case in cases),
    *(("web_sockets", talk.source, talk.id) for talk in TALKS),
]
SOURCES = {source for _, source, _ in CASES}
REQUIREMENTS = (*ROWS, *SETTLED)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.text)
def test_every_requirement_is_held_by_cases_and_by_tests_that_exist(requirement: Requirement) -> None:
    assert requirement.sources
    assert requirement.sources <= SOURCES
    assert all((ROOT / "tests" / test).is_file() for test in requirement.tests)


def test_every_case_belongs_to_a_requirement() -> None:
    assert {source for requirement in REQUIREMENTS for source in requirement.sources} == SOURCES


def test_every_case_has_a_name_of_its_own_and_there_are_many() -> None:
    assert [case for case, count in Counter(CASES).items() if count > 1] == []
    assert len(CASES) >= 700


def test_all_of_the_specification_is_listed() -> None:
    assert (len(ROWS), len(SETTLED)) == (23, 9)
