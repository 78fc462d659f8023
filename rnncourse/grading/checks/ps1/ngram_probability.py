"""ngram_probability: (C(cw) + k) / (C(c) + kV), from counts of the context c and of what followed it."""

from collections import Counter

import numpy as np

from rnncourse.grading.checks.kinds import Number
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.ngram import AddK

EDGES = "edges"


def ngram_probability(ids, context, token, k, V):
    """The reference: a text (N,), a context (n−1,), a token's id to P(token | context)."""
    return float(AddK(ids, len(context) + 1, V, k).probabilities(context)[token])


def alphabet(rng, m, V):
    """A context (m,) of different tokens, a token that is none of them, two others; no id is V − 1."""
    context, (token, *others) = np.split(rng.permutation(V - 1)[: m + 3], [m])
    return context, int(token), others


def text(rng, first, pieces, last):
    """The pieces in any order, between the first and the last one."""
    middle = [pieces[k] for k in rng.permutation(len(pieces))]
    return np.concatenate([first, *middle, last]).astype(int)


def draw(rng, m, k, V, begins=False, ends=None, followed=True):
    """The five arguments, by name; m = n − 1. The context is `followed` by the token or not, and by others: how often
    each, `rng` says, so that no probability can be known by heart.

    The text also holds the token before the context, the context turned round, its last token alone, and one token
    twice. It `begins` with the n-gram or not, and `ends` with the "n-gram", the "context" or neither.
    """
    context, token, (x, y) = alphabet(rng, m, V)
    ngram = [*context, token]
    pieces = [ngram] * (int(rng.integers(3, 8)) if followed else 0) + [[*context, x]] * int(rng.integers(1, 6))
    pieces += [[*context, y]] * int(rng.integers(1, 6)) + [[*context, x, token], [token, *context, y]]
    pieces += [[*context[::-1], token], [*context[-1:], token, y], [x, token, x], [y, y, token], [*context[:1], x, x]]
    last = {"n-gram": ngram, "context": [y, *context], None: [x, y]}[ends]
    ids = text(rng, ngram if begins else [y, x], pieces, last)
    return {"ids": ids, "context": context, "token": token, "k": k, "V": V}


def cases(rng):
    """Contexts of one to three tokens; text that begins or ends with them; what was never seen; no context at all."""
    yield Case("seen contexts", "n = 2", draw(rng, 1, 0.5, 9))
    yield Case("seen contexts", "n = 3", draw(rng, 2, 0.1, 11))
    yield Case("seen contexts", "n = 4", draw(rng, 3, 2.0, 8))
    yield Case("seen contexts", "k = 1", draw(rng, 2, 1.0, 10))
    yield Case("unseen", "The token never follows the context", draw(rng, 2, 0.5, 9, followed=False))
    yield Case("unseen", "The token is not in the text", draw(rng, 2, 0.5, 9) | {"token": 8})
    yield Case("unseen", "The context is not in the text", draw(rng, 2, 0.5, 9) | {"context": np.array([8, 0])})
    yield Case(EDGES, "The text begins with the n-gram", draw(rng, 2, 0.5, 9, begins=True))
    yield Case(EDGES, "The text ends with the n-gram", draw(rng, 2, 0.5, 9, ends="n-gram"))
    yield Case(EDGES, "The text ends with the context", draw(rng, 2, 0.5, 9, ends="context"))
    around = draw(rng, 2, 0.5, 9, ends="context")
    around["ids"] = np.concatenate([[around["token"]], around["ids"]])
    yield Case(EDGES, "The text begins with the token and ends with the context", around)
    yield Case(EDGES, "n = 1, an empty context", draw(rng, 0, 0.5, 9))
    yield Case(EDGES, "n = 1, a token that is not in the text", draw(rng, 0, 0.5, 9) | {"token": 8})
    short = {"ids": np.array([4, 1]), "context": np.array([2, 4, 1]), "token": 3, "k": 0.5, "V": 8}
    yield Case(EDGES, "The text is shorter than the n-gram", short)
    whole = {"ids": np.array([5, 2, 6]), "context": np.array([5, 2]), "token": 6, "k": 0.5, "V": 8}
    yield Case(EDGES, "The text is the n-gram", whole)
    yield Case(EDGES, "Your inputs afterwards", draw(rng, 1, 0.5, 8), untouched=True)


def followers(ids, context):
    """How often each token followed the context."""
    m, text = len(context), ids.tolist()
    return Counter(text[t + m] for t in range(len(text) - m) if text[t : t + m] == list(context))


def counted(formula, of=followers):
    """`formula(C(cw), C(c), k, V)` of the counts that `of(ids, context)` finds: mostly a mistake."""

    def probability(ids, context, token, k, V):
        counts = of(ids, context)
        return formula(counts[token], sum(counts.values()), k, V)

    return probability


def add_k(C_cw, C_c, k, V):
    """The right formula."""
    return (C_cw + k) / (C_c + k * V)


def occurrences(ids, context):
    """How often the context stands in the text, followed by anything or by nothing."""
    m, text = len(context), ids.tolist()
    return sum(text[t : t + m] == list(context) for t in range(len(text) - m + 1))


def all_occurrences(ids, context, token, k, V):
    """C(c) counts the context at the end of the text, too."""
    return add_k(followers(ids, context)[token], occurrences(ids, context), k, V)


def from_each_token(ids, context, token, k, V):
    """C(c) counts the context at the end of the text, but an empty context N times."""
    C_c = occurrences(ids, context) if len(context) else len(ids)
    return add_k(followers(ids, context)[token], C_c, k, V)


def beyond_the_end(ids, context, token, k, V):
    """Reads the token after the context also where there is none."""
    m, C_cw, C_c = len(context), 0, 0
    for t in range(len(ids)):
        if np.array_equal(ids[t : t + m], context):
            C_c += 1
            C_cw += ids[t + m] == token
    return add_k(C_cw, C_c, k, V)


def joint(ids, context, token, k, V):
    """Of all places, not of those where the context stands."""
    return add_k(followers(ids, context)[token], max(0, len(ids) - len(context)), k, V)


def by_token(ids, context, token, k, V):
    """C(w) for C(c)."""
    return add_k(followers(ids, context)[token], int((ids == token).sum()), k, V)


def by_length(ids, context, token, k, V):
    """N for C(c)."""
    return add_k(followers(ids, context)[token], len(ids), k, V)


def seen_tokens(ids, context, token, k, V):
    """V is the number of tokens that occur."""
    counts = followers(ids, context)
    return add_k(counts[token], counts.total(), k, len(np.unique(ids)))


def follower_types(ids, context, token, k, V):
    """V is the number of tokens that followed the context, the token included."""
    counts = followers(ids, context)
    return add_k(counts[token], counts.total(), k, len({*counts, token}))


def reached(step=1, first=0, short=0):
    """Followers at every `step`-th place, from place `first` on, `short` places fewer at the end: a mistake."""

    def of(ids, context):
        m, text = len(context), ids.tolist()
        places = range(first, len(text) - m - short, step or m + 1)
        return Counter(text[t + m] for t in places if text[t : t + m] == list(context))

    return of


def in_any_order(ids, context):
    """The context as a set."""
    m, text = len(context), ids.tolist()
    return Counter(text[t + m] for t in range(len(text) - m) if sorted(text[t : t + m]) == sorted(context))


def later(ids, context):
    """One step more between the context and what follows."""
    m, text = len(context), ids.tolist()
    return Counter(text[t + m + 1] for t in range(len(text) - m - 1) if text[t : t + m] == list(context))


def before(ids, context):
    """What comes before the context."""
    m, text = len(context), ids.tolist()
    return Counter(text[t - 1] for t in range(1, len(text) - m + 1) if text[t : t + m] == list(context))


def around(ids, context):
    """The text as a ring."""
    m, text = len(context), ids.tolist()
    ring = text + text[:m]
    return Counter(ring[t + m] for t in range(len(text)) if ring[t : t + m] == list(context))


def empty_unseen(ids, context):
    """An empty context counts as never seen."""
    return followers(ids, context) if len(context) else Counter()


def shortened(cut):
    """Another context: a mistake."""
    return lambda ids, context, token, k, V: ngram_probability(ids, cut(context), token, k, V)


def with_k(k_of):
    """Another k: a mistake."""
    return lambda ids, context, token, k, V: ngram_probability(ids, context, token, k_of(k), V)


def divided(a, b):
    """a/b as NumPy has it: infinite or nan where b is 0."""
    return float(np.float64(a) / np.float64(b))


MISTAKES = {
    "k·V is missing below: it keeps the sum over all tokens at 1": counted(lambda C, c, k, V: divided(C + k, c)),
    "k is added below instead of k·V": counted(lambda C, c, k, V: (C + k) / (c + k)),
    "V is added below instead of k·V": counted(lambda C, c, k, V: (C + k) / (c + V)),
    "k is missing above: what was never seen stays impossible": counted(lambda C, c, k, V: C / (c + k * V)),
    "k·V is added above instead of k": counted(lambda C, c, k, V: (C + k * V) / (c + k * V)),
    "1 is added instead of k": with_k(lambda k: 1.0),
    "k is ignored: these are plain relative frequencies": counted(lambda C, c, k, V: divided(C, c)),
    "k is added only where the count is 0": counted(lambda C, c, k, V: C / c if C else k / (c + k * V)),
    "a context that was never seen gives 0; the formula gives 1/V": counted(
        lambda C, c, k, V: add_k(C, c, k, V) if c else 0.0
    ),
    "a token that was never seen after the context gives 0": counted(
        lambda C, c, k, V: add_k(C, c, k, V) if C else 0.0
    ),
    "C(c) also counts the context at the very end of the text, where nothing follows it": from_each_token,
    "C(c) also counts the context at the very end of the text, where nothing follows it, even an empty one": (
        all_occurrences
    ),
    "the token after the context is read even where the context ends the text: stop m tokens before the end": (
        beyond_the_end
    ),
    "C(c) is the number of all places in the text (the probability of context and token together)": joint,
    "C(c) is the length of the text": by_length,
    "C(c) is the number of times that the token occurs": by_token,
    "V is ignored: the tokens that occur in the text are counted instead": seen_tokens,
    "V is ignored: the tokens that follow the context are counted instead": follower_types,
    "the context is ignored: only the token is counted": shortened(lambda context: context[:0]),
    "only the last token of the context is used": shortened(lambda context: context[-1:]),
    "only the first token of the context is used": shortened(lambda context: context[:1]),
    "the context is turned round": shortened(lambda context: context[::-1]),
    "the order of the context's tokens is ignored": counted(add_k, in_any_order),
    "the token is counted before the context instead of after it": counted(add_k, before),
    "the token is counted one place too late, with another token between": counted(add_k, later),
    "only every n-th place is looked at; n-grams overlap": counted(add_k, reached(step=0)),
    "the last n-gram of the text is missed (a range one too short?)": counted(add_k, reached(short=1)),
    "the first n-gram of the text is missed": counted(add_k, reached(first=1)),
    "the text is closed to a ring: its first tokens follow its last (np.roll?)": counted(add_k, around),
    "an empty context counts as never seen; it stands before every token": counted(add_k, empty_unseen),
    "the logarithm of the probability is returned": counted(lambda C, c, k, V: float(np.log(add_k(C, c, k, V)))),
    "the probability of any other token is returned": counted(lambda C, c, k, V: 1 - add_k(C, c, k, V)),
    "the count C(cw) + k is returned, not divided by anything": counted(lambda C, c, k, V: C + k),
}


def by_counters(ids, context, token, k, V):
    """All n-grams in a table, as `NGram` has them."""
    n, text = len(context) + 1, ids.tolist()
    counts: Counter[tuple[int, ...]] = Counter()
    contexts: Counter[tuple[int, ...]] = Counter()
    for t in range(len(text) - n + 1):
        gram = tuple(text[t : t + n])
        counts[gram] += 1
        contexts[gram[:-1]] += 1
    c = tuple(context.tolist())
    return (counts[(*c, token)] + k) / (contexts[c] + k * V)


def by_windows(ids, context, token, k, V):
    """All places at once."""
    places = len(ids) - len(context)
    if places <= 0:
        return 1 / V
    follows = np.ones(places, dtype=bool)
    for j, wanted in enumerate(context):
        follows &= ids[j : j + places] == wanted
    hits = np.count_nonzero(follows & (ids[len(context) :] == token))
    return (hits + k) / (follows.sum() + k * V)


def one_distribution(ids, context, token, k, V):
    """The counts of all V tokens, k added to each, divided by their sum; in float32."""
    counts = np.full(V, k, dtype=np.float32)
    for w, count in followers(ids, context).items():
        counts[w] += count
    return (counts / counts.sum())[token]


ALTERNATIVES = {
    "a table of counts": by_counters,
    "all places at once": by_windows,
    "one distribution, float32": one_distribution,
    "one division by k": counted(lambda C, c, k, V: (C / k + 1) / (c / k + V)),
}

PROBLEM = Problem(
    name="ngram_probability",
    outputs={"p": Number()},
    parts={"seen contexts": 2, "unseen": 1, EDGES: 1},
    cases=cases,
    reference=ngram_probability,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 3, section "Smoothing"',
    shapes='chapter 3, section "Counting"',
)
