"""benchwarden tells a platform team, with honest statistics, whether their coding agent got worse."""

__version__ = "0.1.0"
