"""A scripted Messages API: deterministic conversations and faults for tests with the real CLI."""
