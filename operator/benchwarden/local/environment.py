"""The environment of local agents and graders: what a machine needs to work, and nothing a task could pick up.

In a cluster a pod starts from its image's environment. Here the user's own would leak in (settings of editors,
tokens of other services), so only named variables pass. Secrets that the spec takes from a Secret are taken
from the user's environment, by the variable's name, and reach the agent only.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from benchwarden.api.references import EnvVar
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.names import ENV_API_KEY, ENV_AUTH_TOKEN, REASON_INVALID_SPEC
from benchwarden_runner.protocol import ENV_SECRET_NAMES

PASSED: Final = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
)


def common(spec: BenchmarkRunSpec, own: Mapping[str, str]) -> dict[str, str]:
    """What agents and graders both get; `own` is the user's environment.

    Raises:
        InvalidInputError: a variable that comes from a Secret is not set here.
    """
    passed = {name: own[name] for name in PASSED if name in own}
    return passed | _secrets(spec.execution.env, own, "spec.execution.env")


def credentials(spec: BenchmarkRunSpec, own: Mapping[str, str]) -> dict[str, str]:
    """What the agent and the probe get beside that.

    Raises:
        InvalidInputError: a variable that comes from a Secret is not set here.
    """
    found = _credentials(spec, own)
    secret = sorted({*found, *_secrets(spec.execution.env, own, "spec.execution.env")})
    return {**found, ENV_SECRET_NAMES: ",".join(secret)} if secret else found


def _credentials(spec: BenchmarkRunSpec, own: Mapping[str, str]) -> dict[str, str]:
    claude = spec.agent.claude_code
    if claude is None:
        exec_env = spec.agent.exec.env if spec.agent.exec is not None else ()
        return _secrets(exec_env, own, "spec.agent.exec.env")
    found = _secrets(claude.env, own, "spec.agent.claudeCode.env")
    wanted = {
        "apiKey": (claude.credentials.api_key, ENV_API_KEY),
        "authToken": (claude.credentials.auth_token, ENV_AUTH_TOKEN),
    }
    for field, (reference, variable) in wanted.items():
        if reference is not None:
            place = f"spec.agent.claudeCode.credentials.{field}"
            found[variable] = _secret(variable, own, place)
    return found


def _secrets(variables: Iterable[EnvVar], own: Mapping[str, str], place: str) -> dict[str, str]:
    return {
        each.name: _secret(each.name, own, f"{place}.{each.name}")
        for each in variables
        if each.secret_key_ref is not None
    }


def _secret(variable: str, own: Mapping[str, str], place: str) -> str:
    value = own.get(variable)
    if not value:
        raise InvalidInputError(
            f"comes from a Secret on a cluster; here, set the environment variable {variable}",
            reason=REASON_INVALID_SPEC,
            field=place,
        )
    return value
