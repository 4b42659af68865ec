"""What is said of real logs, in figures: no answer changes unnoticed.

Where a change is meant, these numbers change with it; benchmarks/suggestion judges whether it is
for the better.
"""

import pytest

from cyclr.range_test import analyze

# base_lr, max_lr, the interval; onset, drop_90, minimum, edge (0: none); the codes of the reasons
KNOWN = {
    "accuracy": (*(0.02, 0.63, 0.0285198, 13.9167), *(0.06, 0.24, 0.01, 0.0), "too_noisy"),
    "batch_accuracy": (
        *(0.00254692, 0.798465, 0.202337, 3.15091),
        *(0.00214204, 0.0406464, 1.05331, 0.0),
        "",
    ),
    "below_zero": (
        *(0.00077037, 0.00308148, 0.000858139, 0.0131686),
        *(0.000830994, 0.00629499, 0.00943788, 0.116232),
        "",
    ),
    "digits_adam": (
        *(0.00759309, 0.0303724, 0.00848226, 0.129426),
        *(0.00219639, 0.0166382, 0.148202, 0.0),
        "",
    ),
    "digits_momentum": (
        *(0.0424527, 0.169811, 0.0472167, 0.726796),
        *(0.0249451, 0.222195, 0.811984, 0.0),
        "",
    ),
    "digits_sgd": (
        *(0.0795278, 0.318111, 0.0887004, 1.35772),
        *(0.0714943, 0.499451, 1.97917, 0.0),
        "",
    ),
    "diverges": (
        *(0.0077484, 0.0309936, 0.00663236, 0.172367),
        *(0.0028005, 0.077526, 0.24094, 0.307211),
        "",
    ),
    "keras": (
        *(0.0224029, 0.0896118, 0.0251425, 0.380102),
        *(0.00723851, 0.108415, 0.922385, 1.22382),
        "running_mean_loss",
    ),
    "never_diverges": (
        *(0.0154797, 0.0619187, 0.0172031, 0.265225),
        *(0.0152591, 0.248057, 0.281578, 0.0),
        "no_edge",
    ),
    "not_shuffled": (
        *(0.087581, 0.350324, 0.0981357, 1.4883),
        *(0.0885867, 0.445782, 1.55949, 0.0),
        "periodic_loss",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_answer_to_a_real_log(read_log, name):
    *numbers, reasons = KNOWN[name]
    bounds = analyze(read_log(name), metric="accuracy" if name.endswith("accuracy") else "loss")
    marks = bounds.landmarks

    found = [bounds.base_lr, bounds.max_lr, *bounds.interval]
    found += [marks.onset, marks.drop_90, marks.minimum, marks.edge or 0]
    assert found == pytest.approx(numbers, rel=1e-5)
    assert " ".join(reason.code for reason in bounds.reasons) == reasons


@pytest.mark.parametrize(
    ("optimizer", "momentum", "max_lr", "interval"),
    [
        ("sgd", None, 0.462707, (0.172461, 1.7506)),
        ("sgd", 0.5, 0.326018, (0.139982, 1.42092)),
        ("sgd", 0.9, 0.144596, (0.0862307, 0.875302)),
        ("nesterov", None, 0.144596, (0.0862307, 0.875302)),
        ("adam", None, 0.231354, (0.0907691, 0.921371)),
        ("adamw", None, 0.231354, (0.0907691, 0.921371)),
        ("nadam", None, 0.231354, (0.0907691, 0.921371)),
        ("rmsprop", None, 0.462707, (0.136154, 1.38206)),
        ("adagrad", None, 0.36149, (0.158846, 1.6124)),
        ("lion", None, 0.318111, (0.0887004, 1.35772)),
    ],
)
def test_the_same_log_by_another_optimizer(read_log, optimizer, momentum, max_lr, interval):
    bounds = analyze(read_log("digits_sgd"), optimizer=optimizer, momentum=momentum)
    assert bounds.max_lr == pytest.approx(max_lr, rel=1e-5)
    assert bounds.interval == pytest.approx(interval, rel=1e-5)


@pytest.mark.parametrize(
    ("rule", "max_lr", "interval"),
    [
        ("minimum", 0.214614, (0.0233708, 1.9708)),
        ("valley", 0.0714943, (0.00372677, 1.37155)),
        ("slide", 1.32009, (0.0381564, 45.6709)),
        ("steepest", 5.2311, (0.235308, 116.292)),
        ("lightning", 0.000267384, (7.3103e-07, 0.0977992)),
        ("lightning-2.5.2", 6.66992, (0.626855, 70.9699)),
        ("pytorch-lr-finder", 5.2311, (0.424285, 64.4953)),
        ("ignite", 0.636825, (0.0693482, 5.84797)),
        ("ktrain", 0.214614, (0.0233708, 1.9708)),
    ],
)
def test_the_same_log_by_another_rule(read_log, rule, max_lr, interval):
    bounds = analyze(read_log("digits_sgd"), rule=rule)
    assert bounds.max_lr == pytest.approx(max_lr, rel=1e-5)
    assert bounds.interval == pytest.approx(interval, rel=1e-5)
