"""What the swebench package itself says of a log: run in a process of its own, with the package's folder.

Arguments: folder of the package, log, JSON of the row. Prints `true` or `false`. Modules that only the
package's other parts need are stood in for.
"""

import ast
import importlib
import json
import sys
import types
from pathlib import Path


def load(folder: str) -> None:
    sys.path.insert(0, folder)
    harness = types.ModuleType("swebench.harness")
    harness.__path__ = [f"{folder}/swebench/harness"]
    sys.modules["swebench.harness"] = harness
    unidiff = types.ModuleType("unidiff")
    unidiff.PatchSet = None
    sys.modules["unidiff"] = unidiff


def recorded(folder: str, eval_script: str) -> str:
    """The evaluation script as the package would run it."""
    constants = importlib.import_module("swebench.harness.constants")
    tree = ast.parse(Path(folder, "swebench/harness/utils.py").read_text())
    wanted = ("parse_eval_script", "record_test_exit_code")
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in wanted]
    found = dict(vars(constants))
    exec(compile(ast.Module(functions, []), "utils", "exec"), found)
    lines = found["record_test_exit_code"](found["parse_eval_script"](eval_script))
    return "\n".join(["#!/bin/bash", "set -uxo pipefail", *lines]) + "\n"


def main() -> None:
    folder, log, text = sys.argv[1:]
    row = json.loads(text)
    load(folder)
    if log == "-":
        print(recorded(folder, row["eval_script"]))
        return
    spec = types.SimpleNamespace(**row)
    prediction = {"instance_id": row["instance_id"], "model_patch": "x"}
    grading = importlib.import_module("swebench.harness.grading")
    report = grading.get_eval_report(spec, prediction, log, include_tests_status=False)
    print(json.dumps(report[row["instance_id"]]["resolved"]))


main()
