"""Knowing when not to answer: is this an image of the kind, and near what the network learnt?"""

from lungcad.gate.decide import decide, together
from lungcad.gate.decision import Decision, Outcome
from lungcad.gate.facts import COLOURED, sees_lungs

__all__ = ["COLOURED", "Decision", "Outcome", "decide", "sees_lungs", "together"]
