"""Metrics with intervals, calibration and thresholds, paired tests, slices; runs on disk in stores."""
