"""What a run keeps beside its results: where each file lies, how it gets there, how it is found again."""
