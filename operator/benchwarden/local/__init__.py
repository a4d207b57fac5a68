"""The embedded way to run: batches as processes of this machine, decided by the same code as on a cluster."""
