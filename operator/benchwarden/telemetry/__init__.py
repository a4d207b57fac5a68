"""What the operator shows to Prometheus and to the kubelet: one collector over an immutable snapshot."""
