"""Byte-pair encoding: tokens between characters and words, learned from word counts.

Frequent words become one token, rare words several, and a word never seen is spelled out of smaller pieces, down to
its characters. So a small vocabulary leaves no word of known characters unknown.
Source: Sennrich, Haddow & Birch 2016, algorithm 1, after a way to compress files (Gage 1994).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

Pair = tuple[str, str]
"""Two neighbouring symbols."""

END = " "
"""The symbol that ends each word. A word holds no space, so it is told from every character of the text."""


class BytePairs:
    """Merges of neighbouring symbols, learned from a list of words, and replayed on any word.

    Each word starts as its characters and `END`. Then, `merges` times, the pair of neighbouring symbols that is most
    frequent in the corpus becomes one symbol; of equally frequent pairs the alphabetically first. Learning stops early
    when every word is one symbol.

    `merges` are the learned pairs in order; `symbols` all that a known character can end up in: the characters, `END`,
    and every product of a merge. `Vocabulary(pairs.symbols)` therefore encodes every word of known characters.
    Raises ValueError if there is no word, if one is empty or holds white space, or unless merges ≥ 0;
    TypeError if `words` is one string, or holds what is none.

    >>> pairs = BytePairs(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3, merges=8)
    >>> pairs.merges[:4]
    [('e', 's'), ('es', 't'), ('est', ' '), ('l', 'o')]
    >>> pairs.encode(["lowest", "new"])
    ['low', 'est ', 'n', 'ew', ' ']
    >>> pairs.decode(["low", "est ", "n", "ew", " "])
    ['lowest', 'new']
    """

    def __init__(self, words: Iterable[str], merges: int) -> None:
        if not isinstance(merges, (int, np.integer)) or isinstance(merges, bool) or merges < 0:
            raise ValueError(f"expected merges to be an integer of at least 0, got {merges!r}")
        counts = Counter(_checked(words))
        if not counts:
            raise ValueError("expected at least one word, got none")
        self.merges = _learn(counts, merges)
        alphabet = sorted({END}.union(*counts))
        self.symbols = list(dict.fromkeys(alphabet + [left + right for left, right in self.merges]))

    def encode(self, words: Iterable[str]) -> list[str]:
        """The symbols of `words`, one word after the other: each is spelled out, then merged as was learned.

        A character that was not in the corpus stays a symbol of its own. Raises as the class does, for bad words.
        """
        words = list(_checked(words))
        pieces = {word: self._split(word) for word in set(words)}
        return [piece for word in words for piece in pieces[word]]

    def decode(self, symbols: Iterable[str]) -> list[str]:
        """The words that `symbols` spell: the inverse of `encode`. The last need not be finished by `END`."""
        return "".join(symbols).split()

    def _split(self, word: str) -> list[str]:
        symbols = [*word, END]
        for pair in self.merges:
            if pair[0] in symbols:
                symbols = merge(symbols, pair)
        return symbols


def merge(symbols: list[str], pair: Pair) -> list[str]:
    """`symbols` with every occurrence of `pair` joined, from left to right.

    >>> merge(["a", "n", "a", "n", "a"], ("a", "n"))
    ['an', 'an', 'a']
    """
    merged: list[str] = []
    k = 0
    while k < len(symbols):
        size = 2 if (symbols[k], *symbols[k + 1 : k + 2]) == pair else 1
        merged.append("".join(symbols[k : k + size]))
        k += size
    return merged


def _learn(counts: Counter[str], merges: int) -> list[Pair]:
    """The most frequent pair, again and again. Only words that hold the pair are counted anew after a merge."""
    spelled = {word: [*word, END] for word in counts}
    frequency: Counter[Pair] = Counter()
    words_with: defaultdict[Pair, set[str]] = defaultdict(set)

    def add(word: str, times: int) -> None:
        for pair in pairwise(spelled[word]):
            frequency[pair] += times
            words_with[pair].add(word)

    for word, count in counts.items():
        add(word, count)
    learned: list[Pair] = []
    while len(learned) < merges and (highest := max(frequency.values())) > 0:
        best = min(pair for pair, times in frequency.items() if times == highest)
        for word in words_with.pop(best):
            add(word, -counts[word])
            spelled[word] = merge(spelled[word], best)
            add(word, counts[word])
        learned.append(best)
    return learned


def _checked(words: Iterable[str]) -> Iterable[str]:
    if isinstance(words, str):
        raise TypeError(f"expected words to be a list of strings, got the string {words[:20]!r}")
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"expected words to be strings, got {word!r}")
        if word.split() != [word]:
            raise ValueError(f"expected words without white space, at least one character long, got {word!r}")
        yield word
