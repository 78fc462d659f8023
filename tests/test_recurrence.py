"""What must hold of unroll and bptt for every cell: masks, chunks, truncation, blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import CELLS, autograd, gradients

from rnncourse import recurrence
from rnncourse.cells import RNN
from rnncourse.recurrence import blocks, truncated_bptt

SIZES = st.tuples(*[st.integers(1, 6)] * 4)
SEED = st.integers(0, 2**32 - 1)
NAME = st.sampled_from(sorted(CELLS))
cells = pytest.mark.parametrize("name", CELLS)


def problem(name, sizes, seed):
    """A cell, inputs, first state, immediate gradients, gradient of the last state, and the generator."""
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    cell = CELLS[name](D=D, H=H, rng=rng)
    cell.W_h *= 2  # so that a gradient reaches far enough back to matter
    X, dH = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    state, dstate = (tuple(rng.normal(size=(B, H)) for _ in range(cell.n_states)) for _ in range(2))
    return cell, X, state, dH, dstate, rng


def assert_same(got, expected, atol=1e-12, rtol=0):
    """Equal (dX, dstate, grads) triples, or equal dicts, or equal arrays."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys()
        for name in expected:
            np.testing.assert_allclose(got[name], expected[name], rtol=rtol, atol=atol, err_msg=name)
    elif isinstance(expected, tuple):
        for g, e in zip(got, expected, strict=True):
            assert_same(g, e, atol, rtol)
    else:
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol)


@given(name=NAME, sizes=SIZES, seed=SEED)
def test_mask_of_ones_is_no_mask(name, sizes, seed):
    cell, X, h, dH, dh, _ = problem(name, sizes, seed)
    Y, last, tape = cell.forward(X, h)
    Y1, last1, tape1 = cell.forward(X, h, np.ones(X.shape[:2], bool))
    assert_same((Y1, last1), (Y, last), atol=0)
    assert_same(cell.backward(dH, tape1, dh), cell.backward(dH, tape, dh), atol=0)


@cells
def test_mask_of_zeros_keeps_the_state_and_hands_every_gradient_back(name):
    cell, X, h, dH, dh, _ = problem(name, (5, 2, 3, 4), 0)
    Y, last, tape = cell.forward(X, h, np.zeros((5, 2), bool))
    dX, dstate, grads = cell.backward(dH, tape, dh)
    assert (h[0] == Y).all()
    assert_same(last, h, atol=0)
    assert_same(dstate, (dH.sum(axis=0) + dh[0], *dh[1:]))
    assert not dX.any()
    assert not any(g.any() for g in grads.values())


@given(name=NAME, sizes=SIZES, seed=SEED, pads=st.integers(1, 4))
def test_pads_change_nothing(name, sizes, seed, pads):
    """Other values at the pads, and more pads, leave states and gradients bit for bit as they were."""
    cell, X, h, dH, dh, rng = problem(name, sizes, seed)
    T, B, _ = X.shape
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, B)
    dH *= mask[..., None]
    Y, last, tape = cell.forward(X, h, mask)
    expected = cell.backward(dH, tape, dh)
    other = np.where(mask[..., None], X, 1e6 * rng.normal(size=X.shape))
    Y1, last1, tape1 = cell.forward(other, h, mask)
    assert_same((Y1, last1), (Y, last), atol=0)
    assert_same(cell.backward(dH, tape1, dh), expected, atol=1e-9)

    def grow(a):
        return np.concatenate([a, np.zeros((pads, *a.shape[1:]), a.dtype)])

    Y2, last2, tape2 = cell.forward(grow(X), h, grow(mask))
    dX2, dstate2, grads2 = cell.backward(grow(dH), tape2, dh)
    assert_same((Y2[:T], last2), (Y, last))
    assert_same((dX2[:T], dstate2, grads2), expected)
    assert not dX2[T:].any()


@given(name=NAME, sizes=SIZES, seed=SEED)
def test_batch_permutation_commutes(name, sizes, seed):
    cell, X, h, dH, dh, rng = problem(name, sizes, seed)
    mask, order = rng.random(X.shape[:2]) < 0.7, rng.permutation(X.shape[1])

    def reorder(state):
        return tuple(s[order] for s in state)

    Y, last, tape = cell.forward(X, h, mask)
    dX, dstate, grads = cell.backward(dH, tape, dh)
    Yp, lastp, tapep = cell.forward(X[:, order], reorder(h), mask[:, order])
    assert_same((Yp, lastp), (Y[:, order], reorder(last)))
    assert_same(cell.backward(dH[:, order], tapep, reorder(dh)), (dX[:, order], reorder(dstate), grads))


@given(name=NAME, sizes=SIZES, seed=SEED, cut=st.integers(0, 6))
def test_the_past_does_not_see_the_future(name, sizes, seed, cut):
    cell, X, h, _, _, rng = problem(name, sizes, seed)
    changed = X.copy()
    changed[cut:] += rng.normal(size=changed[cut:].shape)
    assert_same(cell.forward(changed, h)[0][:cut], cell.forward(X, h)[0][:cut])


@given(name=NAME, sizes=SIZES, seed=SEED, cut=st.integers(1, 5), masked=st.booleans())
def test_chunks_that_hand_the_gradient_back_are_full_bptt(name, sizes, seed, cut, masked):
    cell, X, h, dH, dh, rng = problem(name, (sizes[0] + 1, *sizes[1:]), seed)
    cut = min(cut, len(X) - 1)
    mask = rng.random(X.shape[:2]) < 0.7 if masked else None
    Y, last, tape = cell.forward(X, h, mask)
    dX, dstate, grads = cell.backward(dH, tape, dh)

    head, tail = (None, None) if mask is None else (mask[:cut], mask[cut:])
    Y1, state, tape1 = cell.forward(X[:cut], h, head)
    Y2, last2, tape2 = cell.forward(X[cut:], state, tail)
    dX2, handed, grads2 = cell.backward(dH[cut:], tape2, dh)
    dX1, dstate1, grads1 = cell.backward(dH[:cut], tape1, handed)
    assert_same((np.concatenate([Y1, Y2]), last2), (Y, last))
    total = {key: grads1[key] + grads2[key] for key in grads}
    assert_same((np.concatenate([dX1, dX2]), dstate1, total), (dX, dstate, grads))


@given(name=NAME, sizes=SIZES, seed=SEED, k1=st.integers(1, 7), more=st.integers(0, 3))
def test_truncation_beyond_the_start_is_full_bptt(name, sizes, seed, k1, more):
    cell, X, h, dH, _, _ = problem(name, sizes, seed)
    _, _, tape = cell.forward(X, h)
    k2 = max(k1, len(X)) + more
    assert_same(truncated_bptt(cell, dH, tape, k1, k2), cell.backward(dH, tape)[2])


@given(name=NAME, sizes=SIZES, seed=SEED, k=st.integers(1, 5))
def test_equal_k1_and_k2_are_chunks_without_hand_back(name, sizes, seed, k):
    cell, X, state, dH, _, _ = problem(name, (k * sizes[0], *sizes[1:]), seed)
    _, _, tape = cell.forward(X, state)
    total = {key: np.zeros_like(p) for key, p in cell.params.items()}
    for a in range(0, len(X), k):
        _, state, chunk = cell.forward(X[a : a + k], state)
        for key, g in cell.backward(dH[a : a + k], chunk)[2].items():
            total[key] += g
    assert_same(truncated_bptt(cell, dH, tape, k, k), total)


@given(
    name=NAME,
    sizes=st.tuples(st.integers(1, 9), *[st.integers(1, 3)] * 3),
    seed=SEED,
    k1=st.integers(1, 4),
    more=st.integers(0, 4),
)
def test_truncated_gradient_loss_by_loss(name, sizes, seed, k1, more):
    """Each loss alone through autograd, cut before the window of the update that it belongs to."""
    cell, X, h, dH, _, rng = problem(name, sizes, seed)
    T, k2, mask = len(X), k1 + more, rng.random(X.shape[:2]) < 0.8
    total = {key: np.zeros_like(p) for key, p in cell.params.items()}
    for t in range(T):
        update = min(T, (t // k1 + 1) * k1)
        states, leaves = autograd(cell, X, h, mask, detach_at=max(0, update - k2))
        (states[t][0] * torch.tensor(dH[t])).sum().backward()
        for key, grad in gradients(cell, leaves)[2].items():
            total[key] += grad
    # Sums of many large terms: a layer norm's gradients come near 100, which float64 knows to 1e-14.
    assert_same(truncated_bptt(cell, dH, cell.forward(X, h, mask)[2], k1, k2), total, rtol=1e-12)


def test_truncation_drops_something():
    cell, X, h, dH, _, _ = problem("LSTM", (12, 2, 3, 4), 0)
    _, _, tape = cell.forward(X, h)
    full = cell.backward(dH, tape)[2]["W_h"]
    assert abs(truncated_bptt(cell, dH, tape, 1, 2)["W_h"] - full).max() > 0.1


@cells
@pytest.mark.parametrize("masked", [False, True])
def test_blocks_of_the_tape_change_no_bit(monkeypatch, name, masked):
    cell, X, h, dH, dh, rng = problem(name, (90, 8, 5, 64), 0)
    mask = rng.random((90, 8)) < 0.8 if masked else None
    _, _, tape = cell.forward(X, h, mask)
    assert tape.gates.nbytes > recurrence.CACHE, "expected a tape of several blocks"
    assert len(blocks(90, tape.gates[0].nbytes)) > 1
    several = cell.backward(dH, tape, dh)
    for size in (1, 2**40):  # one step a block; everything in one block
        monkeypatch.setattr(recurrence, "CACHE", size)
        assert_same(cell.backward(dH, tape, dh), several, atol=0)


@given(T=st.integers(1, 50), nbytes=st.integers(1, 2 * recurrence.CACHE))
def test_blocks_cover_every_step_once_from_the_last(T, nbytes):
    intervals = blocks(T, nbytes)
    assert [t for a, z in intervals for t in reversed(range(a, z))] == list(range(T - 1, -1, -1))
    assert all((z - a) * nbytes <= recurrence.CACHE or z - a == 1 for a, z in intervals)


@cells
@pytest.mark.parametrize("masked", [False, True])
def test_no_argument_is_written_to(name, masked):
    cell, X, h, dH, dh, rng = problem(name, (6, 3, 2, 4), 0)
    mask = rng.random((6, 3)) < 0.6 if masked else None
    before = [a.copy() for a in (X, *h, dH, *dh, *cell.params.values())]
    _, _, tape = cell.forward(X, h, mask)
    left = [a.copy() for a in tape[:3]]
    cell.backward(dH, tape, dh)
    truncated_bptt(cell, dH, tape, 2, 3)
    for old, new in zip(before + left, [X, *h, dH, *dh, *cell.params.values(), *tape[:3]], strict=True):
        assert (old == new).all()


def test_a_tape_can_be_used_twice():
    cell, X, h, dH, dh, _ = problem("LSTM", (6, 3, 2, 4), 0)
    _, _, tape = cell.forward(X, h)
    assert_same(cell.backward(dH, tape, dh), cell.backward(dH, tape, dh), atol=0)


def test_no_state_is_zeros_and_no_dstate_is_zeros():
    cell, X, _, dH, _, _ = problem("LSTM", (4, 2, 3, 5), 0)
    zeros = (np.zeros((2, 5)), np.zeros((2, 5)))
    Y, _, tape = cell.forward(X)
    assert_same(Y, cell.forward(X, zeros)[0], atol=0)
    assert_same(cell.backward(dH, tape), cell.backward(dH, tape, zeros), atol=0)


def test_a_state_may_be_a_list():
    cell, X, h, dH, dh, _ = problem("LSTM", (4, 2, 3, 5), 0)
    Y, _, tape = cell.forward(X, list(h))
    assert_same(Y, cell.forward(X, h)[0], atol=0)
    assert_same(cell.backward(dH, tape, list(dh)), cell.backward(dH, tape, dh), atol=0)


def test_linearize_gets_the_states_before_and_after_its_steps(monkeypatch):
    class Spy(RNN):
        def linearize(self, gates, prev, new):
            seen.append((gates, prev, new))
            return super().linearize(gates, prev, new)

    seen, cell = [], Spy(3, 5, np.random.default_rng(0))
    Y, _, tape = cell.forward(np.random.default_rng(1).normal(size=(7, 2, 3)))
    monkeypatch.setattr(recurrence, "CACHE", 3 * tape.gates[0].nbytes)
    cell.backward(np.ones_like(Y), tape)
    states = np.concatenate([np.zeros((1, 2, 5)), Y])
    assert [len(gates) for gates, _, _ in seen] == [3, 3, 1]
    for (gates, prev, new), a, z in zip(seen, (4, 1, 0), (7, 4, 1), strict=True):
        assert_same((prev[0], new[0], gates), (states[a:z], states[a + 1 : z + 1], Y[a:z]), atol=0)


def test_last_output_is_the_last_state():
    cell, X, h, _, _, _ = problem("LSTM", (4, 2, 3, 5), 0)
    Y, last, tape = cell.forward(X, h)
    assert (Y[-1] == last[0]).all()
    assert (tape.states[0, 0] == h[0]).all()


def test_steps_of_a_tape_are_the_tape_of_the_steps():
    cell, X, h, _, _, rng = problem("LSTM", (6, 2, 3, 4), 0)
    for mask in (None, rng.random((6, 2)) < 0.7):
        _, _, tape = cell.forward(X, h, mask)
        part = tape.steps(2, 5)
        again = cell.forward(X[2:5], tuple(tape.states[:, 2]), None if mask is None else mask[2:5])[2]
        for name in ("X", "states", "gates"):
            np.testing.assert_allclose(getattr(part, name), getattr(again, name), rtol=0, atol=1e-14, err_msg=name)
            assert np.shares_memory(getattr(part, name), getattr(tape, name)), name
        assert (part.mask is None) == (mask is None)
        assert mask is None or (part.mask == again.mask).all()


def test_arrays_of_any_layout_give_the_same():
    cell, X, h, dH, dh, _ = problem("LSTM", (6, 3, 2, 4), 0)
    _, _, tape = cell.forward(X, h)
    expected = cell.backward(dH, tape, dh)

    def batch_first(a):  # what X.transpose(1, 0, 2) of a (B, T, D) array looks like
        return a.transpose(1, 0, 2).copy().transpose(1, 0, 2)

    _, _, tape = cell.forward(batch_first(X), tuple(np.asfortranarray(s) for s in h))
    assert_same(cell.backward(batch_first(dH), tape, dh), expected)
