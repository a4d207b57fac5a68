import ast
import sys

import pytest
from tests.unit.runner.builders import RUNNER

MODULES = [*sorted((RUNNER / "benchwarden_runner").rglob("*.py")), RUNNER / "relocate.py"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(RUNNER)))
def test_a_module_is_python_3_9_and_imports_nothing_but_the_standard_library(module):
    tree = ast.parse(module.read_text(), feature_version=(3, 9))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names | {"benchwarden_runner"}


def test_the_runners_version_is_the_operators():
    import benchwarden
    import benchwarden_runner

    assert benchwarden_runner.__version__ == benchwarden.__version__


def test_import_roots_are_no_packages():
    assert not (RUNNER / "__init__.py").exists()
