"""count_parameters: how many numbers a recurrent cell and its output head learn, D·H + H·H + H + H·Q + Q."""

from rnncourse.grading.checks.kinds import Count
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.structure import named

CELL, HEAD = ("W_xh", "W_hh", "b_h"), ("W_hq", "b_q", "total")


def count_parameters(D, H, Q):
    """The reference: one number for each array, and their sum."""
    return summed(W_xh=D * H, W_hh=H * H, b_h=H, W_hq=H * Q, b_q=Q)


def summed(**counts):
    """The counts and their total."""
    return counts | {"total": sum(counts.values())}


def cases(rng):
    """Sizes all different, drawn; sizes of 1."""
    D, H, Q = (int(size) for size in rng.permutation([3, 5, 8]) + rng.integers(0, 2))
    for part, outputs in (("cell", CELL), ("head and total", HEAD)):
        yield Case(part, "All sizes different", {"D": D, "H": H, "Q": Q}, outputs)
        yield Case(part, "A large layer", {"D": 300, "H": 1000 + D, "Q": 40}, outputs)
        yield Case(part, "One hidden unit", {"D": 4, "H": 1, "Q": 6}, outputs)
        yield Case(part, "One input and one output", {"D": 1, "H": 7, "Q": 1}, outputs)


def changed(**counts):
    """The right counts with some replaced, and the total that follows: a mistake."""

    def count(D, H, Q):
        right = count_parameters(D, H, Q)
        del right["total"]
        return summed(**right | {name: wrong(D, H, Q) for name, wrong in counts.items()})

    return count


def totalled(total):
    """The right counts with another total: a mistake."""
    return lambda D, H, Q: count_parameters(D, H, Q) | {"total": total(D, H, Q)}


MISTAKES = {
    "the recurrent weights W_hh are counted as D·H": changed(W_hh=lambda D, H, Q: D * H),
    "the recurrent weights W_hh are counted as H, one for each unit": changed(W_hh=lambda D, H, Q: H),
    "the recurrent weights W_hh are counted as H·Q": changed(W_hh=lambda D, H, Q: H * Q),
    "the recurrent weights W_hh are not counted": changed(W_hh=lambda D, H, Q: 0),
    "the input weights W_xh are counted as D, as if there were one hidden unit": changed(W_xh=lambda D, H, Q: D),
    "the input weights W_xh are counted as D·Q": changed(W_xh=lambda D, H, Q: D * Q),
    "b_h is counted as one number for the whole layer": changed(b_h=lambda D, H, Q: 1),
    "b_h is counted as D": changed(b_h=lambda D, H, Q: D),
    "b_h is counted twice, as torch does (one bias for x, one for h)": changed(b_h=lambda D, H, Q: 2 * H),
    "b_h is counted as H·H": changed(b_h=lambda D, H, Q: H * H),
    "b_h is not counted": changed(b_h=lambda D, H, Q: 0),
    "the head's weights W_hq are counted as D·Q": changed(W_hq=lambda D, H, Q: D * Q),
    "the head's weights W_hq are counted as Q·Q": changed(W_hq=lambda D, H, Q: Q * Q),
    "b_q is counted as H": changed(b_q=lambda D, H, Q: H),
    "b_q is counted as one number": changed(b_q=lambda D, H, Q: 1),
    "b_q is not counted": changed(b_q=lambda D, H, Q: 0),
    "the total is D·H alone": totalled(lambda D, H, Q: D * H),
    "the total counts b_h twice, as torch does (one bias for x, one for h)": totalled(
        lambda D, H, Q: D * H + H * H + 2 * H + H * Q + Q
    ),
    "the total leaves out the head": totalled(lambda D, H, Q: D * H + H * H + H),
    "the total leaves out the biases": totalled(lambda D, H, Q: D * H + H * H + H * Q),
    "the total leaves out the recurrent weights": totalled(lambda D, H, Q: D * H + H + H * Q + Q),
    "the total is a product instead of a sum": totalled(lambda D, H, Q: D * H * H * H * H * H * Q * Q),
    "D and H are swapped": lambda D, H, Q: count_parameters(H, D, Q),
    "H and Q are swapped": lambda D, H, Q: count_parameters(D, Q, H),
}


def from_shapes(D, H, Q):
    """From the shapes of the arrays."""
    counts = {}
    for name, shape in {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hq": (H, Q), "b_q": (Q,)}.items():
        counts[name] = 1
        for size in shape:
            counts[name] *= size
    return counts | {"total": sum(counts.values())}


ALTERNATIVES = {
    "from shapes": from_shapes,
    "factored": lambda D, H, Q: {
        "total": H * (D + H + 1) + Q * (H + 1),
        "W_xh": H * D,
        "W_hh": H**2,
        "b_h": H,
        "W_hq": Q * H,
        "b_q": Q,
    },
}

PROBLEM = Problem(
    name="count_parameters",
    outputs=dict.fromkeys((*CELL, *HEAD), Count()),
    unpack=named,
    parts={"cell": 1, "head and total": 1},
    cases=cases,
    reference=count_parameters,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 4, section "Shapes and parameters"',
)
