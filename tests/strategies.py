"""Hypothesis strategies: every schedule of the core, with any arguments that it takes."""

from hypothesis import strategies as st

import cyclr

SHAPES = ("linear", "cosine", "parabolic", "polynomial", "1-sqrt")
RAMP_SHAPES = ("linear", "cosine", "parabolic", "1-sqrt")

rates = st.floats(0, 1e3) | st.floats(1e-9, 1)
positive_rates = st.floats(1e-9, 1e3)
lengths = st.integers(1, 10_000)
factors = st.floats(0.01, 1)
iterations = st.integers(0, 10**5) | st.integers(0, 10**15) | st.integers(0, 2**80)

bounds = st.tuples(rates, rates).map(sorted)
positive_bounds = st.tuples(positive_rates, positive_rates).map(sorted)
fraction_bounds = st.tuples(
    st.fractions(0, 10, max_denominator=1000), st.fractions(0, 10, max_denominator=1000)
).map(sorted)

lasting = st.none() | st.integers(1, 6)  # the argument cycles


@st.composite
def stretch(draw):
    """cycle_mult and cycles, which go together."""
    if draw(st.booleans()):
        return {"cycle_mult": draw(st.floats(0.5, 2.5)), "cycles": draw(st.integers(1, 5))}
    return {"cycle_mult": draw(st.integers(1, 4)), "cycles": draw(lasting)}


def shape(name):
    """The arguments for a shape by name."""
    powers = st.sampled_from([0.5, 2, 2.5, 3]) if name == "polynomial" else st.just(1)
    return st.fixed_dictionaries({"shape": st.just(name), "power": powers})


shapes = st.sampled_from(SHAPES).flatmap(shape)


@st.composite
def cyclical(draw, bounds=bounds, shapes=SHAPES):
    """A `Cyclical` with every argument drawn."""
    base_lr, max_lr = draw(bounds)
    return cyclr.Cyclical(
        base_lr,
        max_lr,
        draw(st.integers(100, 10_000)),  # a cycle_mult of 0.5 leaves at least 3 of them
        step_size_down=draw(st.none() | st.integers(100, 10_000)),
        **draw(st.sampled_from(shapes).flatmap(shape)),
        gamma=draw(st.just(1.0) | st.floats(0.9, 1)),
        peak_decay=draw(st.just(1.0) | factors),
        decays=draw(st.sampled_from(["amplitude", "bounds"])),
        **draw(stretch()),
    )


@st.composite
def triangular(draw, policy=cyclr.Triangular, bounds=bounds, **arguments):
    """A triangular policy, with equal or unequal halves."""
    base_lr, max_lr = draw(bounds)
    down = draw(st.none() | lengths)
    return policy(base_lr, max_lr, draw(lengths), step_size_down=down, **arguments)


@st.composite
def cosine_restarts(draw):
    base_lr, max_lr = draw(bounds)
    return cyclr.CosineRestarts(
        base_lr,
        max_lr,
        draw(st.integers(100, 10_000)),
        peak_decay=draw(st.just(1.0) | factors),
        **draw(stretch()),
    )


@st.composite
def one_cycle(draw):
    return cyclr.OneCycle(
        draw(rates),
        draw(st.integers(20, 10**5)),
        warmup=draw(st.floats(0.01, 0.4)),
        initial_divisor=draw(st.floats(1, 100)),
        final_divisor=draw(st.floats(1, 1e5)),
        phases=draw(st.sampled_from([2, 3])),
        shape=draw(st.sampled_from(RAMP_SHAPES)),
    )


@st.composite
def warmup_stable_decay(draw):
    warmup, stable, decay = draw(st.integers(0, 1000)), draw(st.integers(0, 1000)), draw(lengths)
    end_lr, max_lr = draw(bounds)
    return cyclr.WarmupStableDecay(
        max_lr,
        warmup + stable + decay,
        warmup,
        decay,
        start_lr=draw(st.floats(0, max_lr)),
        end_lr=end_lr,
        shape=draw(st.sampled_from(RAMP_SHAPES)),
    )


@st.composite
def piecewise(draw):
    milestones = sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))
    values = draw(st.lists(rates, min_size=len(milestones) + 1, max_size=len(milestones) + 1))
    return cyclr.Piecewise(milestones, values)


@st.composite
def inverse_sqrt(draw):
    start_lr, max_lr = draw(bounds)
    return cyclr.InverseSqrt(max_lr, draw(lengths), start_lr=start_lr)


ramps = (
    st.builds(cyclr.Ramp, rates, rates, lengths, shape=st.sampled_from(RAMP_SHAPES))
    | st.builds(cyclr.Linear, rates, rates, lengths)
    | st.builds(cyclr.Cosine, rates, rates, lengths)
    | st.builds(cyclr.Exponential, positive_rates, positive_rates, lengths)
    | st.builds(cyclr.Polynomial, rates, rates, lengths, power=st.floats(0.5, 4))
)

policies = (
    cyclical()
    | triangular()
    | triangular(cyclr.Triangular2)
    | triangular(cyclr.ExpRange, gamma=0.9999)
    | triangular(cyclr.ExpRange, gamma=0.9999, decays="bounds")
    | cosine_restarts()
    | one_cycle()
    | warmup_stable_decay()
    | piecewise()
    | inverse_sqrt()
    | ramps
    | st.builds(cyclr.Constant, rates)
    | st.builds(cyclr.Decay, rates, factors)
    | st.builds(cyclr.Steps, rates, lengths, factors)
)


def _composed(schedules):
    return (
        st.builds(lambda a, b, n: a.then(b, after=n), schedules, schedules, lengths)
        | st.builds(lambda a, n: a.warmup(n), schedules, lengths)
        | st.builds(lambda a, x: a * x, schedules, st.floats(0, 10))
        | st.builds(lambda a, b: a.clip(*b), schedules, bounds)
        | st.builds(lambda a, b: a.mirror(*b) if a.lowest < a.highest else a, schedules, bounds)
    )


schedules = st.recursive(policies, _composed, max_leaves=4)
"""Any schedule, composed or not."""
