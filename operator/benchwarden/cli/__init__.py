"""The command line: each command calls one core function and one printer."""
