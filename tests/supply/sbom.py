"""`make sbom`: what is in the product, as CycloneDX, from the locks: the same locks give the same bytes.

python -m tests.supply.sbom [FOLDER]   writes benchwarden.cdx.json (what is shipped) and build.cdx.json
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WRITTEN = {"runtime": "benchwarden.cdx.json", "build": "build.cdx.json"}


def sbom(lock: Path) -> str:
    """The bill of materials of one lock, valid by the schema of CycloneDX 1.6."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock)]
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible"]
    done = subprocess.run(
        [*command, *options, "--sv", "1.6", "--validate"],
        capture_output=True,
        text=True,
        check=True,
    )
    document: Any = json.loads(done.stdout)
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    for lock, name in WRITTEN.items():
        (folder / name).write_text(sbom(ROOT / "locks" / f"{lock}.txt"))
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
