"""Every manifest against the published schemas: unknown fields are errors."""

import kubernetes_validate
import pytest
from tests.unit.manifests.cases import ALL

VERSIONS = ("1.34", "1.35", "1.36", "1.37")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ALL)
def test_a_manifest_fits_the_schema(name: str, version: str) -> None:
    kubernetes_validate.validate(ALL[name](), version, strict=True)


def test_the_schema_check_sees_an_unknown_field() -> None:
    job = ALL["batch-job-oracle"]()
    job["spec"]["template"]["spec"]["hostNetwrok"] = True

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, "1.34", strict=True)
