"""SWE-bench Pro: a row of its data set becomes an instance that is graded by the official steps."""

import re
from dataclasses import replace
from typing import Final

from pydantic import Field

from benchwarden.suites import prompt
from benchwarden.suites.columns import (
    Columns,
    Commit,
    InstanceName,
    TextList,
    converter,
    local_workspace,
)
from benchwarden.suites.instance import Instance, ResultParser, TestFile
from benchwarden.suites.rows import Convert, RowError
from benchwarden.suites.schema import LocalRow
from benchwarden_runner import protocol

RUN_SCRIPT: Final = "run_script.sh"
PARSER: Final = "parser.py"
IMAGE_REPOSITORY: Final = "jefzda/sweap-images"
WORKDIR: Final = "/app"

_TAG_CHARACTERS: Final = 128
_RUN: Final = f'bash "${protocol.ENV_SCRIPTS}/{RUN_SCRIPT}"'
_PREFIX: Final = "instance_"
_NO_ENVIRONMENT: Final = "-vnan"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REPO = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
# Pushed under the repository's full name, unlike the others of that repository.
_FULL_NAME: Final = "instance_element-hq__element-web-ec0f940ef0e8e3b61078f145f34dc40d1938e6c5-vnan"


class ProRow(Columns):
    """The columns of a row that decide something; `local` is an addition for runs without images."""

    instance_id: InstanceName
    repo: str
    base_commit: Commit
    problem_statement: str
    fail_to_pass: TextList
    pass_to_pass: TextList = Field(default_factory=list)
    selected_test_files_to_run: TextList
    requirements: str = ""
    interface: str = ""
    patch: str = ""
    repo_language: str = ""
    before_repo_set_cmd: str = ""
    dockerhub_tag: str = ""
    local: LocalRow | None = None


def reader(template: str = prompt.SWEBENCH_PRO) -> Convert:
    """Makes instances of rows; their scripts are added by `with_scripts` once it is known whose are needed."""
    return converter(ProRow, lambda row: _instance(row, template))


def with_scripts(instance: Instance, run_script: bytes, parser: str) -> Instance:
    """The instance with its own run script and parser, and nobody else's."""
    return replace(
        instance,
        scripts=(TestFile(RUN_SCRIPT, run_script, executable=True),),
        parser=ResultParser(protocol.PARSER_SCRIPT, script=parser),
    )


def image(instance_id: str, repo: str, tag: str = "") -> str:
    """The instance's image: by its tag if the row has one, else by the rule its images were pushed with.

    Args:
        instance_id: as in the data set.
        repo: `owner/name`.
        tag: the column `dockerhub_tag`.
    """
    return f"{IMAGE_REPOSITORY}:{tag or image_tag(instance_id, repo)}"


def image_tag(instance_id: str, repo: str) -> str:
    """`owner.name-id`: owner and name in lower case, the id as it is, 128 characters at most."""
    owner, _, name = repo.lower().partition("/")
    rest = instance_id.replace(_PREFIX, "")
    if instance_id != _FULL_NAME:
        rest = rest.removesuffix(_NO_ENVIRONMENT)
        if (owner, name) == ("element-hq", "element-web"):
            name = "element"
    return f"{owner}.{name}-{rest}"[:_TAG_CHARACTERS]


def _instance(row: ProRow, template: str) -> Instance:
    if not _REPO.fullmatch(row.repo):
        raise RowError(("repo", "must be owner/name"))
    if row.dockerhub_tag and not _TAG.fullmatch(row.dockerhub_tag):
        raise RowError(("dockerhub_tag", "is not an image tag; remove it, or mend it"))
    if not (row.fail_to_pass or row.pass_to_pass):
        raise RowError(("fail_to_pass", "names no test, and neither does pass_to_pass"))
    columns = row.model_dump(include={"problem_statement", "requirements", "interface"})
    return Instance(
        id=row.instance_id,
        image=image(row.instance_id, row.repo, row.dockerhub_tag),
        workdir=WORKDIR,
        base_commit=row.base_commit,
        prompt=prompt.fill(template, columns),
        # Unquoted, as the official script has it: what the shell makes of a name is part of the verdict.
        test_command=f"{_RUN} {','.join(row.selected_test_files_to_run)}".rstrip(),
        parser=ResultParser(protocol.PARSER_SCRIPT),
        fail_to_pass=tuple(row.fail_to_pass),
        pass_to_pass=tuple(row.pass_to_pass),
        gold_patch=row.patch,
        # The lines before the last reset the tree, which would undo the patch.
        setup_command=row.before_repo_set_cmd.strip().split("\n")[-1],
        repo=row.repo,
        language=row.repo_language,
        local=local_workspace(row.local),
        apply=protocol.APPLY_SWEBENCH_PRO,
        any_pass_counts=True,
    )
