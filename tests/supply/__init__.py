"""The supply chain: no secret is committed, dependencies are audited and listed, the wheel is the same each time."""
