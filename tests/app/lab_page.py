"""The Lab's page in tests: a stand-in for its process, and what a person reads."""

import threading

from streamlit.testing.v1 import AppTest

from lungcad.app import jobs
from lungcad.lab.settings import LabSettings
from tests.app.lab_training import RESULTS, an_epoch, weights_of
from tests.app.pages import open_page


class StandIn:
    """Takes the place of the lab's process; waits at each step for the test."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.trained: list[LabSettings] = []
        self.stages = ("patients", "epoch")

    def start(self) -> None:
        pass

    def train(self, settings, *, on_progress, on_epoch, check):
        self.trained.append(settings)
        if "patients" in self.stages:
            on_progress(50, 350)
        if "epoch" in self.stages:
            on_epoch(an_epoch())
        while not self.may_go_on.wait(0.02):
            check()
        return {"results": RESULTS.to_dict(), "head": weights_of(settings)}


def join() -> None:
    for job in list(jobs._JOBS.values()):
        job.thread.join(60)


def page(**query: str) -> AppTest:
    return open_page("6_Lab.py", **query).run()


def words(opened: AppTest) -> str:
    kinds = (opened.markdown, opened.caption, opened.info, opened.error)
    return "\n".join(element.value for kind in kinds for element in kind)
