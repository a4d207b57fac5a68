"""Planning: which trials form which batches, launched under which names."""
