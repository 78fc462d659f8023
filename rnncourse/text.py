"""From text to integers: tokens, a vocabulary, and windows that follow one another.

A text is cut into tokens; the vocabulary gives each distinct token a number, its id; a network sees ids only.
Parts of words as tokens are in `rnncourse.subwords`; sequences of unequal length in `rnncourse.padding`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from rnncourse.arrays import Array, expect_array, expect_ids, expect_positive

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""A run of letters, digits and underscores, apostrophes inside it included; or one other mark."""


def characters(text: str) -> list[str]:
    """The characters of `text`, spaces and line ends included.

    >>> characters("A cat")
    ['A', ' ', 'c', 'a', 't']
    """
    return list(text)


def words(text: str) -> list[str]:
    """The words and punctuation marks of `text`, in order. White space is dropped, upper and lower case are kept.

    A word is a run of letters, digits and underscores, apostrophes inside included; any other mark is its own token.

    >>> words("Don't stop, she said.")
    ["Don't", 'stop', ',', 'she', 'said', '.']
    """
    return WORD.findall(text)


class Vocabulary:
    """The distinct tokens of a text; a token's id is its place: first the `specials` as given, then the rest sorted.

    `tokens` is a list of strings, or one string, which is a sequence of characters. Tokens that occur fewer than
    `min_frequency` times are left out. What is not in the vocabulary is encoded as `<unk>` if that is one of its
    tokens. Other specials have no meaning here; by custom `<pad>` fills up, `<bos>` begins and `<eos>` ends a sequence.
    Raises ValueError if there is no token, none is frequent enough or a special comes twice, or unless
    min_frequency ≥ 1; TypeError if `specials` is one string, or what should be a token is none.

    >>> vocabulary = Vocabulary("hello")
    >>> vocabulary.encode("hole"), vocabulary.decode([1, 3, 2, 0]), len(vocabulary)
    (array([1, 3, 2, 0]), 'hole', 4)
    >>> vocabulary = Vocabulary(words("the cat and the hat"), min_frequency=2, specials=["<pad>", "<unk>"])
    >>> vocabulary.tokens, vocabulary.encode(["the", "hat"])
    (['<pad>', '<unk>', 'the'], array([2, 1]))
    """

    def __init__(self, tokens: Iterable[str], min_frequency: int = 1, specials: Iterable[str] = ()) -> None:
        expect_positive(min_frequency=min_frequency)
        if isinstance(specials, str):
            raise TypeError(f"expected specials to be a list of strings, got the string {specials!r}")
        specials, counts = _strings("specials", specials), Counter(_strings("tokens", tokens))
        if len(set(specials)) < len(specials):
            raise ValueError(f"expected specials without repeats, got {specials}")
        frequent = sorted(token for token in counts.keys() - set(specials) if counts[token] >= min_frequency)
        if not counts:
            raise ValueError("expected at least one token, got none")
        if not frequent:
            raise ValueError(f"expected a token that is no special and occurs {min_frequency} times, got none")
        self.tokens = [*specials, *frequent]
        self.ids = {token: k for k, token in enumerate(self.tokens)}
        self._holds_characters = all(len(token) == 1 for token in frequent)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> Array:
        """n tokens to an int array (n,). A string will do if the tokens are characters.

        Raises KeyError naming tokens that are not in the vocabulary, if it has no `<unk>`; TypeError for a string if
        the tokens are not characters, or for a token that is no string.
        """
        tokens = self._listed(tokens)
        unknown = set(tokens) - self.ids.keys()
        if unknown and "<unk>" not in self.ids:
            raise KeyError(f"expected tokens of the vocabulary, got {sorted(unknown)}")
        return np.array([self.ids[token if token in self.ids else "<unk>"] for token in tokens], int)

    def decode(self, ids: Array | Sequence[int], separator: str = "") -> str:
        """Ids (n,) to a string, with `separator` between tokens: nothing for characters, a space for words.

        Raises TypeError for an id that is no integer, ValueError for one outside 0 … len−1 or unless there is one axis.
        """
        places = np.asarray(ids)
        if places.shape == (0,):
            return ""
        expect_ids("ids", places, len(self), ("n",))
        return separator.join(self.tokens[k] for k in places.tolist())

    def unknown_rate(self, tokens: Iterable[str]) -> float:
        """The out-of-vocabulary rate: the share of `tokens`, repeats counted, that the vocabulary lacks.

        Raises ValueError if there are none, TypeError as `encode` does.

        >>> Vocabulary(words("the cat and the hat")).unknown_rate(words("the dog and the hen"))
        0.4
        """
        tokens = self._listed(tokens)
        if not tokens:
            raise ValueError("expected at least one token, got none")
        return sum(token not in self.ids for token in tokens) / len(tokens)

    def _listed(self, tokens: Iterable[str]) -> list[str]:
        if isinstance(tokens, str) and not self._holds_characters:
            raise TypeError(f"expected a list of tokens, since they are not characters, got the string {tokens[:20]!r}")
        return _strings("tokens", tokens)


def contiguous_batches(ids: Array, B: int, T: int) -> tuple[Array, Array]:
    """Cut one long sequence of ids (n,) into B parallel strips, and the strips into windows of T steps.

    Returns inputs and targets, both (windows, T, B): targets are the inputs one step later. Column b of window w+1
    goes on exactly where column b of window w stopped, which is what carrying the state across batches needs.
    The tail that fills no window is left out. Raises TypeError if ids is not an array of integers,
    ValueError if there is not even one window.

    >>> inputs, targets = contiguous_batches(np.arange(9), B=2, T=2)
    >>> inputs[:, :, 0], inputs[:, :, 1]
    (array([[0, 1],
           [2, 3]]), array([[4, 5],
           [6, 7]]))
    """
    if expect_array("ids", ids, ("n",)).dtype.kind not in "iu":
        raise TypeError(f"expected ids to be integers, got {ids.dtype}")
    expect_positive(B=B, T=T)
    windows = (len(ids) - 1) // (B * T)
    if windows < 1:
        raise ValueError(f"expected at least B·T + 1 = {B * T + 1} ids for one window, got {len(ids)}")
    n = windows * T

    def strips(a: Array) -> Array:
        return a[: B * n].reshape(B, windows, T).transpose(1, 2, 0)

    return strips(ids), strips(ids[1:])


def _strings(name: str, tokens: Iterable[str]) -> list[str]:
    """All tokens in a list: an iterator can be read only once."""
    listed = list(tokens)
    for token in listed:
        if not isinstance(token, str):
            raise TypeError(f"expected {name} to be strings, got {token!r}")
    return listed
