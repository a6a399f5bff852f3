"""The logic of the Lab page, on shipped features; a stand-in trains in an instant unless a test wants the real process."""

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from lungcad.app.lab import trainings
from lungcad.app.lab.result import differing
from lungcad.lab.presets import PRESETS
from lungcad.lab.settings import HeadKind, LabSettings
from tests.app.lab_page import join, page, words
from tests.app.lab_training import a_training


def begun(lab, opened: AppTest) -> AppTest:
    opened.button(key="lab_train").click().run()
    deadline = time.monotonic() + 10
    while not lab.trained and time.monotonic() < deadline:
        time.sleep(0.01)
    return opened.run()


def test_the_page_shows_pictures_before_anything_is_trained(lab):
    opened = page()
    assert not opened.exception and len(opened.get("image")) == 2
    assert not lab.trained
    assert "Cheater" in words(opened)  # the usual settings are that preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_link(lab, name):
    opened = page(preset=name)
    assert not opened.exception and PRESETS[name].look_at in words(opened)
    marked = [button.label for button in opened.button if button.key.startswith("preset_") and button.proto.icon]
    assert marked == [name.capitalize()]
    linked = dict(opened.query_params)
    assert "preset" not in linked
    assert PRESETS[name].look_at in words(page(**linked))  # every control stands in the link


def test_unknown_words_in_a_link_are_said(lab):
    opened = page(preset="liar", head="hat")
    assert "unknown preset" in words(opened) and "“Head” is unknown" in words(opened)
    assert not opened.exception


def test_sizes_the_wrong_way_round_are_one_sentence(lab):
    opened = page(smallest_mm="30", largest_mm="20")
    assert "smallest lesion is larger" in words(opened) and not opened.exception
    assert opened.button(key="preset_honest").click().run() and "smallest lesion is larger" not in words(opened), "a preset mends it"


def test_a_share_that_leaves_a_class_without_it_is_said_before_training(lab):
    assert "nothing else carries the shortcut" in words(page(share="100"))


def test_train_pressed_in_two_tabs_is_one_training(lab):
    first, second = begun(lab, page()), page()
    assert [button.label for button in second.button if button.key == "lab_stop"] == ["Stop"]  # it is seen there, as after a reload
    trainings.begin(LabSettings())
    lab.may_go_on.set()
    join()
    assert lab.trained == [LabSettings()]
    for opened in (first, second):
        assert "This network cheats" in words(opened.run())


def test_a_training_of_another_session_is_said_to_be_one(lab):
    trainings._TRAININGS[LabSettings().key] = a_training(LabSettings())
    opened = page()
    assert "Trained already, in another session" in words(opened) and not opened.button(key="lab_train").disabled
    mine = page(seed="7")
    assert "result is below" not in words(mine)
    begun(lab, mine)
    lab.may_go_on.set()
    join()
    assert "This training is finished" in words(mine.run()) and mine.button(key="lab_train").disabled


def test_a_training_that_another_session_has_finished_can_be_watched_anew_and_its_result_stays_there(lab, monkeypatch):
    finished = trainings._TRAININGS[LabSettings().key] = a_training(LabSettings())
    finished.watchers["another session"] = lambda: True
    opened = begun(lab, page())
    assert lab.trained == [LabSettings()] and [each.label for each in opened.button if each.key == "lab_stop"] == ["Stop"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(trainings, "is_watching", lambda training: "another session" in training.watchers)
        assert trainings.find(LabSettings()) is finished
    opened.button(key="lab_stop").click().run()
    join()
    assert "Trained already" in words(opened.run()) and trainings.find(LabSettings()) is finished, "a stop loses nothing"


def test_that_a_training_runs_already_is_said_before_one_joins_the_queue(lab):
    begun(lab, page())
    assert "1 run or wait now: yours would begin after that" in words(page(seed="7"))


def test_another_training_waits_and_sees_its_place(lab):
    begun(lab, page())
    other = page(seed="7")
    other.button(key="lab_train").click().run()
    time.sleep(0.3)
    other.run()
    waiting = trainings.find(LabSettings(seed=7))
    assert waiting.place == 1 and waiting.is_running
    other.button(key="lab_stop").click().run()
    waiting.job.thread.join(10)
    assert "Stopped before it began" in words(other.run())
    assert lab.trained == [LabSettings()] and trainings.find(LabSettings()).is_running


def test_two_threads_never_begin_the_process_at_once(lab, monkeypatch):
    beginning, at_once, train = threading.Lock(), [], lab.train

    def start() -> None:
        if not beginning.acquire(blocking=False):
            at_once.append(threading.current_thread())
            return
        time.sleep(0.2)  # longer than a waiting training takes to see that its turn has come
        beginning.release()

    def start_and_train(settings, **told):
        start()
        return train(settings, **told)

    monkeypatch.setattr(lab, "start", start)
    monkeypatch.setattr(lab, "train", start_and_train)
    lab.may_go_on.set()
    for seed in (0, 7):
        trainings.begin(LabSettings(seed=seed))
    join()
    assert len(lab.trained) == 2 and not at_once


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ((), "Stopped before it began"),
        (("patients",), "Stopped while patients were drawn: 50 of 350"),
        (("patients", "epoch"), "Stopped after epoch 1 of 30"),
    ],
)
def test_stop_at_each_stage_is_a_sentence(lab, stages, says):
    lab.stages = stages
    opened = begun(lab, page())
    opened.button(key="lab_stop").click().run()
    join()
    assert says in words(opened.run())
    assert not opened.button(key="lab_train").disabled


def test_a_training_that_nobody_watches_ends(lab, monkeypatch):
    monkeypatch.setattr(trainings, "GRACE", 0.1)
    begun(lab, page())
    training = trainings.find(LabSettings())
    training.watchers = {"closed tab": lambda: False}
    training.job.thread.join(10)
    assert not training.is_running and training.results is None


def test_a_fault_of_the_process_is_one_sentence(lab, monkeypatch):
    from lungcad.errors import LungcadError

    def ended(*_, **__):
        raise LungcadError("The lab's process ended before its training did.")

    monkeypatch.setattr(lab, "train", ended)
    opened = page()
    opened.button(key="lab_train").click().run()
    join()
    assert "ended before its training did" in words(opened.run())


def test_two_trainings_stand_side_by_side_with_their_difference_in_red(lab):
    lab.may_go_on.set()
    opened = begun(lab, page())
    join()
    opened.run().button(key="lab_keep").click().run()
    opened.selectbox(key="head").set_value("taught gate").run()
    opened.button(key="lab_train").click().run()
    join()
    said = words(opened.run())
    assert ":red[**Head: taught gate**]" in said and ":red[**Head: plain**]" in said
    assert "more than one setting" not in said and not opened.exception


def test_settings_that_differ():
    assert differing(LabSettings(), LabSettings(head=HeadKind.GATE, seed=2)) == ["head", "seed"]


def test_the_trust_panel_stands_beside_the_truth(lab, monkeypatch):
    from lungcad.app.lab import trust
    from lungcad.explain.trust import Check, Verdict

    said = Check("surroundings", "fall", 0.6, 0.1, Verdict.CONTRADICTS, "The answer rests on what lies outside the body.")
    monkeypatch.setattr(trust, "panel_words", lambda settings, head: [said])
    lab.may_go_on.set()
    opened = begun(lab, page())
    join()
    opened.run().button(key="lab_panel_start").click().run()
    assert "says lesion with 50%" in words(opened) and said.sentence in words(opened)
    assert not opened.exception


def test_a_trained_network_goes_to_the_pickers_of_its_own_session_only(lab):
    opened = begun(lab, page())
    lab.may_go_on.set()
    join()
    opened = opened.run()
    opened.button(key="lab_send").click().run()
    assert not opened.exception
    name = f"lab-{PRESETS['cheater'].settings.key}"
    assert name in words(opened)
    opened.switch_page("pages/1_Predict.py")
    opened.query_params["model"] = name
    opened = opened.run()
    assert not opened.exception and not opened.error
    assert opened.selectbox(key="model").value == name
    stranger = AppTest.from_function(every_name).run()
    assert not stranger.exception and "phantom-honest" in stranger.text[0].value and "lab-" not in stranger.text[0].value


def every_name() -> None:
    """A script: the networks that its session can choose."""
    import streamlit as st

    from lungcad.app.cards import cards

    st.text(", ".join(cards()))
