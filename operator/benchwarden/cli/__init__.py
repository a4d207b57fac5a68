"""The `benchwarden` command: each command reads its arguments, calls one function and prints its result."""
