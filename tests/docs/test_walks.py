"""Pages are walked through: each command is run as it stands, and what a page shows is what is printed."""

import pytest
from tests.docs import walking
from tests.docs.pages import ROOT, SHELL, pages
from tests.docs.walks import NOT_RUN, WALKS
from tests.mini_suite import ensure_mini_suite


def judge(page: str, folder, environment, values) -> None:
    walk = WALKS[page]
    text = walking.script(page, walk, {"suite": str(ensure_mini_suite()), **values})
    walked = walking.walk_through(text, walking.checkout(folder), environment)
    assert walked.code == 0, walked.log[-4000:]
    for by, block in walking.shown(page):
        assert walking.missing_lines(block.text, walked.printed[by.line]) == [], block.place


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [name for name, walk in WALKS.items() if not walk.cluster])
def test_a_page_that_needs_no_cluster_does_what_it_says(page, tmp_path):
    environment = {"PATH": f"{ROOT / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin", "KUBECONFIG": ""}
    judge(page, tmp_path / "checkout", environment, {})


@pytest.mark.cluster
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [name for name, walk in WALKS.items() if walk.cluster])
def test_a_page_about_a_cluster_does_what_it_says(page, place, tmp_path):
    with place(WALKS[page].operator) as (environment, values):
        judge(page, tmp_path / "checkout", environment, values)


def test_each_page_with_commands_is_walked():
    with_commands = {
        page.name
        for page in pages()
        if any(block.language in SHELL and block.not_run is None for block in page.blocks)
    }
    assert with_commands == set(WALKS)


def test_each_command_that_is_not_run_is_on_the_list_with_its_reason():
    marked = {
        (block.page, reason)
        for page in pages()
        for block in page.blocks
        if (reason := block.not_run) is not None
    }
    assert marked == set(NOT_RUN)


@pytest.mark.parametrize("page", WALKS)
def test_what_a_walk_replaces_is_on_its_page(page):
    assert walking.unused(page, WALKS[page]) == []


def test_a_shown_output_may_leave_out_but_not_change():
    printed = "NAME   AGE\nrun-oracle   3m12s\n"
    assert walking.missing_lines("NAME AGE\nrun-oracle   ...\n", printed) == []
    assert walking.missing_lines("run-oracle 4m\n", printed) == ["run-oracle 4m"]
