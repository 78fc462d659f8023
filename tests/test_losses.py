"""Losses against torch, against finite differences, and at the edges."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.gradcheck import numerical_gradient
from rnncourse.losses import at_end, from_step, perplexity, quantile, softmax_cross_entropy, squared_error

SIZES = st.tuples(*[st.integers(1, 6)] * 3)
SEED = st.integers(0, 2**32 - 1)


def draw_mask(T, B, rng, masked):
    mask = rng.random((T, B)) < 0.6
    mask[rng.integers(T), rng.integers(B)] = True
    return mask if masked else None


@given(sizes=SIZES, seed=SEED, masked=st.booleans())
def test_cross_entropy_equals_torch(sizes, seed, masked):
    (T, B, V), rng = sizes, np.random.default_rng(seed)
    logits, targets, mask = 3 * rng.normal(size=sizes), rng.integers(0, V, (T, B)), draw_mask(T, B, rng, masked)
    loss, dlogits = softmax_cross_entropy(logits, targets, mask)
    theirs = torch.tensor(logits, requires_grad=True)
    real = slice(None) if mask is None else torch.tensor(mask).flatten()
    expected = torch.nn.functional.cross_entropy(theirs.reshape(T * B, V)[real], torch.tensor(targets).flatten()[real])
    expected.backward()
    assert loss == pytest.approx(expected.item(), abs=1e-10)
    np.testing.assert_allclose(dlogits, theirs.grad, rtol=0, atol=1e-10)


@given(sizes=SIZES, seed=SEED, masked=st.booleans())
def test_squared_error_equals_torch(sizes, seed, masked):
    (T, B, Q), rng = sizes, np.random.default_rng(seed)
    Y, targets, mask = rng.normal(size=sizes), rng.normal(size=sizes), draw_mask(T, B, rng, masked)
    loss, dY = squared_error(Y, targets, mask)
    theirs, real = torch.tensor(Y, requires_grad=True), torch.tensor(np.ones((T, B), bool) if mask is None else mask)
    expected = 0.5 * Q * torch.nn.functional.mse_loss(theirs[real], torch.tensor(targets)[real])
    expected.backward()
    assert loss == pytest.approx(expected.item(), abs=1e-10)
    np.testing.assert_allclose(dY, theirs.grad, rtol=0, atol=1e-10)


LEVELS = (0.1, 0.5, 0.75, 0.9)
LOSSES = {"cross entropy": softmax_cross_entropy, "squared error": squared_error, "quantile": quantile(*LEVELS)}


def draw_targets(name, T, B, Q, rng):
    """Targets that the loss of this name takes with outputs (T, B, Q)."""
    if name == "cross entropy":
        return rng.integers(0, Q, (T, B))
    return rng.normal(size=(T, B, Q if name == "squared error" else 1))


@given(sizes=SIZES, seed=SEED, masked=st.booleans())
def test_quantile_equals_torch(sizes, seed, masked):
    (T, B, Q), rng = sizes, np.random.default_rng(seed)
    levels = rng.uniform(0.01, 0.99, Q)
    Y, targets, mask = rng.normal(size=sizes), rng.normal(size=(T, B, 1)), draw_mask(T, B, rng, masked)
    loss, dY = quantile(*levels)(Y, targets, mask)
    theirs, real = torch.tensor(Y, requires_grad=True), torch.tensor(np.ones((T, B), bool) if mask is None else mask)
    error, tau = (torch.tensor(targets) - theirs)[real], torch.tensor(levels)
    expected = torch.maximum(tau * error, (tau - 1) * error).sum() / real.sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), abs=1e-10)
    np.testing.assert_allclose(dY, theirs.grad, rtol=0, atol=1e-10)


def test_the_best_constant_is_the_quantile():
    rng = np.random.default_rng(0)
    targets, loss = rng.exponential(size=(101, 1, 1)), quantile(*LEVELS)
    sample = np.quantile(targets, LEVELS, method="inverted_cdf")
    best, _ = loss(np.broadcast_to(sample, (101, 1, 4)).copy(), targets)
    for k in range(4):
        for shift in (-0.01, 0.01):
            other = sample.copy()
            other[k] += shift
            worse, _ = loss(np.broadcast_to(other, (101, 1, 4)).copy(), targets)
            assert worse > best, f"level {LEVELS[k]}, shifted by {shift}"


def test_an_exact_quantile_costs_nothing_and_pulls_nowhere():
    value, dY = quantile(0.2, 0.7)(np.array([[[1.0, 3.0]], [[2.0, 2.0]]]), np.array([[[1.0]], [[2.0]]]))
    assert value == pytest.approx(0.5 * 0.3 * 2)
    assert dY.tolist() == [[[0, pytest.approx(0.15)]], [[0, 0]]]


@given(sizes=SIZES, seed=SEED, masked=st.booleans(), name=st.sampled_from(sorted(LOSSES)))
def test_gradients_equal_differences(sizes, seed, masked, name):
    (T, B, Q), rng = sizes, np.random.default_rng(seed)
    if name == "quantile":
        Q = len(LEVELS)
    Y, mask = rng.normal(size=(T, B, Q)), draw_mask(T, B, rng, masked)
    loss, targets = LOSSES[name], draw_targets(name, T, B, Q, rng)
    if name == "quantile":  # off the kink, where differences would straddle it
        Y += 1e-3 * np.sign(Y - targets)
    expected = numerical_gradient(lambda: loss(Y, targets, mask)[0], Y)
    np.testing.assert_allclose(loss(Y, targets, mask)[1], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_pads_change_no_bit(name):
    rng = np.random.default_rng(0)
    Y, mask, loss = rng.normal(size=(5, 3, 4)), draw_mask(5, 3, rng, True), LOSSES[name]
    targets = draw_targets(name, 5, 3, 4, rng)
    value, dY = loss(Y, targets, mask)
    Y[~mask] = 1e3
    targets[~mask] = 1
    value1, dY1 = loss(Y, targets, mask)
    assert value1 == value
    assert (dY1 == dY).all()
    assert not dY[~mask].any()


@pytest.mark.parametrize("name", LOSSES)
def test_more_pads_leave_the_mean_over_tokens(name):
    rng, loss = np.random.default_rng(0), LOSSES[name]
    Y, targets = rng.normal(size=(5, 3, 4)), draw_targets(name, 5, 3, 4, rng)
    mask = np.zeros((7, 3), bool)
    mask[:5] = True

    def grow(a):
        return np.concatenate([a, np.ones((2, *a.shape[1:]), a.dtype)])

    value, dY = loss(Y, targets)
    value1, dY1 = loss(grow(Y), grow(targets), mask)
    assert value1 == pytest.approx(value, abs=1e-14)
    np.testing.assert_allclose(dY1[:5], dY, rtol=0, atol=1e-15)


def test_cross_entropy_does_not_overflow():
    logits = np.array([[[1e4, -1e4, 0.0]], [[-1e4, 1e4, 0.0]]])
    loss, dlogits = softmax_cross_entropy(logits, np.array([[0], [0]]))
    assert loss == 1e4  # (0 + 2e4) / 2
    assert dlogits.tolist() == [[[0, 0, 0]], [[-0.5, 0.5, 0]]]


def test_cross_entropy_gradient_sums_to_zero_and_leaves_its_arguments():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(4, 3, 5)), rng.integers(0, 5, (4, 3))
    before = logits.copy()
    _, dlogits = softmax_cross_entropy(logits, targets)
    np.testing.assert_allclose(dlogits.sum(axis=-1), 0, atol=1e-16)
    assert (logits == before).all()


def test_uniform_prediction_costs_log_V():
    assert softmax_cross_entropy(np.full((3, 2, 7), 5.0), np.zeros((3, 2), int))[0] == pytest.approx(np.log(7))


@pytest.mark.parametrize("name", LOSSES)
def test_float32_stays_float32(name):
    rng, loss = np.random.default_rng(0), LOSSES[name]
    Y, targets = rng.normal(size=(4, 3, 4)).astype(np.float32), draw_targets(name, 4, 3, 4, rng)
    if name != "cross entropy":
        targets = targets.astype(np.float32)
    value, dY = loss(Y, targets)
    double, dY64 = loss(Y.astype(float), targets.astype(float) if targets.dtype == np.float32 else targets)
    assert dY.dtype == np.float32
    assert isinstance(value, float)
    assert value == pytest.approx(double, rel=1e-5)
    np.testing.assert_allclose(dY, dY64, rtol=0, atol=1e-6)


def test_perplexity_is_that_of_all_tokens_together():
    batches = [(2 * np.log(2), 2), (6 * np.log(8), 6)]  # 2 tokens as unsure as a coin, 6 as unsure as among 8
    total, tokens = map(sum, zip(*batches, strict=True))
    assert perplexity(total, tokens) == pytest.approx(2 ** (2 * 1 / 8 + 6 * 3 / 8))
    assert perplexity(0.0, 5) == 1


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("first", [-1, 0, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_loss_from_a_step_on_is_the_loss_under_a_mask_of_those_steps(name, first, masked):
    rng, loss = np.random.default_rng(0), LOSSES[name]
    Y, late = rng.normal(size=(5, 3, 4)), np.zeros((5, 3), bool)
    targets = draw_targets(name, 5, 3, 4, rng)
    late[first:] = True
    mask = None
    if masked:
        mask = rng.random((5, 3)) < 0.7
        mask[-1] = True
        late &= mask
    value, dY = from_step(first, loss)(Y, targets[first:], mask)
    expected, dexpected = loss(Y, targets, late)
    assert value == pytest.approx(expected, abs=1e-14)
    np.testing.assert_allclose(dY, dexpected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_at_the_end_is_the_mean_over_sequences_cut_at_their_own_ends(name):
    rng, loss = np.random.default_rng(0), LOSSES[name]
    Y, mask = rng.normal(size=(5, 3, 4)), np.arange(5)[:, None] < [2, 5, 1]
    mask[0, 1] = False  # a hole is no end
    targets = draw_targets(name, 1, 3, 4, rng)
    value, dY = at_end(loss)(Y, targets, mask)
    alone = [loss(Y[n - 1 : n, b : b + 1], targets[:, b : b + 1], None) for b, n in enumerate([2, 5, 1])]
    assert value == pytest.approx(np.mean([v for v, _ in alone]), abs=1e-14)
    expected = np.zeros_like(Y)
    for b, n in enumerate([2, 5, 1]):
        expected[n - 1, b] = alone[b][1][0, 0] / 3
    np.testing.assert_allclose(dY, expected, rtol=0, atol=1e-15)


def test_loss_at_the_end_without_a_mask_is_that_of_the_last_step():
    Y, targets = np.random.default_rng(0).normal(size=(5, 3, 4)), np.array([[3, 0, 1]])
    value, dY = at_end(softmax_cross_entropy)(Y, targets)
    expected, dexpected = from_step(-1, softmax_cross_entropy)(Y, targets)
    assert value == expected
    assert (dY == dexpected).all()
