"""The prompt of a SWE-bench Pro instance: three columns in a template that users may replace.

The prompt is part of each instance, so a changed template changes the panel's digest.
"""

import re
from collections.abc import Mapping
from typing import Final

SWEBENCH_PRO: Final = """\
{problem_statement}

Requirements:
{requirements}

New interfaces introduced:
{interface}"""
"""As the benchmark's authors put it together."""

_PLACEHOLDER = re.compile(r"\{(problem_statement|requirements|interface)\}")


def fill(template: str, columns: Mapping[str, str]) -> str:
    """The template with its placeholders replaced, once; all other braces stay as they are.

    Args:
        template: text with `{problem_statement}`, `{requirements}`, `{interface}`.
        columns: a row's columns; an absent one is empty.
    """
    return _PLACEHOLDER.sub(lambda match: columns.get(match[1], ""), template)
