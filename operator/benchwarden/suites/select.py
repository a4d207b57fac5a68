"""Which instances of a suite make the panel: a pure function of content and seed.

Rows may come in any order and be joined by unrelated ones: instances are ordered by a hash of seed
and id, so a sample of n is the n first of that order, and a new row displaces at most one old one.
"""

import bisect
import difflib
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchwarden import names
from benchwarden.api.suite import Sample, Selection
from benchwarden.errors import InvalidInputError
from benchwarden.suites.digest import panel_digest
from benchwarden.suites.instance import Instance, Panel

_NAMED_IDS = 10
_COMPARED_IDS = 3000


def select_panel(suite: str, instances: Iterable[Instance], selection: Selection) -> Panel:
    """The panel that a selection takes from a suite.

    Filters narrow each other; quarantined ids are left out next; the sample is taken last, and a
    sample larger than what is left takes all of it. Quarantined ids that the suite does not have, or
    that the filters leave out, are ignored, so that one list serves several selections.

    Args:
        suite: name of the suite, for reports.
        instances: all instances, ids unique, in any order.
        selection: what the user asks for.

    Raises:
        InvalidInputError: an id in include or exclude is not in the suite (reason InvalidSpec), or
            nothing is left (reason EmptyPanel).
    """
    by_id = {instance.id: instance for instance in instances}
    _refuse_unknown(selection.include, by_id, "spec.suite.selection.include")
    _refuse_unknown(selection.exclude, by_id, "spec.suite.selection.exclude")
    wanted = _filter(selection)
    pool = [item for _, item in sorted(by_id.items()) if wanted(item)]
    reasons = {entry.id: entry.reason for entry in selection.quarantine}
    left_out = tuple((item.id, reasons[item.id]) for item in pool if item.id in reasons)
    healthy = [item for item in pool if item.id not in reasons]
    if not healthy:
        raise InvalidInputError(
            f"leaves no instance of {len(by_id)} ({len(left_out)} quarantined); widen it",
            reason=names.REASON_EMPTY_PANEL,
            field="spec.suite.selection",
        )
    chosen = _sampled(healthy, selection.sample) if selection.sample else healthy
    panel = tuple(sorted(chosen, key=lambda item: item.id))
    return Panel(suite, panel, panel_digest(panel), left_out)


def _filter(selection: Selection) -> Callable[[Instance], bool]:
    include, exclude = frozenset(selection.include), frozenset(selection.exclude)
    repos = frozenset(selection.repos)
    languages = frozenset(language.casefold() for language in selection.languages)

    def wanted(item: Instance) -> bool:
        return (
            (not include or item.id in include)
            and item.id not in exclude
            and (not repos or item.repo in repos)
            and (not languages or item.language.casefold() in languages)
        )

    return wanted


def _sampled(pool: Sequence[Instance], sample: Sample) -> list[Instance]:
    if sample.stratify_by == "none":
        return _hash_ordered(pool, sample.seed)[: sample.size]
    strata: dict[str, list[Instance]] = defaultdict(list)
    for instance in pool:
        strata[instance.repo].append(instance)
    sizes = {repo: len(members) for repo, members in strata.items()}
    shares = allocate(min(sample.size, len(pool)), sizes)
    return [
        instance
        for repo, members in strata.items()
        for instance in _hash_ordered(members, sample.seed)[: shares[repo]]
    ]


def allocate(size: int, strata: Mapping[str, int]) -> dict[str, int]:
    """How many of `size` each stratum gets, in proportion to its members (largest remainders).

    Integer arithmetic only; equal remainders go to the larger stratum, then to the first name.

    Args:
        size: number to share out, at most the sum of all members.
        strata: members of each stratum.
    """
    total = sum(strata.values())
    shares = {name: size * members // total for name, members in strata.items()}
    order = sorted(strata, key=lambda name: (-(size * strata[name] % total), -strata[name], name))
    for name in order[: size - sum(shares.values())]:
        shares[name] += 1
    return shares


def _hash_ordered(instances: Iterable[Instance], seed: int) -> list[Instance]:
    return sorted(instances, key=lambda item: (_rank(seed, item.id), item.id))


def _rank(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed}\n{id}".encode()).hexdigest()


def _neighbours(name: str, known: Iterable[str]) -> list[str]:
    """Ids to compare a mistyped one with: all of a suite of ordinary size, else those around it in order."""
    ordered = sorted(known)
    if len(ordered) <= _COMPARED_IDS:
        return ordered
    at = bisect.bisect(ordered, name)
    return ordered[max(0, at - _COMPARED_IDS // 2) : at + _COMPARED_IDS // 2]


def _refuse_unknown(wanted: Iterable[str], known: Mapping[str, Instance], field: str) -> None:
    unknown = sorted(set(wanted) - set(known))
    if not unknown:
        return
    shown = ", ".join(f'"{name}"' for name in unknown[:_NAMED_IDS])
    more = f" and {len(unknown) - _NAMED_IDS} more" if len(unknown) > _NAMED_IDS else ""
    near = difflib.get_close_matches(unknown[0], _neighbours(unknown[0], known), n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; the suite has {len(known)} instances"
    raise InvalidInputError(
        f"not in the suite: {shown}{more}{hint}", reason=names.REASON_INVALID_SPEC, field=field
    )
