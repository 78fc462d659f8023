"""build_vocab: the ids of a text's tokens, the special ones first, then all that are frequent enough, sorted."""

from collections import Counter

import numpy as np

from rnncourse.grading.checks.kinds import Items
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.text import Vocabulary

SPECIALS = ["<unk>", "<pad>", "<eos>", "<bos>"]
WORDS = ["along", "axis", "default", "input", "output", "return", "shape", "value", "zeros"]


def build_vocab(tokens, min_frequency, specials):
    """The reference: tokens, a list of strings, to a dict of their ids."""
    return Vocabulary(tokens, min_frequency, specials).ids


def draw(rng, counts, min_frequency, specials=()):
    """The three arguments, by name. In the order of the alphabet, the words drawn occur as often as `counts` says.

    The last of them comes first in the text. One is a mark, which sorts before the specials, and two begin with a
    capital.
    """
    mark = str(rng.choice([".", ",", "(", "10"]))
    chosen = sorted([mark, "Array", "The", *rng.permutation(WORDS)[: len(counts) - 3].tolist()])
    tokens = [word for word, count in zip(chosen, counts, strict=True) for _ in range(count)]
    tokens.remove(chosen[-1])
    tokens = [chosen[-1], *rng.permutation(tokens).tolist()]
    return {"tokens": tokens, "min_frequency": min_frequency, "specials": list(specials)}


def shuffled_specials(rng):
    """The four specials in an order that is not that of the alphabet."""
    first = int(rng.integers(1, 4))
    return [*SPECIALS[first:], *SPECIALS[:first]]


def with_specials_in_text(rng, args):
    """The same, where the first special occurs in the text, more often than any word."""
    tokens = rng.permutation([*args["tokens"], *[args["specials"][0]] * 9]).tolist()
    return args | {"tokens": tokens}


def cases(rng):
    """Any order but the sorted one; counts just at the cut-off and just below; specials, also in the text itself.

    A token occurs exactly `min_frequency` times, or less often, where the cut-off is judged, and nowhere else.
    """
    text = list("recurrent networks read Text in Order" * 2)
    yield Case("order", "Words, no specials", draw(rng, [3, 2, 5, 3, 4, 2], 1))
    yield Case("order", "Characters", {"tokens": rng.permutation(text).tolist(), "min_frequency": 1, "specials": []})
    yield Case("order", "One token", {"tokens": ["axis"] * 2, "min_frequency": 1, "specials": []})
    yield Case("cut-off", "min_frequency = 3", draw(rng, [2, 3, 7, 1, 4, 3, 2, 6], 3))
    yield Case("cut-off", "One token is frequent enough", draw(rng, [3, 1, 4, 2, 3], 4))
    yield Case("specials", "Four specials", draw(rng, [3, 2, 5, 3, 4, 2], 1, shuffled_specials(rng)))
    in_text = with_specials_in_text(rng, draw(rng, [3, 4, 2, 5, 3], 1, shuffled_specials(rng)))
    yield Case("specials", "A special that also occurs in the text", in_text)
    yield Case("specials", "Your inputs afterwards", draw(rng, [3, 2, 4, 5], 1, shuffled_specials(rng)), untouched=True)


def frequent(tokens, min_frequency):
    """The tokens that are frequent enough, with their counts, in the order in which they first occur."""
    return {token: count for token, count in Counter(tokens).items() if count >= min_frequency}


def numbered(tokens, first=0):
    """The ids of tokens, in this order."""
    return {token: k for k, token in enumerate(tokens, first)}


def ordered(order):
    """The specials, then the others as `order(counts)` has them."""

    def build(tokens, min_frequency, specials):
        counts = frequent([token for token in tokens if token not in specials], min_frequency)
        return numbered([*specials, *order(counts)])

    return build


def cut(keep):
    """Keep those that `keep(count, min_frequency)` says: a mistake."""

    def build(tokens, min_frequency, specials):
        counts = Counter(token for token in tokens if token not in specials)
        return numbered([*specials, *sorted(token for token in counts if keep(counts[token], min_frequency))])

    return build


def placed(place):
    """All tokens as `place(specials, others)` orders them, where `others` are sorted: a mistake."""

    def build(tokens, min_frequency, specials):
        others = sorted(token for token in frequent(tokens, min_frequency) if token not in specials)
        return numbered(place(specials, others))

    return build


def made(result):
    """`result(ids)` of the right ids: a mistake."""
    return lambda tokens, min_frequency, specials: result(build_vocab(tokens, min_frequency, specials))


def two_entries(tokens, min_frequency, specials):
    """Specials that occur in the text come a second time."""
    return numbered([*specials, *sorted(frequent(tokens, min_frequency))])


def starts_again(tokens, min_frequency, specials):
    """The ids of the others start from 0 as well."""
    others = sorted(token for token in frequent(tokens, min_frequency) if token not in specials)
    return numbered(specials) | numbered(others)


def appends(tokens, min_frequency, specials):
    """Puts the others into the list of specials that it was given."""
    specials += sorted(token for token in frequent(tokens, min_frequency) if token not in specials)
    return numbered(specials)


def lower(tokens, min_frequency, specials):
    """Lower-cases the tokens first."""
    return build_vocab([token.lower() for token in tokens], min_frequency, specials)


def cuts_specials(tokens, min_frequency, specials):
    """Specials that are not frequent enough in the text are left out."""
    counts = frequent(tokens, min_frequency)
    others = sorted(token for token in counts if token not in specials)
    return numbered([*(token for token in specials if token in counts), *others])


def skips(tokens, min_frequency, specials):
    """Removes tokens from the list that it walks along."""
    others = sorted(set(tokens) - set(specials))
    for token in others:
        if tokens.count(token) < min_frequency:
            others.remove(token)
    return numbered([*specials, *others])


def most_common(tokens, min_frequency, specials):
    """As many tokens as `min_frequency` says, the most frequent."""
    counts = Counter(sorted(token for token in tokens if token not in specials))
    return numbered([*specials, *sorted(token for token, _ in counts.most_common(min_frequency))])


MISTAKES = {
    "the more frequent tokens come first; the order is that of `sorted`": ordered(
        lambda counts: sorted(counts, key=lambda token: (-counts[token], token))
    ),
    "tokens come as Counter.most_common gives them, the frequent first; the order is that of `sorted`": ordered(
        lambda counts: sorted(counts, key=lambda token: -counts[token])
    ),
    "the rarer tokens come first; the order is that of `sorted`": ordered(
        lambda counts: sorted(counts, key=lambda token: (counts[token], token))
    ),
    "tokens come in the order in which they first occur; the order is that of `sorted`": ordered(list),
    "tokens are sorted from the end of the alphabet": ordered(lambda counts: sorted(counts, reverse=True)),
    "tokens are sorted without regard to capitals; `sorted` puts capitals first": ordered(
        lambda counts: sorted(counts, key=str.lower)
    ),
    "tokens are turned into lower case": lower,
    "min_frequency is ignored: every token is kept": cut(lambda count, least: True),
    "a token must occur more than min_frequency times; exactly min_frequency is enough": cut(
        lambda count, least: count > least
    ),
    "a loop removes tokens from the list that it walks along, and so skips the one after each; make a new list": skips,
    "the rare tokens are kept and the frequent ones left out": cut(lambda count, least: count < least),
    "the tokens that occur exactly min_frequency times are kept, and no others": cut(
        lambda count, least: count == least
    ),
    "min_frequency is taken for the number of tokens to keep": most_common,
    "the specials come last; they come first": placed(lambda specials, others: [*others, *specials]),
    "the specials are left out": placed(lambda specials, others: others),
    "the specials are sorted in with the others": placed(lambda specials, others: sorted([*specials, *others])),
    "the specials are sorted; they keep the order in which they are given": placed(
        lambda specials, others: [*sorted(specials), *others]
    ),
    "the specials come in reverse order (each put in front of the one before?)": placed(
        lambda specials, others: [*reversed(specials), *others]
    ),
    "only the first special is put in": placed(lambda specials, others: [*specials[:1], *others]),
    "the others are numbered from 0 again, so two tokens share an id": starts_again,
    "a special that also occurs in the text is numbered a second time and loses its place": two_entries,
    "the specials must be frequent enough, too; they are always in": cuts_specials,
    "ids are counted from 1; they start at 0": made(lambda ids: {token: k + 1 for token, k in ids.items()}),
    "the dict is the wrong way round: it maps ids to tokens": made(lambda ids: {k: token for token, k in ids.items()}),
    "a list of tokens is returned instead of a dict from token to id": made(list),
    "specials itself is added to (by `+=`, `append` or `extend`)": appends,
}


def by_hand(tokens, min_frequency, specials):
    """Counts in a dict of its own, ids one after the other."""
    counts: dict[str, int] = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    vocab: dict[str, int] = {}
    for token in specials:
        vocab[token] = len(vocab)
    for token in sorted(counts):
        if counts[token] >= min_frequency and token not in vocab:
            vocab[token] = len(vocab)
    return vocab


def by_numpy(tokens, min_frequency, specials):
    """np.unique counts and sorts; keys are NumPy's strings, ids NumPy's integers."""
    others, counts = np.unique([token for token in tokens if token not in specials], return_counts=True)
    names = np.concatenate([np.array(specials, dtype=str), others[counts >= min_frequency]])
    return dict(zip(names, np.arange(len(names)), strict=True))


def from_the_end(tokens, min_frequency, specials):
    """Sorts everything by one key, and fills the dict from the end."""
    known = {*specials, *frequent(tokens, min_frequency)}
    place = {token: k for k, token in enumerate(specials)}
    names = sorted(known, key=lambda token: (place.get(token, len(place)), token))
    return {names[k]: k for k in reversed(range(len(names)))}


ALTERNATIVES = {
    "a loop and a dict": by_hand,
    "np.unique": by_numpy,
    "one sort key for all, another order of insertion": from_the_end,
    "list.count": lambda tokens, min_frequency, specials: numbered(
        specials + sorted(t for t in set(tokens) - set(specials) if tokens.count(t) >= min_frequency)
    ),
}

PROBLEM = Problem(
    name="build_vocab",
    outputs={"vocab": Items()},
    parts={"order": 1, "cut-off": 1, "specials": 1},
    cases=cases,
    reference=build_vocab,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 2, section "Tokens"',
    shapes='chapter 2, section "Tokens"',
)
