"""The guide's manifests are what the API server and the operator accept, and its table is the layout."""

from pathlib import Path

import pytest
import yaml
from tests.unit.api.api_server import admit
from tests.unit.manifests.builders import SETTINGS, instance

from benchwarden.api.parse import parse_run
from benchwarden.api.semantics import check as check_semantics
from benchwarden.artifacts import layout
from benchwarden.manifests.acceptance import check

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "artifacts.md").read_text()
MANIFESTS = [block.partition("```")[0] for block in GUIDE.split("```yaml\n")[1:]]


@pytest.mark.parametrize("text", MANIFESTS, ids=["bucket", "volume"])
def test_a_manifest_of_the_guide_is_accepted(text: str) -> None:
    manifest = yaml.safe_load(text)
    spec = parse_run(manifest, strict=True).spec
    check_semantics(spec)
    check(spec, [instance()], SETTINGS)
    assert admit(manifest["spec"]) == []


def test_the_guide_names_every_kind_with_its_file() -> None:
    for kind, name in layout.FILES.items():
        assert f"| `{kind}` | `{name}` |" in GUIDE
