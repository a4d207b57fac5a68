"""Which pages are walked through command by command, in what environment; and every command that is not, with why.

A page's shell blocks are run in order in one bash, in an empty folder that looks like a checkout, in a namespace of
its own. What a page leaves to its reader (a name in capitals, a registry) is filled in by `words`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NOTHING = ":  # prepared by the tests"


@dataclass(frozen=True)
class Walk:
    """How a page is walked.

    Attributes:
        cluster: Whether it needs one.
        operator: Whether an operator watches the namespace before the page begins; else the page installs one.
        words: Texts of the page and what they stand for here; {namespace}, {suite} and {operator}, {runner} (images)
            are filled in.
        before: Shell text that prepares what the page assumes.
    """

    cluster: bool = True
    operator: bool = True
    words: Mapping[str, str] = field(default_factory=dict)
    before: str = ""


_IN_NAMESPACE = {
    "-n bench": "-n {namespace}",
    "--namespace bench": "--namespace {namespace}",
    "namespace bench": "namespace {namespace}",
    "make setup\n": f"{_NOTHING}\n",
}
_HELM = {
    "--set imageRegistry=registry.example.com/team": (
        "--set crds.enabled=false,image.repository={operator},image.tag=test"
        ",runner.image.repository={runner},runner.image.tag=test"
    ),
    "--namespace bench": "--namespace {namespace}",
    # Field by field the same, but not as another owner: other tests share the definitions.
    "kubectl apply --server-side -k crds": "kubectl apply --server-side --force-conflicts -k crds",
}
_ONE_INSTANCE = """\
mkdir one
ln -s {suite}/repos {suite}/bin {suite}/site one/
grep '"xmltodict-0.15.0"' {suite}/tasks.jsonl > one/tasks.jsonl
kubectl create configmap one-task --from-file=one/tasks.jsonl
cat > run.yaml <<'END'
apiVersion: benchwarden.dev/v1alpha1
kind: BenchmarkRun
metadata: {name: sound}
spec:
  suite: {tasks: {source: {configMap: {name: one-task}}}}
  agent: {oracle: {}}
END
"""

# The same run, ended, on this machine.
_ONE_LOCAL = """\
mkdir one
ln -s {suite}/repos {suite}/bin {suite}/site one/
grep '"xmltodict-0.15.0"' {suite}/tasks.jsonl > one/tasks.jsonl
benchwarden run examples/run-oracle.yaml --local --config-map mini-suite=one --out sound
"""

# Two ended runs, one that is held, and a schedule that got worse. Its history is there before the operator sees it.
_SOMETHING_TO_LOOK_AT = """\
grep '"xmltodict-0.15.0"' {suite}/tasks.jsonl > tasks.jsonl
kubectl create configmap one-task --from-file=tasks.jsonl
for each in nightly:oracle:false today:nop:false tomorrow:oracle:true; do
IFS=: read -r name agent held <<< "$each"
cat > run.yaml <<END
apiVersion: benchwarden.dev/v1alpha1
kind: BenchmarkRun
metadata: {name: $name}
spec: {suite: {tasks: {source: {configMap: {name: one-task}}}}, agent: {$agent: {}}, suspend: $held}
END
kubectl apply -f run.yaml
done
kubectl apply -f - <<END
apiVersion: benchwarden.dev/v1alpha1
kind: BenchmarkSchedule
metadata: {name: daily, annotations: {benchwarden.dev/restoring: "yes"}}
spec:
  schedule: "0 3 1 1 *"
  template: {spec: {suite: {tasks: {source: {configMap: {name: one-task}}}}, agent: {oracle: {}}}}
END
uid=$(kubectl get bms daily -o jsonpath={.metadata.uid})
python3 -m tests.docs.stored_schedule daily "$uid" xmltodict-0.15.0 | kubectl apply -f -
kubectl annotate bms daily benchwarden.dev/restoring-
kubectl wait bmr/nightly bmr/today --for=condition=Succeeded --timeout=300s
kubectl wait bms/daily --for=condition=Degraded --timeout=60s
"""

WALKS: dict[str, Walk] = {
    "docs/quickstart.md": Walk(),
    "docs/guides/air-gap.md": Walk(cluster=False),
    "docs/guides/artifacts.md": Walk(
        cluster=False,
        before=_ONE_LOCAL,
        words={
            " RUN ": " sound ",
            "INSTANCE ": "xmltodict-0.15.0 ",
            " DIR ": " copies ",
            "--kind transcript": "--kind patch",  # the oracle has none
        },
    ),
    "docs/guides/cluster.md": Walk(
        operator=False,
        words={
            **_IN_NAMESPACE,
            "--operator-image ...": "--operator-image {operator}:test",
            "--runner-image ...": "--runner-image {runner}:test",
            "apply --server-side -f": "apply --server-side --force-conflicts -f",
        },
    ),
    "docs/guides/cli.md": Walk(before=_SOMETHING_TO_LOOK_AT),
    "docs/guides/helm.md": Walk(operator=False, words=_HELM),
    "docs/guides/local-runs.md": Walk(cluster=False, words={"=DIR": "={suite}"}),
    "docs/guides/own-tasks.md": Walk(cluster=False, before="cp {suite}/tasks.jsonl ."),
    "docs/guides/schedules.md": Walk(
        before=(
            "kubectl create secret generic anthropic --from-literal=api-key=none\n"
            # A schedule that is a second old has no cells yet: a stored history stands for them.
            "python3 -m tests.docs.stored_cells | kubectl apply -f -"
        ),
    ),
    "docs/guides/swe-bench-pro.md": Walk(
        operator=False,
        before=(
            "kubectl create namespace {namespace}\n"
            "mkdir -p run_scripts/instance_one; touch run_scripts/instance_one/parser.py"
        ),
    ),
    "docs/guides/validate.md": Walk(
        before=_ONE_INSTANCE,
        words={
            "FILE --local": "run.yaml --local --config-map one-task=one",
            "FILE --manifests": "run.yaml --manifests",
            "bmr/NAME-": "bmr/sound-",
            "run=NAME-": "run=sound-",
        },
    ),
    "README.md": Walk(
        operator=False,
        before=(
            "cp {suite}/tasks.jsonl .\n"
            'echo \'{"a": true, "b": false}\' > base.json\n'
            "python3 -m tests.docs.stored_cells > cells.json\n"
            "benchwarden history cells.json > history.jsonl"
        ),
        words={
            **_IN_NAMESPACE,
            "REGISTRY/benchwarden-operator:0.1.0": "{operator}:test",
            "REGISTRY/benchwarden-runner:0.1.0": "{runner}:test",
            "apply --server-side -f": "apply --server-side --force-conflicts -f",
            " --watch": "",
            "=DIR": "={suite}",
            "plan FILE ": "plan examples/run-oracle.yaml --config-map mini-suite={suite} ",
            "compare BASE NEW ": "compare base.json base.json ",
            "analyze HISTORY.jsonl ": "analyze history.jsonl ",
        },
    ),
}

# Each block that says `<!-- not run: ... -->`: by page, and what shows that it works all the same.
NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/guides/artifacts.md", "needs a bucket"): (
        "tests/cluster_promises/test_artifacts.py has one"
    ),
    ("docs/guides/claude-code.md", "needs a registry with a login"): (
        "tests/cluster_promises/test_cli_from_a_registry.py has one"
    ),
    ("docs/guides/gateway.md", "needs a key and an image"): (
        "tests/cluster_promises/test_gateway.py installs it with those of the tests"
    ),
    (
        "docs/quickstart.md",
        "the tests' own cluster, started before the tests",
    ): "tests/everything.py",
    ("docs/quickstart.md", "spends money on a model"): (
        "tests/cluster_promises/test_claude_code_in_pods.py, against a scripted API"
    ),
    ("docs/guides/cli.md", "needs a run that lost trials"): (
        "tests/cluster_promises/test_verbs.py retries one"
    ),
    ("docs/guides/cli.md", "changes the reader's shell"): (
        "tests/cluster_promises/test_verbs.py asks kubectl for completions"
    ),
    ("docs/guides/cluster.md", "needs docker"): (
        "tests/installed.py and tests/claude_image.py build the same targets with buildah"
    ),
    ("docs/guides/helm.md", "would delete every run of a shared cluster"): (
        "tests/chart/test_release.py uninstalls"
    ),
    ("docs/guides/local-runs.md", "spends money on a model"): (
        "tests/unit/local, against a scripted API"
    ),
    ("README.md", "needs docker"): "tests/installed.py builds the same targets with buildah",
    ("README.md", "the tests themselves, and the demo, which takes its own cluster"): "CI",
    ("README.md", "the tests' own cluster, started before the tests"): "tests/everything.py",
    ("charts/benchwarden/README.md", "the same as in docs/guides/helm.md, which is run"): "there",
    ("tests/cluster/README.md", "the tests' own cluster, started before the tests"): (
        "tests/cluster/test_cluster_lifecycle.py"
    ),
}
