"""Where the API server is and who we are: service account or kubeconfig, readable anew at any time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.aio.config.kube_config import load_kube_config

from benchwarden.errors import UnavailableError

ENV_KUBECONFIG = "KUBECONFIG"
_NAMESPACE_FILE = Path(SERVICE_TOKEN_FILENAME).with_name("namespace")


class CredentialsError(UnavailableError):
    """There is neither a service account nor a usable kubeconfig."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster.

    Attributes:
        kubeconfig: path, or several joined by `:`, or empty for the usual places.
        context: kubeconfig context, or empty for the current one.
        environment: usually `os.environ`.
    """

    kubeconfig: str = ""
    context: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    async def load(self) -> Configuration:
        """Read the credentials as they are now.

        Returns:
            A configuration of its own; the process-wide default is left alone.

        Raises:
            CredentialsError: there is neither a service account nor a usable kubeconfig.
        """
        configuration = Configuration()
        try:
            if self._in_cluster():
                InClusterConfigLoader(  # type: ignore[no-untyped-call]  # the client has no types
                    token_filename=SERVICE_TOKEN_FILENAME,
                    cert_filename=SERVICE_CERT_FILENAME,
                    environ=self.environment,
                ).load_and_set(configuration)
            else:
                await self._load_kubeconfig(configuration)
        except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CredentialsError(f"no usable Kubernetes credentials: {error}") from error
        # kubectl accepts cluster certificates without the extensions that RFC 5280 asks for, and so
        # must we: Python 3.13 would refuse them. The chain and the host name are checked all the same.
        configuration.disable_strict_ssl_verification = True
        configuration.connection_pool_maxsize = (
            0  # watches hold connections; the bucket is the limit
        )
        return configuration

    def namespace(self) -> str:
        """Namespace of the service account or of the kubeconfig context; `default` if unsaid."""
        if self._in_cluster():
            try:
                return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() or "default"
            except OSError:
                return "default"
        return _context_namespace(self._paths(), self.context) or "default"

    def _in_cluster(self) -> bool:
        """A kubeconfig that is named wins; else a pod's service account; else ~/.kube/config."""
        if self.kubeconfig or self.context or self.environment.get(ENV_KUBECONFIG):
            return False
        return bool(self.environment.get(SERVICE_HOST_ENV_NAME))

    def _paths(self) -> str:
        return (
            self.kubeconfig
            or self.environment.get(ENV_KUBECONFIG, "")
            or str(Path.home() / ".kube" / "config")
        )

    async def _load_kubeconfig(self, configuration: Configuration) -> None:
        paths = self._paths()
        if not _any_file(paths):
            raise ConfigException(f"kubeconfig {paths} does not exist")
        await load_kube_config(  # type: ignore[no-untyped-call]  # the client has no types
            config_file=paths,
            context=self.context or None,
            client_configuration=configuration,
            persist_config=False,  # the user's file is the user's
        )


def _any_file(paths: str) -> bool:
    return any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path)


def _context_namespace(paths: str, context: str) -> str:
    contexts: dict[str, str] = {}
    current = context
    for path in (Path(each).expanduser() for each in paths.split(os.pathsep) if each):
        try:
            document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError):
            continue
        if not isinstance(document, dict):
            continue
        current = current or str(document.get("current-context") or "")
        for each in document.get("contexts") or ():
            if isinstance(each, dict) and isinstance(each.get("context"), dict):
                namespace = each["context"].get("namespace") or ""
                contexts.setdefault(str(each.get("name")), str(namespace))
    return contexts.get(current, "")
