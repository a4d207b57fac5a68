import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden_runner.grading import globs


@pytest.mark.parametrize(
    ("pattern", "path", "itself", "or_below"),
    [
        ("tests", "tests/a.py", False, True),
        ("tests", "tests2/a.py", False, False),
        ("*.py", "a.py", True, True),
        ("*.py", "b/a.py", False, False),
        ("**/*.py", "b/c/a.py", True, True),
        ("**/*.py", "a.py", True, True),
        ("a/**", "a/b/c", True, True),
        ("a/**/z", "a/z", True, True),
        ("a?c", "a/c", False, False),
        ("/a/", "a", True, True),
        ("a[1]", "a[1]", True, True),
    ],
)
def test_a_pattern_means(pattern, path, itself, or_below):
    assert globs.matches(path, pattern) is itself
    assert globs.matches_any(path, ["nothing", pattern]) is or_below


def _expression(pattern: str) -> str:
    """The same rules as one regular expression: right, and slow on paths made for it."""
    found, position, pattern = "", 0, pattern.strip("/")
    rules = (("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]"))
    while position < len(pattern):
        for mark, meaning in rules:
            if pattern.startswith(mark, position):
                found, position = found + meaning, position + len(mark)
                break
        else:
            found, position = found + re.escape(pattern[position]), position + 1
    return found


@given(st.text("ab/*?", max_size=8), st.text("ab/", max_size=8))
def test_matching_agrees_with_the_regular_expression(pattern, path):
    expected = re.fullmatch(f"(?s:{_expression(pattern)})", path) is not None
    assert globs.matches(path, pattern) is expected
    below = re.fullmatch(f"(?s:{_expression(pattern)}(?:/.*)?)", path) is not None
    assert globs.matches_any(path, [pattern]) is below


@pytest.mark.parametrize("pattern", ["**/a/" * 8 + "z", "*a" * 40 + "z", "**" + "*a*" * 30 + "z"])
def test_a_path_made_to_take_long_does_not(pattern):
    began = time.process_time()
    assert not globs.matches("a/" * 2000, pattern)
    assert not globs.matches("a" * 4000, pattern)
    assert time.process_time() - began < 5
