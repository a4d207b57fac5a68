"""An operator that dies as if by SIGKILL right after its k-th write, started by lines on standard input.

Each line is a list of numbers such as `3 1 7`: lives that end after so many writes, one after the other, then
one life without end. The next line ends that too. Writes are counted when the API server has done them and
before the operator learns of it: the worst moment. The lease and events count for nothing, as neither says
anything about a run. Every counted write and every death is told on standard output.
"""

import os
import signal
import sys
from typing import Any

from benchwarden import handlers
from benchwarden.kube.transport import Answer, Exchange, Transport

IMMORTAL = 0


def counted(exchange: Exchange, answer: Answer) -> bool:
    quiet = "/leases" in exchange.path or "/events" in exchange.path
    return exchange.method != "GET" and not quiet and 200 <= answer.code < 300


def live(writes: int) -> None:
    """Run the operator until it has written so often; without end for IMMORTAL."""
    send = Transport.send
    done = 0

    async def send_and_die(self: Transport, exchange: Exchange, timeout_seconds: float) -> Any:
        nonlocal done
        answer = await send(self, exchange, timeout_seconds)
        if counted(exchange, answer):
            done += 1
            print(f"write {exchange.method} {exchange.path}", flush=True)
            if done == writes:
                os._exit(9)
        return answer

    Transport.send = send_and_die
    handlers.main()


def child(writes: int) -> int:
    """A life of its own: the modules are loaded already, so that it begins at once."""
    pid = os.fork()
    if not pid:
        try:
            live(writes)
        finally:
            os._exit(1)
    return pid


def main() -> None:
    immortal = 0
    for line in sys.stdin:
        if immortal:
            os.kill(immortal, signal.SIGKILL)
            os.waitpid(immortal, 0)
        for writes in map(int, line.split()):
            _, status = os.waitpid(child(writes), 0)
            print(f"died {os.waitstatus_to_exitcode(status)}", flush=True)
        immortal = child(IMMORTAL)


if __name__ == "__main__":
    main()
