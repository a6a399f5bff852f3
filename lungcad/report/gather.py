"""From a result to a case that can be reported: the checks of its map, its nearest training cases, the record of the checks."""

from lungcad.analysis import Analysis, nearest_or_none, trust_checks
from lungcad.errors import LungcadError
from lungcad.evaluate.stores.truth import read_truth
from lungcad.explain import Options
from lungcad.models import ModelCard, TrainedModel, list_cards, load_model
from lungcad.models.partner import partner_of
from lungcad.report.case import Case


def gathered(
    result: Analysis, model: TrainedModel, method: str, options: Options = Options(), *, partner: TrainedModel | None = None
) -> Case:
    """Makes the quick checks. partner: the network that differs in attention only. Of a hidden answer nothing is computed."""
    if result.is_hidden:
        return Case(result, model.card, method, options)
    checks = list(trust_checks(result.image, model, result, method, options, partner=partner))
    return Case(result, model.card, method, options, checks, nearest_or_none(result.image, model), truth_or_none())


def installed_partner(card: ModelCard) -> TrainedModel | None:
    """The installed network that differs in attention only; None where there is none."""
    partner = partner_of(card, list_cards())
    return load_model(partner.name) if partner else None


def truth_or_none() -> dict[str, object] | None:
    """The record of the checks; None where it is missing or damaged, and the report does without."""
    try:
        return read_truth()
    except LungcadError:
        return None
