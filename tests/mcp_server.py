"""The smallest MCP server that offers one tool, over standard input and output; its source travels in ConfigMaps."""

import json
import sys

TOOL = {
    "name": "ask_the_oracle",
    "description": "ORACLE TOOL",
    "inputSchema": {"type": "object", "properties": {"question": {"type": "string"}}},
}


def answer(request: dict) -> dict:
    method, asked = request["method"], request.get("params") or {}
    if method == "initialize":
        return {
            "protocolVersion": asked.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "oracle", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        text = f"THE ANSWER TO {asked['arguments'].get('question')}"
        return {"content": [{"type": "text", "text": text}]}
    return {}


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
