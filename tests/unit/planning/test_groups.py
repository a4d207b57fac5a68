"""Groups: every trial once, like images together, long work first."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import instance

from benchwarden.planning.groups import group_trials

images = st.lists(st.sampled_from(("a:1", "b:1", "c:1")), min_size=1, max_size=40)


@given(images, st.integers(1, 3), st.integers(1, 12), st.booleans())
def test_every_trial_is_in_exactly_one_group_of_allowed_size(chosen, trials, size, known):
    instances = [instance(f"i{n}", image=image) for n, image in enumerate(chosen)]
    durations = {f"i{n}": float(n % 7) for n in range(0, len(chosen), 2)} if known else None
    groups = group_trials(instances, trials, size, durations)
    counted = Counter(key for group in groups for key in group)
    assert set(counted.values()) == {1}
    assert len(counted) == len(chosen) * trials
    assert all(1 <= len(group) <= size for group in groups)
    assert groups == group_trials(instances, trials, size, durations)


def test_instances_of_one_image_share_a_pod_before_others_join():
    instances = [instance(f"i{n}", image="ab"[n % 2] + ":1") for n in range(8)]
    groups = group_trials(instances, 1, 4)
    assert [{key.instance for key in group} for group in groups] == [
        {"i0", "i2", "i4", "i6"},
        {"i1", "i3", "i5", "i7"},
    ]


def test_the_first_trial_of_all_comes_before_the_second_of_any():
    groups = group_trials([instance(f"i{n}") for n in range(4)], 2, 2)
    assert [key.trial for group in groups for key in group] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_with_known_durations_the_longest_group_is_launched_first():
    durations = {"i0": 1.0, "i1": 100.0, "i2": 1.0, "i3": 90.0}
    groups = group_trials([instance(f"i{n}") for n in range(4)], 1, 2, durations)
    loads = [sum(durations[key.instance] for key in group) for group in groups]
    assert loads == sorted(loads, reverse=True)
    assert max(loads) == 101.0
