"""Secrets in the files that git knows: `make check` refuses what looks like one and is not in the baseline.

    python -m tests.supply.secret_scan            exit code 1 and a list, if there is anything new
    python -m tests.supply.secret_scan --accept   writes the baseline anew, after somebody has looked

The baseline holds hashes, never text, and no line numbers: moving a line is no finding.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "tests" / "supply" / "secrets.json"
# Digests by the thousand, and inputs that are odd on purpose.
_LEFT_OUT = re.compile(
    r"^(locks/|uv\.lock$|tests/fuzz/corpus/|tests/data/|.*go\.sum$"
    r"|tests/supply/(secrets\.json|test_supply_chain\.py)$)"
)
_SETTINGS = {
    "plugins_used": [
        {"name": name}
        for name in (
            *(
                "AWSKeyDetector",
                "AzureStorageKeyDetector",
                "BasicAuthDetector",
                "DiscordBotTokenDetector",
            ),
            *("GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector"),
            *("NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector"),
            *("SendGridDetector", "SlackDetector", "StripeDetector", "TwilioKeyDetector"),
        )
    ]
    + [
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
    ],
    "filters_used": [
        {"path": f"detect_secrets.filters.{name}"}
        for name in (
            *("heuristic.is_indirect_reference", "heuristic.is_likely_id_string"),
            *("heuristic.is_lock_file", "heuristic.is_not_alphanumeric_string"),
            *("heuristic.is_potential_uuid", "heuristic.is_prefixed_with_dollar_sign"),
            *("heuristic.is_sequential_string", "heuristic.is_swagger_file"),
            *("heuristic.is_templated_secret", "allowlist.is_line_allowlisted"),
        )
    ],
}
# Keys of the model's vendor, which the library does not know.
_OURS = re.compile(r"sk-ant-[a-z0-9]{2,10}-[A-Za-z0-9_-]{40,}")

Finding = tuple[str, str, str]
"""File, kind, hash of the text."""


def scan(files: list[Path], root: Path = ROOT) -> dict[Finding, int]:
    """What looks like a secret, with its line."""
    found: dict[Finding, int] = {}
    with transient_settings(_SETTINGS):
        secrets = SecretsCollection(root=str(root))
        for file in files:
            secrets.scan_file(str(file.relative_to(root)))
        for name, each in secrets:
            found[name, each.type, each.secret_hash] = each.line_number
    for file in files:
        for number, line in enumerate(_lines(file), 1):
            if _OURS.search(line):
                found[str(file.relative_to(root)), "Anthropic key", f"line {number}"] = number
    return found


def scan_all(files: list[Path]) -> dict[Finding, int]:
    """The same with all processors."""
    parts = [files[begin :: os.cpu_count() or 1] for begin in range(os.cpu_count() or 1)]
    with ProcessPoolExecutor() as pool:
        return {key: line for found in pool.map(scan, parts) for key, line in found.items()}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except (UnicodeDecodeError, OSError):
        return []


def tracked() -> list[Path]:
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    names = [name for name in listed if name and not _LEFT_OUT.match(name)]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def accepted() -> set[Finding]:
    listed: list[Any] = json.loads(BASELINE.read_text())
    return {(each["file"], each["kind"], each["hash"]) for each in listed}


def main() -> int:
    found = scan_all(tracked())
    if sys.argv[1:] == ["--accept"]:
        rows = [
            {"file": file, "kind": kind, "hash": digest} for file, kind, digest in sorted(found)
        ]
        BASELINE.write_text(json.dumps(rows, indent=1) + "\n")
        return 0
    new = sorted(set(found) - accepted())
    for file, kind, digest in new:
        print(f"{file}:{found[file, kind, digest]}: {kind}")
    if new:
        print(
            "if these are no secrets: python -m tests.supply.secret_scan --accept", file=sys.stderr
        )
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
