"""Every command in the documentation is one that exists, with options that exist."""

import pytest
from tests.docs import shell
from tests.docs.judging import judge
from tests.docs.pages import SHELL, blocks, parse


def test_every_command_of_every_page_could_be_typed():
    found = list(shell.commands())
    wrong = [
        f"{place}: {' '.join(words)}: {problem}"
        for place, words, complete in found
        if (problem := judge(words, complete))
    ]
    assert wrong == []
    assert len(found) > 80


def test_every_block_names_its_language():
    assert [block.place for block in blocks() if not block.language] == []


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("benchwarden rum FILE", "there is no command 'rum'"),
        ("benchwarden run FILE --locale", "run has no option --locale"),
        ("benchwarden run FILE -o xml", "-o takes table, json, yaml, not xml"),
        ("benchwarden compare ONE TWO THREE FOUR --base", "--base needs a value"),
        ("benchwarden plan", "plan needs 1 arguments"),
        ("kubectl benchwarden stat", "there is no command 'stat'"),
        ("kubectl gett pods", "kubectl has no command gett"),
        ("kubectl get benchmarkrun,benchmarks", "there is no resource benchmarks"),
        ("kubectl wait bmr/a --for=condition=Done", "there is no condition Done"),
        ("kubectl get pods -l benchwarden.dev/runs=a", "there is no label benchwarden.dev/runs"),
        (
            """kubectl patch bmr a -p '{"spec":{"cancell":true}}'""",
            "there is no field spec.cancell",
        ),
        (
            "helm install a charts/benchwarden --set crds.keeep=no",
            "the chart has no value crds.keeep",
        ),
        ("helm install a charts/other", "there is no charts/other"),
        ("make documentation", "make has no target documentation"),
        ("docker build --target opera .", "the Dockerfile has no target opera"),
        ("docker build --build-arg BASE=x .", "the Dockerfile has no argument BASE=x"),
    ],
)
def test_a_command_that_cannot_be_right_is_told(command, problem):
    [words] = shell.of_text(command)
    assert judge(words, complete=True) == problem


def test_pipes_lists_substitutions_and_prompts_are_taken_apart():
    text = 'A=1 kubectl get pods | jq . && make demo\nkubectl create x --f="$(benchwarden version)"'
    found = [words[:2] for words in shell.of_text(text)]
    expected = [
        ["kubectl", "get"],
        ["make", "demo"],
        ["benchwarden", "version"],
        ["kubectl", "create"],
    ]
    assert found == expected
    assert shell.typed("$ make demo\nmaking\n$ make test\n") == "make demo\nmake test"


def test_a_marker_belongs_to_the_block_right_after_it():
    text = "<!-- not run: costs\nmoney -->\n```sh\nmake demo\n```\n\n```text\nx\n```\n"
    first, second = parse("page", text).blocks
    assert first.language in SHELL
    assert first.not_run == "costs money"
    assert second.not_run is None
