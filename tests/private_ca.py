"""A certificate authority of our own, and a certificate by it for a host name that no resolver knows."""

import subprocess
from pathlib import Path

HOST = "api.bench.test"


def make_ca(folder: Path, *hosts: str) -> Path:
    """Write `ca.crt`, and `host.pem` with certificate and key for `hosts` (HOST), into an empty folder; returns it."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    usual = (*curve, "-nodes", "-days", "2")
    openssl("req", "-x509", *usual, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ours")
    openssl("req", *usual, "-keyout", "host.key", "-out", "host.csr", "-subj", f"/CN={HOST}")
    names = ",".join(f"DNS:{host}" for host in hosts or (HOST,))
    (folder / "names").write_text(f"subjectAltName={names}\n")
    by = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "host.csr", "-days", "2", *by, "-out", "host.crt")
    both = (folder / "host.crt").read_text() + (folder / "host.key").read_text()
    (folder / "host.pem").write_text(both)
    return folder
