"""clip_by_global_norm: all gradients times min(1, c/‖g‖), where ‖g‖ is the norm of all of them taken together."""

import numpy as np

from rnncourse import optim
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Arrays, Number
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.structure import several

SHORT = "short and zero gradients"
NORM, CLIPPED = ("norm",), ("clipped",)


def clip_by_global_norm(grads, max_norm):
    """The reference: a dict of arrays and a threshold to (the clipped arrays, the norm before)."""
    clipped = {name: g.copy() for name, g in grads.items()}
    norm = optim.clip_by_global_norm(clipped, max_norm)
    return clipped, norm


def gradients(rng, D, H):
    """Gradients of a cell's parameters, by name."""
    return {"W_x": rng.normal(size=(D, H)), "W_h": rng.normal(size=(H, H)), "b": rng.normal(size=H)}


def draw(rng, share, **sizes):
    """The two arguments, by name: a threshold of this share of the norm, which is about 3."""
    grads = scaled(gradients(rng, **sizes), rng.uniform(2.5, 3.5))
    return {"grads": grads, "max_norm": round(float(share * norm_of(grads)), 3)}


def norm_of(grads):
    """The norm of all arrays together."""
    return np.sqrt(sum((np.asarray(g, np.float64) ** 2).sum() for g in grads.values()))


def scaled(grads, norm):
    """The gradients, scaled so that their norm is `norm`."""
    return {name: g * (norm / norm_of(grads)) for name, g in grads.items()}


def head(rng):
    """Gradients of other parameters, with a threshold that only the larger array exceeds by itself."""
    W, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    return {"grads": {"b_q": b / np.linalg.norm(b), "W_hq": 4 * W / np.linalg.norm(W)}, "max_norm": 2.2}


def zero(rng):
    """Gradients of 0."""
    return {"grads": {name: 0 * g for name, g in gradients(rng, D=3, H=2).items()}, "max_norm": 0.7}


def tiny(rng):
    """Gradients so short that a small number which keeps from dividing by 0 is longer."""
    return {"grads": scaled(gradients(rng, D=2, H=3), 1e-7), "max_norm": 0.7}


def enormous(rng):
    """Gradients in float32 whose squares it cannot hold."""
    return {"grads": {name: 1e25 * g for name, g in gradients(rng, D=2, H=3).items()}, "max_norm": 0.7}


def cases(rng):
    """Longer and shorter than the threshold, (almost) 0, other names; sizes of 1; float32, 1e25; inputs untouched."""
    yield Case("norm", "All sizes different", draw(rng, 0.3, D=2, H=3), NORM)
    yield Case("norm", "All sizes equal", draw(rng, 0.6, D=3, H=3), NORM)
    yield Case("norm", "Shorter than max_norm", draw(rng, 1.5, D=2, H=3), NORM)
    yield Case("clipped", "All sizes different", draw(rng, 0.3, D=2, H=3), CLIPPED)
    yield Case("clipped", "All sizes equal", draw(rng, 0.6, D=3, H=3), CLIPPED)
    yield Case("clipped", "A little longer than max_norm", draw(rng, 0.9, D=4, H=2), CLIPPED)
    yield Case("clipped", "Other names", head(rng), CLIPPED)
    yield Case(SHORT, "Shorter than max_norm", draw(rng, 1.5, D=2, H=3), CLIPPED)
    yield Case(SHORT, "Much shorter than max_norm", draw(rng, 20, D=3, H=2), CLIPPED)
    yield Case(SHORT, "Gradients of 0", zero(rng))
    yield Case(SHORT, "Gradients of 1e-7", tiny(rng), CLIPPED)
    yield Case("very large gradients", "Gradients of 1e25 in float32", single_precision(enormous(rng)), CLIPPED)
    yield Case("sizes of 1 and inputs", "D = H = 1", draw(rng, 0.5, D=1, H=1), CLIPPED)
    yield Case("sizes of 1 and inputs", "Inputs in float32", single_precision(draw(rng, 0.5, D=4, H=2)), CLIPPED)
    for share, note in ((0.5, "clipped"), (1.5, "shorter than max_norm")):
        args = draw(rng, share, D=3, H=2)
        yield Case("sizes of 1 and inputs", f"Your inputs afterwards, {note}", args, CLIPPED, untouched=True)


def each(change, grads):
    """`change(g)` of every array, by name."""
    return {name: change(g) for name, g in grads.items()}


def together(grads):
    """All entries in one vector of float64."""
    return np.concatenate([np.ravel(g).astype(np.float64) for g in grads.values()])


def measured(norm):
    """Scale rightly, by another norm of all arrays, `norm(grads)`: a mistake."""

    def clip(grads, max_norm):
        size = norm(grads)
        factor = max_norm / size if size > max_norm else 1.0
        return each(lambda g: g * factor, grads), size

    return clip


def scaled_by(factor):
    """Return the right norm, and every array times `factor(norm, max_norm)`: a mistake."""

    def clip(grads, max_norm):
        norm = norm_of(grads)
        f = factor(norm, max_norm)
        return each(lambda g: g * f, grads), norm

    return clip


def changed(change):
    """Return the right norm, and what `change(grads, max_norm)` makes of the gradients: a mistake."""
    return lambda grads, max_norm: (change(grads, max_norm), norm_of(grads))


def returned(result):
    """Returns `result(clipped, norm, grads)` of the right answer: a mistake."""

    def clip(grads, max_norm):
        return result(*clip_by_global_norm(grads, max_norm), grads)

    return clip


def shortened(g, max_norm):
    """One array, clipped by its own norm."""
    return clip_by_global_norm({"": g}, max_norm)[0][""]


def as_it_goes(grads, max_norm):
    """Scales each array by the norm of the arrays up to it."""
    clipped, total = {}, 0.0
    for name, g in grads.items():
        total += (g.astype(np.float64) ** 2).sum()
        norm = np.sqrt(total)
        clipped[name] = g * min(1, max_norm / norm) if norm else 1 * g
    return clipped, norm


def builtin_sum(grads, max_norm):
    """The built-in sum, which adds up rows only."""
    total = 0
    for g in grads.values():
        total = total + sum(g.astype(np.float64) ** 2)
    norm = np.sqrt(total)
    if norm > max_norm:
        return {name: g * max_norm / norm for name, g in grads.items()}, norm
    return each(np.copy, grads), norm


def builtin_sum_and_minimum(grads, max_norm):
    """The same, with a factor for each column."""
    norm = np.sqrt(sum(sum(g.astype(np.float64) ** 2) for g in grads.values()))
    return each(lambda g: g * np.minimum(1, max_norm / norm), grads), norm


def divides_plain_numbers(grads, max_norm):
    """c/‖g‖ of Python's own numbers."""
    norm = float(norm_of(grads))
    factor = min(1.0, max_norm / norm)
    return each(lambda g: g * factor, grads), norm


def overflows(grads, max_norm):
    """Squares in the gradient's own precision."""
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return each(lambda g: g * factor, grads), norm


def overflows_to_nan(grads, max_norm):
    """The same with g times c first, or divided in another order."""
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    if norm > max_norm:
        return each(lambda g: g / norm * max_norm if np.isfinite(norm) else 0 * g + np.nan, grads), norm
    return each(np.copy, grads), norm


def divides_by_largest(grads, max_norm):
    """Divides by the largest entry, be it 0."""
    largest = max(abs(g).max() for g in grads.values())
    root = np.sqrt(sum(((g / largest) ** 2).sum(dtype=np.float64) for g in grads.values()))
    norm = largest * root
    if norm <= max_norm:
        return each(np.copy, grads), norm
    return each(lambda g: g / largest * (max_norm / root), grads), norm


def in_place(grads, max_norm):
    """As the package and torch do it."""
    norm = optim.clip_by_global_norm(grads, max_norm)
    return grads, norm


def given_back(grads, max_norm):
    """Nothing to clip: the very arrays."""
    clipped, norm = clip_by_global_norm(grads, max_norm)
    return (grads if norm <= max_norm else clipped), norm


MISTAKES = {
    "the norms of the arrays are added up: it is the squares that add up, and the root comes last": measured(
        lambda grads: sum(norm_of({name: g}) for name, g in grads.items())
    ),
    "the root is forgotten: the norm is the root of the sum of squares": measured(lambda grads: norm_of(grads) ** 2),
    "the squares are averaged instead of added up": measured(lambda grads: np.sqrt((together(grads) ** 2).mean())),
    "the magnitudes of all entries are added up, without squares": measured(lambda grads: abs(together(grads)).sum()),
    "the largest entry is taken for the norm": measured(lambda grads: abs(together(grads)).max()),
    "the entries are added up before they are squared": measured(lambda grads: abs(together(grads).sum())),
    "the largest norm of one array is taken; all arrays together have one norm": measured(
        lambda grads: max(norm_of({name: g}) for name, g in grads.items())
    ),
    "the norms of the arrays are averaged": measured(
        lambda grads: np.mean([norm_of({name: g}) for name, g in grads.items()])
    ),
    "the norm is that of the first array alone": measured(lambda grads: norm_of(dict([next(iter(grads.items()))]))),
    "the norm is that of the last array alone (`=` where `+=` should be?)": measured(
        lambda grads: norm_of(dict([list(grads.items())[-1]]))
    ),
    "the norm leaves out the bias, the array with one axis": measured(
        lambda grads: norm_of({name: g for name, g in grads.items() if g.ndim > 1})
    ),
    "the largest singular value of each matrix (np.linalg.norm with ord=2) is taken for its norm; here every entry "
    "counts": measured(
        lambda grads: np.sqrt(sum(float(np.linalg.norm(g.astype(np.float64), 2)) ** 2 for g in grads.values()))
    ),
    "the built-in `sum` adds up the rows of a matrix only; np.sum adds up all entries": builtin_sum,
    "the built-in `sum` adds up the rows of a matrix only, so that every column gets a norm of its own; np.sum adds "
    "up all entries": builtin_sum_and_minimum,
    "each array is clipped by its own norm, not all by one": changed(
        lambda grads, max_norm: each(lambda g: shortened(g, max_norm), grads)
    ),
    "each array is clipped by its own norm, and the norms are added up": lambda grads, max_norm: (
        each(lambda g: shortened(g, max_norm), grads),
        sum(norm_of({name: g}) for name, g in grads.items()),
    ),
    "each array is clipped by its own norm, and the norm is that of the last": lambda grads, max_norm: (
        each(lambda g: shortened(g, max_norm), grads),
        norm_of(dict([list(grads.items())[-1]])),
    ),
    "each array is scaled as soon as the loop comes to it, by the norm of those so far": as_it_goes,
    "only the last array is scaled": changed(
        lambda grads, max_norm: (
            grads | dict([list(each(lambda g: g * min(1, max_norm / norm_of(grads)), grads).items())[-1]])
        )
    ),
    "the values are clipped, each entry by itself": changed(
        lambda grads, max_norm: each(lambda g: np.clip(g, -max_norm, max_norm), grads)
    ),
    "the gradients are always scaled to max_norm, short ones too (and 0 divided by 0 is not a number)": scaled_by(
        lambda norm, c: c / norm
    ),
    "the gradients are always scaled to max_norm, short ones too": scaled_by(lambda norm, c: c / norm if norm else 1),
    "the gradients are scaled to length 1, not to max_norm": scaled_by(lambda norm, c: 1 / norm if norm > c else 1),
    "the fraction is upside down: the factor is max_norm / norm": scaled_by(
        lambda norm, c: norm / c if norm > c else 1
    ),
    "the factor is min(1, norm / max_norm): the fraction is upside down": scaled_by(lambda norm, c: min(1, norm / c)),
    "long gradients are left and short ones scaled up: a max where min should be, or `<` for `>`": scaled_by(
        lambda norm, c: max(1, c / norm) if norm else 1
    ),
    "long gradients are multiplied by max_norm, without the division by the norm": scaled_by(
        lambda norm, c: c if norm > c else 1
    ),
    "the factor is max_norm / norm²": scaled_by(lambda norm, c: min(1, c / norm**2) if norm else 1),
    "the factor has a root too many": scaled_by(lambda norm, c: np.sqrt(min(1, c / norm)) if norm else 1),
    "the gradients are returned unclipped": scaled_by(lambda norm, c: 1),
    "long gradients are set to 0": scaled_by(lambda norm, c: 0 if norm > c else 1),
    "0 is divided by 0 where all gradients are 0": scaled_by(lambda norm, c: min(norm, c) / norm),
    "max_norm is divided by a norm of 0, which Python's own floats refuse": divides_plain_numbers,
    "the gradients are divided by their largest entry, also where that is 0": divides_by_largest,
    "the gradients are divided by their largest entry, also where that is 0, and the norm is not a number": (
        lambda grads, max_norm: (
            clip_by_global_norm(grads, max_norm)[0],
            norm_of(grads) or np.nan,
        )
    ),
    "the squares overflow: in float32 the square of 1e25 is infinite, so the norm is, and everything is scaled to 0; "
    "`g.astype(np.float64)` makes a copy that can hold it": overflows,
    "the squares overflow, and infinity divided by infinity is not a number; `g.astype(np.float64)` makes a copy that "
    "can hold them": overflows_to_nan,
    "the norm that is returned is the one after clipping": returned(
        lambda clipped, norm, grads: (clipped, norm_of(clipped))
    ),
    "the factor is returned in place of the norm": lambda grads, max_norm: (
        clip_by_global_norm(grads, max_norm)[0],
        min(1, max_norm / norm_of(grads)) if norm_of(grads) else 1.0,
    ),
    "the norm that is returned is a sum of squares, without its root": returned(
        lambda clipped, norm, grads: (clipped, norm**2)
    ),
    "the outputs are swapped: clipped comes first": returned(lambda clipped, norm, grads: (norm, clipped)),
    "only the clipped gradients are returned": returned(lambda clipped, norm, grads: clipped),
    "grads is changed: `grads[name] = …` and `g *= …` write into what was given, and so does `*=` on the arrays of "
    "`dict(grads)` or `grads.copy()`": in_place,
    "where nothing is to be clipped, the very arrays that were given are returned": given_back,
}


def formula(grads, max_norm):
    """In double precision, with torch's 1e-6."""
    norm = np.linalg.norm(together(grads))
    return each(lambda g: g * min(1, max_norm / (norm + 1e-6)), grads), norm


def norm_of_norms(grads, max_norm):
    """The norm of the arrays' norms; a list of the two outputs."""
    norm = np.linalg.norm([np.linalg.norm(g.astype(np.float64)) for g in grads.values()])
    clipped = {}
    for name in grads:
        clipped[name] = grads[name].copy()
        if norm > max_norm:
            clipped[name] *= max_norm / norm
    return [clipped, norm]


def entry_by_entry(grads, max_norm):
    """Python's own numbers, one entry at a time."""
    total = 0.0
    for g in grads.values():
        for entry in g.flat:
            total += float(entry) ** 2
    norm = total**0.5
    factor = max_norm / max(norm, max_norm)
    return {name: np.array(g * factor) for name, g in grads.items()}, norm


def single(grads, max_norm):
    """In single precision, by way of the largest entry."""
    grads = each(lambda g: g.astype(np.float32), grads)
    largest = max(abs(g).max() for g in grads.values()) or np.float32(1)
    unit = each(lambda g: g / largest, grads)
    root = np.sqrt(sum((g**2).sum() for g in unit.values()))
    if largest * root <= max_norm:
        return grads, largest * root
    return each(lambda g: g * (max_norm / root), unit), largest * root


ALTERNATIVES = {
    "one vector of all entries, and 1e-6 as in torch": formula,
    "the norm of the norms, a list of outputs": norm_of_norms,
    "one entry at a time": entry_by_entry,
    "float32 inside, by the largest entry": single,
}

PROBLEM = Problem(
    name="clip_by_global_norm",
    outputs={"clipped": Arrays(), "norm": Number()},
    unpack=several,
    parts={"norm": 1, "clipped": 2, SHORT: 1, "very large gradients": 1, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=clip_by_global_norm,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 6, section "Exploding gradients, and clipping"',
    shapes='"Notation" in the problem set',
)
