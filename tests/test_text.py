"""Vocabulary and contiguous batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.text import Vocabulary, contiguous_batches


@given(st.text(min_size=1))
def test_decode_undoes_encode(text):
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.dtype.kind == "i"
    assert set(ids.tolist()) == set(range(len(vocabulary)))


def test_ids_are_places_in_sorted_order_whatever_the_text_order():
    assert Vocabulary("cab").tokens == Vocabulary("abcabc").tokens == ["a", "b", "c"]


def test_empty_string_is_no_ids():
    vocabulary = Vocabulary("ab")
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode([]) == vocabulary.decode(vocabulary.encode("")) == ""


@given(B=st.integers(1, 5), T=st.integers(1, 6), n=st.integers(2, 120))
def test_windows_joined_are_strips_of_the_text_and_targets_come_one_later(B, T, n):
    ids = np.random.default_rng(n).integers(0, 50, n)
    if n < B * T + 1:
        with pytest.raises(ValueError, match=rf"B·T \+ 1 = {B * T + 1} ids for one window, got {n}"):
            contiguous_batches(ids, B, T)
        return
    inputs, targets = contiguous_batches(ids, B, T)
    windows = len(inputs)
    assert inputs.shape == targets.shape == (windows, T, B)
    assert windows * B * T <= n - 1 < (windows + 1) * B * T, "as many windows as fit"
    length = windows * T
    for b in range(B):
        assert inputs[:, :, b].ravel().tolist() == ids[b * length : (b + 1) * length].tolist()
        assert targets[:, :, b].ravel().tolist() == ids[b * length + 1 : (b + 1) * length + 1].tolist()
