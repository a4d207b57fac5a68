"""Why a command cannot be right, in a sentence; None if nothing speaks against it. Nothing is run."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from tests.docs import known
from tests.docs.pages import ROOT

from benchwarden import names

REST = frozenset({"...", "…"})
_FOR_CONDITION = re.compile(r"--for=condition=(\w+)")
_OUR_KEY = re.compile(rf"{re.escape(names.GROUP)}/([\w-]+)")
_WITH_VALUE = frozenset(
    [
        "-n",
        "--namespace",
        "-l",
        "--selector",
        "-f",
        "--filename",
        "-k",
        "-o",
        "--output",
        "-p",
        "--patch",
        "--type",
        "-c",
        "--container",
        "--kubeconfig",
        "--context",
        "--field-selector",
        "--for",
        "--timeout",
        "--as",
        "--from",
        "--from-file",
        "--from-literal",
        "--image",
        "--server",
        "--overrides",
        "--tail",
        "--request-timeout",
        "--sort-by",
        "--since",
        "--field-manager",
    ]
)
_OF_RESOURCES = frozenset({"get", "describe", "delete", "wait", "patch", "label", "annotate"})


def judge(words: list[str], complete: bool) -> str | None:
    """What is wrong with a command, if it can be told from its words."""
    program, *rest = words
    judges: dict[str, Callable[[list[str]], str | None]] = {
        "kubectl": _kubectl,
        "helm": _helm,
        "make": _make,
        "docker": _docker,
    }
    if program in judges:
        return judges[program](rest)
    return own(known.command_line(), rest, complete)


def own(command: Any, words: list[str], complete: bool) -> str | None:
    """The same for a command of benchwarden."""
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    given: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in REST:
            return None
        if word.startswith("-") and word != "-":
            wrong = _option(command, options, word, words)
            if wrong and (complete or words or wrong != f"{word} needs a value"):
                return wrong
        elif hasattr(command, "commands"):
            inner = command.commands.get(word)
            return own(inner, words, complete) if inner else f"there is no command {word!r}"
        else:
            given.append(word)
    return _arguments(command, arguments, given) if complete else None


def _option(command: Any, options: dict[str, Any], word: str, words: list[str]) -> str | None:
    name, equals, value = word.partition("=")
    if name in ("-h", "--help"):
        return None
    if name not in options:
        return f"{command.name} has no option {name}"
    option = options[name]
    if getattr(option, "is_flag", False):
        return None
    if not equals:
        if not words:
            return f"{name} needs a value"
        value = words.pop(0)
    wanted = _choices(option)
    if wanted and value not in wanted and not value.isupper() and "|" not in value:
        return f"{name} takes {', '.join(wanted)}, not {value}"
    return None


def _choices(option: Any) -> list[str]:
    annotation = option.type_descriptor.annotation
    is_choice = isinstance(annotation, type) and issubclass(annotation, Enum)
    return [str(each.value) for each in annotation] if is_choice else []


def _arguments(command: Any, arguments: list[Any], given: list[str]) -> str | None:
    if hasattr(command, "commands"):
        return None
    fewest = sum(each.required for each in arguments)
    if len(given) < fewest:
        return f"{command.name} needs {fewest} arguments"
    if all(each.nargs == 1 for each in arguments) and len(given) > len(arguments):
        return f"{command.name} takes {len(arguments)} arguments"
    return None


def _kubectl(words: list[str]) -> str | None:
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in REST:
            break
        if word in _WITH_VALUE:
            value = next(rest, "")
            if word in ("-p", "--patch") and (wrong := _patch(value)):
                return wrong
        elif not word.startswith("-"):
            plain.append(word)
    if not plain:
        return None
    verb, *objects = plain
    if verb == "benchwarden":
        return own(known.command_line(), words[words.index("benchwarden") + 1 :], complete=False)
    if verb not in known.KUBECTL_VERBS:
        return f"kubectl has no command {verb}"
    if verb in _OF_RESOURCES and objects:
        for kind in objects[0].split("/")[0].split(","):
            if kind.lower() not in known.resources() and not kind.isupper():
                return f"there is no resource {kind}"
    return _names(" ".join(words))


def _names(text: str) -> str | None:
    for condition in _FOR_CONDITION.findall(text):
        if condition not in known.constants("CONDITION_") | {"Ready", "Available", "Established"}:
            return f"there is no condition {condition}"
    keys = known.constants("LABEL_", "ANNOTATION_")
    for key in _OUR_KEY.findall(text):
        if f"{names.GROUP}/{key}" not in keys:
            return f"there is no label {names.GROUP}/{key}"
    return None


def _patch(text: str) -> str | None:
    if not text.startswith("{"):
        return None
    patch = json.loads(text)
    fields = [f"spec.{name}" for name in patch.get("spec", {})]
    schemas = known.definitions().values()
    wrong = [f for f in fields if not any(known.field_exists(f, each) for each in schemas)]
    return f"there is no field {wrong[0]}" if wrong else None


def _helm(words: list[str]) -> str | None:
    rest = iter(words)
    for word in rest:
        if word.startswith("charts/") and not (ROOT / word).exists():
            return f"there is no {word}"
        if word == "--set" or word.startswith("--set="):
            settings = word.partition("=")[2] or next(rest, "")
            for setting in settings.split(","):
                path = setting.partition("=")[0]
                if path not in REST and not known.value_exists(path):
                    return f"the chart has no value {path}"
    return None


def _make(words: list[str]) -> str | None:
    wanted = [word for word in words if not word.startswith("-") and "=" not in word]
    unknown = [word for word in wanted if word not in known.make_targets() | REST]
    return f"make has no target {unknown[0]}" if unknown else None


def _docker(words: list[str]) -> str | None:
    for before, word in itertools.pairwise(words):
        if before == "--target" and word not in known.image_targets():
            return f"the Dockerfile has no target {word}"
        if before == "--build-arg" and word.partition("=")[0] not in known.image_arguments():
            return f"the Dockerfile has no argument {word}"
    return None
