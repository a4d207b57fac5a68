"""The runner's command line: one subcommand for each container of a batch pod, and the probe."""

import argparse
import os
import sys
from pathlib import Path
from typing import List, Optional

from benchwarden_runner import __version__, protocol
from benchwarden_runner.agents.work import run_agent
from benchwarden_runner.grading.work import Grader
from benchwarden_runner.inject import inject
from benchwarden_runner.message_file import MessageFile
from benchwarden_runner.npm_credentials import (
    NO_CREDENTIALS,
    CredentialsError,
    NpmCredentials,
    of_secret,
)
from benchwarden_runner.probe import run_probe
from benchwarden_runner.redaction import Redactor
from benchwarden_runner.specs import CliRelease

_REASON_CHARACTERS = 400


def main(arguments: Optional[List[str]] = None) -> int:
    """Run a subcommand; 0 whenever its message was written, EXIT_HARNESS with the reason on stderr else."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "inject":
            _inject(options)
        elif options.command != "finish":
            _with_message(options)
    except Exception as error:  # the exit code is the last word where no message can be written
        text = Redactor(os.environ).text(f"{type(error).__name__}: {error}")
        print(text, file=sys.stderr, flush=True)
        return protocol.EXIT_HARNESS
    return protocol.EXIT_OK


def _inject(options: argparse.Namespace) -> None:
    """Fill the tools; a failure is told where the pod's status shows it."""
    release = CliRelease.from_json(options.release) if options.release else None
    try:
        inject(
            options.source,
            options.claude,
            options.tools,
            options.agent,
            release,
            options.cache,
            _registry_credentials(options.registry),
        )
    except Exception as error:  # told, then raised again
        if options.message:
            text = Redactor(os.environ).text(f"{type(error).__name__}: {error}")
            Path(options.message).write_text(text[:_REASON_CHARACTERS])
        raise


def _registry_credentials(registry: str) -> NpmCredentials:
    text = os.environ.get(protocol.ENV_REGISTRY_CREDENTIALS, "")
    if not text:
        return NO_CREDENTIALS
    try:
        return of_secret(text, registry)
    except CredentialsError as error:
        raise CredentialsError(f"{protocol.REASON_REGISTRY_DENIED}: they {error}") from error


def _with_message(options: argparse.Namespace) -> None:
    redactor = Redactor(os.environ)
    # Opened first: code under test may later replace the path, but not this descriptor.
    message_file = MessageFile(options.message, options.message_bytes, redactor)
    message = _message(options, redactor)
    message_file.write(message)
    print(redactor.text(f"{options.command}: {message.outcome} {message.reason}"), flush=True)


def _message(options: argparse.Namespace, redactor: Redactor) -> protocol.Message:
    if options.command == "agent":
        return run_agent(options.input, options.work, options.tools, redactor)
    if options.command == "grade":
        return Grader(options.input, options.work, redactor, options.log).verdict()
    return run_probe(options.input, options.tools, redactor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchwarden-runner", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_inject = commands.add_parser("inject", help="fill the tools volume")
    add_inject.add_argument("--tools", type=Path, required=True)
    add_inject.add_argument("--source", type=Path, default=Path("/opt/benchwarden"))
    add_inject.add_argument("--claude", type=Path, default=Path("/opt/claude-code"))
    add_inject.add_argument("--agent", default="", help="the agent's kind; empty: copy everything")
    add_inject.add_argument("--release", default="", help="JSON: bring the CLI from a registry")
    add_inject.add_argument("--cache", type=Path, help="folder that keeps what the registry gave")
    add_inject.add_argument("--registry", default="", help="address that a token alone is for")
    add_inject.add_argument("--message", default="", help="file for the reason of a failure")
    for name, text in (
        ("agent", "run the agent and hand over its patch"),
        ("grade", "grade the patch"),
        ("probe", "ask the agent's API once"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--input", type=Path, required=True, help="folder with the archives")
        command.add_argument("--message", required=True, help="file for the message")
        command.add_argument("--message-bytes", type=int, default=protocol.CONTAINER_MESSAGE_BYTES)
        command.add_argument("--tools", default="", help="folder filled by inject")
        command.add_argument("--work", type=Path, required=name != "probe", help="hand-over folder")
        if name == "grade":
            command.add_argument(
                "--log", default="", help="file to keep the test log in; digests go beside it"
            )
    commands.add_parser("finish", help="end the pod's main container")
    return parser


if __name__ == "__main__":
    sys.exit(main())
