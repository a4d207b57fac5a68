"""Fuzzing of every parser that meets bytes from outside: `make fuzz`, and a replay in the unit tests."""
