"""What a run came to, for people and programs: one pure summary, printed as table, JSON, YAML or HTML."""
