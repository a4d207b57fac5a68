"""From an agent that gets worse to the pager: operator, Prometheus and Alertmanager are the real ones.

Days pass because the operator's schedules ask this test for the date. Each day is a real run of ten pods on the
cluster. Two instances of ten fail for good from the tenth day on; before that, the same two are lost to the
infrastructure for two days, which must not page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.chain.outside import FIX, HOLD, LEAVE, SITECUSTOMIZE, Outside
from tests.chain.programs import Prometheus, alertmanager, prometheus
from tests.chart import dashboard, grafana_alerts
from tests.chart.generated import CHART
from tests.cluster import config
from tests.cluster_promises.scene import SCRIPTED, SMALL, await_work
from tests.installed import await_true, condition, run_manifest, suite_config_map
from tests.tiny_suite import task

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.early, pytest.mark.timeout(2400)]

RELEASE = "benchwarden"
RULES = CHART / "files/rules/benchwarden.rules.yaml"
PANEL = tuple(f"t{n}" for n in range(10))
WORSE = PANEL[:2]
BASELINE_DAYS = 7
OUTAGE_DAYS = 2
# docs/concepts/statistics.md: when 20 % of the instances fail for good, nine pages of ten come within five days.
STATED_DAYS = 5
SCRIPT = """\
answer=$(python3 -c 'import sys, urllib.request as u
print(u.urlopen(sys.argv[1], timeout=300).read().decode())' {url}/answer/{id})
if [ "$answer" = fix ]; then sed -i 's/ - / + /' add.sh; fi
"""


@dataclass
class Chain:
    """Everything that runs during the test; `day` is the last one that was played."""

    kubectl: Any
    outside: Outside
    prometheus: Prometheus
    first: datetime
    day: int = -1
    _limit: int = 4

    def schedule(self) -> Any:
        return self.kubectl.get(names.SCHEDULE_PLURAL, "daily")

    def play(self, answer: Callable[[str], str], lost: tuple[str, ...] = ()) -> None:
        """Let a day pass: its run starts, and is rolled up."""
        self.day += 1
        told = {each: answer(each) for each in PANEL} | dict.fromkeys(lost, HOLD)
        self.outside.set_answers(told)
        self.outside.set_date(self.first + timedelta(days=self.day, minutes=1))
        slot = int((self.first + timedelta(days=self.day)).timestamp()) // 60
        name = f"daily-{slot}"
        await_true(lambda: self._looks_again() and name in self._runs(), 60, f"run {name}")
        if lost:
            self._take_away(name, lost)
        await_true(lambda: self._rolled_up() > self.day, 240, f"day {self.day} is rolled up")

    def _looks_again(self) -> bool:
        """Change the spec, for the date is no news to Kubernetes; once the operator has heard it, it acts on it."""
        self._limit = 9 - self._limit
        limit = {"spec": {"successfulRunsHistoryLimit": self._limit}}
        self.kubectl.run(
            "patch", names.SCHEDULE_PLURAL, "daily", "--type=merge", "-p", json.dumps(limit)
        )
        return True

    def _rolled_up(self) -> int:
        return int((self.schedule().get("status", {}).get("history") or {}).get("runs") or 0)

    def _take_away(self, name: str, lost: tuple[str, ...]) -> None:
        """Delete the pods of instances while their agents work."""
        run = self.kubectl.get(names.RUN_PLURAL, name)
        for each in lost:
            pod = await_work(self.kubectl, run, each, 120)
            self.kubectl.run("delete", "pod", pod["metadata"]["name"], "--wait=false")

    def _runs(self) -> set[str]:
        return {each["metadata"]["name"] for each in self.kubectl.get(names.RUN_PLURAL)["items"]}

    def await_scraped(self) -> None:
        """Wait until Prometheus shows what the last day came to."""
        runs = 'sum(benchwarden_schedule_runs_total{schedule="daily"})'
        await_true(
            lambda: self.prometheus.query(runs) and self.prometheus.value(runs) == self.day + 1,
            60,
            "the day is scraped",
        )


@pytest.fixture
def outside():
    found = Outside(config.NODE_ADDRESS)
    yield found
    found.close()


@pytest.fixture
def first() -> datetime:
    """The first slot, twelve hours from now: the one before it is older than the schedule, at any time of the day."""
    return (datetime.now(UTC) + timedelta(hours=12)).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def operator(helm, home, kubectl, images, outside, tmp_path):
    """The chart's operator; gives where it is scraped, and a way to remove it."""
    home.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "clock"},
            "data": {"sitecustomize.py": SITECUSTOMIZE},
        }
    )
    operator_image, runner_image = (
        each.rpartition(":") for each in (images.operator, images.runner)
    )
    path = tmp_path / "values.json"
    values = {
        "crds": {"enabled": False},
        "watchNamespaces": [kubectl.namespace],
        "image": {"repository": operator_image[0], "tag": operator_image[2]},
        "runner": {"image": {"repository": runner_image[0], "tag": runner_image[2]}},
        "extraEnv": [
            {"name": "PYTHONPATH", "value": "/clock"},
            {"name": "BENCHWARDEN_TEST_CLOCK", "value": f"{outside.url}/shift"},
        ],
        "extraVolumes": [{"name": "clock", "configMap": {"name": "clock"}}],
        "extraVolumeMounts": [{"name": "clock", "mountPath": "/clock"}],
    }
    path.write_text(json.dumps(values))
    common = ("-n", home.namespace, "--kubeconfig", str(home.kubeconfig))
    wait = ("--wait", "--timeout", "120s")
    done = helm("install", RELEASE, str(CHART), "-f", str(path), *wait, *common)
    assert done.returncode == 0, done.stderr
    service = home.get("service", RELEASE)["spec"]

    def remove() -> None:
        assert helm("uninstall", RELEASE, *wait, *common).returncode == 0

    yield f"{service['clusterIP']}:{service['ports'][0]['port']}", remove
    print(
        home.run("logs", f"deployment/{RELEASE}", "--tail=30") if home.get("pods")["items"] else ""
    )


@pytest.fixture
def chain(operator, kubectl, outside, first, tmp_path):
    with (
        alertmanager(tmp_path / "alertmanager", f"{outside.url}/page") as pager,
        prometheus(tmp_path / "prometheus", operator[0], RULES, pager) as scraping,
    ):
        yield Chain(kubectl, outside, scraping, first)


def daily(instances: list[dict[str, Any]], hour: int) -> tuple[dict[str, Any], ...]:
    template = run_manifest(
        "x",
        agent=SCRIPTED,
        budget={"maxUsd": "10"},
        execution={
            "resources": SMALL,
            "batchSize": 1,
            "parallelism": len(PANEL),
            "infraRetriesPerTrial": 0,
            "networkPolicy": {"allowedEgress": [{"cidr": f"{config.NODE_ADDRESS}/32"}]},
        },
    )["spec"]
    schedule = {
        "apiVersion": names.API_VERSION,
        "kind": names.SCHEDULE_KIND,
        "metadata": {"name": "daily"},
        "spec": {
            "schedule": f"0 {hour} * * *",
            "template": {"spec": template},
            "baseline": {"days": BASELINE_DAYS},
            "detection": {"rerun": {"factor": 1}},
        },
    }
    return suite_config_map(*instances), schedule


def good(day: int) -> Callable[[str], str]:
    """One instance is never solved, one every other day, all others always."""
    solved = {**dict.fromkeys(PANEL, FIX), PANEL[-1]: LEAVE, PANEL[-2]: (LEAVE, FIX)[day % 2]}
    return solved.__getitem__


def bad(day: int) -> Callable[[str], str]:
    return lambda each: LEAVE if each in WORSE else good(day)(each)


def test_a_drop_pages_within_the_stated_days_and_an_outage_of_the_same_size_does_not(
    chain, operator, kubectl
):
    instances = [task(each, prompt=SCRIPT.format(url=chain.outside.url, id=each)) for each in PANEL]
    chain.outside.set_date(chain.first - timedelta(hours=1))
    kubectl.apply(*daily(instances, chain.first.hour))
    for day in range(BASELINE_DAYS):
        chain.play(good(day))
    assert condition(chain.schedule(), "BaselineReady")["status"] == "True"

    for day in range(OUTAGE_DAYS):
        chain.play(good(day), lost=WORSE)
    chain.await_scraped()
    assert chain.prometheus.value("benchwarden_infra_error_ratio") == 0.2
    paged = chain.outside.pages_of
    await_true(lambda: paged("BenchwardenInfraErrorsHigh"), 60, "the outage itself is told")
    await_true(lambda: paged("BenchwardenCoverageLow"), 60, "missing results are told")
    assert chain.schedule()["status"]["monitor"]["state"] in {"ok", "watch"}
    assert not paged("BenchwardenDegraded")

    took = days_until_paged(chain)
    assert took <= STATED_DAYS
    assert_the_page_says_what_happened(chain, worse_since=BASELINE_DAYS + OUTAGE_DAYS)
    chain.play(bad(chain.day + 1))
    await_true(lambda: paged("BenchwardenDegradationConfirmed"), 60, "the next day confirms it")

    assert_every_panel_shows_something(chain.prometheus)
    assert_grafana_would_say_the_same(chain.prometheus)
    assert_an_acknowledged_page_ends(chain)
    _, remove = operator
    remove()
    await_true(lambda: chain.prometheus.query("up == 0"), 60, "the operator is gone")
    # The alert waits ten minutes before it fires; that it is on its way is what this clock can show.
    pending = 'ALERTS{alertname="BenchwardenOperatorDown"}'
    await_true(lambda: chain.prometheus.query(pending), 400, "its absence is told")


def days_until_paged(chain: Chain) -> int:
    """Play bad days until the page has come; the first bad day is day 1."""
    for day in range(1, STATED_DAYS + 1):
        chain.play(bad(chain.day + 1))
        chain.await_scraped()
        if condition(chain.schedule(), "Degraded")["status"] == "True":
            await_true(lambda: chain.outside.pages_of("BenchwardenDegraded"), 60, "the page")
            print(f"paged on day {day}")
            return day
    raise AssertionError(f"no page within {STATED_DAYS} days")


def assert_the_page_says_what_happened(chain: Chain, worse_since: int) -> None:
    (page,) = chain.outside.pages_of("BenchwardenDegraded")
    assert page["labels"]["severity"] == "critical"
    assert page["labels"]["namespace"] == chain.kubectl.namespace
    text = page["annotations"]["description"]
    began = (chain.first + timedelta(days=worse_since)).date()
    assert f"The first bad day began at about {began} 00:00:00" in text
    week = 'window="7d"'
    size = 100 * chain.prometheus.value(f"benchwarden_delta_ratio{{{week}}}")
    assert size < 0
    assert f"Change over 7 days: {size:+.1f} points (95 % interval " in text
    assert f"kubectl -n {chain.kubectl.namespace} get benchmarkschedule daily" in text
    flipped = {each["instance"] for each in chain.schedule()["status"]["flipped"]}
    assert flipped >= set(WORSE)
    assert page["annotations"]["runbook_url"].endswith("/BenchwardenDegraded")


def filled(expression: str) -> str:
    """An expression of the dashboard with its variables as "All" fills them."""
    for variable in dashboard.VARIABLES:
        expression = expression.replace(f"${variable}", ".*")
    return expression.replace("$__rate_interval", "1m")


def assert_every_panel_shows_something(found: Prometheus) -> None:
    shown = json.loads((CHART.parents[1] / dashboard.PATH).read_text())
    panels = [panel for panel in shown["panels"] if panel["type"] != "row"]
    asked = {
        (panel["title"], target["refId"]): target["expr"]
        for panel in panels
        for target in panel["targets"]
    } | {(each["name"], ""): each["expr"] for each in shown["annotations"]["list"]}
    assert len(asked) > 40
    empty = {title for title, expression in asked.items() if not found.query(filled(expression))}
    assert empty == set()


def assert_grafana_would_say_the_same(found: Prometheus) -> None:
    """Each of Grafana's queries returns the series for which Prometheus has the alert active now."""
    document = yaml.safe_load((CHART.parents[1] / grafana_alerts.PATH).read_text())
    source = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"]: rule for group in source for rule in group["rules"] if "alert" in rule}
    returned = set()
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        ours = by_labels(found.query(rule["data"][0]["model"]["expr"]))
        theirs = by_labels(found.query(alerts[rule["title"]]["expr"]))
        assert ours == theirs, rule["title"]
        returned |= {rule["title"]} if ours else set()
        for step in rule["data"][1:]:
            if "expr" in step["model"]:
                assert by_labels(found.query(step["model"]["expr"])) == ours, step["refId"]
    assert returned == {"BenchwardenDegraded", "BenchwardenDegradationConfirmed"}
    read = set(re.findall(r"(?<![\w:])benchwarden_\w+", RULES.read_text()))
    assert {metric for metric in read if not found.query(metric)} == set()


def assert_an_acknowledged_page_ends(chain: Chain) -> None:
    day = chain.schedule()["status"]["monitor"]["alarmDay"]
    word = {"spec": {"acknowledge": [{"day": day, "author": "ann", "reason": "known"}]}}
    chain.kubectl.run(
        "patch", names.SCHEDULE_PLURAL, "daily", "--type=merge", "-p", json.dumps(word)
    )
    source = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    (page,) = (rule["expr"] for rule in source if rule["alert"] == "BenchwardenDegraded")
    await_true(lambda: chain.prometheus.query(page) == [], 60, "the page's expression is silent")


def by_labels(series: list[dict[str, str]]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset((k, v) for k, v in each.items() if k != "__name__") for each in series}
