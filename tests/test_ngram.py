"""Counted models against counting by hand: probabilities that sum to one, losses that add up, samples that follow."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.decoding import draw
from rnncourse.losses import perplexity
from rnncourse.ngram import AddK, Interpolated, ngrams

V = 3
IDS = st.lists(st.integers(0, V - 1), min_size=1, max_size=30).map(np.array)
CONTEXT = st.lists(st.integers(0, V - 1), max_size=6).map(lambda ids: np.array(ids, int))
N = st.integers(1, 4)
MODELS = pytest.mark.parametrize(
    "model", [lambda ids, n: AddK(ids, n, V, 0.3), lambda ids, n: Interpolated(ids, n, V, 0.7)]
)
TEXT = np.random.default_rng(0).choice(V, 200, p=[0.6, 0.3, 0.1])


def count(ids, context, w):
    """How often `w` follows `context`: by looking at every place."""
    m = len(context)
    return sum(ids[t : t + m].tolist() == context and ids[t + m] == w for t in range(len(ids) - m))


def total(ids, context):
    return sum(count(ids, context, w) for w in range(V))


def recent(context, n):
    return context.tolist()[-(n - 1) :] if n > 1 else []


def interpolated(ids, context, w, weight):
    """From the longest context down: λ times the relative frequency, the rest to the shorter context."""
    shorter = interpolated(ids, context[1:], w, weight) if context else 1 / V
    if not total(ids, context):
        return shorter
    return weight * count(ids, context, w) / total(ids, context) + (1 - weight) * shorter


@given(ids=IDS, n=st.integers(1, 6))
def test_ngrams_are_the_windows(ids, n):
    assert list(ngrams(ids, n)) == [tuple(ids[t : t + n].tolist()) for t in range(len(ids) - n + 1)]


@given(ids=IDS, n=N, context=CONTEXT, k=st.floats(0.01, 5))
def test_add_k_adds_k_to_every_count(ids, n, context, k):
    c = recent(context, n)
    expected = [(count(ids, c, w) + k) / (total(ids, c) + k * V) for w in range(V)]
    np.testing.assert_allclose(AddK(ids, n, V, k).probabilities(context), expected, atol=1e-12)


@given(ids=IDS, n=N, context=CONTEXT, weight=st.floats(0.01, 0.99))
def test_interpolation_mixes_all_lengths_of_context(ids, n, context, weight):
    expected = [interpolated(ids, recent(context, n), w, weight) for w in range(V)]
    np.testing.assert_allclose(Interpolated(ids, n, V, weight).probabilities(context), expected, atol=1e-12)


def test_k_is_1_unless_said_otherwise():
    assert AddK(TEXT, 2, V).k == 1


@MODELS
@given(ids=IDS, n=N, context=CONTEXT)
def test_probabilities_sum_to_one_after_every_context_seen_or_not(model, ids, n, context):
    p = model(ids, n).probabilities(context)
    assert p.shape == (V,)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert (p > 0).all()


@MODELS
@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_texts_of_a_length_share_a_probability_of_one(model, n):
    """The chain rule: Σ over all V⁴ texts of Π_t P(w_t | …) is 1."""
    counted = model(TEXT, n)
    assert sum(np.exp(-counted.loss(np.array(w))) for w in product(range(V), repeat=4)) == pytest.approx(1, abs=1e-12)


@MODELS
@given(ids=IDS, n=N)
def test_loss_sums_over_every_token_given_what_came_before(model, ids, n):
    counted = model(TEXT, n)
    expected = -sum(np.log(counted.probabilities(ids[:t])[ids[t]]) for t in range(len(ids)))
    assert counted.loss(ids) == pytest.approx(expected)
    assert counted.perplexity(ids) == pytest.approx(perplexity(expected, len(ids)))


@MODELS
@given(first=IDS, second=IDS, n=N)
def test_losses_of_parts_add_up(model, first, second, n):
    counted = model(TEXT, n)
    whole = counted.loss(np.concatenate([first, second]))
    assert counted.loss(first) + counted.loss(second, context=first) == pytest.approx(whole)
    assert counted.perplexity(second, context=first) == pytest.approx(
        np.exp((whole - counted.loss(first)) / len(second))
    )


def test_perplexity_of_tokens_that_come_equally_often_is_their_number():
    ids = np.tile(np.arange(5), 4)
    assert AddK(ids, 1, 5).perplexity(ids) == pytest.approx(5)


@pytest.mark.parametrize(("n", "seen"), [(1, 3), (2, 5), (3, 5), (4, 4), (8, 0)])
def test_seen_counts_different_ngrams_of_length_n_alone(n, seen):
    assert AddK(np.array([0, 0, 1, 0, 0, 2, 0]), n, V).seen == seen


@MODELS
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("prompt", [None, np.array([], int), np.array([2, 0, 1, 1])])
def test_each_sampled_token_is_drawn_after_all_before_it(model, temperature, prompt):
    counted = model(TEXT, 3)
    tokens = counted.sample(prompt, 40, np.random.default_rng(1), temperature)
    before, rng = [] if prompt is None else prompt.tolist(), np.random.default_rng(1)
    for token in tokens.tolist():
        assert token == draw(np.log(counted.probabilities(np.array(before, int))), rng, temperature)
        before.append(token)
    assert tokens.shape == (40,)
    assert len(set(tokens.tolist())) > 1, "a sample with nothing to tell apart"


def test_temperature_is_1_unless_said_otherwise():
    a, b = (AddK(TEXT, 2, V).sample(None, 50, np.random.default_rng(4), *t).tolist() for t in ((), (1.0,)))
    assert a == b


def test_a_sample_has_the_frequencies_of_the_text():
    tokens = AddK(TEXT, 1, V, 1e-6).sample(None, 20000, np.random.default_rng(0))
    expected = 20000 * np.bincount(TEXT) / len(TEXT)
    assert ((np.bincount(tokens, minlength=V) - expected) ** 2 / expected).sum() < 13.82  # 2 degrees of freedom, 0.1 %
