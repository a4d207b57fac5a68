"""The git work tree: its future cut off before the agent, its changes captured after it."""
