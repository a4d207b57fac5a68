import os
from pathlib import Path
from typing import Any

import pytest

from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.local import claude_code, environment
from benchwarden.local.comparing import base_results
from benchwarden.local.runfile import read_run_file

CLAUDE = """{claudeCode: {version: 2.1.330, model: claude-x,
    credentials: {apiKey: {name: key, key: key}}}}"""


async def test_an_instance_without_a_local_workspace_is_named_before_anything_starts(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve", "two": "solve"}, local=None)
    text = suite.root / "tasks.jsonl"
    text.write_text(text.read_text().replace(', "local": null', ""))
    with pytest.raises(InvalidInputError, match=r"^one: local: is missing"):
        await start(suite.run_file())
    assert not (tmp_path / "out").exists()


async def test_an_archive_that_is_not_there_is_named(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"})
    (suite.root / "work.tgz").unlink()
    with pytest.raises(
        InvalidInputError, match=r"^one: local\.archive: .*work\.tgz does not exist"
    ):
        await start(suite.run_file())


async def test_a_broken_archive_is_infrastructure(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"})
    (suite.root / "work.tgz").write_bytes(b"not a tar")
    result = await start(suite.run_file(execution={"infraRetriesPerTrial": 0}))
    assert result.summary.results[0].outcome == "harness"


async def test_a_folder_may_stand_for_the_archive(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"}, local={"archive": "repo"})
    result = await start(suite.run_file())
    assert result.summary.pass_ratio == 1.0
    assert (suite.root / "repo" / "greet.sh").read_text() == "echo hello\n"


async def test_claude_code_without_its_key_names_the_variable(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"})
    with pytest.raises(InvalidInputError, match="set the environment variable ANTHROPIC_API_KEY"):
        await start(suite.run_file(agent=CLAUDE))


async def test_claude_code_that_was_not_fetched_names_the_command(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve"})
    own = {"ANTHROPIC_API_KEY": "k", "BENCHWARDEN_CACHE": str(tmp_path / "cache")}
    with pytest.raises(UnavailableError, match=r"run: benchwarden claude fetch 2\.1\.330"):
        await start(suite.run_file(agent=CLAUDE), environment=own)


async def test_claude_code_is_probed_once_and_only_agents_get_the_key(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve"})
    cached = tmp_path / "cache" / "claude-code" / "2.1.330"
    cached.mkdir(parents=True)
    for name in ("claude-glibc", "claude-musl"):
        (cached / name).touch()
    own = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": "k"}
    own["BENCHWARDEN_CACHE"] = str(tmp_path / "cache")
    path = suite.run_file(agent=CLAUDE)
    result = await start(path, environment=own)
    assert result.summary.pass_ratio == 1.0
    assert result.status["agent"]["cliVersion"] == "2.1.330"
    spec = read_run_file(path).run.spec
    assert environment.credentials(spec, own) == {
        "ANTHROPIC_API_KEY": "k",
        "BENCHWARDEN_SECRET_NAMES": "ANTHROPIC_API_KEY",
    }
    assert environment.common(spec, own) == {"PATH": os.environ["PATH"]}


async def test_latest_is_settled_once_for_the_run(
    suite: Any, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write({"one": "solve"})
    answers = iter(["2.1.330", "2.1.331"])
    asked: list[tuple[str, str]] = []

    def latest(registry: str) -> str:
        asked.append(("latest", registry))
        return next(answers)

    def fetch(version: str, cache: Path, registry: str) -> Path:
        asked.append((version, registry))
        return cache / version

    monkeypatch.setattr(claude_code, "latest", latest)
    monkeypatch.setattr(claude_code, "fetch", fetch)
    mirror = "http://npm.example.com"
    agent = CLAUDE.replace("version: 2.1.330", f'version: latest, registryUrl: "{mirror}"')
    own = {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": "k", "HOME": str(tmp_path)}
    for _ in range(2):
        result = await start(suite.run_file(agent=agent), environment=own)
        assert result.status["agent"]["cliVersion"] == "2.1.330"
    assert asked == [("latest", mirror), ("2.1.330", mirror), ("2.1.330", mirror)]


async def test_a_suite_that_changed_is_refused_and_leaves_the_results_as_they_are(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve"})
    path = suite.run_file()
    await start(path)
    before = {each: each.read_bytes() for each in (tmp_path / "out").glob("*.json*")}
    suite.write({"one": "fail"})
    with pytest.raises(InvalidInputError, match="the suite's content has changed"):
        await start(path)
    assert {each: each.read_bytes() for each in before} == before
    suite.write({"one": "solve"})
    assert (await start(path)).summary.pass_ratio == 1.0


async def test_a_suspended_run_is_refused_here(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"})
    with pytest.raises(InvalidInputError, match=r"^spec\.suspend: is true"):
        await start(suite.run_file(suspend=True))


async def test_a_run_is_compared_with_its_neighbour(suite: Any, start: Any, tmp_path: Path) -> None:
    suite.write({"one": "solve", "two": "solve"})
    await start(suite.run_file(name="base"), out=tmp_path / "out" / "base")
    path = suite.run_file(name="now", compareTo={"run": "base"})
    result = await start(path, out=tmp_path / "out" / "now")
    assert result.status["comparison"]["pairs"] == 2


def test_a_neighbour_that_is_not_there_is_said(suite: Any, tmp_path: Path) -> None:
    suite.write({"one": "solve"})
    file = read_run_file(suite.run_file(compareTo={"run": "base"}))
    base = base_results(file.run.spec, tmp_path, file.read_config_map)
    assert base is not None
    assert "run base first" in base.problem
