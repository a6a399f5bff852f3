"""Explanations: one table of methods (:data:`METHODS`), one entry point (:func:`explain`)."""

from lungcad.explain import attention_map, cam, lime  # noqa: F401  (fill the table)
from lungcad.explain.attribution import METHODS, Attribution, Method, Options, Scene, explain

__all__ = ["METHODS", "Attribution", "Method", "Options", "Scene", "explain"]
