"""The table of trust checks: a new check is a module of this package and a line here."""

from lungcad.explain.trust.agreement import AGREEMENT, PARTNER
from lungcad.explain.trust.anatomy import ANATOMY
from lungcad.explain.trust.check import TrustCheck
from lungcad.explain.trust.concepts import CONCEPTS_CHECK
from lungcad.explain.trust.faithfulness import FAITHFULNESS
from lungcad.explain.trust.localisation import LOCALISATION
from lungcad.explain.trust.lungs import LUNGS
from lungcad.explain.trust.sanity import SANITY
from lungcad.explain.trust.stability import STABILITY
from lungcad.explain.trust.surroundings import SURROUNDINGS
from lungcad.explain.trust.texture import TEXTURE
from lungcad.registry import Registry

CHECKS: Registry[TrustCheck] = Registry("trust check")
for _check in (LOCALISATION, FAITHFULNESS, SURROUNDINGS, LUNGS, TEXTURE, CONCEPTS_CHECK, ANATOMY, AGREEMENT, STABILITY, SANITY, PARTNER):
    CHECKS.add(_check.name, _check)

MEASURES: dict[str, str] = {column: title for check in CHECKS.values() for column, title in check.measures.items()}
"""Column of a trust run -> its title."""
