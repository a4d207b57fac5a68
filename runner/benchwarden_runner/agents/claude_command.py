"""How Claude Code is started: which build, which command line, which environment.

The choices follow measurements with the real program; each protects the comparison between runs: settings
of the repository under test are not read (`--setting-sources user`), no other MCP servers, a fixed set of
tools, no fallback model, no background tasks, no traffic but the API's.
"""

import glob
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Dict, List, Mapping, Tuple

from benchwarden_runner import protocol
from benchwarden_runner.agents.claude_stream import STALL_SECONDS
from benchwarden_runner.agents.home import Home
from benchwarden_runner.specs import CLAUDE_GLIBC, CLAUDE_MUSL, ClaudeSpec

GATEWAY_KEY = "held-by-the-gateway"
CREDENTIALS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_OTHER_PROVIDERS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
_NOT_INHERITED = re.compile(
    r"ANTHROPIC_(\w*BASE_URL|MODEL|SMALL_FAST_MODEL|DEFAULT_\w+_MODEL\w*)|BUN_OPTIONS|CLAUDECODE"
    r"|CLAUDE_CONFIG_DIR"
    r"|CLAUDE_CODE_(SUBAGENT_MODEL|EFFORT_LEVEL|SIMPLE|ENTRYPOINT|SSE_PORT|(USE|SKIP)_\w+)"
)
_GOOGLE_CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
_VERSION = re.compile(r"(\d+\.\d+\.\d+\S*) \(Claude Code\)")
_VERSION_SECONDS = 60.0
_IDLE_TIMEOUT_MS = 180_000


class ClaudeError(RuntimeError):
    """Claude Code cannot be started as asked; the message says what is wrong."""


@dataclass(frozen=True)
class Claude:
    """A build that runs here."""

    path: str
    version: str


def find_claude(tools: str, asked_version: str) -> Claude:
    """The build in `tools`/claude that runs here, checked to be the version asked for.

    Raises:
        ClaudeError: there is none, none starts, or it is another version.
    """
    failures: List[str] = []
    for name in preferred_builds():
        path = os.path.join(tools, "claude", name)
        if not os.path.exists(path):
            continue
        version, failure = _version_of(path)
        if not version:
            failures.append(f"{name}: {failure}")
        elif asked_version and version != asked_version:
            raise ClaudeError(
                f"{protocol.REASON_CLI_MISMATCH}: asked for Claude Code {asked_version}, found {version}"
            )
        else:
            return Claude(path, version)
    detail = "; ".join(failures) or (
        "the runner image brings no Claude Code for this machine;"
        " build one that does, or set delivery: registry"
    )
    raise ClaudeError(f"Claude Code does not start here: {detail}")


def preferred_builds(root: str = "/") -> Tuple[str, str]:
    """Names of the builds in the order in which they are tried in the image at `root`."""
    loader = glob.glob(os.path.join(glob.escape(root), "lib", "ld-musl-*"))
    if loader and not os.path.exists(os.path.join(root, "etc", "debian_version")):
        return CLAUDE_MUSL, CLAUDE_GLIBC
    return CLAUDE_GLIBC, CLAUDE_MUSL


def _version_of(path: str) -> Tuple[str, str]:
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_VERSION_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    match = _VERSION.search(done.stdout)
    if match:
        return match.group(1), ""
    if done.returncode in (-4, 132):
        return "", "illegal instruction: the processor lacks AVX2"
    return "", f"exit code {done.returncode}: {done.stderr.strip()[-200:]}"


def check_shell(spec: ClaudeSpec) -> None:
    """Refuse an image without bash or zsh if the agent is to have a shell.

    Without one every Bash call fails inside the CLI, and the run still looks like a success.

    Raises:
        ClaudeError: there is neither.
    """
    if "Bash" in spec.allowed_tools and not _shell():
        raise ClaudeError("the image has neither bash nor zsh, which Claude Code's Bash tool needs")


def _shell() -> str:
    return shutil.which("bash") or shutil.which("zsh") or ""


def command_line(claude: Claude, spec: ClaudeSpec, session: str, config: str) -> List[str]:
    """The complete command; the prompt goes to its standard input."""
    words = [
        claude.path,
        "-p",
        "--output-format=stream-json",
        "--verbose",
        "--include-partial-messages",  # else a slow answer and a stalled one look alike
        "--dangerously-skip-permissions",
        "--session-id",
        session,
        "--setting-sources",
        "user",
        "--strict-mcp-config",
        "--tools",
        ",".join(spec.allowed_tools),
        "--model",
        spec.model,
    ]
    options = (
        ("--max-turns", str(spec.max_turns) if spec.max_turns else ""),
        ("--max-budget-usd", spec.max_budget_usd),
        ("--effort", spec.effort),
        ("--append-system-prompt", spec.append_system_prompt),
    )
    for option, value in options:
        if value:
            words += [option, value]
    servers = os.path.join(config, "mcp.json")
    if os.path.exists(servers):
        words += ["--mcp-config", servers]
    return [*words, *spec.extra_args]


def environment(
    inherited: Mapping[str, str], spec: ClaudeSpec, chosen: Mapping[str, str], home: Home
) -> Dict[str, str]:
    """The agent's environment.

    Args:
        inherited: the container's own, which an image may have filled; what would change the API, the
            model or the configuration is dropped.
        spec: whose base URL and retries are set.
        chosen: the user's variables; they win over our defaults, not over what isolates.
        home: the agent's folders.
    """
    found = {name: value for name, value in inherited.items() if not _NOT_INHERITED.fullmatch(name)}
    found.update(
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS=str(_IDLE_TIMEOUT_MS),
        API_TIMEOUT_MS="600000",
        BASH_DEFAULT_TIMEOUT_MS="300000",
        BASH_MAX_TIMEOUT_MS="1800000",
    )
    found.setdefault("LANG", "C.UTF-8")
    found.update(chosen)
    found.update(home.environment)
    _put_google_credentials(found, home)
    found.update(
        DISABLE_AUTOUPDATER="1",
        IS_SANDBOX="1",
        CLAUDE_CODE_MAX_RETRIES=str(spec.max_retries),
    )
    if not spec.background_tasks:
        found["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] = "1"
    shell = _shell()
    if shell:
        found["SHELL"] = shell
    if spec.base_url:
        found["ANTHROPIC_BASE_URL"] = spec.base_url
        if not any(found.get(name) for name in (*CREDENTIALS, *_OTHER_PROVIDERS)):
            found["ANTHROPIC_API_KEY"] = GATEWAY_KEY  # else the CLI asks nobody: "Not logged in"
    return found


def _put_google_credentials(found: Dict[str, str], home: Home) -> None:
    """Google's libraries take credentials from a file only; a Secret gives their text."""
    text = found.get(_GOOGLE_CREDENTIALS, "")
    if not text.lstrip().startswith("{"):
        return
    path = os.path.join(home.config, "google-credentials.json")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    found[_GOOGLE_CREDENTIALS] = path


def stall_seconds(environment: Mapping[str, str]) -> float:
    """After how long a silence of the API counts as a stall: well before the CLI gives the stream up."""
    idle = environment.get("CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS", "")
    idle_seconds = (int(idle) if idle.isdigit() else _IDLE_TIMEOUT_MS) / 1000.0
    return min(STALL_SECONDS, idle_seconds / 2)


def as_prompt(prompt: bytes) -> bytes:
    """The prompt as the CLI must be given it: a leading `/` would be taken for a command of its own."""
    return b"\n" + prompt if prompt.startswith(b"/") else prompt
