"""The controller: reads the cluster, lets `reconcile` decide, carries it out. All it remembers is a cache."""
