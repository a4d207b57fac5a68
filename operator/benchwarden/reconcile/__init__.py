"""Reconciliation: from the whole observed truth to one decision, without doing anything."""
