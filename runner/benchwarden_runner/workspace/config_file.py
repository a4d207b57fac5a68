"""Which repository settings survive the cut of history, and how a git configuration file is written."""

from typing import List, Tuple

from benchwarden_runner.workspace.git import Git

_SECTIONS = frozenset(
    {"apply", "color", "core", "diff", "filter", "i18n", "index", "merge", "user", "whitespace"}
)
_DROPPED = frozenset(
    {
        "core.alternaterefscommand",
        "core.askpass",
        "core.bare",
        "core.editor",
        "core.fsmonitor",
        "core.gitproxy",
        "core.pager",
        "core.sshcommand",
        "core.untrackedcache",
        "core.worktree",
    }
)
_EXTENSIONS = frozenset({"extensions.objectformat", "extensions.noop"})

Setting = Tuple[str, str]


def kept_settings(git: Git) -> List[Setting]:
    """The repository's own settings without remotes, branches, submodules and programs of git itself."""
    found: List[Setting] = [("core.bare", "false")]
    for entry in git.names("config", "--local", "--list", "-z"):
        name, separator, value = entry.partition("\n")
        section = name.partition(".")[0]
        if name in _EXTENSIONS or (section in _SECTIONS and name not in _DROPPED):
            found.append((name, value if separator else "true"))
    return found


def write_settings(path: str, settings: List[Setting]) -> None:
    """Write `settings` as a git configuration file at `path`."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
        for name, value in settings:
            section, _, rest = name.partition(".")
            subsection, _, key = rest.rpartition(".")
            title = f'{section} "{_escape(subsection)}"' if subsection else section
            out.write(f'[{title}]\n\t{key} = "{_escape(value)}"\n')


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
