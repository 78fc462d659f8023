"""Learning-rate schedules, against torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.schedules import step_decay, warmup_cosine


def rates(make, steps):
    """The rates that torch's scheduler uses in its first `steps` steps, from a rate of 0.3."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.3)
    scheduler, used = make(optimizer), []
    for _ in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used


@given(factor=st.floats(0.01, 2), every=st.integers(1, 7))
def test_step_decay_equals_torch(factor, every):
    schedule = step_decay(0.3, factor, every)
    expected = rates(lambda o: torch.optim.lr_scheduler.StepLR(o, every, factor), 20)
    np.testing.assert_allclose([schedule(k) for k in range(1, 21)], expected, rtol=1e-12)


@given(warmup=st.integers(0, 8), rest=st.integers(1, 12))
def test_warmup_cosine_equals_torch(warmup, rest):
    schedule, steps = warmup_cosine(0.3, warmup, warmup + rest), warmup + rest

    def make(optimizer):
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, rest)
        if warmup == 0:
            return cosine
        line = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: (done + 1) / warmup)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, [line, cosine], [warmup])

    np.testing.assert_allclose([schedule(k) for k in range(1, steps + 1)], rates(make, steps), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("warmup", [0, 1, 5])
def test_warmup_cosine_rises_to_its_rate_then_falls_to_zero_and_stays(warmup):
    schedule, steps = warmup_cosine(0.2, warmup, 20), range(1, 31)
    values = [schedule(k) for k in steps]
    assert max(values) == values[warmup] == 0.2
    assert (np.diff(values[:warmup]) > 0).all()
    assert (np.diff(values[warmup:21]) < 0).all()
    assert min(values[:20]) > 0
    assert values[20:] == [0] * 10
