"""Padding keeps every sequence, the mask says where it is, and buckets hold each sequence once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.cells import RNN
from rnncourse.padding import bucket, length_mask, pad_left, pad_right, padding_share, reverse_padded

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=12).map(np.array)
SHAPES = st.sampled_from([(), (3,), (2, 2)])
BOTH = pytest.mark.parametrize("pad", [pad_left, pad_right])


def sequences(lengths, rest=(), dtype=np.int64):
    rng = np.random.default_rng(len(lengths))
    return [rng.integers(1, 50, (n, *rest)).astype(dtype) for n in lengths]


@given(LENGTHS)
def test_length_mask_is_true_for_the_first_steps_of_each_column(lengths):
    mask = length_mask(lengths)
    assert mask.shape == (max(lengths), len(lengths))
    assert [column.tolist() for column in mask.T] == [[t < n for t in range(max(lengths))] for n in lengths]


@BOTH
@given(lengths=LENGTHS, rest=SHAPES, dtype=st.sampled_from([np.int32, np.float32]), value=st.sampled_from([0, 7]))
def test_real_steps_are_the_sequence_and_all_others_the_value(pad, lengths, rest, dtype, value):
    many = sequences(lengths, rest, dtype)
    padded, mask = pad(many, value)
    assert padded.shape == (max(lengths), len(lengths), *rest)
    assert padded.dtype == dtype
    for b, sequence in enumerate(many):
        np.testing.assert_array_equal(padded[mask[:, b], b], sequence)
    assert (padded[~mask] == value).all()


@given(LENGTHS)
def test_right_is_behind_and_left_is_before(lengths):
    many = sequences(lengths)
    np.testing.assert_array_equal(pad_right(many)[1], length_mask(lengths))
    np.testing.assert_array_equal(pad_left(many)[1], length_mask(lengths)[::-1])


@BOTH
def test_pads_are_0_unless_said_otherwise(pad):
    padded, mask = pad(sequences([1, 3]))
    assert padded[~mask].tolist() == [0, 0]


@BOTH
@pytest.mark.parametrize(
    ("dtype", "value"),
    [(bool, 0), (bool, True), (np.uint8, 255), (int, 2.0), (np.float32, np.float64(0.1)), (np.float32, np.nan)],
)
def test_a_value_fits_if_the_dtype_can_hold_it(pad, dtype, value):
    padded, mask = pad(sequences([1, 3], dtype=dtype), value)
    assert padded.dtype == dtype
    np.testing.assert_array_equal(padded[~mask], np.full(2, value).astype(dtype))


@BOTH
@given(LENGTHS)
def test_a_masked_network_ends_where_each_sequence_alone_ends(pad, lengths):
    cell = RNN(3, 4, np.random.default_rng(0))
    many = sequences(lengths, (3,), np.float64)
    padded, mask = pad(many, value=1e3)
    together = cell.forward(padded, mask=mask)[1][0]
    for b, sequence in enumerate(many):
        np.testing.assert_allclose(together[b], cell.forward(sequence[:, None])[1][0][0], atol=1e-12)


@BOTH
@given(lengths=LENGTHS, rest=SHAPES)
def test_reversing_puts_the_reversed_sequence_in_the_same_places(pad, lengths, rest):
    many = sequences(lengths, rest)
    padded, mask = pad(many, value=-1)
    before = padded.copy()
    backwards = reverse_padded(padded, mask)
    np.testing.assert_array_equal(padded, before, "it changed what it was given")
    np.testing.assert_array_equal(backwards, pad([s[::-1] for s in many], value=-1)[0])
    np.testing.assert_array_equal(reverse_padded(backwards, mask), before)


def test_reversing_passes_over_gaps_and_leaves_empty_columns():
    X = np.array([[1, 2, 3, 4], [5, 6, 7, 8]]).T
    mask = np.array([[True, True, False, True], [False] * 4]).T
    assert reverse_padded(X, mask).T.tolist() == [[4, 2, 3, 1], [5, 6, 7, 8]]


@given(lengths=LENGTHS, B=st.integers(1, 13), seed=st.integers(0, 9))
def test_buckets_hold_every_sequence_once_and_no_longer_beside_shorter(lengths, B, seed):
    batches = bucket(lengths, B, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(batch) == B for batch in batches) or sorted(map(len, batches))[1:] == [B] * (len(batches) - 1)
    assert len(batches) == -(-len(lengths) // B)
    by_length = sorted((lengths[batch].tolist() for batch in batches), key=lambda batch: (min(batch), max(batch)))
    assert [n for batch in by_length for n in sorted(batch)] == sorted(lengths)


def test_epochs_differ_in_the_order_of_batches_and_in_who_sits_beside_whom():
    lengths = np.repeat([3, 1, 2], 8)
    epochs = [bucket(lengths, 4, np.random.default_rng(seed)) for seed in range(6)]
    orders = {tuple(lengths[batch[0]] for batch in epoch) for epoch in epochs}
    groups = {frozenset(frozenset(batch.tolist()) for batch in epoch) for epoch in epochs}
    assert len(orders) > 2, "the same order of lengths each time"
    assert len(groups) == 6, "the same company each time"
    again = bucket(lengths, 4, np.random.default_rng(0))
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in epochs[0]]


@given(lengths=LENGTHS, B=st.integers(1, 5))
def test_padding_share_is_what_padding_shows(lengths, B):
    many = sequences(lengths)
    batches = np.split(np.arange(len(lengths)), range(B, len(lengths), B))
    masks = [pad_right([many[k] for k in batch])[1].ravel() for batch in batches]
    assert padding_share(lengths, batches) == pytest.approx(1 - np.concatenate(masks).mean())


def test_batches_of_one_size_may_be_the_rows_of_an_array():
    lengths, rows = np.array([4, 1, 2, 2]), np.array([[0, 1], [2, 3]])
    assert padding_share(lengths, rows) == padding_share(lengths, list(rows)) == 0.25


@given(st.lists(st.integers(1, 50), min_size=12, max_size=12), st.integers(0, 5))
def test_buckets_waste_no_more_than_any_other_batches_of_that_size(lengths, seed):
    lengths, rng = np.array(lengths), np.random.default_rng(seed)
    shuffled = np.split(rng.permutation(12), 3)
    assert padding_share(lengths, bucket(lengths, 4, rng)) <= padding_share(lengths, shuffled) + 1e-12
