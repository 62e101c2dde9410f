"""Programs and libraries that tests use: left out where they are missing, unless all are required."""

from collections.abc import Callable
from typing import Any

import pytest


def test_what_is_here_is_found(program: Callable[..., str], library: Callable[[str], Any]) -> None:
    assert program("no-such-program", "sh").endswith("/sh")
    assert library("json").loads("1") == 1


def test_what_is_missing_is_left_out_by_a_person_and_fails_where_required(
    program: Callable[..., str], library: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for find in (program, library):
        monkeypatch.delenv("ASCIILOOM_REQUIRE_TOOLS", raising=False)
        with pytest.raises(pytest.skip.Exception, match="no_such_tool is not installed"):
            find("no_such_tool")
        monkeypatch.setenv("ASCIILOOM_REQUIRE_TOOLS", "1")
        with pytest.raises(pytest.fail.Exception, match="no_such_tool is not installed"):
            find("no_such_tool")
