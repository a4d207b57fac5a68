import json
import os
import zipfile

import pytest

from tests.supply import audit, sbom, secret_scan, wheel


def test_the_wheel_is_the_same_wherever_it_is_built(tmp_path):
    made = []
    for name, mask in (("here", 0o022), ("somewhere/else", 0o077)):
        before = os.umask(mask)
        try:
            sources = wheel.copy_of_the_sources(tmp_path / name / "sources")
            made.append(wheel.build(sources, tmp_path / name / "made").read_bytes())
        finally:
            os.umask(before)
        for path in sources.rglob("*.py"):
            os.utime(path, (1, 1))
    assert made[0] == made[1]


def test_the_wheel_holds_the_packages_and_no_tests(tmp_path):
    sources = wheel.copy_of_the_sources(tmp_path / "sources")
    with zipfile.ZipFile(wheel.build(sources, tmp_path / "made")) as archive:
        roots = {name.partition("/")[0] for name in archive.namelist()}
    assert {"benchwarden", "benchwarden_runner"} < roots
    assert len(roots) == 3  # and the metadata


def test_the_bill_of_materials_lists_what_is_locked_and_is_the_same_each_time():
    lock = sbom.ROOT / "locks" / "build.txt"
    text = sbom.sbom(lock)
    assert text == sbom.sbom(lock)
    document = json.loads(text)
    named = {each["name"] for each in document["components"]}
    locked = {line.partition("==")[0] for line in lock.read_text().splitlines() if "==" in line}
    assert named == locked
    assert all(
        each.get("hashes") or each.get("externalReferences") for each in document["components"]
    )


@pytest.mark.parametrize(
    "planted",
    [
        "key = 'AKIAIOSFODNN7EXAMPLD'",
        "-----BEGIN RSA PRIVATE KEY-----",
        f"sk-ant-api03-{'a1B2' * 20}",
        "password = 'c0rrect-h0rse-battery'",
    ],
)
def test_a_planted_secret_is_found(tmp_path, planted):
    file = tmp_path / "settings.py"
    file.write_text(f"{planted}\n")
    assert secret_scan.scan([file], tmp_path)


def test_ordinary_code_is_no_secret(tmp_path):
    file = tmp_path / "settings.py"
    file.write_text("token = os.environ['TOKEN']\ncommit = 'main'\n")
    assert not secret_scan.scan([file], tmp_path)


def test_the_baseline_names_files_that_are_there_and_holds_no_text():
    for file, _, digest in secret_scan.accepted():
        assert (secret_scan.ROOT / file).exists(), f"{file} is gone: accept the baseline anew"
        assert len(digest) == 40


def test_an_audit_that_could_look_nothing_up_is_no_pass():
    document = {
        "dependencies": [
            {"name": "a", "skip_reason": "not found"},
            {"name": "b", "version": "1", "vulns": []},
            {"name": "c", "version": "2", "vulns": [{"id": "X-1"}]},
        ]
    }
    assert audit.read(document) == audit.Report(2, ("c 2: X-1",), ("a",))
