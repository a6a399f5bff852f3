"""``python -m tests.load app --users 10``: starts a server, lets users loose on it, checks every answer, and prints the figures."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.load import api_callers, app_users, server, table


def main() -> None:
    """Figures as JSON to the screen; with --write into ``data/load.json`` and the table of ``.github/docs/load.md``."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("what", choices=["app", "api", "table"], help="table: only write the table anew")
    parser.add_argument("--users", type=int, nargs="+", default=[10], help="how many at once; several numbers, one after the other")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--leave", type=float, default=0.0, help="share of views whose user goes on before the checks (app)")
    parser.add_argument("--root", type=Path, default=server.ROOT, help="checkout that is served, to measure another state of lungcad")
    parser.add_argument("--state", default="as it is", help="what to call it in the table")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the table")
    asked = parser.parse_args()
    if asked.what != "table":
        for found in _measured(asked):
            print(json.dumps(found, indent=1), flush=True)
            if asked.write:
                table.keep(found)
    if asked.write or asked.what == "table":
        table.write()


def _measured(asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One server for all numbers of users, fewest first."""
    warm_up, run, command = (
        (app_users.warm_up, partial(app_users.many_users, leave=asked.leave), server.APP)
        if asked.what == "app"
        else (api_callers.warm_up, api_callers.many_callers, server.API)
    )
    asked_for = {
        "what": asked.what,
        "state": asked.state,
        "seconds": asked.seconds,
        **({"leave": asked.leave} if asked.what == "app" else {}),
    }
    with server.running(command, asked.root) as (base, pid):
        asyncio.run(warm_up(base))
        for users in asked.users:
            print(f"{users} users …", file=sys.stderr, flush=True)
            meter = server.Meter(pid)
            meter.begin()
            figures = asyncio.run(run(base, users=users, seconds=asked.seconds))
            machine = meter.end(figures.answered)
            print(f"{json.dumps({**figures.summary(), **machine})}\nEvery answer is computed anew …", file=sys.stderr, flush=True)
            figures.faults.extend(figures.wrong_answers())
            yield {**asked_for, "users": users, **figures.summary(), **machine}


if __name__ == "__main__":
    main()
