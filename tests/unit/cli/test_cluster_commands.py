"""The commands that speak to a cluster: what they write, what they refuse, and with which exit code."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.contract.fake_api import FakeApi, Fault, refuse
from tests.unit.cli.fake_cluster import (
    NAMESPACE,
    cluster,
    ended,
    put_run,
    put_schedule,
    spec_of,
)

from benchwarden.cli.cluster import Target, target
from benchwarden.cli.status import state_of_run
from benchwarden.errors import InvalidInputError
from benchwarden.names import LABEL_ROLE, LABEL_RUN_UID, ROLE_RESULTS
from benchwarden.results.row import KIND_VERDICT, Row
from benchwarden.results.shards import KEY_ROWS, pack

Run = Callable[..., tuple[int, str, str]]
VERDICT = Row("a", 0, 1, KIND_VERDICT, "resolved", "job", "2026-07-01T03:00:00Z")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("COLUMNS", "200")
    with cluster(tmp_path) as (running, kubeconfig):
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        yield running


def test_things_are_named_as_kubectl_names_them() -> None:
    for text in ("run/a", "bmr/a", "benchmarkruns/a", "BenchmarkRun/a", "a"):
        assert target(text) == Target("run", "a")
    for text in ("schedule/a", "bms/a", "benchmarkschedules.benchwarden.dev/a"):
        assert target(text) == Target("schedule", "a")
    for text in ("pod/a", "run/", "run/a/b", "schedule/a"):
        with pytest.raises(InvalidInputError, match="expected run/NAME"):
            target(text, only="run")


def test_status_lists_what_there_is_and_says_when_there_is_nothing(run: Run, api: FakeApi) -> None:
    assert run("status")[2] == "no runs and no schedules in namespace team\n"
    put_run(api, "one", {}, {**ended(), "progress": "3/4", "passRate": "0.5000"})
    put_schedule(api, "daily", {"schedule": "0 3 * * *"}, {"monitor": {"state": "ok"}})
    _, out, _ = run("status")
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["SCHEDULE", "CRON", "SUSPEND", "VERDICT"]
    assert lines[3].split()[:3] == ["RUN", "STATE", "PROGRESS"]
    assert lines[4].split()[:5] == ["one", "CompletedWithMissing", "3/4", "-", "0.5000"]
    assert "\x1b" not in out
    listed = yaml.safe_load(run("status", "-o", "yaml")[1])
    assert [each["kind"] for each in listed["items"]] == ["BenchmarkSchedule", "BenchmarkRun"]
    assert json.loads(run("status", "one", "-o", "json")[1])["status"]["passRate"] == "0.5000"


def test_options_stand_before_or_after_the_command(run: Run, api: FakeApi) -> None:
    for words in (["-n", "other", "status"], ["status", "--namespace", "other"]):
        assert run(*words)[2] == "no runs and no schedules in namespace other\n"
    assert run("status", "--context", "elsewhere")[0] == 3


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], ""),
        ([("Accepted", "True", "Valid"), ("Progressing", "True", "Running")], "Running"),
        ([("Accepted", "False", "InvalidSpec")], "InvalidSpec"),
        ([("Planned", "False", "ProbeFailed"), ("Progressing", "True", "x")], "ProbeFailed"),
        ([("Succeeded", "True", "Completed"), ("Regressed", "True", "Worse")], "Completed, worse"),
        ([("Succeeded", "Unknown", "InProgress"), ("Progressing", "True", "Queued")], "Queued"),
    ],
)
def test_one_word_says_where_a_run_stands(
    conditions: list[tuple[str, str, str]], state: str
) -> None:
    keys = ("type", "status", "reason")
    told = {"conditions": [dict(zip(keys, each, strict=True)) for each in conditions]}
    assert state_of_run(told) == state


def test_a_retry_is_asked_for_once(run: Run, api: FakeApi) -> None:
    put_run(api, "one", {"retry": 2}, {**ended(missing=3), "retriesHandled": 2})
    assert run("retry", "one", "--failed-infra")[1] == "run/one retried\n"
    assert spec_of(api, "one")["retry"] == 3
    assert run("retry", "one", "--failed-infra")[1] == "run/one retried (unchanged)\n"
    assert spec_of(api, "one")["retry"] == 3


def test_a_run_that_misses_nothing_is_not_retried(run: Run, api: FakeApi) -> None:
    put_run(api, "one", {}, ended(missing=0))
    code, _, err = run("retry", "one", "--failed-infra")
    assert (code, err) == (1, "error: run one misses no trial: nothing to retry\n")
    code, _, err = run("retry", "one")
    assert code == 2
    assert "verdicts stand" in err


def test_a_change_by_others_in_between_is_read_again(run: Run, api: FakeApi) -> None:
    put_run(api, "one", {}, {})
    conflict = refuse(409, "Conflict", "the object has been modified")
    assert isinstance(conflict.body, bytes)
    api.faults.append(Fault(409, body=conflict.body, matches=lambda asked: asked.method == "PATCH"))
    assert run("suspend", "one")[1] == "run/one suspended\n"
    assert spec_of(api, "one")["suspend"] is True
    assert len(api.asked_of("PATCH")) == 2
    assert api.asked_of("PATCH")[0].query["fieldManager"] == "kubectl-benchwarden"


def test_words_about_days_keep_the_others_and_their_order(run: Run, api: FakeApi) -> None:
    words = [{"day": f"2026-07-0{n}", "author": "ann", "reason": "old"} for n in (1, 3)]
    put_schedule(api, "daily", {"voidDays": words}, {"monitor": {"alarmDay": "2026-07-05"}})
    assert run("void-day", "daily", "2026-07-02", "--reason", "x", "--author", "bob")[0] == 0
    days = [(each["day"], each["author"]) for each in spec_of(api, "daily")["voidDays"]]
    assert days == [("2026-07-01", "ann"), ("2026-07-02", "bob"), ("2026-07-03", "ann")]
    assert run("acknowledge", "daily", "--reason", "seen", "--author", "bob")[0] == 0
    assert spec_of(api, "daily")["acknowledge"] == [
        {"day": "2026-07-05", "author": "bob", "reason": "seen"}
    ]
    assert run("void-day", "daily", "2026-07-01", "--undo")[0] == 0
    assert len(spec_of(api, "daily")["voidDays"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["void-day", "daily", "yesterday", "--reason", "x"], "error: DAY: expected a date"),
        (["void-day", "daily", "2026-07-01"], "error: --reason: is needed"),
        (["acknowledge", "run/daily", "--reason", "x"], "error: NAME: expected schedule/NAME"),
        (["rebaseline", "daily", "--author", "a", "--reason", "x" * 90], "error: --reason: author"),
        (["export"], "error: WHAT: name a run, or give --all"),
        (["export", "one", "--format", "harbor"], "error: --out: is needed"),
        (["import", "absent"], "error: PATH: absent: No such file"),
    ],
)
def test_bad_words_change_nothing(run: Run, api: FakeApi, words: list[str], says: str) -> None:
    put_schedule(api, "daily", {}, {})
    put_run(api, "one", {}, {})
    code, _, err = run(*words)
    assert (code, err[: len(says)]) == (2, says)
    assert api.asked_of("PATCH") == []


def test_an_alarm_that_is_none_cannot_be_acknowledged(run: Run, api: FakeApi) -> None:
    put_schedule(api, "daily", {}, {"monitor": {"state": "ok"}})
    code, _, err = run("acknowledge", "daily", "--reason", "x", "--author", "a")
    assert (code, err) == (1, "error: schedule/daily has no alarm to take note of\n")


@pytest.mark.parametrize(
    ("status", "reason", "message", "code", "says"),
    [
        (401, "Unauthorized", "", 5, "does not know you"),
        (403, "Forbidden", "no list for you", 5, "kubectl auth can-i"),
        (404, "NotFound", "the server could not find the requested resource", 6, "benchwarden crd"),
        (404, "NotFound", 'benchmarkruns "x" not found', 6, "status -A shows what there is"),
        (422, "Invalid", "spec.retry may only grow", 2, "does not accept it: spec.retry"),
        (500, "InternalError", "etcd is away", 3, "does not answer: etcd is away"),
    ],
)
def test_each_refusal_has_its_exit_code_and_its_fix(
    run: Run, api: FakeApi, status: int, reason: str, message: str, code: int, says: str
) -> None:
    refused = refuse(status, reason, message)
    assert isinstance(refused.body, bytes)
    api.faults.extend(Fault(status, body=refused.body) for _ in range(9))
    found, out, err = run("status", "x", "--request-timeout", "0.3")
    assert (found, out) == (code, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_run_of_a_folder_is_exported_and_imported(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    (tmp_path / "official.json").write_text('{"a": true, "b": false, "c": null}')
    code, _, err = run("import", "official.json", "--out", rows)
    assert (code, err) == (0, f"2 rows in {rows}\n")
    assert run("export", rows, "--format", "inspect", "--out", "log.eval")[0] == 0
    assert run("import", "log.eval", "--out", "again.jsonl")[0] == 0
    assert (tmp_path / "again.jsonl").read_bytes() == rows.read_bytes()
    assert "Pass rate 50.0 %" in run("report", "again.jsonl")[1]
    assert run("export", rows, "--format", "harbor", "--out", "job")[0] == 0
    code, _, err = run("export", rows, "--format", "harbor", "--out", "job")
    assert (code, err) == (2, "error: --out: job is not empty; name a new folder\n")
    assert json.loads(run("compare", rows, "again.jsonl", "-o", "json")[1])["n_common"] == 2


def test_no_color_takes_the_colours_away_where_they_were(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "official.json").write_text('{"a": true}')
    run("import", "official.json", "--out", "one.jsonl")
    green = "\x1b[32m"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert green in run("report", "one.jsonl")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert green not in run("report", "one.jsonl")[1]


def test_a_file_of_one_row_is_a_side_of_a_comparison(run: Run, tmp_path: Path) -> None:
    (tmp_path / "official.json").write_text('{"a": true}')
    run("import", "official.json", "--out", "one.jsonl")
    told = json.loads(run("compare", "one.jsonl", "official.json", "-o", "json")[1])
    assert (told["n_common"], told["delta"]) == (1, 0.0)


def test_a_run_with_one_verdict_is_a_side_of_a_comparison(
    run: Run, api: FakeApi, tmp_path: Path
) -> None:
    put_run(api, "one", {}, {})
    uid = next(found["metadata"]["uid"] for (_, key), found in api.objects.items() if key == "one")
    api.put(
        f"/api/v1/namespaces/{NAMESPACE}/configmaps",
        "shard-0000",
        metadata={"labels": {LABEL_RUN_UID: uid, LABEL_ROLE: ROLE_RESULTS}},
        binaryData={KEY_ROWS: base64.b64encode(pack([VERDICT])[0]).decode()},
    )
    (tmp_path / "base.json").write_text('{"a": false, "b": true}')
    told = json.loads(run("compare", "base.json", "run/one", "-o", "json")[1])
    assert (told["n_common"], told["delta"]) == (1, 1.0)
    assert json.loads(run("results", "one", "-o", "json")[1])[0]["outcome"] == "resolved"


def test_names_are_completed_from_the_namespace_that_the_words_mean(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchwarden.cli import completion

    put_run(api, "one", {}, {})
    put_schedule(api, "daily", {}, {})
    for name in ("_BENCHWARDEN_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        monkeypatch.setenv(name, "")  # it sets them for good: put back what was before

    def proposed(*words: str) -> list[str]:
        monkeypatch.setattr("sys.argv", ["kubectl_complete-benchwarden", *words])
        completion.kubectl()
        return capsys.readouterr().out.split()

    assert proposed("cancel", "o") == ["one", ":4"]
    assert proposed("cancel", "-n", "other", "") == [":0"]
    assert proposed("status", "sch") == ["schedule/daily", ":4"]
    assert proposed("acknow") == ["acknowledge", ":4"]
    assert proposed("status", "-o", "w") == ["wide", ":4"]
    assert NAMESPACE == "team"
