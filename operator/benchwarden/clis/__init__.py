"""Which Claude Code a run uses: asked of an npm registry once, pinned with its hashes."""
