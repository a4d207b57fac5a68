import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchwarden.cli import app as command_line

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in this process; exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def ran(*words: object, program: str = "benchwarden") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [program, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        shown = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    return ran
