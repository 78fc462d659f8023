"""clip_by_value: each entry of each gradient, by itself, to [−limit, limit]."""

import numpy as np

from rnncourse import optim
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Arrays
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps4.clip_by_global_norm import each, gradients, head, norm_of, shortened, together
from rnncourse.grading.checks.structure import single

PLAIN = "sizes of 1 and inputs"


def clip_by_value(grads, limit):
    """The reference: a dict of arrays and a limit to the clipped arrays."""
    clipped = {name: g.copy() for name, g in grads.items()}
    optim.clip_by_value(clipped, limit)
    return clipped


def draw(rng, D, H, size=3.0):
    """The two arguments, by name: magnitudes up to `size`, of both signs, a third or so beyond the limit of about 2."""
    grads = {name: size * rng.uniform(-1, 1, g.shape) for name, g in gradients(rng, D, H).items()}
    for g in grads.values():  # in every array one that is large, and small ones
        g.flat[0] = size * rng.choice([-1, 1])
        g.flat[1:2] = 0.2 * size
    if D * H > 1:
        grads["W_h"].flat[:2] = -size, size
    return {"grads": grads, "limit": round(float(rng.uniform(1.8, 2.2)), 3)}


def cases(rng):
    """Both signs; nothing beyond the limit, everything; zero, huge, float32; other names; inputs untouched."""
    yield Case("values", "All sizes different", draw(rng, D=2, H=3))
    yield Case("values", "All sizes equal", draw(rng, D=3, H=3))
    yield Case("values", "All entries within the limit", draw(rng, D=2, H=3, size=1.2))
    yield Case("values", "Gradients 3000 times as large", draw(rng, D=4, H=2, size=9000.0))
    yield Case("values", "Other names", {"grads": head(rng)["grads"], "limit": 0.4})
    yield Case(PLAIN, "D = H = 1", draw(rng, D=1, H=1))
    yield Case(PLAIN, "Gradients of 0", {"grads": each(np.zeros_like, gradients(rng, D=3, H=2)), "limit": 0.7})
    yield Case(PLAIN, "Inputs in float32", single_precision(draw(rng, D=4, H=2)))
    yield Case(PLAIN, "Your inputs afterwards", draw(rng, D=3, H=2), untouched=True)
    yield Case(PLAIN, "Your inputs afterwards, all within the limit", draw(rng, D=3, H=2, size=1.2), untouched=True)


def entries(change):
    """`change(g, limit)` of every array: a mistake."""
    return lambda grads, limit: each(lambda g: change(g, limit), grads)


def returned(result):
    """Returns `result(clipped, grads)` of the right answer: a mistake."""
    return lambda grads, limit: result(clip_by_value(grads, limit), grads)


def scaled_together(grads, limit):
    """All arrays times the factor that brings the largest entry to the limit."""
    largest = abs(together(grads)).max()
    return each(lambda g: g * min(1, limit / largest) if largest else g.copy(), grads)


def scaled_alone(g, limit):
    """One array times the factor that brings its largest entry to the limit."""
    largest = abs(g).max()
    return g * min(1, limit / largest) if largest else g.copy()


def by_norm(grads, limit):
    """The formula of the other function."""
    norm = norm_of(grads)
    return each(lambda g: g * (limit / norm) if norm > limit else g.copy(), grads)


def in_place(grads, limit):
    """As the package does it."""
    optim.clip_by_value(grads, limit)
    return grads


def given_back(grads, limit):
    """Arrays that need no clipping are handed on."""
    return each(lambda g: g if abs(g).max() <= limit else np.clip(g, -limit, limit), grads)


def asks_whole_arrays(grads, limit):
    """`if` of an array."""
    clipped = {}
    for name, g in grads.items():
        if g > limit:
            clipped[name] = limit
        elif g < -limit:
            clipped[name] = -limit
        else:
            clipped[name] = g
    return clipped


MISTAKES = {
    "only what is above the limit is cut; what is below -limit stays": entries(np.minimum),
    "only what is below -limit is cut; what is above the limit stays": entries(lambda g, limit: np.maximum(g, -limit)),
    "the range is [0, limit] instead of [-limit, limit]": entries(lambda g, limit: np.clip(g, 0, limit)),
    "the range is [-limit, 0] instead of [-limit, limit]": entries(lambda g, limit: np.clip(g, -limit, 0)),
    "the two ends of the range are swapped, so that everything becomes -limit": entries(
        lambda g, limit: np.clip(g, limit, -limit)
    ),
    "np.minimum and np.maximum are swapped, so that everything becomes limit": entries(
        lambda g, limit: np.maximum(np.minimum(g, -limit), limit)
    ),
    "the range is [-1, 1]: the limit is ignored": entries(lambda g, limit: np.clip(g, -1, 1)),
    "the signs are lost: large entries become +limit, also the negative ones": entries(
        lambda g, limit: np.where(abs(g) > limit, limit, g)
    ),
    "the signs are lost: the magnitudes are clipped": entries(lambda g, limit: np.minimum(abs(g), limit)),
    "the signs of the large entries are turned": entries(
        lambda g, limit: np.where(abs(g) > limit, -limit * np.sign(g), g)
    ),
    "large entries are set to 0": entries(lambda g, limit: np.where(abs(g) > limit, 0, g)),
    "large entries are set to 1 or -1": entries(lambda g, limit: np.where(abs(g) > limit, np.sign(g), g)),
    "every entry is set to limit or -limit": entries(lambda g, limit: limit * np.sign(g)),
    "small entries are raised to the limit, large ones kept: minimum and maximum, or `<` and `>`, are swapped": entries(
        lambda g, limit: np.sign(g) * np.maximum(abs(g), limit)
    ),
    "the limit is subtracted from large entries": entries(
        lambda g, limit: np.where(abs(g) > limit, g - limit * np.sign(g), g)
    ),
    "tanh bends all entries instead of cutting the large ones": entries(lambda g, limit: limit * np.tanh(g / limit)),
    "all gradients are scaled until the largest entry is the limit": scaled_together,
    "each array is scaled until its largest entry is the limit": entries(scaled_alone),
    "the global norm is clipped, not the values": by_norm,
    "the norm of each array is clipped, not the values": entries(shortened),
    "large rows are scaled to the limit as a whole": entries(
        lambda g, limit: g * np.minimum(1, limit / np.maximum(abs(g).max(axis=-1, keepdims=True), 1e-300))
    ),
    "only arrays with two axes are clipped": entries(
        lambda g, limit: np.clip(g, -limit, limit) if g.ndim > 1 else 1 * g
    ),
    "only the first array is clipped": returned(
        lambda clipped, grads: each(np.copy, grads) | dict([next(iter(clipped.items()))])
    ),
    "only the last array is clipped": returned(
        lambda clipped, grads: each(np.copy, grads) | dict([list(clipped.items())[-1]])
    ),
    "only the first array is returned (a `return` inside the loop?)": returned(
        lambda clipped, grads: dict([next(iter(clipped.items()))])
    ),
    "only the array that was clipped last is returned": returned(lambda clipped, grads: list(clipped.values())[-1]),
    "the gradients are returned unclipped": returned(lambda clipped, grads: each(np.copy, grads)),
    "the gradients are rounded to whole numbers": returned(lambda clipped, grads: each(np.round, clipped)),
    "`if` is asked about a whole array; np.clip, np.where or a mask work entry by entry": asks_whole_arrays,
    "grads is changed: `grads[name] = …` and `g[…] = …` write into what was given, and so does `g[…] = …` on the "
    "arrays of `dict(grads)` or `grads.copy()`": in_place,
    "an array that needs no clipping is returned itself, not a copy": given_back,
}


def by_masks(grads, limit):
    """On copies, by masks."""
    clipped = {}
    for name, g in grads.items():
        clipped[name] = g = np.array(g)
        g[g > limit] = limit
        g[g < -limit] = -limit
    return clipped


def entry_by_entry(grads, limit):
    """One entry at a time."""
    clipped = {}
    for name, g in grads.items():
        values = [max(-limit, min(limit, float(entry))) for entry in g.flat]
        clipped[name] = np.reshape(values, g.shape)
    return clipped


ALTERNATIVES = {
    "np.clip": entries(lambda g, limit: np.clip(g, -limit, limit)),
    "minimum and maximum": entries(lambda g, limit: np.maximum(-limit, np.minimum(limit, g))),
    "sign times magnitude": entries(lambda g, limit: np.sign(g) * np.minimum(abs(g), limit)),
    "masks, on copies": by_masks,
    "one entry at a time": entry_by_entry,
    "float32 inside": entries(lambda g, limit: np.clip(g.astype(np.float32), -limit, limit)),
}

PROBLEM = Problem(
    name="clip_by_value",
    outputs={"clipped": Arrays()},
    unpack=single,
    parts={"values": 2, PLAIN: 1},
    cases=cases,
    reference=clip_by_value,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 6, section "Exploding gradients, and clipping"',
    shapes='"Notation" in the problem set',
)
