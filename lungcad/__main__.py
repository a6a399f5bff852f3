"""``python -m lungcad``."""

from lungcad.cli import main

main()
