"""The Kubernetes API of benchwarden as pydantic models, and the CRDs generated from them."""
