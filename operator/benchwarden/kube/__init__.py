"""The Kubernetes API as the operator uses it: raw JSON in, small frozen facts out; the client's only door."""
