"""Sampling draws from the model's distribution, and carries the state as teacher forcing does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.arrays import one_hot
from rnncourse.cells import RNN
from rnncourse.decoding import draw, sample
from rnncourse.layers import Linear, Stacked


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
