"""perplexity: exp(total loss / number of tokens) over batches of padded sequences, never a mean of exponentials."""

import numpy as np

from rnncourse import losses as package
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Number
from rnncourse.grading.checks.problem import Case, Problem

EQUAL, UNEQUAL, PADS = "batches of one length", "batches of unequal length", "pads and inputs"


def perplexity(losses, masks):
    """The reference: losses (M, T, B) in nats, masks (M, T, B), to one number."""
    return package.perplexity(losses[masks].sum(), int(masks.sum()))


def draw(rng, M, T, B, pads=0.0, lengths=None):
    """The two arguments, by name. Some batches are easy and some hard; without `lengths` (M, B) every step is real."""
    lengths = np.full((M, B), T) if lengths is None else np.asarray(lengths)
    masks = np.arange(T)[:, None] < lengths[:, None]
    hard = rng.permutation(np.linspace(0.4, 4.0, M))[:, None, None] if M > 1 else 1.5
    losses = hard * rng.uniform(0.5, 1.5, (M, T, B))
    return {"losses": np.where(masks, losses, pads), "masks": masks}


def lengths(rng, M, T, B):
    """Lengths of sequences (M, B): those of one batch are long, of one short, and some are T."""
    drawn = rng.integers(1, T, (M, B))
    drawn[0], drawn[1] = T, 1
    drawn[2:, 0] = T
    return drawn


def with_hole(args):
    """The same, where a step between real ones is masked in every batch but the second."""
    masks = args["masks"].copy()
    masks[[0, *range(2, len(masks))], 1, 0] = False
    return args | {"masks": masks, "losses": np.where(masks, args["losses"], 0)}


def without_tokens(args):
    """The same, where the last batch holds nothing but pads."""
    masks = args["masks"].copy()
    masks[-1] = False
    return args | {"masks": masks, "losses": np.where(masks, args["losses"], 0)}


def impossible(args):
    """The same, where one token had the probability 0."""
    losses = args["losses"].copy()
    losses[0, 0, 0] = np.inf
    return args | {"losses": losses}


def cases(rng):
    """No pads; pads of 0; pads of any value; one batch, sequence, step; a long text; an impossible token."""
    yield Case(EQUAL, "Three batches without pads", draw(rng, M=3, T=5, B=2))
    yield Case(EQUAL, "All sizes equal, no pads", draw(rng, M=4, T=4, B=4))
    yield Case(EQUAL, "One batch", draw(rng, M=1, T=6, B=3))
    yield Case(EQUAL, "One token in each batch (T = B = 1)", draw(rng, M=5, T=1, B=1))
    yield Case(EQUAL, "A long text", draw(rng, M=4, T=400, B=2))
    yield Case(EQUAL, "A token of probability 0, whose loss is infinite", impossible(draw(rng, M=3, T=4, B=2)))
    uneven = draw(rng, M=4, T=6, B=3, lengths=lengths(rng, 4, 6, 3))
    yield Case(UNEQUAL, "Batches of unequal length, pads of 0", uneven)
    yield Case(UNEQUAL, "Masks with a hole", with_hole(draw(rng, M=4, T=6, B=3, lengths=lengths(rng, 4, 6, 3))))
    yield Case(
        UNEQUAL, "A batch of pads alone", without_tokens(draw(rng, M=3, T=5, B=2, lengths=lengths(rng, 3, 5, 2)))
    )
    long = draw(rng, M=4, T=6, B=3, pads=3000.0, lengths=lengths(rng, 4, 6, 3))
    yield Case(PADS, "Losses of 3000 at pads", long)
    yield Case(PADS, "Infinite losses at pads", draw(rng, M=3, T=5, B=2, pads=np.inf, lengths=lengths(rng, 3, 5, 2)))
    yield Case(
        PADS,
        "Losses in float32",
        single_precision(draw(rng, M=3, T=4, B=5, pads=9.0, lengths=[[4] * 5, [1] * 5, [3] * 5])),
    )
    yield Case(
        PADS,
        "Your inputs afterwards",
        draw(rng, M=3, T=5, B=4, pads=2.0, lengths=lengths(rng, 3, 5, 4)),
        untouched=True,
    )


def batches(losses, masks):
    """The losses of the real tokens of each batch, one array for each."""
    return [one[real] for one, real in zip(losses, masks, strict=True)]


def of_batches(result):
    """`result(total losses, tokens)` of the batches, both (M,): a mistake."""

    def run(losses, masks):
        parts = batches(losses, masks)
        return result(np.array([part.sum() for part in parts]), np.array([part.size for part in parts]))

    return run


def of_tokens(result):
    """`result(losses)` of the real tokens (n,): mostly a mistake."""
    return lambda losses, masks: result(losses[masks])


def of_means(axis):
    """The mean loss along an axis, then the mean of these: a mistake."""

    def run(losses, masks):
        kept = np.where(masks, losses, 0)
        means = kept.sum(axis=axis) / masks.sum(axis=axis)
        return float(np.exp(means.mean()))

    return run


def by_sequence(losses, masks):
    """The mean of the sequences' perplexities."""
    kept = np.where(masks, losses, 0)
    return float(np.exp(kept.sum(axis=1) / masks.sum(axis=1)).mean())


def root_of_product(p):
    """The probabilities multiplied, then the root."""
    return float(np.prod(p) ** (-1 / p.size))


def zeroed(losses, masks):
    """Sets the losses of pads to 0, in the array it was given."""
    losses[~masks] = 0
    return float(np.exp(losses.sum() / masks.sum()))


MISTAKES = {
    "the perplexity of each batch is computed, and then their mean: sum first, exponentiate once": of_batches(
        lambda total, tokens: float(np.exp(total / tokens).mean())
    ),
    "the perplexities of the batches are averaged, weighted by their tokens: sum first, exponentiate once": of_batches(
        lambda total, tokens: float(np.sum(np.exp(total / tokens) * tokens) / tokens.sum())
    ),
    "the perplexity of each sequence is computed, and then their mean: sum first, exponentiate once": by_sequence,
    "the exponential of each token's loss is taken, and then their mean: sum first, exponentiate once": of_tokens(
        lambda real: float(np.exp(real).mean())
    ),
    "the mean losses of the batches are averaged: a token of a short batch then counts more": of_batches(
        lambda total, tokens: float(np.exp((total / tokens).mean()))
    ),
    "the mean losses of the sequences are averaged: a token of a short one then counts more": of_means(1),
    "the mean losses of the time steps are averaged: a token counts more where few others are": of_means((0, 2)),
    "the masks are ignored: pads count as tokens": lambda losses, masks: float(np.exp(losses.mean())),
    "the pads' losses are left out, but pads are counted as tokens": lambda losses, masks: float(
        np.exp(losses[masks].sum() / masks.size)
    ),
    "the pads' losses are added, though they are not counted as tokens": lambda losses, masks: float(
        np.exp(losses.sum() / masks.sum())
    ),
    "the losses are multiplied by the masks, and infinity times 0 is not a number: pick with losses[masks]": (
        lambda losses, masks: float(np.exp((losses * masks).sum() / masks.sum()))
    ),
    "the masks are inverted: the pads are counted and the tokens left out": lambda losses, masks: float(
        np.exp(losses[~masks].sum() / (~masks).sum()) if not masks.all() else np.nan
    ),
    "the total loss is divided by the number of batches": lambda losses, masks: float(
        np.exp(losses[masks].sum() / len(losses))
    ),
    "the total loss is divided by the number of sequences": lambda losses, masks: float(
        np.exp(losses[masks].sum() / (masks.shape[0] * masks.shape[2]))
    ),
    "the total loss is divided by the number of time steps": lambda losses, masks: float(
        np.exp(losses[masks].sum() / (masks.shape[0] * masks.shape[1]))
    ),
    "the total loss is not divided by the number of tokens": of_tokens(lambda real: float(np.exp(real.sum()))),
    "the losses are taken for probabilities, and their logarithm once more; a loss is -log p already": of_tokens(
        lambda real: float(np.exp(-np.log(real).mean()))
    ),
    "the exponential is missing: this is the mean loss": of_tokens(lambda real: float(real.mean())),
    "2 is raised to the mean loss, as for bits; these losses are in nats": of_tokens(
        lambda real: float(2 ** real.mean())
    ),
    "the mean loss has the wrong sign: losses are -log p already": of_tokens(lambda real: float(np.exp(-real.mean()))),
    "the probabilities are multiplied, which gives 0 for a long text: add the losses": of_tokens(
        lambda real: root_of_product(np.exp(-real))
    ),
    "only the first batch is used": lambda losses, masks: float(np.exp(losses[0][masks[0]].mean())),
    "only the last batch is used (overwritten, not added?)": lambda losses, masks: float(
        np.exp(losses[-1][masks[-1]].mean())
    ),
    "a perplexity is returned for each batch; it is one for all of them": of_batches(
        lambda total, tokens: np.exp(total / tokens)
    ),
    "the losses of the pads are overwritten in the array that was given": zeroed,
}


def by_loops(losses, masks):
    """Token by token."""
    total, tokens = 0.0, 0
    for batch, real in zip(losses, masks, strict=True):
        for t in range(batch.shape[0]):
            for b in range(batch.shape[1]):
                if real[t, b]:
                    total += batch[t, b]
                    tokens += 1
    return np.exp(total / tokens)


def by_batch(losses, masks):
    """Batch by batch, with np.where."""
    total = tokens = 0
    for n in range(len(losses)):
        total = total + np.where(masks[n], losses[n], 0).sum()
        tokens = tokens + masks[n].sum()
    return np.exp(total / tokens)


ALTERNATIVES = {
    "the mean of the real tokens": lambda losses, masks: np.exp(losses[masks].mean()),
    "loops": by_loops,
    "batch by batch": by_batch,
    "sum with where=": lambda losses, masks: np.exp(np.sum(losses, where=masks) / np.count_nonzero(masks)),
    "batch means, weighted by tokens": of_batches(
        lambda total, tokens: np.exp(np.average(np.where(tokens, total / np.maximum(tokens, 1), 0), weights=tokens))
    ),
    "float32 inside": lambda losses, masks: np.exp(np.mean(losses.astype(np.float32)[masks])),
}

PROBLEM = Problem(
    name="perplexity",
    outputs={"ppl": Number()},
    parts={EQUAL: 1, UNEQUAL: 2, PADS: 1},
    cases=cases,
    reference=perplexity,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 3, section "Sum first, exponentiate once"',
    shapes='chapter 3, section "Perplexity"',
)
