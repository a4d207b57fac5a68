"""Any JSON at all, made of the words that Jobs and pods are made of."""

from typing import Any

from hypothesis import strategies as st
from tests.unit.kube.builders import T0

from benchwarden import names

FIELDS = """metadata labels annotations ownerReferences kind uid name namespace spec status conditions
type initContainers containers initContainerStatuses containerStatuses state terminated running waiting
reason message exitCode imageID phase suspend active deletionTimestamp creationTimestamp startedAt
finishedAt lastTransitionTime"""
OURS = (names.LABEL_RUN_UID, names.LABEL_ROLE, names.ANNOTATION_MEMBERS)
KEYS = st.sampled_from([*FIELDS.split(), *OURS])
WORDS = st.one_of(
    st.sampled_from(["True", "False", "Job", "Complete", "Failed", T0, "Unschedulable", "[[1]]"]),
    st.text(max_size=8),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS)
JSONISH = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=8)),
    max_leaves=40,
)


@st.composite
def disfigured(draw: st.DrawFn, objects: st.SearchStrategy[Any]) -> Any:
    """A real object of which any one part may be replaced by anything."""
    raw = draw(objects)
    place = raw
    while isinstance(place, dict) and place:
        key = draw(st.sampled_from(sorted(place)))
        if draw(st.booleans()):
            place[key] = draw(JSONISH)
            break
        place = place[key]
        if isinstance(place, list) and place:
            place = place[0]
    return raw
