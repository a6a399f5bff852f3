"""Metrics with intervals, calibration, evaluation runs."""
