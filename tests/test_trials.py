"""Trials train each network as it would be trained alone."""

import numpy as np
import pytest

from rnncourse import optim
from rnncourse.cells import LSTM
from rnncourse.data import adding, recall
from rnncourse.layers import Linear, Stacked
from rnncourse.losses import from_step, softmax_cross_entropy, squared_error
from rnncourse.train import train_step
from rnncourse.trials import AdamEach, Trial, train_each

K, H, T, B = 3, 6, 5, 4


def draw_recall(T, B, rng):
    return recall(T, B, K, rng)


def make(D, T, rng):
    return LSTM(D, H, rng, np.float32)


RECALL = Trial(draw_recall, K + 1, K, softmax_cross_entropy, updates=25, goal=0.0)
ADDING = Trial(adding, 2, 1, squared_error, updates=25, goal=0.0)


def trained_alone(trial, rate, seed):
    """The network of one seed, and the losses of its training."""
    rng = np.random.default_rng(seed)
    model = Stacked(make(trial.D, T, rng), Linear(H, trial.Q, rng, np.float32))
    adam, losses = optim.Adam(model.params, rate), []
    for _ in range(trial.updates):
        X, targets = trial.draw(T, B, rng)
        if targets.dtype.kind == "f":
            targets = targets.astype(np.float32)
        loss = from_step(-1, trial.loss)
        losses.append(train_step(model, X.astype(np.float32), targets, loss, adam, max_norm=1.0)[0])
    return model, losses


@pytest.mark.parametrize("trial", [RECALL, ADDING], ids=["recall", "adding"])
def test_networks_side_by_side_learn_what_each_learns_alone(trial):
    rates, seeds = [0.03, 0.003], [7, 8]
    model, recent = train_each(make, trial, T, rates, seeds, B)
    for s, (rate, seed) in enumerate(zip(rates, seeds, strict=True)):
        alone, losses = trained_alone(trial, rate, seed)
        assert recent[s] == pytest.approx(np.mean(losses[-20:]), abs=1e-4)
        for name, p in alone.params.items():
            ours = model.params[name.replace("0.", "cell.").replace("1.", "head.")][s].reshape(p.shape)
            assert abs(ours - p).max() < 1e-3, name


def test_training_stops_at_the_goal():
    seen = []

    def enough(there):
        seen.append(there)
        return there.any()

    easy = RECALL._replace(goal=100.0, updates=1000)
    train_each(make, easy, T, [0.01] * 2, range(2), B, enough)
    assert len(seen) == 1, f"expected training to stop when the mean of 20 losses is known, got {len(seen)} looks"
    assert seen[0].shape == (2,)


def test_training_stops_after_the_updates():
    drawn = []

    def draw(T, B, rng):
        drawn.append(T)
        return recall(T, B, K, rng)

    train_each(make, RECALL._replace(draw=draw, updates=3), T, [0.01] * 2, range(2), B)
    assert drawn == [T] * 6


def test_a_batch_holds_what_each_generator_draws():
    X, targets = ADDING.batch(T, B, [np.random.default_rng(s) for s in (3, 4)])
    assert X.shape == (T, 2, B, 2) and targets.shape == (2, B, 1) and X.dtype == targets.dtype == np.float32
    x, y = adding(T, B, np.random.default_rng(4))
    assert (X[:, 1] == x.astype(np.float32)).all() and (targets[1] == y[0].astype(np.float32)).all()


def test_each_network_has_its_own_loss():
    answers, targets = np.zeros((2, B, 1), np.float32), np.ones((2, B, 1), np.float32)
    targets[1] = 3
    values, gradients = ADDING.losses(answers, targets)
    assert values == pytest.approx([0.5, 4.5])
    assert gradients.shape == answers.shape and gradients[1] == pytest.approx(-3 / B)


def test_each_network_has_its_own_rate():
    theta, alone = np.zeros((2, 1, 3), np.float32), np.zeros((1, 3), np.float32)
    both, one = AdamEach({"θ": theta}, [0.1, 0.02]), optim.Adam({"θ": alone}, 0.02)
    rng = np.random.default_rng(0)
    for _ in range(4):
        g = rng.standard_normal((2, 1, 3)).astype(np.float32)
        both.step({"θ": g})
        one.step({"θ": g[1]})
    assert abs(theta[1] - alone).max() < 1e-6
