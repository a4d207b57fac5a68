"""A real Kubernetes for the tests: control plane, kubelet and containerd on this machine."""
