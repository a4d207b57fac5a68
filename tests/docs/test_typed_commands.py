"""What somebody on call would copy out of a sentence works: the API server takes each kubectl command."""

import shlex
from collections.abc import Iterator

import pytest
from tests.docs.pages import ROOT, spans

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

READS = frozenset({"get", "describe", "explain"})
WRITES = frozenset({"patch", "delete"})
RUN, SCHEDULE = "run-oracle", "schedule-daily"


def commands() -> Iterator[tuple[str, list[str]]]:
    """Whole kubectl commands in sentences that can be tried without changing anything."""
    for span in spans():
        if not span.text.startswith("kubectl ") or "..." in span.text or "<" in span.text:
            continue
        words = shlex.split(span.text)[1:]
        if words[0] == "-n":
            words = words[2:]  # the test's own namespace stands for it
        if len(words) > 1 and words[0] in READS | WRITES:
            yield span.place, words


def filled(words: list[str]) -> list[str]:
    name = SCHEDULE if any("schedule" in word for word in words) else RUN
    found = [word.replace("NAME", name) for word in words if word not in ("--watch", "-A")]
    return [*found, "--dry-run=server"] if words[0] in WRITES else found


def test_every_command_in_a_sentence_is_taken_by_the_api_server(kubectl, installed):
    for example in (RUN, SCHEDULE):
        kubectl.run("apply", "-f", str(ROOT / f"examples/{example}.yaml"))
    found = list(commands())
    assert len(found) > 12
    for place, words in found:
        assert kubectl.run(*filled(words)) or words[0] == "get", place
