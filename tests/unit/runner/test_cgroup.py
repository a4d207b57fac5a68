import pytest
from tests.unit.runner.builders import put

from benchwarden_runner.cgroup import Cgroup


@pytest.fixture
def membership(tmp_path):
    def make(text):
        (tmp_path / "membership").write_text(text)
        return str(tmp_path / "membership")

    return make


V2 = {
    "memory.max": "1000000\n",
    "memory.current": "900000\n",
    "memory.stat": "anon 5\ninactive_file 100000\nactive_file 50000\nslab_reclaimable 1000\n",
    "memory.events": "low 0\noom 3\noom_kill 2\n",
    "pids.events": "max 7\n",
}
V1 = {
    "memory/pod/memory.limit_in_bytes": "2000000\n",
    "memory/pod/memory.usage_in_bytes": "700000\n",
    "memory/pod/memory.stat": "total_inactive_file 100000\ntotal_active_file 100000\n",
    "memory/pod/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    "pids/pod/pids.events": "max 9\n",
}


@pytest.mark.parametrize("folder", ["", "kubepods/pod1/"], ids=["own namespace", "host's view"])
def test_version_2(tmp_path, membership, folder):
    put(tmp_path / "cg", {folder + name: text for name, text in V2.items()})
    cgroup = Cgroup(str(tmp_path / "cg"), membership("0::/kubepods/pod1\n"))
    assert cgroup.memory_limit_bytes() == 1_000_000
    assert cgroup.memory_in_use_bytes() == 749_000
    assert (cgroup.oom_kills(), cgroup.process_refusals()) == (2, 7)


def test_version_1(tmp_path, membership):
    put(tmp_path / "cg", V1)
    text = "4:memory:/pod\n3:cpu,cpuacct:/pod\n2:pids:/pod\n0::/pod\n"
    cgroup = Cgroup(str(tmp_path / "cg"), membership(text))
    assert cgroup.memory_limit_bytes() == 2_000_000
    assert cgroup.memory_in_use_bytes() == 500_000
    assert (cgroup.oom_kills(), cgroup.process_refusals()) == (4, 9)


def test_no_limit(tmp_path, membership):
    put(tmp_path / "cg", {**V2, "memory.max": "max\n"})
    cgroup = Cgroup(str(tmp_path / "cg"), membership("0::/\n"))
    assert cgroup.memory_limit_bytes() is None
    put(tmp_path / "v1", {**V1, "memory/pod/memory.limit_in_bytes": f"{2**63 - 4096}\n"})
    cgroup = Cgroup(str(tmp_path / "v1"), membership("4:memory:/pod\n"))
    assert cgroup.memory_limit_bytes() is None


def test_no_cgroups_at_all(tmp_path):
    cgroup = Cgroup(str(tmp_path / "nothing"), str(tmp_path / "nothing"))
    assert cgroup.memory_limit_bytes() is None
    assert (cgroup.memory_in_use_bytes(), cgroup.oom_kills(), cgroup.process_refusals()) == (
        0,
        0,
        0,
    )
