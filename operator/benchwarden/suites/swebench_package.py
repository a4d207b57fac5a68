"""The optional `swebench` package: its own grading and log parsers travel to the grader as source text.

Their files are read, never imported: importing them would need Docker, Modal and more on the operator. A
parser script is a small loader, the sources it needs, and what the instance's row says.
"""

import ast
import base64
import functools
import importlib.util
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.suites import swebench
from benchwarden.suites.instance import Instance

PACKAGE: Final = "swebench"
_INSTALL: Final = "pip install 'benchwarden[swebench]'"
_MODULES: Final = ("harness/grading.py", "harness/infra_failure.py")
_PACKAGES: Final = ("harness/constants", "harness/log_parsers")
_PARSERS: Final = "swebench.harness.log_parsers."
# Of these modules the parsers need one function; the rest of them needs much more.
_ONE_FUNCTION: Final = {"utils.py": "ansi_escape", "harness/utils.py": "ansi_escape"}
_LOADER: Final = Path(__file__).with_name("swebench_parser.py.txt")


class ParserScripts:
    """Makes parser scripts; the package is looked for when the first one is asked."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._sources: Mapping[str, str] = {}
        self._body = ""

    def of(self, instance: Instance) -> str:
        """The parser of an instance, by its labels.

        Raises:
            InvalidInputError: the package is not installed (Unsupported), or does not know the parser.
        """
        if not self._body:
            self._sources = package_sources(self._field)
            self._body = _loader(self._sources)
        labels = dict(instance.labels)
        parser = labels[swebench.LABEL_PARSER]
        if not self._knows(parser):
            raise InvalidInputError(
                f"{instance.id}: the installed swebench package has no log parser {parser[:60]!r}",
                reason=names.REASON_SUITE_INVALID,
                field=self._field,
            )
        row = {"instance_id": instance.id, "repo": instance.repo, **labels}
        return f"ROW = {json.dumps(row, sort_keys=True)}\n{self._body}"

    def _knows(self, parser: str) -> bool:
        return parser.isidentifier() and any(
            f"\ndef {parser}(" in text
            for module, text in self._sources.items()
            if module.startswith(_PARSERS)
        )


def package_sources(field: str) -> dict[str, str]:
    """Source text by module name of what grading needs of the installed package.

    Raises:
        InvalidInputError: it is not installed, or its files are not where they are known to be.
    """
    folder = _folder()
    if folder is None:
        raise InvalidInputError(
            f"SWE-bench logs are read by the swebench package's parsers: {_INSTALL}",
            reason=names.REASON_UNSUPPORTED,
            field=field,
        )
    sources = {_module(folder, path): path.read_text() for path in _files(folder)}
    for name, function in _ONE_FUNCTION.items():
        if (folder / name).is_file() and (text := _function(folder / name, function)):
            sources[_module(folder, folder / name)] = f"import re\n\n\n{text}\n"
    if "swebench.harness.grading" not in sources or len(sources) < len(_PACKAGES) + len(_MODULES):
        raise InvalidInputError(
            "the installed swebench package is laid out in a way this version does not know;"
            f" {_INSTALL}",
            reason=names.REASON_UNSUPPORTED,
            field=field,
        )
    return sources


def columns_of(row: Mapping[str, Any]) -> dict[str, str]:
    """`eval_script`, `log_parser` and `eval_type` of a row without them, built by swebench 4.

    Version 5 of the package takes them from the data set and builds none.

    Raises:
        InvalidInputError: a package that builds them is not installed, or it does not know the row.
    """
    try:
        from swebench.harness.constants import FAIL_ONLY_REPOS, MAP_REPO_VERSION_TO_SPECS
        from swebench.harness.log_parsers import MAP_REPO_TO_PARSER
        from swebench.harness.test_spec.create_scripts import make_eval_script_list
    except ImportError as error:
        raise InvalidInputError(
            f"{row.get('instance_id', 'a row')} has no eval_script; take a revision of the data set"
            " with the columns eval_script, log_parser and image, or install swebench 4.1,"
            " which builds them: pip install 'swebench>=4.1,<5'",
            reason=names.REASON_UNSUPPORTED,
            field="source",
        ) from error
    try:
        # Not its make_test_spec: that fetches requirements of images nobody is going to build.
        lines = make_eval_script_list(
            row,
            MAP_REPO_VERSION_TO_SPECS[row["repo"]][row["version"]],
            swebench.WORKDIR.strip("/"),
            swebench.WORKDIR,
            row["base_commit"],
            row["test_patch"],
        )
        parser = MAP_REPO_TO_PARSER[row["repo"]]
    except (KeyError, ValueError) as error:
        raise InvalidInputError(
            f"{row['instance_id']}: the swebench package cannot build its evaluation: {error!r}",
            reason=names.REASON_SUITE_INVALID,
            field="source",
        ) from error
    kind = "fail_only" if row["repo"] in FAIL_ONLY_REPOS else "pass_and_fail"
    return {
        "eval_script": "\n".join(["#!/bin/bash", "set -uxo pipefail", *lines, ""]),
        "log_parser": str(parser.__name__),
        "eval_type": kind,
    }


def _folder() -> Path | None:
    found = importlib.util.find_spec(PACKAGE)
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


def _files(folder: Path) -> Iterator[Path]:
    for name in _MODULES:
        if (folder / name).is_file():
            yield folder / name
    for name in _PACKAGES:
        yield from sorted((folder / name).glob("*.py"))


def _module(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join([PACKAGE, *(part for part in parts if part != "__init__")])


def _function(path: Path, name: str) -> str:
    text = path.read_text()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_source_segment(text, node) or ""
    return ""


def _loader(sources: Mapping[str, str]) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(sources, sort_keys=True).encode(), 9))
    return f"SOURCES = {packed.decode()!r}\nABSENT = {sorted(_foreign(sources))!r}\n{_template()}"


def _foreign(sources: Mapping[str, str]) -> set[str]:
    """Top-level packages that the sources import and the grader's Python does not have."""
    found: set[str] = set()
    for text in sources.values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {PACKAGE}


@functools.cache
def _template() -> str:
    return _LOADER.read_text(encoding="utf-8")
