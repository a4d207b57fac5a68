"""Suites: where instances come from, how they are selected, and what a panel is."""
