"""The one queue: order, fairness, what is left, what is shared."""

import contextlib
import threading
import time
from functools import partial

import pytest

from lungcad.scheduler import Kind, Scheduler


class Left(BaseException):
    """Its user has left; like Streamlit's own, it is no Exception, so that nothing in between catches it."""


class Users:
    """Threads that ask for turns and note in which order they got them."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler, self.begun, self.threads = scheduler, [], []

    def ask(self, name: str, kind: Kind, owner: str, seconds: float = 0.0) -> None:
        """Begins once those before it stand in the queue."""

        def work() -> None:
            with self.scheduler.turn(kind, owner) as turn:
                self.begun.append((turn.ticket.begun, name))
                time.sleep(seconds)

        before = self.scheduler._numbers
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()
        while self.scheduler._numbers == before:
            time.sleep(0.001)

    def finish(self) -> list[str]:
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.order

    @property
    def order(self) -> list[str]:
        """By when the turn was given; threads wake in any order."""
        return [name for _, name in sorted(self.begun)]


def test_answers_first_then_maps_then_checks_then_jobs():
    scheduler = Scheduler(1)
    users = Users(scheduler)
    with scheduler.turn(Kind.CHECKS, "someone"), scheduler_is_full(scheduler):
        for kind in reversed(Kind):
            users.ask(kind.name, kind, f"user {kind}")
    assert users.finish() == [kind.name for kind in Kind]


def scheduler_is_full(scheduler: Scheduler):
    """The slot that is kept for answers is taken too, by another thread."""

    @contextlib.contextmanager
    def full():
        begun, end = threading.Event(), threading.Event()

        def hold() -> None:
            with scheduler.turn(Kind.MAP, "holder"):
                begun.set()
                end.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        begun.wait(10)
        yield
        end.set()
        thread.join(10)

    return full()


def test_users_take_turns_whoever_asked_for_more():
    scheduler = Scheduler(1)
    users = Users(scheduler)
    with scheduler.turn(Kind.CHECKS, "holder"):
        for number in range(3):
            users.ask(f"greedy {number}", Kind.CHECKS, "greedy", 0.01)
        users.ask("modest", Kind.CHECKS, "modest", 0.01)
    assert users.finish() == ["greedy 0", "modest", "greedy 1", "greedy 2"]


def test_an_answer_does_not_wait_for_a_check_to_end():
    scheduler = Scheduler(1)
    users = Users(scheduler)
    with scheduler.turn(Kind.CHECKS, "someone"):
        users.ask("answer", Kind.ANSWER, "other")
        assert users.finish() == ["answer"]


def test_a_job_lets_a_check_pass_between_its_steps_and_goes_on_before_another_job():
    scheduler = Scheduler(1)
    users = Users(scheduler)
    with scheduler.turn(Kind.JOB, "someone") as turn:
        users.ask("other job", Kind.JOB, "other")
        users.ask("check", Kind.CHECKS, "third")
        turn.step()
        users.begun.append((turn.ticket.begun, "first job"))
    assert users.finish() == ["check", "first job", "other job"]


def test_long_jobs_of_two_users_alternate(monkeypatch):
    monkeypatch.setattr("lungcad.scheduler.QUANTUM", 0.0)
    scheduler = Scheduler(1)
    users = Users(scheduler)
    with scheduler.turn(Kind.JOB, "someone") as turn:
        users.ask("other job", Kind.JOB, "other")
        turn.step()
        users.begun.append((turn.ticket.begun, "first job"))
    assert users.finish() == ["other job", "first job"]


def test_one_slot_is_left_beside_jobs():
    scheduler = Scheduler(2)
    users = Users(scheduler)
    with scheduler.turn(Kind.JOB, "someone"):
        users.ask("second job", Kind.JOB, "other")
        users.ask("check", Kind.CHECKS, "third")
        deadline = time.monotonic() + 5
        while not users.order and time.monotonic() < deadline:
            time.sleep(0.001)
        assert users.order == ["check"]
    assert users.finish() == ["check", "second job"]


def test_who_waits_is_told_how_many_are_before_and_may_leave(monkeypatch):
    monkeypatch.setattr("lungcad.scheduler.LOOK", 0.01)
    scheduler = Scheduler(1)
    users = Users(scheduler)
    told = []

    def waiting(before: int) -> None:
        told.append(before)
        if len(told) == 3:
            raise Left

    with scheduler.turn(Kind.CHECKS, "someone"):
        users.ask("earlier", Kind.CHECKS, "earlier")
        users.ask("job", Kind.JOB, "later")
        thread = threading.Thread(target=_leave, args=(scheduler, waiting))
        thread.start()
        thread.join(10)
    assert told == [2, 2, 2], "the one that runs and the one that came earlier, not the job"
    assert users.finish() == ["earlier", "job"] and scheduler._tickets == []


def _leave(scheduler: Scheduler, waiting) -> None:
    with contextlib.suppress(Left), scheduler.turn(Kind.CHECKS, "leaver", waiting):
        raise AssertionError("it had left")


def test_work_that_is_left_between_steps_ends_and_frees_its_slot():
    scheduler = Scheduler(1)

    def leave(_done: int, _total: int) -> None:
        raise Left

    with pytest.raises(Left), scheduler.turn(Kind.CHECKS, "leaver") as turn:
        turn.with_steps(leave)(1, 2)
    with scheduler.turn(Kind.CHECKS, "next"):
        assert len(scheduler._tickets) == 1


def test_the_same_work_asked_for_by_many_is_done_once(monkeypatch):
    monkeypatch.setattr("lungcad.scheduler.LOOK", 0.01)
    scheduler, computed, results, waiting = Scheduler(2), [], [], set()
    gate = threading.Event()

    def compute(_turn) -> object:
        computed.append(1)
        gate.wait(10)
        return object()

    threads = [
        threading.Thread(
            target=lambda user=user: results.append(scheduler.once("content", Kind.MAP, user, compute, lambda _: waiting.add(user)))
        )
        for user in range(4)
    ]
    for thread in threads:
        thread.start()
    while len(waiting) < 3:
        time.sleep(0.001)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(computed) == 1 and len(results) == 4 and len(set(map(id, results))) == 1
    assert scheduler.once("content", Kind.MAP, "later", lambda _: "anew") == "anew", "nothing is kept"


def test_where_the_first_leaves_the_next_computes(monkeypatch):
    monkeypatch.setattr("lungcad.scheduler.LOOK", 0.01)
    scheduler, results, begun, leave = Scheduler(1), [], threading.Event(), threading.Event()

    def left(_turn) -> object:
        begun.set()
        leave.wait(10)
        raise Left

    def first() -> None:
        with pytest.raises(Left):
            scheduler.once("content", Kind.MAP, "first", left)

    threads = [threading.Thread(target=first)]
    threads[0].start()
    begun.wait(10)
    threads.append(threading.Thread(target=lambda: results.append(scheduler.once("content", Kind.MAP, "second", lambda _: "done"))))
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert results == ["done"]


def test_a_turn_within_a_turn_is_the_same_turn():
    scheduler = Scheduler(1)
    with scheduler.turn(Kind.JOB, "someone") as outer, scheduler.turn(Kind.ANSWER, "someone") as inner:
        assert inner is outer
    assert scheduler._tickets == []


def test_who_asks_more_urgently_for_the_same_work_takes_it_forward():
    scheduler = Scheduler(1)
    users = Users(scheduler)

    def ask_once(kind: Kind, owner: str) -> None:
        before = [scheduler._numbers, len(scheduler._shared)]
        ask = partial(scheduler.once, "work", kind, owner, lambda turn: users.begun.append((turn.ticket.begun, "work")))
        users.threads.append(threading.Thread(target=ask))
        users.threads[-1].start()
        while kind is Kind.JOB and [scheduler._numbers, len(scheduler._shared)] == before:
            time.sleep(0.001)

    with scheduler.turn(Kind.CHECKS, "someone"), scheduler_is_full(scheduler):
        users.ask("job", Kind.JOB, "first")
        users.ask("map", Kind.MAP, "second")
        ask_once(Kind.JOB, "third")
        ask_once(Kind.ANSWER, "fourth")
        while scheduler._shared["work"].kind is not Kind.ANSWER:
            time.sleep(0.001)
    assert users.finish() == ["work", "map", "job"]


def test_it_is_idle_from_the_end_of_the_last_work_until_the_next():
    scheduler = Scheduler(1)
    assert scheduler.idle_since is None
    with scheduler.turn(Kind.ANSWER, "a"):
        assert scheduler.idle_since is None
    before = time.monotonic()
    assert scheduler.idle_since is not None and scheduler.idle_since <= before
    with contextlib.suppress(Left), scheduler.turn(Kind.MAP, "a"):
        assert scheduler.idle_since is None
        raise Left
    assert scheduler.idle_since is not None and scheduler.idle_since >= before
