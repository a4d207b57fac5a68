"""The embedded executor: the same run, with batches as local processes."""
