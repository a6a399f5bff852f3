"""``python -m tests.faults [--write]``: every fault, tried at every place, and a table of what was tried and held; with --write into the docs."""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from lungcad.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / ".github" / "docs" / "faults.md"
BEGIN, END = "<!-- made by: python -m tests.faults --write -->\n", "<!-- end -->\n"


def main() -> None:
    """Exit status 1 where one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--write", action="store_true", help="the table of .github/docs/faults.md")
    parser.add_argument("--quick", action="store_true", help="as in CI: a training is killed at some of its steps on the disk")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/faults", "-o", "junit_family=xunit1", f"--junitxml={report}"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ if asked.quick else os.environ | {"LUNGCAD_FAULTS_EVERY": "1"})
        table = as_table(ElementTree.parse(report).getroot())  # noqa: S314  pytest wrote it
    print(table)
    if asked.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        write_whole(PAGE, f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")
    sys.exit(done.returncode)


def as_table(report: ElementTree.Element) -> str:
    """Markdown: a row a test; places: at how many it was tried, where that is more than one."""
    lines = ["| what happens | places tried | held |", "|---|---|---|"]
    for case in report.iter("testcase"):
        words = case.get("name", "").removeprefix("test_").replace("_", " ").replace("[", ": ").rstrip("]")
        places = next((each.get("value") for each in case.iter("property") if each.get("name") == "places"), "1")
        held = case.find("failure") is None and case.find("error") is None
        outcome = "skipped" if case.find("skipped") is not None else "yes" if held else "no"
        lines.append(f"| {words} | {places} | {outcome} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
