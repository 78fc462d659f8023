"""Byte pairs: learned as the paper's algorithm says, replayed on any word, and undone."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.subwords import END, BytePairs, merge
from rnncourse.text import Vocabulary

CORPUS = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=15)
ANY_WORDS = st.lists(st.text(min_size=1).filter(lambda word: word.split() == [word]), max_size=6)


def slowly(words, merges):
    """Algorithm 1 of the paper word for word: count every pair anew, join the most frequent. Ties: alphabetical."""
    counts, spelled, learned = Counter(words), {word: [*word, END] for word in words}, []
    for _ in range(merges):
        pairs = Counter()
        for word, symbols in spelled.items():
            for pair in pairwise(symbols):
                pairs[pair] += counts[word]
        if not pairs:
            break
        left, right = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[0]
        for symbols in spelled.values():
            for k in range(len(symbols) - 1):
                if symbols[k : k + 2] == [left, right]:
                    symbols[k : k + 2] = [left + right]
        learned.append((left, right))
    return learned, spelled


@given(words=CORPUS, merges=st.integers(0, 25))
def test_merges_and_spellings_are_those_of_the_paper(words, merges):
    learned, spelled = slowly(words, merges)
    pairs = BytePairs(words, merges)
    assert pairs.merges == learned
    assert pairs.encode(words) == [symbol for word in words for symbol in spelled[word]]


@given(corpus=CORPUS, merges=st.integers(0, 25), words=ANY_WORDS)
def test_decode_undoes_encode_whatever_the_words(corpus, merges, words):
    pairs = BytePairs(corpus, merges)
    assert pairs.decode(pairs.encode(words)) == words


@given(corpus=CORPUS, merges=st.integers(0, 25), data=st.data())
def test_symbols_spell_every_word_of_known_characters(corpus, merges, data):
    pairs = BytePairs(corpus, merges)
    known = "".join(sorted(set("".join(corpus))))
    symbols = pairs.encode(data.draw(st.lists(st.text(known, min_size=1), max_size=8)))
    vocabulary = Vocabulary(pairs.symbols)
    assert vocabulary.unknown_rate(symbols or [END]) == 0
    assert vocabulary.decode(vocabulary.encode(symbols)) == "".join(symbols)
    assert len(pairs.symbols) == len(set(pairs.symbols))
    assert set(pairs.symbols) == {END, *known, *(left + right for left, right in pairs.merges)}


def test_more_frequent_before_alphabetical_and_alphabetical_before_order_of_appearance():
    assert BytePairs(["zy", "zy", "ab"], 1).merges == [("y", END)]
    assert BytePairs(["xyx", "xyx", "ab"], 1).merges == [("x", END)]
    assert BytePairs(["cd", "ab"], 2).merges == BytePairs(["ab", "cd"], 2).merges == [("a", "b"), ("ab", END)]


def test_a_word_counts_as_often_as_it_occurs():
    assert BytePairs(["ab", "cd", "cd"], 1).merges == [("c", "d")]


def test_the_number_of_merges_may_be_numpys():
    assert BytePairs(["low"], np.int64(2)).merges == BytePairs(["low"], 2).merges


def test_no_merges_spell():
    assert BytePairs(["hi"], 0).encode(["hi", "ih"]) == ["h", "i", END, "i", "h", END]


def test_learning_stops_when_every_word_is_one_symbol():
    pairs = BytePairs(["hi", "ho"], 100)
    assert pairs.encode(["hi", "ho"]) == ["hi ", "ho "]
    assert len(pairs.merges) == 4


def test_an_unknown_character_stays_by_itself():
    assert BytePairs(["low"] * 2, 2).encode(["slow", "löw"]) == ["s", "low", END, "l", "ö", "w", END]


def test_decode_takes_a_last_word_that_is_not_finished():
    pairs = BytePairs(["low", "lower"], 3)
    assert pairs.decode(["lo", "w", END, "lo"]) == ["low", "lo"]
    assert pairs.decode([]) == []


@pytest.mark.parametrize(
    ("symbols", "merged"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "a", "a"], ["aa", "a"]),
        (["b", "a", "a", "a", "a"], ["b", "aa", "aa"]),
        (["aa", "a", "b", "a"], ["aa", "a", "b", "a"]),
    ],
)
def test_merge_joins_from_left_to_right(symbols, merged):
    before = list(symbols)
    assert merge(symbols, ("a", "a")) == merged
    assert symbols == before


def test_hashing_has_no_say():
    """Sets are iterated in another order under another hash seed; the merges stay the same."""
    code = (
        "from rnncourse.subwords import BytePairs; print(BytePairs('the then hen that hat tan nat'.split(), 9).merges)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(runs) == 1
