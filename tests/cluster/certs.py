"""Certificates of the cluster: an own authority, and one certificate per identity."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.config import (
    API_SERVICE_ADDRESS,
    API_URL,
    NODE_ADDRESS,
    NODE_NAME,
    ClusterError,
    Paths,
)
from tests.cluster.packages import program

VALID_DAYS = 365


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a certificate names.

    Attributes:
        name: File name without its ending.
        common_name: User name in Kubernetes.
        organization: Group in Kubernetes, or none.
        alternatives: Subject alternative names, in the way openssl writes them.
        server: Whether a server shows it (else a client).
    """

    name: str
    common_name: str
    organization: str | None = None
    alternatives: tuple[str, ...] = ()
    server: bool = False


IDENTITIES = (
    Identity(
        "apiserver",
        "kube-apiserver",
        alternatives=(
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            "DNS:kubernetes.default.svc.cluster.local",
            "DNS:localhost",
            f"IP:{API_SERVICE_ADDRESS}",
            f"IP:{NODE_ADDRESS}",
            "IP:127.0.0.1",
        ),
        server=True,
    ),
    Identity(
        "kubelet-server",
        NODE_NAME,
        alternatives=(f"DNS:{NODE_NAME}", f"IP:{NODE_ADDRESS}"),
        server=True,
    ),
    Identity("admin", "benchwarden-admin", "system:masters"),
    Identity("apiserver-kubelet-client", "apiserver-kubelet-client", "system:masters"),
    Identity("controller-manager", "system:kube-controller-manager"),
    Identity("scheduler", "system:kube-scheduler"),
    Identity("kube-proxy", "system:kube-proxy"),
    Identity("kubelet", f"system:node:{NODE_NAME}", "system:nodes"),
)
KUBECONFIG_IDENTITIES = ("admin", "controller-manager", "scheduler", "kube-proxy", "kubelet")


def make_all(where: Paths) -> None:
    """Make the authority, every certificate, the token key and the kubeconfigs in one go."""
    where.pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_authority(where.pki)
    for identity in IDENTITIES:
        _make_certificate(where.pki, identity)
    _make_key(where.pki / "service-account.key")
    _openssl("pkey", "-in", "service-account.key", "-pubout", "-out", "service-account.pub",
             cwd=where.pki)  # fmt: skip
    for name in KUBECONFIG_IDENTITIES:
        target = where.kubeconfig if name == "admin" else kubeconfig_path(where, name)
        target.write_text(kubeconfig(where, name))
        target.chmod(0o600)


def kubeconfig_path(where: Paths, name: str) -> Path:
    """Return where a component's kubeconfig is."""
    return where.config / f"{name}.kubeconfig"


def kubeconfig(where: Paths, name: str) -> str:
    """Return a self-contained kubeconfig for an identity, as JSON (which is YAML too)."""
    user = {
        "client-certificate-data": _base64(where.pki / f"{name}.crt"),
        "client-key-data": _base64(where.pki / f"{name}.key"),
    }
    cluster = {"server": API_URL, "certificate-authority-data": _base64(where.pki / "ca.crt")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "benchwarden-test", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [
            {
                "name": "benchwarden-test",
                "context": {"cluster": "benchwarden-test", "user": name, "namespace": "default"},
            }
        ],
        "current-context": "benchwarden-test",
    }
    return json.dumps(content, indent=1) + "\n"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _make_authority(pki: Path) -> None:
    _make_key(pki / "ca.key")
    _openssl(
        "req", "-x509", "-new", "-key", "ca.key", "-days", str(VALID_DAYS),
        "-subj", "/CN=benchwarden-test-cluster",
        "-addext", "keyUsage=critical,keyCertSign,digitalSignature", "-out", "ca.crt",
        cwd=pki,
    )  # fmt: skip


def _make_certificate(pki: Path, identity: Identity) -> None:
    name = identity.name
    _make_key(pki / f"{name}.key")
    organization = f"/O={identity.organization}" if identity.organization else ""
    subject = f"{organization}/CN={identity.common_name}"
    extensions = [
        "basicConstraints=CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=" + ("serverAuth" if identity.server else "clientAuth"),
    ]
    if identity.alternatives:
        extensions.append("subjectAltName=" + ",".join(identity.alternatives))
    (pki / f"{name}.ext").write_text("\n".join(extensions) + "\n")
    _openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr", cwd=pki)
    _openssl(
        "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", str(VALID_DAYS), "-extfile", f"{name}.ext",
        "-out", f"{name}.crt",
        cwd=pki,
    )  # fmt: skip
    for ending in ("csr", "ext"):
        (pki / f"{name}.{ending}").unlink()


def _make_key(path: Path) -> None:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-out", path.name, cwd=path.parent)  # fmt: skip
    path.chmod(0o600)


def _openssl(*arguments: str, cwd: Path) -> None:
    openssl = program("openssl")
    if openssl is None:
        raise ClusterError("openssl not found; run `cli.py build` first")
    done = subprocess.run([openssl, *arguments], cwd=cwd, capture_output=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.decode()[-500:]}")
