"""A team's own Claude Code configuration as the keys of a ConfigMap: memory, settings, a skill and an MCP server."""

import json
from pathlib import Path

SERVER = Path(__file__).with_name("mcp_server.py")
TOOL = "mcp__oracle__ask_the_oracle"
RULES = "OUR HOUSE RULES: speak like a sailor"
SKILL = "---\nname: tidy\ndescription: TIDY SKILL keeps code tidy\n---\nTidy up.\n"
ALLOWED = ("Bash", "Skill")

FILES = {
    "CLAUDE.md": RULES,
    "settings.json": json.dumps({"env": {"HOUSE": "ours"}}),
    "skills__tidy__SKILL.md": SKILL,
    "oracle.py": SERVER.read_text(),
    "mcp.json": json.dumps(
        {
            "mcpServers": {
                "oracle": {"command": "python3", "args": ["${CLAUDE_CONFIG_DIR}/oracle.py"]}
            }
        }
    ),
}
