"""Statistics: pure functions on counts, scipy only."""
