import pytest

from benchwarden_runner.grading import globs, results_tap
from benchwarden_runner.grading.results import NoResultsError, merge, score
from benchwarden_runner.grading.results_junit import JunitResults

REPORT = b"""<?xml version="1.0"?>
<testsuites><testsuite>
 <testcase classname="tests.test_a.TestX" name="test_y[1-a::b]"/>
 <testcase classname="tests.test_a" name="test_f"><failure/></testcase>
 <testcase classname="pkg.Suite" name="works" file="src/suite.js"/>
 <testcase name="bare"><skipped/></testcase>
 <testcase classname="tests.test_a" name="test_e"><system-out/><error/></testcase>
 <testcase classname="dup" name="twice"/><testcase classname="dup" name="twice"><failure/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("tests/test_a.py::TestX::test_y[1-a::b]", "PASSED"),
        ("tests.test_a.TestX::test_y[1-a::b]", "PASSED"),
        ("tests.test_a.TestX.test_y[1-a::b]", "PASSED"),
        ("tests/test_a.py::test_f", "FAILED"),
        ("pkg.Suite.works", "PASSED"),
        ("src/suite.js::works", "PASSED"),
        ("bare", "SKIPPED"),
        ("tests/test_a.py::test_e", "ERROR"),
        ("dup::twice", "FAILED"),
    ],
)
def test_each_documented_spelling_means_its_test_case(name, status):
    assert JunitResults([REPORT]).statuses([name]) == {name: status}


@pytest.mark.parametrize(
    "name",
    [
        "test_f",
        "test_a.py::test_f",
        "works",
        "TESTS/TEST_A.PY::TEST_F",
        "tests/test_a.py",
        "",
        "bare ",
    ],
)
def test_nothing_else_matches(name):
    assert JunitResults([REPORT]).statuses([name]) == {}


@pytest.mark.parametrize("document", [b"", b"<testsuite/>", b"<testsuite><testcase", b"not xml"])
def test_a_report_without_readable_test_cases_is_no_result(document):
    with pytest.raises(NoResultsError):
        JunitResults([document])


def test_tap_lines_subtests_and_directives():
    text = """TAP version 14
# Subtest: math
    # Subtest: adds
    ok 1 - adds
      ---
      duration_ms: 1
      ---
    not ok 2 - subtracts
    1..2
not ok 1 - math
ok 2 - skipped one # SKIP no network
not ok 3 - later # TODO
ok 4 # nothing but a number
ok 5 - with \\# hash
ok 6 plain words
okay this is prose
1..6
"""
    assert results_tap.parse(text) == {
        "math > adds": "PASSED",
        "math > subtracts": "FAILED",
        "math": "FAILED",
        "skipped one": "SKIPPED",
        "later": "FAILED",
        "# nothing but a number": "PASSED",
        "with # hash": "PASSED",
        "plain words": "PASSED",
    }


def test_output_without_tap_is_no_result():
    with pytest.raises(NoResultsError):
        results_tap.parse("hello\nokay\n1..0\n")


def test_the_worst_report_of_a_test_counts_and_unknown_words_are_failures():
    reports = [("a", "PASSED"), ("a", "ERROR"), ("a", "PASSED"), ("b", "XPASS"), ("c", "SKIPPED")]
    assert merge(reports) == {"a": "ERROR", "b": "FAILED", "c": "SKIPPED"}


def test_a_skip_passes_only_where_allowed_and_never_for_fail_to_pass():
    results = {"f": "SKIPPED", "p": "SKIPPED"}
    strict = score(results, ["f"], ["p"], skipped_counts_as_pass=False)
    assert (strict.fail_to_pass, strict.pass_to_pass) == ((0, 1), (0, 1))
    lenient = score(results, ["f"], ["p"], skipped_counts_as_pass=True)
    assert (lenient.fail_to_pass, lenient.pass_to_pass) == ((0, 1), (1, 1))


def test_no_tests_are_not_resolved():
    assert not score({}, [], [], skipped_counts_as_pass=False).resolved


@pytest.mark.parametrize(
    ("path", "pattern", "below", "itself"),
    [
        ("tests/a/b.py", "tests", True, False),
        ("tests/a/b.py", "tests/", True, False),
        ("tests2/a.py", "tests", False, False),
        ("conftest.py", "**/conftest.py", True, True),
        ("a/b/conftest.py", "**/conftest.py", True, True),
        ("a/b.py", "*.py", False, False),
        ("b.py", "*.py", True, True),
        ("a/x/out.xml", "a/*/out.xml", True, True),
        ("a/x/y/out.xml", "a/*/out.xml", False, False),
        ("a/x/y/out.xml", "a/**/out.xml", True, True),
        ("a.b", "a?b", True, True),
        ("a+b", "a+b", True, True),
    ],
)
def test_path_patterns(path, pattern, below, itself):
    assert globs.matches_any(path, [pattern]) == below
    assert globs.matches(path, pattern) == itself


def test_one_report_of_a_pass_is_enough_where_the_suite_says_so():
    reports = [("a", "PASSED"), ("a", "ERROR"), ("b", "FAILED"), ("b", "SKIPPED"), ("c", "what")]
    assert merge(reports, any_pass_counts=True) == {"a": "PASSED", "b": "SKIPPED", "c": "FAILED"}
