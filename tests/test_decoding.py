"""Sampling draws from the model's distribution, and carries the state as teacher forcing does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.arrays import one_hot
from rnncourse.cells import RNN
from rnncourse.decoding import draw, greedy, sample
from rnncourse.layers import Embedding, Frozen, Linear, Stacked


def model(V=5, H=7, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    network = Stacked(RNN(V, H, rng, dtype), Linear(H, V, rng, dtype))
    for name in ("0.W_x", "0.W_h", "1.W"):
        network.params[name] *= 2
    return network


class Fixed:
    """A generator whose next uniform number is known."""

    def __init__(self, u):
        self.u = u

    def random(self):
        return self.u


@given(p=st.lists(st.floats(0.01, 1), min_size=1, max_size=6), u=st.floats(0, 1, exclude_max=True))
def test_draw_inverts_the_cumulative_sum(p, u):
    p = np.array(p) / sum(p)
    k = draw(np.log(p), Fixed(u))
    assert p[:k].sum() - 1e-12 <= u <= p[: k + 1].sum() + 1e-12


def test_draw_never_takes_the_impossible():
    logits = np.array([-1e9, 0.0, -1e9, 0.0])
    assert [draw(logits, Fixed(u)) for u in (0.0, 0.49, 0.51, 1 - 2**-53)] == [1, 1, 3, 3]


def test_draw_is_the_same_in_float32_as_in_float64():
    """Added up in float32, fifty thousand probabilities are off by more than one of them."""
    logits = np.random.default_rng(0).normal(size=50000).astype(np.float32)
    for u in np.linspace(0.5, 1 - 1e-6, 20):
        assert draw(logits, Fixed(u), 0.7) == draw(logits.astype(np.float64), Fixed(u), 0.7)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_draw_divides_by_the_temperature(temperature):
    logits = np.array([0.3, -1.0, 2.0])
    for u in np.linspace(0, 0.999, 50):
        assert draw(logits, Fixed(u), temperature) == draw(logits / temperature, Fixed(u))


def test_draw_survives_rounding_at_the_upper_end():
    """Seven equal parts sum to a little less than 1 in float32."""
    logits = np.zeros(7, np.float32)
    assert draw(logits, Fixed(1 - 2**-53)) == 6


def test_frequencies_pass_a_chi_square_test():
    p = np.array([0.05, 0.1, 0.2, 0.65])
    rng = np.random.default_rng(0)
    counts = np.bincount([draw(np.log(p), rng) for _ in range(20000)], minlength=4)
    chi_square = ((counts - 20000 * p) ** 2 / (20000 * p)).sum()
    assert chi_square < 16.27  # 3 degrees of freedom, 0.1 %


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_first_token_follows_softmax_of_logits_over_temperature(temperature):
    """The cumulative sum, found by bisection of u, is that of softmax(logits / temperature)."""
    network, prompt = model(), np.array([2, 0, 4])
    logits = network.forward(one_hot(prompt, 5)[:, None])[0][-1, 0] / temperature
    p = np.exp(logits - logits.max())
    p /= p.sum()
    rng = np.random.default_rng(1)
    counts = np.bincount([sample(network, prompt, 1, rng, temperature)[0] for _ in range(4000)], minlength=5)
    assert ((counts - 4000 * p) ** 2 / (4000 * p)).sum() < 18.47  # 4 degrees of freedom, 0.1 %


@pytest.mark.parametrize("temperature", [0.7, 1.0])
@pytest.mark.parametrize("n", [1, 4])
def test_every_token_is_the_one_teacher_forcing_would_draw(n, temperature):
    """One pass over prompt + sample, without sampling, gives the same logits, so the same u gives the same tokens."""
    network, prompt = model(), np.arange(n)
    tokens = sample(network, prompt, 12, np.random.default_rng(3), temperature)
    logits = network.forward(one_hot(np.concatenate([prompt, tokens]), 5)[:, None])[0][:, 0]
    rng = np.random.default_rng(3)
    assert tokens.tolist() == [draw(logits[n - 1 + k] / temperature, rng) for k in range(12)]
    assert len(set(tokens)) > 2, "a sample with nothing to tell apart"


def test_prompt_matters():
    network = model()
    starts = {tuple(sample(network, np.array([k, 3]), 12, np.random.default_rng(0))) for k in range(5)}
    assert len(starts) > 1


def test_cold_samples_are_the_likeliest_tokens():
    network, prompt = model(), np.array([1])
    tokens = sample(network, prompt, 10, np.random.default_rng(0), temperature=1e-6)
    logits = network.forward(one_hot(np.concatenate([prompt, tokens]), 5)[:, None])[0][:, 0]
    assert tokens.tolist() == logits[:-1].argmax(axis=-1).tolist()


def test_same_seed_same_tokens_and_another_seed_others():
    network, prompt = model(), np.array([0])
    one, two, other = (sample(network, prompt, 30, np.random.default_rng(seed)).tolist() for seed in (5, 5, 6))
    assert one == two != other


def test_float32_model_samples_ids():
    tokens = sample(model(dtype=np.float32), np.array([0]), 20, np.random.default_rng(0))
    assert tokens.dtype.kind == "i"
    assert tokens.shape == (20,)
    assert 0 <= tokens.min() <= tokens.max() < 5


def test_greedy_takes_the_likeliest_token_given_all_before_it():
    network, prompt = model(), np.array([1, 3, 0])
    tokens = greedy(network, prompt, 15)
    logits = network.forward(one_hot(np.concatenate([prompt, tokens]), 5)[:, None])[0][:, 0]
    assert tokens.tolist() == logits[2:-1].argmax(axis=-1).tolist()
    assert tokens.dtype.kind == "i"


def test_greedy_takes_the_first_of_equally_likely_tokens():
    head = Linear(4, 4, np.random.default_rng(0))
    head.W[:], head.b[:] = 0, [0, 1, 1, 0]
    assert greedy(head, np.array([0]), 3).tolist() == [1, 1, 1]


@pytest.mark.parametrize("wrap", [lambda layer: layer, Frozen])
@pytest.mark.parametrize("H", [3, 9])
def test_a_model_that_takes_ids_says_what_its_one_hot_twin_says(wrap, H):
    """An embedding is a one-hot vector times its table, so it can be multiplied into W_x."""
    rng = np.random.default_rng(2)
    table, cell, head = Embedding(5, 8, rng), RNN(8, H, rng), Linear(H, 5, rng)
    head.W *= 4
    twin = RNN(5, H, rng)
    twin.W_x[:], twin.W_h[:], twin.b[:] = table.W @ cell.W_x, cell.W_h, cell.b
    embedded, one_hots, prompt = Stacked(wrap(table), cell, head), Stacked(twin, head), np.array([4, 0, 2])
    a = sample(embedded, prompt, 25, np.random.default_rng(0), 0.8, encode=np.asarray)
    b = sample(one_hots, prompt, 25, np.random.default_rng(0), 0.8)
    assert a.tolist() == b.tolist()
    assert greedy(embedded, prompt, 25, encode=np.asarray).tolist() == greedy(one_hots, prompt, 25).tolist()
    assert len(set(a.tolist())) > 2, "a sample with nothing to tell apart"


def test_the_model_reads_each_token_once_and_the_last_not_at_all(monkeypatch):
    network, read = model(), []
    forward = Stacked.forward
    monkeypatch.setattr(Stacked, "forward", lambda self, X, *rest: (read.append(X), forward(self, X, *rest))[1])
    tokens = sample(network, np.array([1, 2]), 6, np.random.default_rng(0))
    assert np.concatenate(read).argmax(axis=-1)[:, 0].tolist() == [1, 2, *tokens[:-1]]


@pytest.mark.parametrize("temperature", [1e-300, 1e-310])
def test_a_temperature_near_zero_draws_the_likeliest(temperature):
    assert draw(np.array([1.0, 2.0, 5.0, 3.0]), np.random.default_rng(0), temperature) == 2


def test_a_frozen_head_needs_encode_and_samples_the_same():
    thawed = model()
    frozen = Stacked(thawed.layers[0], Frozen(thawed.layers[1]))
    prompt = np.array([1, 4])
    drawn = sample(frozen, prompt, 9, np.random.default_rng(0), encode=lambda ids: one_hot(ids, 5))
    assert (drawn == sample(thawed, prompt, 9, np.random.default_rng(0))).all()
