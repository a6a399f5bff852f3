"""Explanations: one table of methods (:data:`METHODS`), one entry point (:func:`explain`)."""

# These fill the table, in the order of the menus.
from lungcad.explain import cam, fused_cam, lime, occlusion, gradients, attention_map, controls  # noqa: F401, I001
from lungcad.explain.attribution import (
    METHODS,
    Attribution,
    Fill,
    Layer,
    Method,
    Options,
    PreparedInput,
    Segments,
    Side,
    explain,
    methods_for,
)

__all__ = ["METHODS", "Attribution", "Fill", "Layer", "Method", "Options", "PreparedInput", "Segments", "Side", "explain", "methods_for"]
