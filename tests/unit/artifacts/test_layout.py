"""Where artifacts lie, and the small documents that go with them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden.artifacts import word
from benchwarden.artifacts.assignment import Assignment, Destination
from benchwarden.artifacts.layout import launch_folder, launch_of, run_folder
from benchwarden.artifacts.manifest import KeptFile, LeftOut, Manifest
from benchwarden.artifacts.word import Word
from benchwarden.errors import InvalidInputError
from benchwarden.planning.plan import Member

MEMBERS = st.builds(
    Member, st.text(min_size=1, max_size=60), st.integers(0, 99), st.integers(1, 99)
)
DOCUMENTS = [Assignment.from_json, lambda text: Manifest.from_json(text.encode())]


def test_the_layout_is_the_documented_one() -> None:
    folder = launch_folder(Member("astropy__astropy-12907", 0, 2))

    assert folder == "astropy__astropy-12907/trial-0/launch-2"
    assert run_folder("bench", "nightly", "6f1a") == "bench/nightly/6f1a"


@given(MEMBERS)
def test_a_launchs_folder_never_leaves_its_runs(member: Member) -> None:
    parts = launch_folder(member).split("/")

    assert len(parts) == 3
    assert not {"", ".", ".."} & set(parts)
    assert launch_of(f"{launch_folder(member)}/x") == (parts[0], member.trial, member.launch)


@given(MEMBERS, MEMBERS)
def test_two_launches_never_share_a_folder(one: Member, other: Member) -> None:
    assert (launch_folder(one) == launch_folder(other)) == (one == other)


def test_other_paths_are_no_launchs() -> None:
    assert [launch_of(path) for path in ("run.json", "a/b/c/d", "a/trial-x/launch-1/f")] == [
        None
    ] * 3


@given(st.lists(MEMBERS, max_size=12).map(tuple))
def test_an_assignment_survives_its_variable(members: tuple[Member, ...]) -> None:
    given_ = Assignment(Destination(url="s3://b/p", endpoint_url="http://s:9"), "n/r/u", members)

    assert Assignment.from_json(given_.to_json()) == given_


@given(MEMBERS)
def test_a_manifest_survives_its_file(member: Member) -> None:
    manifest = Manifest(
        member, (KeptFile("patch", "agent.patch", 3, "0" * 64),), (LeftOut("stream", "s", "why"),)
    )

    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("read", DOCUMENTS)
@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"files": 1}'])
def test_what_is_no_document_is_refused(read: object, text: str) -> None:
    with pytest.raises(InvalidInputError):
        read(text)  # type: ignore[operator]  # one of two readers


@given(st.text(max_size=2000), st.integers(100, 4096))
def test_the_last_word_fits_and_can_be_read(error: str, limit: int) -> None:
    line = Word(3, 1, error).encode(limit)

    assert len(line) <= max(limit, 300)
    said = word.decode(line.decode())
    assert said is not None
    assert (said.kept, said.failed) == (3, 1)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", json.dumps({"upload": 1}), "{}"])
def test_no_word_is_read_where_there_is_none(text: str) -> None:
    assert word.decode(text) is None
