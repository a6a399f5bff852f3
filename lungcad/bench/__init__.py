"""``lungcad bench``: lungcad against the plain library calls, in one run on one machine.

An entry is a function under :func:`lungcad.bench.entry.entry` in a module that ``table.py`` names.
"""
