"""Manifests: pure builders of the Kubernetes objects that a run consists of."""
