"""The array helpers against plain formulas; the checks are in test_errors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.arrays import (
    beside,
    expect,
    expect_ids,
    expect_mask,
    flat,
    log_softmax,
    one_hot,
    sigmoid,
    split,
    standardize,
    standardize_backward,
)
from rnncourse.gradcheck import numerical_gradient


def test_flat_is_a_view_with_time_outermost():
    X = np.arange(24).reshape(3, 2, 4)
    assert (flat(X) == [X[t, b] for t in range(3) for b in range(2)]).all()
    assert np.shares_memory(flat(X), X)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=9))
def test_sigmoid_equals_torch(values):
    a = np.array(values)
    np.testing.assert_allclose(sigmoid(a), torch.sigmoid(torch.tensor(a)), rtol=0, atol=1e-15)


@given(st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), min_size=1, max_size=5))
def test_log_softmax_equals_torch(rows):
    a = np.array(rows)
    np.testing.assert_allclose(log_softmax(a), torch.log_softmax(torch.tensor(a), dim=-1), rtol=1e-15, atol=1e-13)


def test_one_hot_rows_point_at_their_ids():
    ids = np.array([[0, 3], [2, 0]])
    rows = one_hot(ids, 4, np.float32)
    assert rows.shape == (2, 2, 4)
    assert rows.dtype == np.float32
    assert (rows.argmax(axis=-1) == ids).all()
    assert (rows.sum(axis=-1) == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_fits_is_handed_back(dtype):
    X, ids, mask = np.zeros((3, 2, 4), dtype), np.array([0, 4], np.uint8), np.zeros((3, 2), bool)
    assert expect("X", X, ("T", "B", 4), dtype) is X
    assert expect("X", X, ("T", 2, "D")) is X
    assert expect_ids("ids", ids, 5, ("n",)) is ids
    assert expect_mask("mask", mask, (3, 2)) is mask
    assert expect_mask("mask", None, (3, 2)) is None


def test_split_gives_views_in_order_and_beside_puts_them_together():
    a = np.arange(24.0).reshape(2, 2, 6)
    parts = split(a, 3)
    assert [part[0, 0].tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert all(np.shares_memory(part, a) for part in parts)
    assert (beside(*parts) == a).all()


def test_standardize_gives_mean_0_and_deviation_1_whatever_the_scale():
    s = np.random.default_rng(0).normal(3, 50, size=(4, 2, 9))
    n, scale = standardize(s)
    assert abs(n.mean(axis=-1)).max() < 1e-12
    assert abs(n.std(axis=-1) - 1).max() < 1e-6
    assert (scale.shape, abs(scale[..., 0] * s.std(axis=-1) - 1).max() < 1e-6) == ((4, 2, 1), True)
    assert not standardize(np.full((1, 4), 7.0))[0].any(), "equal numbers are all 0, not NaN"


def test_standardize_backward_equals_differences():
    rng = np.random.default_rng(1)
    s, dn = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    got = standardize_backward(dn, *standardize(s))
    expected = numerical_gradient(lambda: (standardize(s)[0] * dn).sum(), s)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)
