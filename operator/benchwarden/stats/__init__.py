"""Pure statistics: from passes and trials per instance to intervals, tests and a monitor.

Every module holds one idea and takes and returns frozen values. Nothing here reads a clock, a file,
an environment variable or a global random state, so equal input gives equal output.
"""
