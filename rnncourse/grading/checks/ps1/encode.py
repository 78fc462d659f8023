"""encode: tokens to their ids, those that are not in the vocabulary to the id of <unk>."""

import numpy as np

from rnncourse.grading.checks.kinds import Integers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps1.build_vocab import WORDS, build_vocab
from rnncourse.text import Vocabulary

SPECIALS = [["<pad>", "<bos>", "<unk>", "<eos>"], ["<bos>", "<pad>", "<eos>", "<unk>"]]


def encode(tokens, vocab):
    """The reference: n tokens and a dict of ids to an array of ids (n,)."""
    vocabulary = Vocabulary(vocab)
    vocabulary.ids = vocab
    return vocabulary.encode(tokens)


def shuffled(rng, vocab):
    """The same dict, with its entries in another order."""
    return {token: vocab[token] for token in rng.permutation(list(vocab)).tolist()}


def draw(rng, known, unknown=(), ends=True):
    """The two arguments, by name: the places `known` of a list of words and the `unknown` ones, shuffled."""
    words = [*rng.permutation(WORDS).tolist(), "Axis"]
    tokens = rng.permutation([*(words[k] for k in known), *unknown]).tolist()
    vocab = shuffled(rng, build_vocab(words, 1, SPECIALS[int(rng.integers(len(SPECIALS)))]))
    return {"tokens": ["<bos>", *tokens, "<eos>"] if ends else tokens, "vocab": vocab}


def cases(rng):
    """Repeats, capitals, specials; one unknown token, several, nothing else; one token, none, no <unk>."""
    yield Case("known tokens", "Words, some of them twice", draw(rng, [0, 3, 1, 3, -1, 2, 0], ends=False))
    yield Case("known tokens", "Words between <bos> and <eos>", draw(rng, [4, 2, 2, -1, 5]))
    yield Case("known tokens", "One token", draw(rng, [3], ends=False))
    yield Case("known tokens", "Your inputs afterwards", draw(rng, [1, 0, 2]), untouched=True)
    yield Case("unknown tokens", "One unknown token", draw(rng, [0, 3, 1, 2, -1], ["cell"]))
    yield Case("unknown tokens", "Several unknown tokens", draw(rng, [5, 4, 6, -1], ["cell", "gate", "Gate", "cell"]))
    yield Case("unknown tokens", "Only unknown tokens", draw(rng, [], ["cell", "gate"], ends=False))
    yield Case("unknown tokens", "Your inputs afterwards", draw(rng, [1, 2], ["cell", "gate"]), untouched=True)
    letters = shuffled(rng, build_vocab(list("recurnt "), 1, []))
    word = rng.permutation(list("current")).tolist()
    yield Case("special cases", "A vocabulary without <unk>", {"tokens": word, "vocab": letters})
    yield Case("special cases", "No tokens", draw(rng, [], ends=False))


def looked_up(missing):
    """Known tokens by their ids, the others by `missing(token, vocab)`: mostly a mistake."""
    return lambda tokens, vocab: np.array([vocab[t] if t in vocab else missing(t, vocab) for t in tokens], int)


def eager(tokens, vocab):
    """Looks <unk> up before it is needed."""
    return np.array([vocab.get(token, vocab["<unk>"]) for token in tokens], int)


def dropped(tokens, vocab):
    """Unknown tokens are left out."""
    return np.array([vocab[token] for token in tokens if token in vocab], int)


def all_unknown(tokens, vocab):
    """One unknown token makes all of them unknown."""
    try:
        return np.array([vocab[token] for token in tokens], int)
    except KeyError:
        return np.full(len(tokens), vocab["<unk>"])


def grows(tokens, vocab):
    """Gives unknown tokens ids of their own, which it puts into the vocabulary."""
    return np.array([vocab.setdefault(token, len(vocab)) for token in tokens], int)


def repeats_the_last(tokens, vocab):
    """An unknown token gets the id before it."""
    ids, last = [], vocab.get("<unk>", 0)
    for token in tokens:
        last = vocab.get(token, last)
        ids.append(last)
    return np.array(ids, int)


def changed(result):
    """`result(ids, vocab)` of the right ids: a mistake."""
    return lambda tokens, vocab: result(encode(tokens, vocab), vocab)


def places(tokens, vocab):
    """The place of each token in the dict."""
    names = list(vocab)
    return np.array([names.index(token if token in vocab else "<unk>") for token in tokens], int)


def between(tokens, vocab):
    """Adds <bos> and <eos>."""
    ends = [t for t in ("<bos>", "<eos>") if t in vocab]
    return encode([*ends[:1], *tokens, *ends[1:]], vocab)


def lower(tokens, vocab):
    """Looks the tokens up in lower case."""
    return encode([token.lower() if token.lower() in vocab else token for token in tokens], vocab)


def undecided(tokens, vocab):
    """No dtype for an array that may be empty."""
    return np.array([vocab[token if token in vocab else "<unk>"] for token in tokens])


MISTAKES = {
    "an unknown token gets the id 0; it gets that of <unk>": looked_up(lambda token, vocab: 0),
    "an unknown token gets the id 1; it gets that of <unk>, whatever that is": looked_up(lambda token, vocab: 1),
    "an unknown token gets the id -1; it gets that of <unk>": looked_up(lambda token, vocab: -1),
    "an unknown token gets the id len(vocab); it gets that of <unk>": looked_up(lambda token, vocab: len(vocab)),
    "an unknown token gets the last id of the vocabulary; it gets that of <unk>": looked_up(
        lambda token, vocab: len(vocab) - 1
    ),
    "an unknown token gets the id of <eos>; it gets that of <unk>": looked_up(lambda token, vocab: vocab["<eos>"]),
    "an unknown token is replaced by the string <unk> itself, not by its id, and the array holds text": (
        lambda tokens, vocab: np.array([vocab.get(token, "<unk>") for token in tokens])
    ),
    "an unknown token gets the id before it once more": repeats_the_last,
    "unknown tokens are left out, so the ids no longer stand where the tokens stood": dropped,
    "one unknown token turns all tokens into <unk>": all_unknown,
    "unknown tokens get ids of their own, and the vocabulary grows": grows,
    'vocab["<unk>"] is looked up even if no token is unknown, as in vocab.get(token, vocab["<unk>"])': eager,
    "a token's place in the dict is taken for its id": places,
    "ids are counted from 1": changed(lambda ids, vocab: ids + 1),
    "every id comes once only, without repeats": changed(lambda ids, vocab: np.unique(ids)),
    "the ids are sorted; they keep the order of the tokens": changed(lambda ids, vocab: np.sort(ids)),
    "the ids come in reverse order": changed(lambda ids, vocab: ids[::-1].copy()),
    "the ids are counted (how often each occurs) instead of listed": changed(
        lambda ids, vocab: np.bincount(ids, minlength=len(vocab))
    ),
    "ids are stored as floats (np.zeros, np.empty and an empty list make floats unless told otherwise)": changed(
        lambda ids, vocab: ids.astype(float)
    ),
    "<bos> and <eos> are put around the tokens; that is up to the caller": between,
    "tokens are looked up in lower case": lower,
    "without tokens np.array makes an array of floats; give it dtype=int": undecided,
}


def one_by_one(tokens, vocab):
    """Into an array made beforehand."""
    ids = np.zeros(len(tokens), dtype=np.int64)
    for k, token in enumerate(tokens):
        if token in vocab:
            ids[k] = vocab[token]
        else:
            ids[k] = vocab["<unk>"]
    return ids


def tried(tokens, vocab):
    """Tries, and mends."""
    ids = []
    for token in tokens:
        try:
            ids.append(vocab[token])
        except KeyError:
            ids.append(vocab["<unk>"])
    return np.asarray(ids, dtype=np.int32)


ALTERNATIVES = {
    "a loop over an array": one_by_one,
    "try and except, int32": tried,
    "np.fromiter": lambda tokens, vocab: np.fromiter((vocab.get(t, vocab.get("<unk>")) for t in tokens), int),
}

PROBLEM = Problem(
    name="encode",
    outputs={"ids": Integers("T")},
    parts={"known tokens": 1, "unknown tokens": 1, "special cases": 1},
    cases=cases,
    reference=encode,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread="part 2 of the problem set",
    shapes='chapter 2, section "Tokens"',
)
