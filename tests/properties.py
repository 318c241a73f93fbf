"""Properties of all values, tried on some in `make test` and on many in `make test-long`."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

T = TypeVar("T")
_UNIMPORTANT = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def counts(some: int, many: int) -> pytest.MarkDecorator:
    """Parametrizes `examples`."""
    return pytest.mark.parametrize(
        "examples", [pytest.param(some, id="some"), pytest.param(many, id="many", marks=pytest.mark.long)]
    )


def assert_holds(strategy: st.SearchStrategy[T], property_: Callable[[T], Any], examples: int) -> None:
    """Fails with the simplest value that is found for which the property raises."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=_UNIMPORTANT, print_blob=True)
    @given(strategy)
    def check(value: T) -> None:
        property_(value)

    check()
