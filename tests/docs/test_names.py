"""Every name in the documentation is one that the code has: fields, values, metrics, labels, alerts, paths."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import yaml
from tests.docs import known
from tests.docs.pages import ROOT, SHELL, pages, read, spans

from benchwarden import names
from benchwarden.results import cells
from benchwarden.telemetry import reference as telemetry

OUR_PAGES = [page for page in pages() if not page.name.startswith("docs/adr/")]
PATH = re.compile(r"[a-z]\w*(?:\[\])?(?:\.[A-Za-z]\w*(?:\[\])?)+")
FILE = re.compile(r"(?:docs|tests|examples|charts|crds|operator|runner|locks|benchmarks)/[\w./*-]+")
CONDITION = re.compile(r"\b([A-Z]\w+)=(True|False|Unknown)(?:/([A-Z]\w+))?")
METRIC = re.compile(r"\bbenchwarden_[a-z0-9_]+\b")
ALERT = re.compile(r"\bBenchwarden[A-Z]\w+")
VARIABLE = re.compile(r"\bBENCHWARDEN_[A-Z_]+\b")
KEY = re.compile(rf"\b{re.escape(names.GROUP)}/([a-z][\w-]*)")
# Last parts of dotted words that make them file names.
ENDINGS = {
    "md",
    "py",
    "json",
    "jsonl",
    "yaml",
    "yml",
    "sh",
    "toml",
    "txt",
    "html",
    "xml",
    "ini",
    "js",
    "tar",
}
ENDINGS |= {
    "gz",
    "tgz",
    "diff",
    "patch",
    "sql",
    "pem",
    "crt",
    "log",
    "png",
    "parquet",
    "eval",
    "go",
    "j2",
}


def roots() -> list[dict]:
    """Where a dotted field may begin: an object, its spec or status, or a run's spec within a template."""
    found = []
    for schema in known.definitions().values():
        parts = schema["properties"]
        found += [schema, parts["spec"], parts["status"]]
    return found


def is_known(path: str) -> bool:
    return known.value_exists(path) or any(known.field_exists(path, each) for each in roots())


def dotted() -> Iterator[tuple[str, str]]:
    """Dotted words in code whose first part is a field or a value."""
    first = {name for each in roots() for name in each.get("properties", {})}
    first |= set(known.chart()[0])
    for span in spans():
        word = span.text.split("=")[0].split(":")[0].strip()
        if not PATH.fullmatch(word) or word.split(".")[-1] in ENDINGS:
            continue
        # Tasks have fields of their own, which tests/unit/suites compares with their schema.
        if word.split(".")[0].removesuffix("[]") in first and "tasks" not in span.page:
            yield span.place, word


def test_every_field_of_the_api_and_every_value_of_the_chart_exists():
    found = list(dotted())
    assert [f"{place}: {word}" for place, word in found if not is_known(word)] == []
    assert len(found) > 60


@pytest.mark.parametrize("wrong", ["spec.execution.proxy", "crds.keeep", "status.monitor.states"])
def test_a_field_that_is_not_there_is_noticed(wrong):
    assert not is_known(wrong)


def test_every_metric_exists():
    listed = set(METRIC.findall((ROOT / "docs/reference/metrics.md").read_text()))
    assert set(METRIC.findall(telemetry.page())) == listed
    suffixes = ("_bucket", "_sum", "_count")
    known_names = listed | {f"{name}{suffix}" for name in listed for suffix in suffixes}
    known_names |= {"benchwarden_runner"}
    wrong = {
        f"{page.name}: {name}"
        for page in OUR_PAGES
        for name in METRIC.findall(page.text)
        if name not in known_names and not name.endswith("_")
    }
    assert wrong == set()


def test_every_alert_exists_and_has_its_runbook():
    rules = yaml.safe_load(
        (ROOT / "charts/benchwarden/files/rules/benchwarden.rules.yaml").read_text()
    )
    alerts = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }
    mentioned = {name for page in OUR_PAGES for name in ALERT.findall(page.text)}
    assert mentioned == alerts
    runbooks = {path.stem for path in (ROOT / "docs/runbooks").glob("Benchwarden*.md")}
    assert runbooks == alerts


def test_every_label_and_annotation_exists():
    keys = known.constants("LABEL_", "ANNOTATION_") | {names.API_VERSION}
    wrong = {
        f"{page.name}: {names.GROUP}/{key}"
        for page in OUR_PAGES
        for key in KEY.findall(page.text)
        if f"{names.GROUP}/{key}" not in keys and f"https://{names.GROUP}/{key}" not in page.text
    }
    assert wrong == set()


def test_every_condition_and_its_reason_exists():
    conditions = known.constants("CONDITION_")
    reasons = known.constants("REASON_") | {cells.REASON_INVALID}
    wrong = [
        f"{page.name}: {kind}={status}/{reason}"
        for page in OUR_PAGES
        for kind, status, reason in CONDITION.findall(page.text)
        if kind not in conditions or (reason and reason not in reasons)
    ]
    assert wrong == []


def test_the_page_of_conditions_has_every_reason_event_and_exit_code():
    text = read("docs/reference/conditions.md").text
    words = set(re.findall(r"\b[A-Z][A-Za-z]+\b", text))
    wanted = known.constants("REASON_", "EVENT_", "CONDITION_") | {cells.REASON_INVALID}
    assert wanted - words == set()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert codes == {value for name, value in vars(names).items() if name.startswith("EXIT_")}


def test_every_variable_of_the_environment_is_read_somewhere():
    sources = ""
    for folder in ("operator", "runner", "tests", "examples", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.parent.name != "docs":
                sources += path.read_text(errors="replace")
    sources += (ROOT / "Makefile").read_text()
    known_names = set(VARIABLE.findall(sources))
    wrong = {
        f"{page.name}: {name}"
        for page in OUR_PAGES
        for name in VARIABLE.findall(page.text)
        if name not in known_names
    }
    assert wrong == set()


def exists(path: str) -> bool:
    path = path.split("::", maxsplit=1)[0].rstrip("/.").replace("TARGET", "*")
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()


def test_every_file_that_is_named_exists():
    shell = "\n".join(
        block.text for page in OUR_PAGES for block in page.blocks if block.language in SHELL
    )
    named = {(span.place, path) for span in spans() for path in FILE.findall(span.text)}
    named |= {("a block", path) for path in FILE.findall(shell)}
    # What `make bench` writes, and what must not be there.
    written = {"docs/performance.md", "operator/__init__.py", "runner/__init__.py"}
    ours = {"tests/test_", "tests/data/rates", "tests/run.sh", "tests/a"}
    wrong = {
        f"{place}: {path}"
        for place, path in named
        if path not in written and not exists(path) and not path.startswith(tuple(ours))
    }
    assert wrong == set()


def anchors(page: str) -> set[str]:
    """Anchors of a page's headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ +(.*)$", (ROOT / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_leads_somewhere():
    wrong = []
    for page in pages():
        for link in page.links:
            target, _, anchor = unquote(link.text).partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            path = (ROOT / page.name).parent / target if target else ROOT / page.name
            if not path.exists():
                wrong.append(f"{link.place}: {link.text}")
            elif anchor and path.suffix == ".md":
                name = str(path.resolve().relative_to(ROOT))
                if anchor not in anchors(name):
                    wrong.append(f"{link.place}: {link.text}")
    assert wrong == []
