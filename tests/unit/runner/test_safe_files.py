import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden_runner import safe_files
from benchwarden_runner.redaction import Redactor
from benchwarden_runner.safe_files import TooLargeError, UnsafeFileError


def test_a_regular_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert safe_files.read_regular(tmp_path / "a", 100) == b"x" * 100
    with pytest.raises(TooLargeError):
        safe_files.read_regular(tmp_path / "a", 99)


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "folder", "socket", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "link":
        (tmp_path / "target").write_text("secret")
        path.symlink_to("target")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.close()
    with pytest.raises(UnsafeFileError):
        safe_files.read_regular(path, 100)
    with pytest.raises(UnsafeFileError):
        safe_files.read_inside(tmp_path, "a", 100)


def test_reading_inside_a_tree_follows_no_link_on_the_way(tmp_path):
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (tree / "deep").mkdir(parents=True)
    (outside / "a").write_text("secret")
    (tree / "deep" / "a").write_text("fine")
    (tree / "link").symlink_to(outside)
    assert safe_files.read_inside(tree, "deep/./a", 100) == b"fine"
    with pytest.raises(UnsafeFileError):
        safe_files.read_inside(tree, "link/a", 100)
    with pytest.raises(FileNotFoundError):
        safe_files.read_inside(tree, "deep/b", 100)


@pytest.mark.parametrize(
    "path", ["", "/", "/etc/passwd", "../x", "a/../../x", ".git/config", "a/.GIT/x"]
)
def test_paths_that_leave_the_tree_are_refused(tmp_path, path):
    with pytest.raises(UnsafeFileError):
        safe_files.write_inside(tmp_path, path, b"x")


@pytest.mark.parametrize(
    "obstacle", ["link to a file", "link to a folder", "file", "folder", "fifo"]
)
@pytest.mark.parametrize("at_parent", [True, False])
def test_writing_replaces_whatever_is_in_the_way(tmp_path, obstacle, at_parent):
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    tree.mkdir()
    outside.mkdir()
    (outside / "b").write_text("untouched")
    place = tree / "a" if at_parent else tree / "a" / "b"
    place.parent.mkdir(exist_ok=True)
    if obstacle.startswith("link"):
        place.symlink_to(outside if obstacle.endswith("folder") else outside / "b")
    elif obstacle == "file":
        place.write_text("old")
    elif obstacle == "folder":
        (place / "full").mkdir(parents=True)
    else:
        os.mkfifo(place)
    safe_files.write_inside(tree, "a/b", b"new", executable=True)
    assert (tree / "a" / "b").read_text() == "new"
    assert os.access(tree / "a" / "b", os.X_OK)
    assert (outside / "b").read_text() == "untouched"


SECRETS = {"ANTHROPIC_API_KEY": 'sk-"quoted"/key+1234', "AWS_SECRET_ACCESS_KEY": "abcdefgh12345"}


@given(st.lists(st.binary(max_size=9) | st.sampled_from(["a", "b"]), max_size=9), st.integers(1, 9))
def test_a_secret_is_found_across_any_cut_of_the_stream(parts, size):
    values = {"a": b'sk-"quoted"/key+1234', "b": b"abcdefgh12345"}
    whole = b"".join(values.get(part, part) for part in parts)
    redactor = Redactor(SECRETS)
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    joined = b"".join(redactor.chunks(chunks))
    for value in values.values():
        assert value not in joined
    if not any(value in whole for value in values.values()):
        assert joined == whole


def test_secrets_are_found_as_json_and_urls_spell_them():
    redactor = Redactor(SECRETS)
    assert "key+1234" not in redactor.text('{"key": "sk-\\"quoted\\"/key+1234"}')
    assert "key%2B1234" not in redactor.text("https://x/?k=sk-%22quoted%22%2Fkey%2B1234")


def test_short_values_and_other_variables_are_left_alone():
    redactor = Redactor({"MY_KEY": "short", "PATH": "/usr/local/bin"})
    assert redactor.text("short /usr/local/bin") == "short /usr/local/bin"
