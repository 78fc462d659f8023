"""The training loop takes the steps it says, carries the state, and stops when the loss is lost."""

import io
import sys

import numpy as np
import pytest
import torch

from rnncourse.cells import RNN
from rnncourse.interop import to_torch
from rnncourse.layers import Dropout, Linear, Stacked
from rnncourse.losses import softmax_cross_entropy, squared_error
from rnncourse.optim import SGD, Adam
from rnncourse.recurrence import truncated_bptt
from rnncourse.train import fit, progress, train_step


def model(seed=0):
    rng = np.random.default_rng(seed)
    return Stacked(RNN(3, 5, rng), Linear(5, 4, rng))


def batches(n=3, T=4, B=2):
    rng = np.random.default_rng(1)
    return [(rng.normal(size=(T, B, 3)), rng.integers(0, 4, (T, B))) for _ in range(n)]


class Recorder:
    """An optimizer that keeps the gradients and changes nothing."""

    def __init__(self):
        self.grads = []

    def step(self, grads):
        self.grads.append({name: g.copy() for name, g in grads.items()})


def test_training_equals_torch_step_by_step():
    ours = model()
    rnn, head = (to_torch(layer) for layer in ours.layers)
    parameters = [rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, head.weight, head.bias]
    rnn.bias_hh_l0.requires_grad_(False)
    optimizer = torch.optim.Adam(parameters, 0.01)
    losses = fit(ours, batches(6), softmax_cross_entropy, Adam(ours.params, 0.01), max_norm=0.1, carry_state=True)
    state, expected = None, []
    for X, targets in batches(6):
        H, state = rnn(torch.tensor(X), state)
        state = state.detach()
        loss = torch.nn.functional.cross_entropy(head(H).reshape(-1, 4), torch.tensor(targets).flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters])
        for p in parameters:
            p.grad *= min(1.0, 0.1 / norm.item())
        optimizer.step()
        expected.append(loss.item())
    np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.params["0.W_h"], rnn.weight_hh_l0.detach().T, rtol=0, atol=1e-8)
    assert min(norm.item(), losses[-1]) > 0.1, "clipping was never at work"


def test_carried_state_is_one_long_run_of_truncated_bptt():
    """With parameters at rest, the chunks' gradients and losses add up to those of truncated_bptt(k, k)."""
    rng = np.random.default_rng(0)
    cell, X, targets = RNN(3, 4, rng), rng.normal(size=(12, 2, 3)), rng.normal(size=(12, 2, 4))
    chunks = [(X[a : a + 4], targets[a : a + 4]) for a in (0, 4, 8)]
    recorder = Recorder()
    losses = fit(cell, chunks, squared_error, recorder, carry_state=True)
    Y, _, tape = cell.forward(X)
    loss, dY = squared_error(Y, targets)
    expected = truncated_bptt(cell, dY, tape, 4, 4)
    assert losses.mean() == pytest.approx(loss, abs=1e-12)
    for name in expected:
        total = sum(g[name] for g in recorder.grads) / 3
        np.testing.assert_allclose(total, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_without_carrying_each_batch_starts_from_zeros():
    network, recorder = model(), Recorder()
    losses = fit(network, batches(), softmax_cross_entropy, recorder)
    alone = [softmax_cross_entropy(network.forward(X)[0], targets)[0] for X, targets in batches()]
    assert losses.tolist() == alone
    assert losses.dtype == np.float64
    assert fit(network, batches(), softmax_cross_entropy, recorder, carry_state=True)[1] != alone[1]


def test_batches_with_masks():
    network, recorder = model(), Recorder()
    mask = np.array([[True, True], [False, True], [True, False], [True, False]])
    [(X, targets)] = batches(1)
    [loss] = fit(network, [(X, targets, mask)], softmax_cross_entropy, recorder)
    Y, _, tape = network.forward(X, mask=mask)
    expected, dY = softmax_cross_entropy(Y, targets, mask)
    assert loss == expected
    assert (recorder.grads[0]["0.W_h"] == network.backward(dY, tape)[2]["0.W_h"]).all()


def test_train_step_clips_only_when_told():
    [(X, targets)] = batches(1)
    free, bound = Recorder(), Recorder()
    train_step(model(), X, targets, softmax_cross_entropy, free)
    train_step(model(), X, targets, softmax_cross_entropy, bound, max_norm=1e-3)
    norms = [np.sqrt(sum((g**2).sum() for g in r.grads[0].values())) for r in (free, bound)]
    assert norms[0] > 0.1
    assert norms[1] == pytest.approx(1e-3)


def test_train_step_returns_the_loss_before_and_the_last_state():
    network, [(X, targets)] = model(), batches(1)
    Y, expected, _ = network.forward(X)
    before = softmax_cross_entropy(Y, targets)[0]
    loss, state = train_step(network, X, targets, softmax_cross_entropy, SGD(network.params, 0.1))
    assert loss == before
    assert (state[0][0] == expected[0][0]).all()
    assert softmax_cross_entropy(network.forward(X)[0], targets)[0] < before


def test_train_step_hands_its_generator_to_the_model():
    class Spy(Linear):
        def forward(self, X, state=None, mask=None, rng=None):
            seen.append(rng)
            return super().forward(X, state, mask, rng)

    seen, rng, [(X, targets)] = [], np.random.default_rng(0), batches(1)
    train_step(Spy(3, 4, rng), X, targets, softmax_cross_entropy, Recorder(), rng=rng)
    assert seen == [rng]


def test_a_loss_that_is_not_finite_stops_the_run_before_the_update_and_says_where():
    network = Linear(1, 1, np.random.default_rng(0))
    X, recorder = np.ones((1, 1, 1)), Recorder()
    data = [(X, 0 * X), (X, 0 * X), (X, 1e200 * X), (X, 0 * X)]
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match="a finite loss, got inf") as caught:
        fit(network, data, squared_error, recorder)
    assert caught.value.__notes__ == ["(training, batch 2)"]
    assert len(recorder.grads) == 2


def test_a_run_that_diverges_says_where_and_leaves_finite_parameters():
    network, rng = (
        Stacked(RNN(3, 5, np.random.default_rng(0)), Linear(5, 4, np.random.default_rng(1))),
        np.random.default_rng(2),
    )
    X, targets = rng.normal(size=(20, 2, 3)), rng.normal(size=(20, 2, 4))
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match="a finite loss, got inf") as caught:
        fit(network, [(X, targets)] * 400, squared_error, SGD(network.params, 1e3), name="too fast")
    assert caught.value.__notes__[0].startswith("(too fast, batch ")
    assert all(np.isfinite(p).all() for p in network.params.values())


def test_a_wrong_batch_is_named():
    network, data = model(), batches(3)
    data[1] = (data[1][0], data[1][1] + 4)
    with pytest.raises(ValueError, match="expected targets between 0 and 3") as caught:
        fit(network, data, softmax_cross_entropy, Recorder())
    assert caught.value.__notes__ == ["(training, batch 1)"]


def test_same_seed_same_bits():
    one, two = model(), model()
    losses = [fit(m, batches(5), softmax_cross_entropy, Adam(m.params, 0.01), max_norm=1.0) for m in (one, two)]
    assert losses[0].tobytes() == losses[1].tobytes()
    assert all(one.params[name].tobytes() == two.params[name].tobytes() for name in one.params)


def test_a_schedule_counts_batches_across_calls():
    one, two = model(), model()
    rates = [0.3, 0.1, 0.0, 0.2]
    scheduled = SGD(one.params, lambda k: rates[k - 1])
    fit(one, batches(2), softmax_cross_entropy, scheduled)
    fit(one, batches(2), softmax_cross_entropy, scheduled)
    for lr, batch in zip(rates, batches(2) * 2, strict=True):
        if lr:
            fit(two, [batch], softmax_cross_entropy, SGD(two.params, lr))
    assert all((one.params[name] == two.params[name]).all() for name in one.params)


def test_no_batches_no_losses():
    assert fit(model(), [], softmax_cross_entropy, Recorder()).shape == (0,)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shown"), [(io.StringIO, False), (Terminal, True)])
def test_progress_speaks_to_a_terminal_alone(monkeypatch, stream, shown):
    monkeypatch.setattr(sys, "stderr", stream())
    bar = progress(range(3), "counting")
    bar.delay = 0
    assert list(bar) == [0, 1, 2]
    assert ("counting" in sys.stderr.getvalue()) == shown


def test_fit_drops_only_when_given_a_generator():
    kept = []

    class Spy(Dropout):
        def apply(self, X, rng):
            Y, slopes = super().apply(X, rng)
            kept.append(float((slopes > 0).mean()))
            return Y, slopes

    rng = np.random.default_rng(0)
    network = Stacked(RNN(3, 50, rng), Spy(0.5), Linear(50, 4, rng))
    fit(network, batches(2), softmax_cross_entropy, SGD(network.params, 0.1))
    assert kept == [1, 1]
    fit(network, batches(2), softmax_cross_entropy, SGD(network.params, 0.1), rng=rng)
    assert all(0.3 < share < 0.7 for share in kept[2:])
    assert kept[2] != kept[3]


def test_a_note_says_in_which_batch_any_error_came():
    wrong = [*batches(1), (np.zeros((4, 2, 3), np.float32), np.zeros((4, 2), int))]
    network = model()
    with pytest.raises(TypeError, match=r"dtype float64") as caught:
        fit(network, wrong, softmax_cross_entropy, SGD(network.params, 0.1))
    assert "(training, batch 1)" in caught.value.__notes__
