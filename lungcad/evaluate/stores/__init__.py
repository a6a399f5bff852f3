"""Evaluation runs and trust runs on disk: written, listed, read, and refused in one sentence when damaged."""
