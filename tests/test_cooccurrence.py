"""Rows from neighbors: counted pair by pair, compared with chance, and as close to the matrix as rows can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.cooccurrence import closest_rows, cooccurrences, positive_pmi

V = 5
TEXTS = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=9).map(np.array), min_size=1, max_size=4)


@given(texts=TEXTS, reach=st.integers(1, 10))
def test_counts_are_those_of_all_pairs_within_reach(texts, reach):
    slowly = np.zeros((V, V))
    for ids in texts:
        for j, a in enumerate(ids):
            for k, b in enumerate(ids):
                slowly[a, b] += j != k and abs(j - k) <= reach
    assert (cooccurrences(texts, V, reach) == slowly).all()


@given(texts=TEXTS, reach=st.integers(1, 3))
def test_pmi_is_the_formula_entry_by_entry(texts, reach):
    C = cooccurrences(texts, V, reach)
    M = positive_pmi(C)
    for a in range(V):
        for b in range(V):
            expected = max(0.0, np.log(C[a, b] * C.sum() / (C[a].sum() * C[:, b].sum()))) if C[a, b] else 0.0
            assert M[a, b] == pytest.approx(expected, abs=1e-12)


def test_tokens_that_meet_as_often_as_by_chance_have_none():
    assert abs(positive_pmi(np.outer([1.0, 2.0, 5.0], [1.0, 2.0, 5.0]))).max() < 1e-12


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("D", [1, 2, 3])
def test_rows_miss_the_matrix_by_its_other_eigenvalues_alone(seed, D):
    A = np.random.default_rng(seed).normal(size=(7, 7))
    M = A + A.T
    rest = np.sort(np.linalg.eigvalsh(M))[: 7 - D]
    W = closest_rows(M, D)
    assert W.shape == (7, D)
    assert ((M - W @ W.T) ** 2).sum() == pytest.approx((rest**2).sum())


@pytest.mark.parametrize("seed", range(5))
def test_no_rows_nearby_are_closer(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(7, 7))
    M, W = A + A.T, closest_rows(A + A.T, 2)
    best = ((M - W @ W.T) ** 2).sum()
    for _ in range(20):
        moved = W + 0.1 * rng.normal(size=W.shape)
        assert ((M - moved @ moved.T) ** 2).sum() > best
