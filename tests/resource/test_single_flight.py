import os
from threading import Event, Thread

import pytest

from authserver.resource.single_flight import SingleFlight


class SlowJob:
    """Runs until it is let go, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.started = Event()
        self.go_on = Event()

    def __call__(self) -> None:
        self.runs += 1
        self.started.set()
        assert self.go_on.wait(5)


def started(target: object, job: SlowJob) -> Thread:
    thread = Thread(target=target)  # type: ignore[arg-type]
    thread.start()
    assert job.started.wait(5)
    return thread


def test_those_who_come_meanwhile_wait_for_the_one_run() -> None:
    job = SlowJob()
    flight = SingleFlight(job)
    threads = [started(flight.run, job) for _ in range(5)]
    assert flight.is_under_way
    job.go_on.set()
    for thread in threads:
        thread.join(5)
    assert job.runs == 1
    assert not flight.is_under_way


def test_waiting_is_bounded_in_time_and_number() -> None:
    job = SlowJob()
    for flight in (SingleFlight(job, wait=0.0), SingleFlight(job, wait=60.0, max_waiting=0)):
        job.started.clear()
        job.go_on.clear()
        thread = started(flight.run, job)
        flight.run()
        job.go_on.set()
        thread.join(5)


def test_whoever_comes_after_the_run_that_met_the_need_starts_no_other() -> None:
    job = SlowJob()
    job.go_on.set()
    flight = SingleFlight(job)
    for _ in range(3):
        flight.run(lambda: job.runs == 0)
    assert job.runs == 1


def test_a_background_run_blocks_nobody_and_starts_once() -> None:
    job = SlowJob()
    flight = SingleFlight(job)
    flight.run_in_background()
    assert job.started.wait(5)
    flight.run_in_background()
    assert flight.is_under_way
    job.go_on.set()
    flight.run()
    assert job.runs <= 2


def test_a_job_that_raises_does_not_block_the_next() -> None:
    def fail() -> None:
        raise RuntimeError

    flight = SingleFlight(fail)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            flight.run()


def test_a_forked_child_does_not_wait_for_its_parents_thread() -> None:
    job = SlowJob()
    job.go_on.set()
    flight = SingleFlight(job, wait=60.0)
    assert (
        flight._join() is not None
    )  # what a child finds: a flight under way and a lock held, both by threads of another process
    flight._lock.acquire()
    flight._pid = os.getpid() + 1
    assert not flight.is_under_way
    flight.run()
    assert job.runs == 1
