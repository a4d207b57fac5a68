"""Reads JUnit XML, and says exactly which spellings of a test's id mean a test case in it.

A case has a class name C, a name N and perhaps a file F. It is meant by `C::N`, `C.N`, `F::N`, and by a
pytest node id: the part before the first `[` is split at `::`, a leading `.py` path is written as a module
(`tests/test_a.py` -> `tests.test_a`), and all but the last part, joined by dots, must equal C, the rest N.
So `tests/test_a.py::TestX::test_y[1]` means C=`tests.test_a.TestX`, N=`test_y[1]`. A case without a class
name is also meant by N alone. Nothing else matches: no prefixes, no case folding.
"""

import os
import xml.etree.ElementTree as ET
from typing import AbstractSet, Dict, Iterator, List, Optional, Tuple

from benchwarden_runner import safe_files
from benchwarden_runner.grading import globs
from benchwarden_runner.grading.results import (
    ERROR,
    FAILED,
    PASSED,
    SKIPPED,
    NoResultsError,
    merge,
)

MAX_BYTES = 64 * 1024 * 1024
_STATUS_OF_CHILD = {"failure": FAILED, "error": ERROR, "skipped": SKIPPED}


class _WithoutDoctype(ET.TreeBuilder):
    """Refuses a document type, and with it entities, in whatever encoding it is written."""

    def doctype(self, name: str, pubid: Optional[str], system: Optional[str]) -> None:  # noqa: ARG002  # the interface
        raise NoResultsError("the JUnit report declares a document type, which no test runner does")


class JunitResults:
    """Outcomes of the test cases of some reports, by any spelling of their ids."""

    def __init__(self, documents: List[bytes]) -> None:
        """Read the reports.

        Raises:
            NoResultsError: one is not well-formed, declares entities, or there is no test case at all.
        """
        reports: List[Tuple[str, str]] = []
        for document in documents:
            for case in _cases(document):
                reports += [(key, _status(case)) for key in _keys(case)]
        if not reports:
            raise NoResultsError("the JUnit reports hold no test case")
        self._statuses = merge(reports)

    def statuses(self, names: "list[str]") -> Dict[str, str]:
        """Status by name, for those of `names` that mean a test case."""
        found: Dict[str, str] = {}
        for name in names:
            status = self._statuses.get(name) or self._statuses.get(_node_key(name))
            if status:
                found[name] = status
        return found


def report_files(work_tree: str, pattern: str, tracked: AbstractSet[str]) -> List[str]:
    """Files below `work_tree` that match `pattern`, sorted; no folder that is a link is entered.

    What the base commit holds (`tracked`, such as a pom.xml that `**/*.xml` would match) is no report.
    """
    found: List[str] = []
    for place, folders, files in os.walk(work_tree):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            path = os.path.relpath(os.path.join(place, name), work_tree)
            if path not in tracked and globs.matches(path, pattern):
                found.append(path)
    return sorted(found)


def read_reports(work_tree: str, pattern: str, tracked: AbstractSet[str]) -> JunitResults:
    """The reports that match `pattern`.

    Raises:
        NoResultsError: there are none, or they cannot be read.
    """
    paths = report_files(work_tree, pattern, tracked)
    if not paths:
        raise NoResultsError(f"no JUnit report matches {pattern}")
    try:
        return JunitResults([safe_files.read_inside(work_tree, path, MAX_BYTES) for path in paths])
    except OSError as error:
        raise NoResultsError(f"JUnit report {error.filename}: {error.strerror}") from error


def _cases(document: bytes) -> Iterator[ET.Element]:
    parser = ET.XMLParser(target=_WithoutDoctype())  # noqa: S314 - no entities, see there
    try:
        parser.feed(document)
        root = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:  # the latter two: odd encodings
        raise NoResultsError(f"the JUnit report is not well-formed: {error}") from error
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "testcase":
            yield element


def _status(case: ET.Element) -> str:
    for child in case:
        status = _STATUS_OF_CHILD.get(child.tag.rpartition("}")[2])
        if status:
            return status
    return PASSED


def _keys(case: ET.Element) -> List[str]:
    name, classname = case.get("name", ""), case.get("classname", "")
    keys = [f"{classname}::{name}", f"{classname}.{name}"] if classname else [name]
    file = case.get("file", "")
    return [*keys, f"{file}::{name}"] if file else keys


def _node_key(name: str) -> str:
    """`C::N` for a pytest node id."""
    plain, bracket, parameters = name.partition("[")
    parts = plain.split("::")
    if parts[0].endswith(".py"):
        parts[0] = parts[0][:-3].replace("/", ".")
    return f"{'.'.join(parts[:-1])}::{parts[-1]}{bracket}{parameters}"
