import pytest

from lungcad.evaluate.scoring import report
from lungcad.evaluate.stores.runs import read_experiments, read_run, write_run
from lungcad.models import list_cards
from lungcad.publish.aims import AIMS, missed, with_aim
from tests.conftest import make_card
from tests.evaluate.sample_runs import make_run


def test_an_aim_is_read_from_the_runs(tmp_path):
    for name, shift in (("weak", -0.5), ("strong", 6.0)):
        made = make_run(name, shift=shift)
        write_run(tmp_path / name, made.facts | {"classes": list(made.classes)}, made.predictions)
    weak, strong = (make_card(name, "resnet18", "none", "").model_copy(update={"dataset": "lidc-nodules"}) for name in ("weak", "strong"))
    metrics = report(read_run("weak", tmp_path))
    assert len(missed(weak, tmp_path)) == 2 and f"missed by {0.93 - metrics['ROC-AUC'].value:.3f}" in missed(weak, tmp_path)[0]
    assert missed(strong, tmp_path) == [] and with_aim(strong, "Nothing was tried.", tmp_path).aim is None
    assert with_aim(weak, "More epochs were tried.", tmp_path).aim.endswith("More epochs were tried.")


def test_an_aim_without_a_run_is_not_spoken_of(tmp_path):
    card = make_card("none", "resnet18", "none", "").model_copy(update={"dataset": "iq-oth-nccd"})
    assert missed(card, tmp_path) == []


@pytest.mark.parametrize("dataset", AIMS)
def test_every_data_set_has_aims_that_its_shipped_runs_can_be_held_to(dataset):
    wanted = {(aim.protocol, aim.folds) for aim in AIMS[dataset]}
    for card in (card for card in list_cards() if card.dataset == dataset):
        run_of = {(run.facts["protocol"], run.facts.get("folds")): run for run in read_experiments(recipe=card.name)}
        if wanted <= set(run_of):
            break
    for aim in AIMS[dataset]:
        value = report(run_of[aim.protocol, aim.folds], without_copies=aim.without_copies)[aim.metric].value
        phrases = [sentence for sentence in missed(card) if sentence.startswith(f"{aim.describe()}: missed by")]
        assert len(phrases) == (value < aim.at_least)
