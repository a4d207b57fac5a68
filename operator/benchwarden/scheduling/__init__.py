"""Scheduling: what a BenchmarkSchedule needs now, decided from its spec, its runs and its stored cells."""
