"""Measured answers to "can I believe this map?": one module a question, each with its control."""

from lungcad.explain.trust.agreement import agreement, check_agreement, check_partner
from lungcad.explain.trust.anatomy import check_anatomy
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.faithfulness import Faithfulness, check_faithfulness, faithfulness
from lungcad.explain.trust.localisation import Localisation, check_localisation, localisation
from lungcad.explain.trust.panel import quick_checks, slow_checks
from lungcad.explain.trust.sanity import Sanity, sanity
from lungcad.explain.trust.stability import PerturbedInputs, Stability, check_stability, stability
from lungcad.explain.trust.subject import Subject
from lungcad.explain.trust.table import CHECKS, MEASURES

__all__ = [
    "CHECKS",
    "MEASURES",
    "Check",
    "Faithfulness",
    "Localisation",
    "PerturbedInputs",
    "Sanity",
    "Stability",
    "Subject",
    "TrustCheck",
    "Verdict",
    "agreement",
    "check_agreement",
    "check_anatomy",
    "check_faithfulness",
    "check_localisation",
    "check_partner",
    "check_stability",
    "faithfulness",
    "localisation",
    "quick_checks",
    "sanity",
    "slow_checks",
    "stability",
]
