"""Reports: tables, JSON, YAML and a self-contained HTML page of a run."""
