"""Telemetry: metrics of results and of the operator itself."""
