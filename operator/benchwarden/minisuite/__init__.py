"""A small suite on real code, built on the user's machine from published releases.

Of two consecutive releases of a package, the older one is the repository, the change between them the
gold patch, and the newer one's tests the grader. Only names, versions and checksums are kept here.
"""
