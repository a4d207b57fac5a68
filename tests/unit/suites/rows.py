"""Builders of task rows: the least that is valid, and one that uses every key."""

import json
from typing import Any


def task_row(**changes: Any) -> dict[str, Any]:
    """A valid row with the required keys; a change to `...` removes the key."""
    row = {
        "id": "demo-1",
        "image": "registry.example/team/demo:1.0",
        "workdir": "/app",
        "prompt": "Make add() add.",
        "test_command": "pytest --junitxml=report.xml",
        "parser": {"kind": "junit", "path": "report.xml"},
        "fail_to_pass": ["tests.test_add::test_add"],
        **changes,
    }
    return {key: value for key, value in row.items() if value is not ...}


def full_row(**changes: Any) -> dict[str, Any]:
    """A valid row with every key there is."""
    values: dict[str, Any] = {
        "base_commit": "a" * 40,
        "gold_patch": "--- a/add.py\n+++ b/add.py\n",
        "test_patch": "--- a/test_add.py\n+++ b/test_add.py\n",
        "test_files": [
            {"path": "tests/test_add.py", "content": "assert True\n", "executable": True},
            {"path": "tests/data.bin", "content_base64": "AAEC"},
        ],
        "setup_command": "make deps",
        "pass_to_pass": ["tests.test_add::test_zero"],
        "timeouts": {"agent_seconds": 600, "grade_seconds": 60},
        "resources": {
            "requests": {"cpu": "500m", "memory": "1Gi"},
            "limits": {"cpu": "2", "memory": "2Gi", "ephemeral_storage": "5Gi"},
        },
        "env": {"LANG": "C.UTF-8", "A": "1"},
        "repo": "team/demo",
        "language": "python",
        "restore_paths": ["pytest.ini", "tests/**"],
        "grader_needs_network": True,
        "skipped_counts_as_pass": True,
        "local": {"archive": "repos/demo.tar", "path_entries": ["bin"]},
    }
    return task_row(**values | changes)


def jsonl(*rows: Any) -> bytes:
    """The rows as a tasks file."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
