"""The test cluster's command line: build, build-image, up, down, status, env, load-image."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.cluster import build, components, dockerfile, images, lifecycle, packages, processes
from tests.cluster.config import ClusterError, RootNeededError, paths

EXIT_FAILED = 1
EXIT_NEEDS_ROOT = 3
_TARGETS = (*build.TARGETS, *packages.PACKAGE_TARGETS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 for a failure, 3 when root is needed."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except RootNeededError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_NEEDS_ROOT
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build_parser = commands.add_parser("build", help="install packages and build the programs")
    build_parser.add_argument("target", nargs="*", help=", ".join(_TARGETS))
    build_parser.set_defaults(run=_build)
    for name, run, text in (
        ("up", _up, "bring the cluster up and wait until it is usable"),
        ("down", _down, "stop the cluster and remove all it made"),
        ("status", _status, "say what runs; exit code 1 when the cluster is not up"),
        ("env", _env, "print shell lines that set KUBECONFIG and PATH"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=run)
    image = commands.add_parser("build-image", help="build a target of the Dockerfile")
    image.add_argument("target")
    image.add_argument("--tag", help="default localhost/benchwarden-TARGET:test")
    image.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    image.add_argument("--context", type=Path, default=dockerfile.REPOSITORY)
    image.set_defaults(run=_build_image)
    load = commands.add_parser("load-image", help="import image archives")
    load.add_argument("archive", nargs="+", type=Path)
    load.set_defaults(run=_load_image)
    return parser


def _build(options: argparse.Namespace) -> int:
    unknown = sorted(set(options.target) - set(_TARGETS))
    if unknown:
        raise ClusterError(f"no build target {unknown[0]}; there are {', '.join(_TARGETS)}")
    installed = packages.ensure(packages.CLUSTER_PROGRAMS)
    installed += packages.ensure(packages.IMAGE_PROGRAMS)
    for name in options.target or [build.KUBERNETES.name]:
        if name in packages.PACKAGE_TARGETS:
            installed += packages.ensure(packages.PACKAGE_TARGETS[name])
        else:
            print(f"{name}: {build.ensure(build.TARGETS[name])}")
    if installed:
        print("installed:", " ".join(installed))
    return 0


def _build_image(options: argparse.Namespace) -> int:
    tag = options.tag or f"localhost/benchwarden-{options.target}:test"
    pairs = (argument.partition("=") for argument in options.build_arg)
    arguments = {name: value for name, _, value in pairs}
    archive = dockerfile.build_dockerfile(options.target, arguments, tag, context=options.context)
    print(archive)
    return 0


def _up(_options: argparse.Namespace) -> int:
    started = time.monotonic()
    if lifecycle.up():
        print(f"the cluster is up after {time.monotonic() - started:.1f} s")
    else:
        print("the cluster is up already")
    print(f"export KUBECONFIG={paths().kubeconfig}")
    return 0


def _down(_options: argparse.Namespace) -> int:
    started = time.monotonic()
    if lifecycle.down():
        print(f"the cluster is down after {time.monotonic() - started:.1f} s")
    else:
        print("there is no cluster")
    return 0


def _status(_options: argparse.Namespace) -> int:
    where = paths()
    for name in components.ORDER:
        pid = processes.running_pid(where, name)
        print(f"{name:20} {'stopped' if pid is None else f'running, pid {pid}'}")
    up = lifecycle.is_up(where)
    print(f"the cluster is {'up' if up else 'not up'}; state folder {where.root}")
    return 0 if up else EXIT_FAILED


def _env(_options: argparse.Namespace) -> int:
    where = paths()
    print(f"export KUBECONFIG={where.kubeconfig}")
    print(f'export PATH="{build.folder(build.KUBERNETES) / "bin"}:$PATH"')
    return 0


def _load_image(options: argparse.Namespace) -> int:
    for archive in options.archive:
        if not archive.is_file():
            raise ClusterError(f"no such file: {archive}")
        for name in images.import_image(paths(), archive):
            print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
