"""Fitting gates from the command line."""

import json

from lungcad.datasets import is_made
from lungcad.errors import LungcadError
from lungcad.evaluate.gate import fit
from lungcad.models import list_cards
from lungcad.paths import GATE
from tests.calls import caller


def test_a_stopped_fit_of_gates_goes_on(tmp_path, monkeypatch, capsys):
    """Every network of a published data set, none that lungcad made up; what is there already, of the same weights, is left as it is."""

    def stopped(*_args):
        raise LungcadError("Stopped by the test.")

    monkeypatch.setattr(fit, "fit_gate", stopped)
    run = caller(monkeypatch, capsys)
    status, out, _ = run("gate", "fit", "--all", "--resume", "--out", GATE)
    names = [card.name for card in list_cards() if not is_made(card.dataset)]
    assert status == 0 and out.splitlines() == [f"{name}: there already" for name in names]
    record = json.loads((GATE / f"{names[0]}.json").read_text())
    (tmp_path / f"{names[0]}.json").write_text(json.dumps({**record, "weights_sha256": "0"}))
    (tmp_path / f"{names[0]}.npz").write_bytes(b"of other weights")
    status, _, err = run("gate", "fit", "--model", names[0], "--resume", "--out", tmp_path)
    assert status == 2 and "Stopped by the test" in err


def test_an_option_that_names_nothing_is_a_sentence(tmp_path, monkeypatch, capsys):
    status, _, err = caller(monkeypatch, capsys)("gate", "fit", "--model", " ,", "--out", tmp_path)
    assert status == 2 and err.startswith("lungcad: The option's text") and "names nothing" in err
