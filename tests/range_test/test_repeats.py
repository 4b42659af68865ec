"""repeat: many range tests in any executor, of which some may die, and what they say together."""

import multiprocessing
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from random import Random

import pytest

import runs
from cyclr import Bounds, InconclusiveRangeTest, RangeTest, Repeats, analyze, repeat


def bowl(lr):
    return 2 + lr**2 - 1.5 / (1 + (0.01 / lr) ** 2)


def pairs(seed):
    noise = Random(seed)
    return [(lr, bowl(lr) + noise.gauss(0, 0.1)) for lr in (1e-5 * 1.1**i for i in range(140))]


def run(seed):
    noise = Random(seed)
    test = RangeTest(1e-5, 10.0, 140, optimizer="adam")
    for lr in test:
        test.record(bowl(lr) + noise.gauss(0, 0.1))
    return test


def quiet(*arguments, **named):
    return repeat(*arguments, progress=False, **named)


# What comes of it.


def test_each_seed_is_run_once_and_kept_in_order():
    seeds = []
    repeats = quiet(lambda seed: seeds.append(seed) or run(seed), [3, 1, 2])

    assert seeds == [3, 1, 2]
    assert isinstance(repeats, Repeats)
    assert list(repeats.results) == list(repeats.each) == [3, 1, 2]
    assert repeats.failures == {}
    assert repeats.results[1].points == run(1).points
    assert repeats.each[1] == run(1).bounds()


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (run, lambda seed: run(seed).bounds()),
        (lambda seed: run(seed).bounds(), lambda seed: run(seed).bounds()),
        (pairs, lambda seed: analyze(pairs(seed))),
        (lambda seed: iter(pairs(seed)), lambda seed: analyze(pairs(seed))),
        (
            lambda seed: zip(*zip(*pairs(seed), strict=True), strict=True),
            lambda s: analyze(pairs(s)),
        ),
    ],
)
def test_a_run_may_return_a_test_or_bounds_or_pairs(returned, expected):
    repeats = quiet(returned, [1, 2])

    assert repeats.each == {seed: expected(seed) for seed in (1, 2)}


def test_pairs_are_kept():
    assert quiet(lambda seed: iter(pairs(seed)), [1]).results == {1: pairs(1)}


def test_the_results_combine_into_one():
    repeats = quiet(run, range(9))
    bounds = repeats.bounds()

    assert isinstance(bounds, Bounds)
    low, *_, high = sorted(each.max_lr for each in repeats.each.values())
    assert low < bounds.max_lr < high
    assert not any(reason.code == "replicates_failed" for reason in bounds.reasons)


def test_seeds_may_be_the_names_of_models():
    models = {"small": 0.1, "large": 1.0}
    repeats = quiet(lambda name: [(lr * models[name], loss) for lr, loss in pairs(0)], models)

    assert repeats.each["large"].max_lr == pytest.approx(10 * repeats.each["small"].max_lr)


# What fails.


def mortal(seed):
    if seed == 2:
        raise ZeroDivisionError("mine")
    if seed == 3:
        raise SystemExit(1)
    if seed == 4:
        return [(0.1, 1.0)] * 3  # too short to be read
    if seed == 5:
        return 17
    return run(seed)


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_a_replicate_that_dies_is_reported_and_the_rest_is_kept(executor):
    with (executor or ThreadPoolExecutor)(2) as pool:
        repeats = quiet(mortal, range(8), None if executor is None else pool)

    assert list(repeats.each) == [0, 1, 6, 7]
    assert list(repeats.results) == [0, 1, 4, 6, 7]
    assert {seed: type(error) for seed, error in repeats.failures.items()} == {
        2: ZeroDivisionError,
        3: SystemExit,
        4: InconclusiveRangeTest,
        5: TypeError,
    }
    assert str(repeats.failures[5]) == "run must return a RangeTest, Bounds or pairs: got int"
    *_, reason = repeats.bounds().reasons
    assert reason.code == "replicates_failed"
    assert reason.message == "4 of 8 range tests failed: 2, 3, 4, 5."


def test_pairs_that_raise_are_a_failure_too():
    def broken(seed):
        yield 0.1, 1.0
        raise OSError("mine")

    assert str(quiet(broken, [0]).failures[0]) == "mine"


def test_where_all_die_there_are_no_bounds():
    repeats = quiet(mortal, [2, 4])

    with pytest.raises(InconclusiveRangeTest, match="2 of 2 range tests failed: 2, 4") as error:
        repeats.bounds()
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_an_interruption_is_none_of_theirs_and_ends_it():
    def interrupt(seed):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quiet(interrupt, range(3))


class Waiting:
    """An executor that does nothing, until it is interrupted."""

    def __init__(self):
        self.futures = []

    def submit(self, function, seed):
        self.futures.append(Future())
        if len(self.futures) == 3:
            raise KeyboardInterrupt
        return self.futures[-1]


def test_what_waits_is_cancelled_at_an_interruption():
    waiting = Waiting()
    with pytest.raises(KeyboardInterrupt):
        quiet(run, range(3), waiting)

    assert [future.cancelled() for future in waiting.futures] == [True, True, False]


def test_what_somebody_else_cancels_has_failed():
    with ThreadPoolExecutor(1) as pool:

        class Cancelling:
            def submit(self, function, seed):
                future = pool.submit(function, seed) if seed else Future()
                if not seed:
                    future.cancel()
                    future.set_running_or_notify_cancel()
                return future

        repeats = quiet(run, range(2), Cancelling())

    assert type(repeats.failures[0]).__name__ == "CancelledError"
    assert list(repeats.each) == [1]


# In processes.


def processes(workers=2):
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def test_they_run_in_processes():
    with processes() as pool:
        repeats = quiet(runs.run, range(4), pool)
        wrong = quiet(runs.wrong, range(2), pool)

    assert list(repeats.each) == [0, 1, 2, 3]
    assert {test.process for test in repeats.results.values()}.isdisjoint(
        {multiprocessing.current_process().pid}
    )
    assert repeats.bounds().max_lr == runs.run(0).bounds().max_lr
    assert [str(error) for error in wrong.failures.values()] == ["seed 0", "seed 1"]


def test_what_can_not_be_sent_has_failed():
    with processes(1) as pool:
        repeats = quiet(lambda seed: run(seed), range(2), pool)

    assert len(repeats.failures) == 2


def test_a_process_that_dies_takes_with_it_what_is_not_finished_and_no_more():
    with processes(1) as pool:
        repeats = quiet(runs.mortal, range(6), pool)
        again = quiet(runs.run, [6], pool)

    assert list(repeats.each) == [0, 1]
    assert str(repeats.failures.pop(2)) == "seed 2"
    assert list(repeats.failures) == [3, 4, 5]
    assert all(isinstance(error, BrokenExecutor) for error in repeats.failures.values())
    assert isinstance(again.failures[6], BrokenExecutor)
    with processes(1) as another:
        rest = quiet(runs.run, repeats.failures, another)
    assert list(rest.each) == [3, 4, 5]


# What one sees.


def test_progress_is_a_line_for_each(capsys):
    repeats = repeat(mortal, [0, 2, 4])

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"range test 1 of 3, 0: max_lr {repeats.each[0].max_lr:.2g}",
        "range test 2 of 3, 2: failed: ZeroDivisionError: mine",
        "range test 3 of 3, 4: failed: InconclusiveRangeTest: "
        + str(repeats.failures[4]).splitlines()[0],
    ]
    assert str(repeats).splitlines()[1] == "2: failed: ZeroDivisionError: mine"


def test_without_progress_it_is_silent(capfd):
    quiet(mortal, [0, 2])

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"run": 3}, TypeError, "run must be a function of a seed: got 3"),
        ({"seeds": 5}, TypeError, r"seeds must be an iterable: got 5\n\nHint: range\(5\)"),
        ({"seeds": "abc"}, TypeError, "seeds must be an iterable: got 'abc'"),
        ({"seeds": []}, ValueError, r"seeds must be at least one, and each another: got \[\]"),
        ({"seeds": [1, 1]}, ValueError, r"seeds must be at least .*: got \[1, 1\]"),
        ({"seeds": [{}]}, TypeError, r"seeds must be numbers, names or the like: got \{\}"),
        ({"executor": 4}, TypeError, "executor must be a concurrent.futures.Executor: got 4"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        repeat(**{"run": run, "seeds": [1]} | arguments)
