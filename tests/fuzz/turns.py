"""Every reader in turn by ``tests.fuzz``, again and again, and a page of what that came to.

``python -m tests.fuzz.turns --keep FOLDER --minutes 5 --hours 8`` goes on from the corpus in FOLDER, and adds a line a turn to FOLDER/log.jsonl;
``python -m tests.fuzz.turns --keep FOLDER --write`` adds those lines up, into ``data/fuzz.json`` and ``.github/docs/fuzz.md``.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lungcad.files import write_whole
from tests.fuzz.readers import READERS

ROOT = Path(__file__).resolve().parents[2]
LOG = "log.jsonl"
RECORD, PAGE = ROOT / "data" / "fuzz.json", ROOT / ".github" / "docs" / "fuzz.md"
BEGIN, END = "<!-- made by: python -m tests.fuzz.turns --keep FOLDER --write -->\n", "<!-- end -->\n"
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)|^Done (\d+) runs", re.MULTILINE)
FAULT = re.compile(r"^FAULT .*?: (.*) \(", re.MULTILINE)
STOPPED = re.compile(r"SUMMARY: libFuzzer: (.*)")


def main() -> None:
    """Turns until the hours are over, or the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.turns", description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--write", action="store_true", help="no turn: the page, of the turns so far")
    asked = parser.parse_args()
    if asked.write:
        lines = (asked.keep / LOG).read_text("utf-8").splitlines()
        write_whole(RECORD, json.dumps(added_up(map(json.loads, lines)), indent=1) + "\n")
        write_page()
        return
    asked.keep.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 3600 * asked.hours
    while time.monotonic() < until:
        for name in asked.only:
            if time.monotonic() < until:
                line = json.dumps(turn(name, asked.keep / name.replace(" ", "-"), 60 * asked.minutes))
                with (asked.keep / LOG).open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
                print(line, flush=True)


def turn(reader: str, keep: Path, seconds: float) -> dict[str, Any]:
    """One reader, one process; it is stopped where it does not end by itself."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", reader, "--seconds", str(round(seconds)), "--keep", str(keep)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + 600, start_new_session=True
        )
        text, status = done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        text, status = (late.stdout or b"").decode("utf-8", "replace"), None
    counts = [int(a or b) for a, b in EXECUTED.findall(text)]
    return {
        "reader": reader,
        "seconds": round(time.monotonic() - begun),
        "executions": max(counts, default=0),
        "faults": sorted(set(FAULT.findall(text)) | set(STOPPED.findall(text))),
        "status": status,
    }


def added_up(turns: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By reader, in the order of the table of readers: executions, minutes, and the different faults that were met, by where they arose."""
    by_reader: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in turns:
        if line["executions"] or line["faults"]:
            by_reader[line["reader"]].append(line)
    return [
        {
            "reader": name,
            "executions": sum(line["executions"] for line in lines),
            "minutes": round(sum(line["seconds"] for line in lines) / 60),
            "faults": sorted({fault for line in lines for fault in line["faults"]}),
        }
        for name in READERS
        if (lines := by_reader[name])
    ]


def write_page() -> None:
    """The table, between its marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    write_whole(PAGE, before + BEGIN + "\n" + table(json.loads(RECORD.read_text("utf-8"))) + "\n" + END + rest.partition(END)[2])


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Markdown: a row a reader."""
    rows = list(rows)
    lines = ["| reader | inputs | minutes | different faults met |", "|---|---|---|---|"]
    lines += [f"| {row['reader']} | {row['executions']:,} | {row['minutes']} | {len(row['faults'])} |" for row in rows]
    lines.append(
        f"| all | {sum(row['executions'] for row in rows):,} | {sum(row['minutes'] for row in rows)} | {sum(len(row['faults']) for row in rows)} |"
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
