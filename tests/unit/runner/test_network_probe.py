import os
import socket
import subprocess
import sys

import pytest
from tests.unit.runner.builders import RUNNER

from benchwarden_runner.network import isolation


def test_an_address_that_answers_means_the_network_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert isolation(f"127.0.0.1:{server.getsockname()[1]}") == "open"


def test_a_refusal_proves_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert isolation(f"127.0.0.1:{port}") == "unknown"


@pytest.mark.parametrize("address", ["", "nonsense", "1.2.3.4", "1.2.3.4:", ":80", "1.2.3.4:99999"])
def test_no_usable_address_is_unknown(address):
    assert isolation(address) == "unknown"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")
def test_no_way_there_means_the_policy_holds():
    program = f"import sys; sys.path.insert(0, {str(RUNNER)!r}); "
    program += "from benchwarden_runner.network import isolation; print(isolation('192.0.2.1:80'))"
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "enforced"
