"""Runtimes that a network's forward passes can go through: torch, or one of :data:`BACKENDS`.

Only the backbone's features come from another runtime; attention, head and all gradients from the feature map up stay with torch, so predictions,
the gate, class activation maps, LIME, occlusion, Score-CAM, trust checks and evaluation need to know nothing of it.
"""

from lungcad.backends.choose import AUTO, TORCH, installed, with_backend
from lungcad.backends.table import BACKENDS, Backend

__all__ = ["AUTO", "BACKENDS", "TORCH", "Backend", "installed", "with_backend"]
