"""An agent's own home, temporary folder and configuration, so that it meets nothing of anybody else's.

What the image keeps in its home (toolchains, caches, shell profiles) is linked in, except what belongs to
Claude: an image must not configure the agent that is measured in it.
"""

import os
import shutil
from dataclasses import dataclass
from typing import Dict, Mapping

_NOT_LINKED = (".claude", ".config", ".cache", ".local", ".tmp", ".gitconfig.lock")
_LINKED_BELOW = (".config", ".cache", ".local")  # made anew, with their entries linked one by one


@dataclass(frozen=True)
class Home:
    """Folders of one agent; all writable, all its own."""

    home: str
    temporary: str
    config: str

    @property
    def environment(self) -> Dict[str, str]:
        """Variables that point into the folders."""
        return {"HOME": self.home, "TMPDIR": self.temporary, "CLAUDE_CONFIG_DIR": self.config}


def make_home(root: str, image_home: str, user_config: str = "") -> Home:
    """Make the folders below `root`.

    Args:
        root: an existing folder of ours.
        image_home: the home whose entries are linked in; empty = none (a user's own home never is).
        user_config: a folder of files to be the agent's configuration; `a__b` becomes `a/b`.
    """
    made = Home(
        home=os.path.join(root, "home"),
        temporary=os.path.join(root, "tmp"),
        config=os.path.join(root, "config"),
    )
    for folder in (made.home, made.temporary, made.config):
        os.makedirs(folder, mode=0o700)
    if image_home and os.path.isdir(image_home):
        _link_entries(image_home, made.home)
        for name in _LINKED_BELOW:
            if os.path.isdir(os.path.join(image_home, name)):
                os.mkdir(os.path.join(made.home, name))
                _link_entries(os.path.join(image_home, name), os.path.join(made.home, name))
    if user_config:
        _copy_config(user_config, made.config)
    return made


def image_home(environment: Mapping[str, str]) -> str:
    """The home of the container's user; empty if it has none worth linking."""
    home = environment.get("HOME", "")
    return "" if home in ("", "/") else os.path.realpath(home)


def git_trust(workdir: str) -> Dict[str, str]:
    """Variables that let git work in a tree of another owner, as benchmark images often have it."""
    if os.stat(workdir).st_uid == os.geteuid():
        return {}
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


def _link_entries(source: str, target: str) -> None:
    for name in os.listdir(source):
        if name not in _NOT_LINKED and "claude" not in name.lower():
            os.symlink(os.path.join(source, name), os.path.join(target, name))


def _copy_config(source: str, target: str) -> None:
    for name in sorted(os.listdir(source)):
        path = os.path.join(source, name)
        if name.startswith("..") or not os.path.isfile(path):  # ..data: how ConfigMaps are mounted
            continue
        place = os.path.join(target, *name.split("__"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(path, place)
