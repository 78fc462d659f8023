"""Problem set 1: mistakes as students write them are named, bad answers get their sentence, its numbers are right."""

from collections import Counter
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from problem_sets import cells, judged, names, rows

from rnncourse.grading.checks import find
from rnncourse.grading.checks.lent import ps1 as lent

notebook, ran = partial(cells, "ps1-text"), partial(names, "ps1-text")


# What students write, in their own way: not the bank's code.


def most_common_first(tokens, min_frequency, specials):
    vocab = {}
    for token in specials:
        vocab[token] = len(vocab)
    for token, count in Counter(tokens).most_common():
        if count >= min_frequency and token not in vocab:
            vocab[token] = len(vocab)
    return vocab


def specials_twice(tokens, min_frequency, specials):
    others = sorted(t for t in set(tokens) if tokens.count(t) >= min_frequency)
    return {t: k for k, t in enumerate(specials + others)}


def removes_on_the_way(tokens, min_frequency, specials):
    tokens = [t for t in tokens if t not in specials]
    others = sorted(set(tokens))
    for t in others:
        if tokens.count(t) < min_frequency:
            others.remove(t)
    return {t: k for k, t in enumerate(specials + others)}


def extends_the_specials(tokens, min_frequency, specials):
    vocab = specials
    vocab += [t for t in sorted(set(tokens)) if tokens.count(t) >= min_frequency and t not in vocab]
    return {t: k for k, t in enumerate(vocab)}


def always_asks_for_unk(tokens, vocab):
    ids, unk = [], vocab["<unk>"]
    for t in tokens:
        ids.append(vocab.get(t, unk))
    return np.array(ids, int)


def unk_is_one(tokens, vocab):
    return np.array([vocab.get(t, 1) for t in tokens], int)


def the_word_unk(tokens, vocab):
    ids = []
    for t in tokens:
        ids.append(vocab.get(t, "<unk>"))
    return np.array(ids)


def mask_from_the_pads(sequences, pad):
    T = max(len(s) for s in sequences)
    padded = np.array([list(s) + [pad] * (T - len(s)) for s in sequences]).T
    return padded, padded != pad


def floats_and_batch_first(sequences, pad):
    padded = np.full((len(sequences), max(len(s) for s in sequences)), pad)
    for b, s in enumerate(sequences):
        padded[b, : len(s)] = s
    lengths = np.array([len(s) for s in sequences])
    return padded, np.arange(padded.shape[1]) < lengths[:, None]


def zeros_and_ones(sequences, pad):
    T = max(len(s) for s in sequences)
    padded, mask = np.full((T, len(sequences)), pad), np.ones((T, len(sequences)))
    for b, s in enumerate(sequences):
        padded[: len(s), b] = s
        mask[len(s) :, b] = 0
    return padded, mask


def all_at_once(ids, V):
    rows = np.zeros((*ids.shape, V))
    rows[..., ids] = 1
    return rows


def ranges(ids, V):
    T, B = ids.shape
    rows = np.zeros((T, B, V))
    rows[np.arange(T), np.arange(B), ids] = 1
    return rows


def one_row_a_step(ids, V):
    rows = np.zeros((ids.shape[0], V))
    for t in range(ids.shape[0]):
        rows[t, ids[t]] = 1
    return rows


def columns(ids, W):
    return np.array([[W[:, k] for k in step] for step in ids % W.shape[1]])


def table_on_the_left(ids, W):
    hot = lent.one_hot(ids, W.shape[0])
    return W.T @ hot


def wrong_size(ids, W):
    size = W.shape[1]
    return lent.one_hot(ids, size) @ W


def integers(ids, W):
    rows = np.zeros((*ids.shape, W.shape[1]), int)
    for t, b in np.ndindex(*ids.shape):
        rows[t, b] = W[ids[t, b]]
    return rows


def counts_the_end(ids, context, token, k, V):
    m, text = len(context), list(ids)
    C_c = sum(text[t : t + m] == list(context) for t in range(len(text)))
    C_cw = sum(text[t : t + m + 1] == [*context, token] for t in range(len(text)))
    return (C_cw + k) / (C_c + k * V)


def reads_beyond(ids, context, token, k, V):
    n, followed = len(context), []
    for i in range(len(ids)):
        if tuple(ids[i : i + n]) == tuple(context):
            followed.append(ids[i + n])
    return (followed.count(token) + k) / (len(followed) + k * V)


def bigrams_only(ids, context, token, k, V):
    if len(context) == 0:
        return (np.sum(ids == token) + k) / (len(ids) + k * V)
    pairs, firsts = Counter(pairwise(ids)), Counter(ids[:-1])
    return (pairs[context[-1], token] + k) / (firsts[context[-1]] + k * V)


def zero_if_unseen(ids, context, token, k, V):
    m = len(context)
    after = [ids[t + m] for t in range(len(ids) - m) if np.array_equal(ids[t : t + m], context)]
    return (after.count(token) + k) / (len(after) + k * V) if after else 0.0


def mean_of_batches(losses, masks):
    each = []
    for batch, real in zip(losses, masks, strict=True):
        each.append(np.exp(batch[real].sum() / real.sum()))
    return np.mean(each)


def mean_of_means(losses, masks):
    each = [batch[real].mean() for batch, real in zip(losses, masks, strict=True)]
    return np.exp(sum(each) / len(each))


def multiplies_by_masks(losses, masks):
    return np.exp(np.sum(losses * masks) / np.sum(masks))


def counts_pads(losses, masks):
    return np.exp(np.where(masks, losses, 0).mean())


@pytest.mark.parametrize(
    ("name", "function", "hint", "points"),
    [
        ("build_vocab", most_common_first, "as Counter.most_common gives them", 0),
        ("build_vocab", specials_twice, "is numbered a second time and loses its place", 2),
        ("build_vocab", removes_on_the_way, "a loop removes tokens from the list that it walks along", 2),
        ("build_vocab", extends_the_specials, "specials itself is added to", 2),
        ("encode", always_asks_for_unk, 'vocab["<unk>"] is looked up even if no token is unknown', 2),
        ("encode", unk_is_one, "an unknown token gets the id 1", 2),
        ("encode", the_word_unk, "replaced by the string <unk> itself, not by its id", 1),
        ("pad_and_mask", mask_from_the_pads, "the mask is `padded != pad`", 3),
        ("pad_and_mask", floats_and_batch_first, "padded and mask are batch first, (B, T)", 0),
        ("pad_and_mask", zeros_and_ones, "the mask holds 0 and 1; it holds False and True", 1),
        ("one_hot", all_at_once, "marks the tokens of all steps at every step", 0),
        ("one_hot", ranges, "walks along steps and sequences together", 0),
        ("one_hot", one_row_a_step, "one row for each step, in which all its sequences share", 0),
        ("one_hot", lambda ids, V: np.eye(V, dtype=int)[ids], "rows holds integers; floats are asked for", 0),
        ("embedding_lookup", table_on_the_left, "W stands on the left", 0),
        ("embedding_lookup", wrong_size, "V is read from W.shape[1], which is D", 0),
        ("embedding_lookup", integers, "the rows are stored as integers", 0),
        ("ngram_probability", counts_the_end, "C(c) also counts the context at the very end of the text", 3),
        ("ngram_probability", reads_beyond, "read even where the context ends the text", 3),
        ("ngram_probability", bigrams_only, "only the last token of the context is used", 0),
        ("ngram_probability", zero_if_unseen, "a context that was never seen gives 0", 2),
        ("perplexity", mean_of_batches, "the perplexity of each batch is computed, and then their mean", 0),
        ("perplexity", mean_of_means, "the mean losses of the batches are averaged", 1),
        ("perplexity", multiplies_by_masks, "infinity times 0 is not a number", 3),
        ("perplexity", counts_pads, "pads are counted as tokens", 1),
    ],
)
def test_a_mistake_is_named_however_it_is_written(name, function, hint, points):
    for seed in range(5):
        report = judged(name, function, seed)
        assert report.hint is not None, f"no mistake recognised: {report}"
        assert hint in report.hint
        if seed == 0:
            assert report.points == points


def right(name):
    return find(name).reference


BAD = [
    ("build_vocab", lambda *args: list(right("build_vocab")(*args)), "vocab should be a dict, got a list"),
    ("build_vocab", lambda tokens, least, specials: {}, "vocab has 0 keys, expected 6; it lacks "),
    ("build_vocab", lambda tokens: {}, "should take (tokens, min_frequency, specials), yours takes (tokens)"),
    ("encode", lambda *args: right("encode")(*args).tolist(), "ids should be a NumPy array, got a list"),
    ("encode", lambda *args: right("encode")(*args)[None], "expected (7,), that is (T,); there is one axis too many"),
    ("pad_and_mask", lambda *args: right("pad_and_mask")(*args)[0], "it should return 2 values (padded, mask), got an"),
    ("pad_and_mask", lambda *args: (*right("pad_and_mask")(*args), 7), "2 values (padded, mask), got 3"),
    ("pad_and_mask", lambda sequences, pad: np.array(sequences), "The inputs were sequences of shapes ("),
    ("one_hot", lambda ids, V: ids, "rows has shape (5, 3), expected (5, 3, 7), that is (T, B, V); an axis is missing"),
    ("one_hot", lambda ids, V: np.eye(V)[ids] * np.nan, "rows holds nan in 105 of 105 places"),
    ("one_hot", lambda ids, V: ids[..., None] == np.arange(V), "rows has dtype bool, expected real numbers"),
    ("embedding_lookup", lambda ids, W: W[ids].swapaxes(1, 2), "that is (T, B, D); the axes look swapped"),
    ("embedding_lookup", lambda ids, W: list(W[ids]), "rows should be a NumPy array, got a list (np.stack makes one"),
    ("ngram_probability", lambda *args: None, "it returned None: is a `return` missing?"),
    (
        "ngram_probability",
        lambda ids, c, w, k, V: np.full(V, 0.5),
        "p should be one number, got an array of shape (9,)",
    ),
    ("ngram_probability", lambda ids, c, w, k, V: {c: w}, "unhashable type: 'numpy.ndarray'. The inputs were ids ("),
    ("perplexity", lambda losses, masks: [1.0, 2.0], "ppl should be one number, got a list"),
    ("perplexity", lambda losses, masks: "4", "ppl should be one number, got a str"),
]


@pytest.mark.parametrize(("name", "function", "sentence"), BAD)
def test_every_bad_answer_gets_its_sentence(name, function, sentence):
    report = judged(name, function)
    assert report.points < find(name).points
    assert sentence in " ".join(str(report).split())


def test_nan_everywhere_is_no_sign_of_a_known_mistake():
    report = judged("perplexity", lambda losses, masks: np.nan)
    assert report.points == 0
    assert report.hint is None


def test_a_list_of_the_right_ids_is_not_taken_for_floats():
    report = judged("encode", lambda *args: right("encode")(*args).tolist())
    assert report.hint is None


@pytest.mark.parametrize(
    ("V", "error", "sentence"),
    [
        (np.zeros((3, 2)), TypeError, r"one_hot expects V, the number of tokens, got an array of shape \(3, 2\)"),
        (2, ValueError, "one_hot was given V = 2, but ids up to 2: V is the number of tokens"),
    ],
)
def test_the_one_hot_that_is_lent_names_a_wrong_size(V, error, sentence):
    with pytest.raises(error, match=sentence):
        lent.one_hot(np.array([[0], [2]]), V)


def test_a_mistake_in_one_hot_costs_nothing_in_the_embedding():
    scope = {"one_hot": lambda ids, V: 1 - np.eye(V)[ids]}
    exec("def embedding_lookup(ids, W):\n    return one_hot(ids, len(W)) @ W\n", scope)
    assert judged("embedding_lookup", scope["embedding_lookup"]).points == 2


@pytest.mark.parametrize("seed", range(30))
def test_the_probabilities_of_all_tokens_sum_to_one(seed):
    """Of the reference, on every case: the formula's own check."""
    for case in find("ngram_probability").cases(np.random.default_rng(seed)):
        args = dict(case.args)
        total = sum(right("ngram_probability")(**args | {"token": w}) for w in range(args["V"]))
        assert abs(total - 1) < 1e-12, case.note


def test_the_vocabulary_and_the_ids_by_hand():
    (_, *tokens), (_, *ids) = rows(notebook()["vocab"])
    text = "the cell reads the input and the state ; the state waits"
    assert f"*{text}*" in notebook()["vocab"].source
    vocab = ran()["build_vocab"](text.split(), 2, ["<pad>", "<unk>"])
    assert vocab == {token: int(k) for token, k in zip(tokens, ids, strict=True)}
    assert "*the cell waits* is {}, {}, {}".format(*ran()["encode"](["the", "cell", "waits"], vocab)) in (
        notebook()["ids"].source
    )


def test_the_padded_array_by_hand():
    padded, mask = ran()["pad_and_mask"]([np.array([3, 1, 2]), np.array([2])], 0)
    table = [[str(t), ", ".join(map(str, padded[t])), ", ".join(map(str, mask[t]))] for t in range(3)]
    assert rows(notebook()["pad"])[1:] == table


def test_the_probabilities_by_hand():
    ids = np.array([0, 1, 0, 1, 2])
    for context, token, C_cw, C_c, p in rows(notebook()["ngram"])[1:]:
        c = np.array([] if context == "none" else context.split(", "), dtype=int)
        result = ran()["ngram_probability"](ids, c, int(token), 1, 3)
        formula, _, printed = p.partition(" = ")
        assert f"{result:.3f}".rstrip("0") == printed
        assert eval(formula) == pytest.approx(result)
        assert formula == f"({C_cw} + 1) / ({C_c} + 3)"


def test_the_perplexities_by_hand():
    batches = [np.log([2.0, 2.0]), np.log([16.0])]
    every = np.concatenate(batches)
    computed = [
        np.exp(every.mean()),
        np.mean([np.exp(batch.mean()) for batch in batches]),
        np.exp(np.mean([batch.mean() for batch in batches])),
        np.exp(every.sum() / 4),
    ]
    assert [f"{value:.3g}" for value in computed] == [result for _, result in rows(notebook()["ppl"])[1:]]
    losses = np.log([2.0, 2.0, 16.0, 1.0]).reshape(2, 2, 1)
    assert ran()["perplexity"](losses, np.array([True, True, True, False]).reshape(2, 2, 1)) == pytest.approx(4)


def test_the_closing_part_shows_what_its_text_says():
    shown = ran()
    assert shown["agree"], "the table and the counts differ"
    assert all(a > b for a, b in pairwise(shown["on_known"]))
    best = int(np.argmin(shown["on_new"]))
    assert 0 < best < len(shown["on_new"]) - 1, "on new text the curve is to fall and then to rise"
    assert np.ptp(shown["together"]) < 1e-9
    assert all(a > b for a, b in pairwise(shown["averaged"]))
    assert shown["averaged"][-1] == pytest.approx(shown["together"][-1])
    assert len(shown["paragraphs"]) == len(shown["known"]) == 8
