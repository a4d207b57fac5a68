"""The one door to kopf: it watches our own kinds and hands every event on; nothing is kept in annotations."""

import asyncio
import logging
import os
import platform
from typing import Any

import kopf

from benchwarden import names
from benchwarden.controller.collecting import settle
from benchwarden.controller.process import Process
from benchwarden.kube.access import Access
from benchwarden.settings import Settings, read_settings

_LOG = logging.getLogger(__name__)


def build_registry(process: Process) -> kopf.OperatorRegistry:
    """The handlers, bound to one process."""
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings, cluster_wide=not process.settings.namespaces)
        await process.start()

    @kopf.on.login(registry=registry)
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return await credentials()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await process.stop()

    @kopf.on.event(names.GROUP, names.VERSION, names.RUN_PLURAL, registry=registry)
    async def run_seen(type: str | None, body: kopf.Body, **_: Any) -> None:
        process.see(dict(body), deleted=type == "DELETED")

    @kopf.on.event(names.GROUP, names.VERSION, names.SCHEDULE_PLURAL, registry=registry)
    async def schedule_seen(type: str | None, body: kopf.Body, **_: Any) -> None:
        process.see_schedule(dict(body), deleted=type == "DELETED")

    return registry


async def credentials() -> kopf.ConnectionInfo:
    """The same credentials as our own client's, read anew each time kopf asks."""
    access = Access()
    found = await access.load()
    # The client writes "bearer" or "Bearer" before it, depending on where it came from.
    token = found.api_key.get("BearerToken", "").rpartition(" ")[2]
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        insecure=not found.verify_ssl,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
        token=token or None,
        default_namespace=access.namespace(),
    )


def configure(settings: kopf.OperatorSettings, *, cluster_wide: bool) -> None:
    """Kopf's own settings: no scanning without cluster rights, patient with a restarting API server."""
    settings.scanning.disabled = not cluster_wide
    settings.posting.enabled = False
    settings.persistence.finalizer = f"{names.GROUP}/unused"
    settings.watching.server_timeout = 270
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    # About ten minutes: a control-plane upgrade must not end the operator.
    settings.networking.error_backoffs = [1, 1, 2, 3, 5, 8, 13, 21, *[30] * 18]
    settings.process.ultimate_exiting_timeout = 25


def main() -> None:
    """Run the operator until it is told to stop."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # One line for every event seen would drown what matters.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    settings = read_settings(
        os.environ,
        host=f"{platform.node()}-{os.getpid()}",
        default_namespace=Access().namespace(),
    )
    settle()
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """The operator as a coroutine; ends on SIGTERM or SIGINT."""
    process = Process(settings)
    await kopf.operator(
        registry=build_registry(process),
        # An arbitrary uid has no user name to ask for. kopf keeps the type of this text private.
        identity=settings.identity,  # type: ignore[arg-type]  # kopf has its own str type
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=list(settings.namespaces),
    )
