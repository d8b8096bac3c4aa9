"""A chat-completions server that costs little and answers any schema it is asked for: to measure and to break clients.

    python -m evals.mock_openai --port 18643 --latency-ms 200 --quotes
    curl -s localhost:18643/stats; curl -s -X POST localhost:18643/reset

One process, one thread, loopback only. The standard library is enough; uvloop and orjson are used where they are
installed. `--port 0` takes a free port; the first line on standard output says which.

Answers are valid for the request's JSON schema and drawn by a hash of the prompt, so that an answer given to the wrong
call would show. `--quotes` puts real words of the call's agent under every `quote`; without it they are made up, as by
a model that never read the call. Faults (shares of all requests) are drawn by a hash of seed, body and how often the
body came: the same job meets the same faults in whatever order it sends, and a retry is a fresh draw.

A call may also ask for a fault by name, and one may be laid on all: see cases.py.

`/stats` counts requests by status and fault, the distinct bodies and how often the commonest came
(`most_sends_of_one_body`), the valid answers sent (`good_answers`, each of them billed) and to how many bodies
(`bodies_answered`), peak concurrency, and how late answers left: where `late_ms_p99` is more than a few milliseconds,
the machine was the bottleneck and the figures are not the client's.
"""

import argparse
import asyncio
import gc
import signal
from collections.abc import Sequence

from evals.mock_openai.completions import Completions
from evals.mock_openai.faults import FAULTS, Faults
from evals.mock_openai.server import Connection
from evals.mock_openai.stats import Stats


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18643)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--quotes", nargs="?", const="real", default="made-up", choices=["real", "made-up", "none"])
    for fault in FAULTS:
        parser.add_argument(f"--p{fault}", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--retry-after", type=float, default=1.0, help="seconds that a 429 names")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


async def serve(chosen: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    shares = {fault: getattr(chosen, f"p{fault}") for fault in FAULTS}
    completions = Completions(
        Stats(), Faults(shares, chosen.seed), chosen.quotes, chosen.latency_ms / 1000, chosen.retry_after
    )
    server = await loop.create_server(lambda: Connection(completions, loop), chosen.host, chosen.port, backlog=4096)
    stop = asyncio.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stop.set)
    # a collection in the middle of a run would show as latency
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    print(f"http://{chosen.host}:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    chosen = options()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(chosen))
    else:
        uvloop.run(serve(chosen))


if __name__ == "__main__":
    main()
