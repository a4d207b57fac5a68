"""The grader: a fresh tree, the patch, the tests, and a verdict that code under test cannot write."""
