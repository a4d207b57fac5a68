"""Results: from container messages to durable rows."""
