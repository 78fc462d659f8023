"""Language models that count: the probability of a token given the n−1 tokens before it.

By the chain rule P(w_1 … w_N) = Π_t P(w_t | w_1 … w_{t−1}). An n-gram model cuts each of these contexts to its last
n−1 tokens, and estimates from counts: C(cw), how often context c was followed by token w, and C(c) = Σ_w C(cw).
The first tokens of a text have shorter contexts, down to none, and are predicted from those: nothing is skipped or
padded, so models of different n are compared on the same tokens.
Source: Shannon 1948; Chen & Goodman 1999 compare the ways to smooth.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator

import numpy as np

from rnncourse.arrays import Array, expect_array, expect_ids, expect_positive, expect_rng
from rnncourse.decoding import draw
from rnncourse.losses import perplexity

Gram = tuple[int, ...]
"""Neighbouring tokens, as ids."""


def ngrams(ids: Array, n: int) -> Iterator[Gram]:
    """Every n neighbouring tokens of `ids` (N,), as tuples, in order: N − n + 1 of them.

    Of V tokens, V^n different n-grams are possible; far fewer occur.
    Raises ValueError unless n ≥ 1, TypeError or ValueError unless `ids` is an array of integers (N,).

    >>> Counter(ngrams(np.array([0, 1, 0, 1, 2]), 2)).most_common(1)
    [((0, 1), 2)]
    """
    expect_positive(n=n)
    if expect_array("ids", ids, ("N",)).dtype.kind not in "iu":
        raise TypeError(f"expected ids to be integers, got {ids.dtype}")
    tokens = ids.tolist()
    return zip(*(tokens[j:] for j in range(n)), strict=False)


class NGram(ABC):
    """The counts of all m-grams, m = 1 … n, of `ids` (N,), integers 0 … V−1. Subclasses turn counts into probabilities.

    Raises TypeError or ValueError, naming the argument, if `ids` are no such integers, or unless n ≥ 1 and V ≥ 1;
    its methods likewise.

    >>> model = AddK(np.array([0, 1, 0, 1, 2]), n=2, V=3)
    >>> model.counts[0, 1], model.contexts[1,], model.seen
    (2, 2, 3)
    >>> round(model.perplexity(np.array([0, 1, 2])), 2)
    2.23
    >>> model.sample(np.array([2]), 6, np.random.default_rng(0))
    array([1, 0, 0, 0, 2, 2])
    """

    def __init__(self, ids: Array, n: int, V: int) -> None:
        expect_positive(n=n, V=V)
        expect_ids("ids", ids, V, ("N",))
        self.n, self.V = n, V
        self.counts: Counter[Gram] = Counter()  # C(cw), for every length of cw
        for m in range(1, n + 1):
            self.counts.update(ngrams(ids, m))
        self.contexts: Counter[Gram] = Counter()  # C(c)
        for gram, count in self.counts.items():
            self.contexts[gram[:-1]] += count

    @property
    def seen(self) -> int:
        """How many different n-grams were counted, of the V^n possible."""
        return sum(len(gram) == self.n for gram in self.counts)

    @abstractmethod
    def _probability(self, token: int, context: Gram) -> float:
        """P(token | context), above 0, for a context of at most n−1 tokens."""

    def probabilities(self, context: Array | None = None) -> Array:
        """P(w | context) for every token w: (V,), each above 0, sum 1. `context` holds ids; the last n−1 count."""
        return self._after(_tokens("context", context, self.V))

    def loss(self, ids: Array, context: Array | None = None) -> float:
        """−Σ_t log P(ids[t] | what comes before it), in nats, over all of `ids` (N,). `context` comes before ids[0].

        Losses of parts add up to the loss of the whole, if each part is given what came before as its context.
        """
        expect_ids("ids", ids, self.V, ("N",))
        before = _tokens("context", context, self.V)
        tokens = before + ids.tolist()
        p = [self._probability(tokens[t], self._before(tokens, t)) for t in range(len(before), len(tokens))]
        return -float(np.log(p).sum())

    def perplexity(self, ids: Array, context: Array | None = None) -> float:
        """exp(loss / N) of `ids` (N,), as `losses.perplexity` has it."""
        return float(perplexity(self.loss(ids, context), len(ids)))

    def sample(self, prompt: Array | None, length: int, rng: np.random.Generator, temperature: float = 1.0) -> Array:
        """Draw `length` ids that continue the ids `prompt` (none, if there are none), as `decoding.sample` does."""
        expect_positive(length=length)
        expect_rng("rng", rng)
        tokens = _tokens("prompt", prompt, self.V)
        for _ in range(length):
            tokens.append(draw(np.log(self._after(tokens)), rng, temperature))
        return np.array(tokens[-length:])

    def _after(self, tokens: list[int]) -> Array:
        context = self._before(tokens, len(tokens))
        return np.array([self._probability(w, context) for w in range(self.V)])

    def _before(self, tokens: list[int], t: int) -> Gram:
        """The n−1 tokens before step t, or as many as there are."""
        return tuple(tokens[max(0, t - self.n + 1) : t])


class AddK(NGram):
    """P(w | c) = (C(cw) + k) / (C(c) + kV): every count raised by k > 0, so that nothing is impossible.

    k = 1 is Laplace's rule. Raises ValueError unless k > 0.

    >>> model = AddK(np.array([0, 1, 0, 1, 2]), n=2, V=3)
    >>> model.probabilities(np.array([1]))
    array([0.4, 0.2, 0.4])
    """

    def __init__(self, ids: Array, n: int, V: int, k: float = 1.0) -> None:
        if not 0 < k < np.inf:
            raise ValueError(f"expected k to be positive and finite, got {k}")
        super().__init__(ids, n, V)
        self.k = k

    def _probability(self, token: int, context: Gram) -> float:
        return (self.counts[(*context, token)] + self.k) / (self.contexts[context] + self.k * self.V)


class Interpolated(NGram):
    """P_m(w | c) = λ C(cw)/C(c) + (1 − λ) P_{m−1}(w | c′), where c′ is c without its first token, and P_0(w) = 1/V.

    So contexts of every length have a say, the longest the most. A context never seen has none: P_m = P_{m−1} there.
    `weight` is λ, 0 < λ < 1, one for all lengths; choose it on text that was neither counted nor is used to judge.
    Raises ValueError if it is not between. Source: Jelinek & Mercer 1980.

    >>> model = Interpolated(np.array([0, 1, 0, 1, 2]), n=2, V=3, weight=0.5)
    >>> model.probabilities(np.array([1])).round(4)
    array([0.4333, 0.1833, 0.3833])
    """

    def __init__(self, ids: Array, n: int, V: int, weight: float) -> None:
        if not 0 < weight < 1:
            raise ValueError(f"expected weight between 0 and 1, got {weight}")
        super().__init__(ids, n, V)
        self.weight = weight

    def _probability(self, token: int, context: Gram) -> float:
        p = 1 / self.V
        for m in range(len(context) + 1):
            c = context[len(context) - m :]
            if c not in self.contexts:  # nor is any longer one
                break
            p = self.weight * self.counts[(*c, token)] / self.contexts[c] + (1 - self.weight) * p
        return p


def _tokens(name: str, ids: Array | None, V: int) -> list[int]:
    """Ids (N,), where N may be 0, as a list; None is no ids."""
    if ids is None:
        return []
    expect_ids(name, ids, V, ("N",) if np.size(ids) else (0,))
    return list(map(int, ids))
