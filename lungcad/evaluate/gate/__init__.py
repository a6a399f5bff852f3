"""Fits and tests the gate of a network (:mod:`lungcad.gate`)."""
