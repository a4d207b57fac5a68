"""Stands before the package of this name for operators that tests start: the product's image has none.

The Kubernetes client imports it where it finds it, and that takes five seconds of each start.
"""

raise ImportError("the product is installed without kubernetes_validate")
