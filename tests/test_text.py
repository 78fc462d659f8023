"""Tokens, vocabulary and contiguous batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.text import Vocabulary, characters, contiguous_batches, words

TOKENS = st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=30)


@given(st.text())
def test_characters_joined_are_the_text(text):
    assert "".join(characters(text)) == text
    assert all(len(token) == 1 for token in characters(text))


@given(st.text(st.sampled_from("aB9_é.,'’- \n\t\u3000")))
def test_words_leave_out_white_space_and_nothing_else(text):
    assert "".join(words(text)) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n\t ", []),
        ("The cat\n the Cat", ["The", "cat", "the", "Cat"]),
        ("x_1 = 20", ["x_1", "=", "20"]),
        ("naïve Österreich", ["naïve", "Österreich"]),
        ("wait... what?!", ["wait", ".", ".", ".", "what", "?", "!"]),
        ("don't, it’s o'clock's", ["don't", ",", "it’s", "o'clock's"]),
        ("'quoted' dogs'", ["'", "quoted", "'", "dogs", "'"]),
        ("element-wise", ["element", "-", "wise"]),
    ],
)
def test_words_of(text, tokens):
    assert words(text) == tokens


@given(st.text(min_size=1))
def test_decode_undoes_encode(text):
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.dtype.kind == "i"
    assert set(ids.tolist()) == set(range(len(vocabulary)))


def test_ids_are_places_in_sorted_order_whatever_the_text_order():
    assert Vocabulary("cab").tokens == Vocabulary("abcabc").tokens == ["a", "b", "c"]


def test_a_string_is_encoded_character_by_character_beside_specials_too():
    assert Vocabulary("abc", specials=["<unk>"]).encode("ax").tolist() == [1, 0]


@given(tokens=TOKENS, least=st.integers(1, 4))
def test_frequent_tokens_are_kept_sorted_behind_the_specials(tokens, least):
    frequent = sorted({token for token in tokens if tokens.count(token) >= least})
    if not frequent:
        with pytest.raises(ValueError, match=f"occurs {least} times, got none"):
            Vocabulary(tokens, least, ["<unk>"])
        return
    vocabulary = Vocabulary(iter(tokens), least, ["<pad>", "<unk>"])
    assert vocabulary.tokens == ["<pad>", "<unk>", *frequent]
    assert vocabulary.ids == {token: k for k, token in enumerate(vocabulary.tokens)}
    assert len(vocabulary) == 2 + len(frequent)


def test_a_special_that_is_also_in_the_text_has_one_place_however_rare():
    vocabulary = Vocabulary(["b", "<bos>", "a", "b"], 2, ["<eos>", "<bos>"])
    assert vocabulary.tokens == ["<eos>", "<bos>", "b"]


@given(tokens=TOKENS, others=TOKENS)
def test_what_is_not_in_the_vocabulary_becomes_unk_and_counts_in_the_unknown_rate(tokens, others):
    vocabulary = Vocabulary(tokens, specials=["<pad>", "<unk>"])
    decoded = vocabulary.decode(vocabulary.encode(others), separator=" ").split()
    assert decoded == [token if token in tokens else "<unk>" for token in others]
    assert vocabulary.unknown_rate(others) == pytest.approx(decoded.count("<unk>") / len(others))


@given(TOKENS)
def test_words_come_back_with_the_separator_between_them(tokens):
    vocabulary = Vocabulary(tokens)
    assert vocabulary.decode(vocabulary.encode(tokens), separator=" ") == " ".join(tokens)
    assert vocabulary.unknown_rate(tokens) == 0


def test_without_unk_one_unknown_token_is_an_error_even_beside_specials():
    with pytest.raises(KeyError, match=r"\['y'\]"):
        Vocabulary("abc", specials=["<pad>"]).encode("aby")


def test_tokens_that_can_be_read_only_once_are_enough():
    text = ["the", "cat", "the"]
    vocabulary = Vocabulary(iter(text), specials=iter(["<pad>"]))
    assert vocabulary.encode(iter(text)).tolist() == vocabulary.encode(np.array(text)).tolist() == [2, 1, 2]
    assert vocabulary.unknown_rate(iter(["the", "dog"])) == vocabulary.unknown_rate(np.array(["the", "dog"])) == 0.5


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
