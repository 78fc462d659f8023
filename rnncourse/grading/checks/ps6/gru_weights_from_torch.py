"""gru_weights_from_torch: torch's four arrays of a GRU as the course has them, with two biases that stay two."""

from types import SimpleNamespace

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Gates, Numbers
from rnncourse.grading.checks.problem import Case, Problem
from rnncourse.grading.checks.ps6.gru_step import away_from_0
from rnncourse.grading.checks.structure import several

NAMES = {"W_ih": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}
WEIGHTS, BIASES = ("W_x", "W_h"), ("b", "b_h")

RIGHT = {
    "W_x": lambda s: s.W_ih.T.copy(),
    "W_h": lambda s: s.W_hh.T.copy(),
    "b": lambda s: np.concatenate([s.b_ih[: 2 * s.H] + s.b_hh[: 2 * s.H], s.b_ih[2 * s.H :]]),
    "b_h": lambda s: s.b_hh[2 * s.H :].copy(),
}
"""Each of the four arrays, from torch's; H is the number of hidden units."""


def changed(**formulas):
    """The four arrays, with some of the formulas replaced: a mistake."""
    formulas = RIGHT | formulas

    def port(weights):
        s = SimpleNamespace(
            **{name: weights[theirs] for name, theirs in NAMES.items()}, H=len(weights[NAMES["b_ih"]]) // 3
        )
        return tuple(formula(s) for formula in formulas.values())

    return port


gru_weights_from_torch = changed()


def draw(rng, D, H):
    """The one argument: arrays under torch's names, in torch's shapes; no bias is near 0."""
    shapes = (3 * H, D), (3 * H, H)
    matrices = [rng.normal(size=shape) for shape in shapes]
    return {
        "weights": dict(zip(NAMES.values(), [*matrices, *(away_from_0(rng, 3 * H) for _ in range(2))], strict=True))
    }


def cases(rng):
    """Sizes different, D = 3H and D = H, matrices and biases apart; each size once 1; float32."""
    for part, outputs in (("matrices", WEIGHTS), ("biases", BIASES)):
        yield Case(part, "All sizes different", draw(rng, D=4, H=5), outputs)
        yield Case(part, "As many inputs as gate entries (D = 3H)", draw(rng, D=6, H=2), outputs)
        yield Case(part, "All sizes equal", draw(rng, D=3, H=3), outputs)
    yield Case("sizes of 1 and inputs", "One input (D = 1)", draw(rng, D=1, H=4))
    yield Case("sizes of 1 and inputs", "One hidden unit (H = 1)", draw(rng, D=3, H=1))
    yield Case("sizes of 1 and inputs", "Weights in float32", single_precision(draw(rng, D=2, H=3)))
    yield Case("sizes of 1 and inputs", "Your inputs afterwards", draw(rng, D=5, H=3), untouched=True)


def thirds(a):
    """The three blocks of torch's rows."""
    return np.split(a, 3)


def in_order(order, joined=np.concatenate):
    """Torch's blocks in another order, such as "zrn"."""
    return lambda a: joined([thirds(a)["rzn".index(gate)] for gate in order])


def reordered(order):
    """All blocks in another order: a mistake."""
    swap = in_order(order)
    return changed(
        W_x=lambda s: swap(s.W_ih).T,
        W_h=lambda s: swap(s.W_hh).T,
        b=lambda s: swap(RIGHT["b"](s)),
    )


def sized(H):
    """Another number for H, when the biases are cut: a mistake."""

    def cut(name):
        return lambda s: RIGHT[name](SimpleNamespace(b_ih=s.b_ih, b_hh=s.b_hh, H=H(s)))

    return changed(**{name: cut(name) for name in BIASES})


def arranged(result):
    """The right arrays, then `result(W_x, W_h, b, b_h)` of them: a mistake."""
    return lambda weights: result(*gru_weights_from_torch(weights))


MISTAKES = {
    "no matrix is transposed: torch's product is W x, ours x W": changed(
        W_x=lambda s: s.W_ih.copy(), W_h=lambda s: s.W_hh.copy()
    ),
    "W_x is not transposed": changed(W_x=lambda s: s.W_ih.copy()),
    "W_h is not transposed": changed(W_h=lambda s: s.W_hh.copy()),
    "the matrices are reshaped, not transposed: the numbers stay in torch's order": changed(
        W_x=lambda s: s.W_ih.reshape(-1, 3 * s.H).copy(), W_h=lambda s: s.W_hh.reshape(-1, 3 * s.H).copy()
    ),
    "the blocks of W_h are put side by side as they are; each must be transposed": changed(
        W_h=lambda s: np.concatenate(thirds(s.W_hh), axis=1)
    ),
    "the transposed blocks stand one below the other; they lie side by side": changed(
        W_x=lambda s: np.concatenate([w.T for w in thirds(s.W_ih)]),
        W_h=lambda s: np.concatenate([w.T for w in thirds(s.W_hh)]),
    ),
    "W_x and W_h are swapped: ih is from the input, hh from the hidden state": arranged(
        lambda W_x, W_h, b, b_h: (W_h, W_x, b, b_h)
    ),
    "the biases are added up for all three gates, and b_h is 0: the candidate's second one must stay alone": changed(
        b=lambda s: s.b_ih + s.b_hh, b_h=lambda s: np.zeros(s.H)
    ),
    "the candidate's second bias is counted twice, in b and in b_h: b[2H:] is bias_ih_l0[2H:] alone": changed(
        b=lambda s: s.b_ih + s.b_hh
    ),
    "b is bias_ih_l0 alone: for r and z bias_hh_l0 must be added": changed(b=lambda s: s.b_ih.copy()),
    "b is bias_hh_l0 alone": changed(b=lambda s: s.b_hh.copy()),
    "for r and z bias_hh_l0 stands alone; both are added": changed(
        b=lambda s: np.concatenate([s.b_hh[: 2 * s.H], s.b_ih[2 * s.H :]])
    ),
    "only the biases of r are added; those of z must be, too": changed(
        b=lambda s: np.concatenate([s.b_ih[: s.H] + s.b_hh[: s.H], s.b_ih[s.H :]])
    ),
    "the mean of the two biases is taken; it is their sum": changed(
        b=lambda s: np.concatenate([(s.b_ih + s.b_hh)[: 2 * s.H] / 2, s.b_ih[2 * s.H :]])
    ),
    "the candidate's two biases are swapped: bias_ih_l0[2H:] goes into b, bias_hh_l0[2H:] is b_h": changed(
        b=lambda s: np.concatenate([(s.b_ih + s.b_hh)[: 2 * s.H], s.b_hh[2 * s.H :]]),
        b_h=lambda s: s.b_ih[2 * s.H :].copy(),
    ),
    "b_h is bias_ih_l0[2H:]; it is from bias_hh_l0": changed(b_h=lambda s: s.b_ih[2 * s.H :].copy()),
    "b_h is the whole bias_hh_l0; it is its last block": changed(b_h=lambda s: s.b_hh.copy()),
    "b is bias_ih_l0, and b_h the whole bias_hh_l0": changed(b=lambda s: s.b_ih.copy(), b_h=lambda s: s.b_hh.copy()),
    "b_h is the first block of bias_hh_l0, that of r; the candidate's is the last": changed(
        b_h=lambda s: s.b_hh[: s.H].copy()
    ),
    "b_h is the middle block of bias_hh_l0, that of z; the candidate's is the last": changed(
        b_h=lambda s: s.b_hh[s.H : 2 * s.H].copy()
    ),
    "b is the sum of both biases, and b_h the whole bias_hh_l0; the candidate's block goes into b_h alone": changed(
        b=lambda s: s.b_ih + s.b_hh, b_h=lambda s: s.b_hh.copy()
    ),
    "H is read as 3H, len(weight_hh_l0): H is its other size": sized(lambda s: len(s.W_hh)),
    "H is read from weight_ih_l0.shape[1], which is D": sized(lambda s: s.W_ih.shape[1]),
    "b_h is zeros": changed(b_h=lambda s: np.zeros(s.H)),
    "b_h is the sum of the candidate's two biases": changed(b_h=lambda s: (s.b_ih + s.b_hh)[2 * s.H :]),
    "b has no block for the candidate": changed(b=lambda s: (s.b_ih + s.b_hh)[: 2 * s.H]),
    "b has zeros for the candidate": changed(b=lambda s: np.concatenate([(s.b_ih + s.b_hh)[: 2 * s.H], np.zeros(s.H)])),
    "the blocks are put into the order z, r, n; torch's order is ours, r, z, n": reordered("zrn"),
    "the blocks are put into the order n, r, z; torch's order is ours, r, z, n": reordered("nrz"),
    "the order of the blocks is turned around: torch's order is ours, r, z, n": reordered("nzr"),
    "the candidate is taken for the first block: the order is r, z, n": changed(
        b=lambda s: np.concatenate([s.b_ih[: s.H], (s.b_ih + s.b_hh)[s.H :]]), b_h=lambda s: s.b_hh[: s.H].copy()
    ),
    "the biases come before W_h": arranged(lambda W_x, W_h, b, b_h: (W_x, b, W_h, b_h)),
    "b_h comes before b": arranged(lambda W_x, W_h, b, b_h: (W_x, W_h, b_h, b)),
    "a dict is returned; it should be the four arrays": arranged(
        lambda *arrays: dict(zip(("W_x", "W_h", "b", "b_h"), arrays, strict=True))
    ),
    "the biases have an axis too many, as rows (1, 3H) and (1, H)": arranged(
        lambda W_x, W_h, b, b_h: (W_x, W_h, b[None], b_h[None])
    ),
    "axes of size 1 are squeezed away": arranged(lambda *arrays: tuple(map(np.squeeze, arrays))),
    "`.T`, a slice or a second name of one of torch's arrays is still that array, and `+=` writes into it; `.copy()` "
    "makes a new one": changed(W_x=lambda s: s.W_ih.T, W_h=lambda s: s.W_hh.T, b_h=lambda s: s.b_hh[2 * s.H :]),
}


def by_blocks(weights):
    """A block for each gate, put side by side; a list of outputs."""
    ih, hh = (
        {
            gate: (W, b)
            for gate, W, b in zip(
                "rzn", thirds(weights[f"weight_{k}_l0"]), thirds(weights[f"bias_{k}_l0"]), strict=True
            )
        }
        for k in ("ih", "hh")
    )
    W_x, W_h = (np.hstack([part[gate][0].T for gate in "rzn"]) for part in (ih, hh))
    b = np.hstack([ih["r"][1] + hh["r"][1], ih["z"][1] + hh["z"][1], ih["n"][1]])
    return [W_x, W_h, b, +hh["n"][1]]


def by_loops(weights):
    """One number at a time."""
    W, U, b, second = weights.values()
    (G, D), H = W.shape, U.shape[1]
    W_x, W_h, bias = np.zeros((D, G)), np.zeros((H, G)), np.zeros(G)
    for k in range(G):
        for j in range(D):
            W_x[j, k] = W[k, j]
        for j in range(H):
            W_h[j, k] = U[k, j]
        bias[k] = b[k] + (second[k] if k < 2 * H else 0)
    return W_x, W_h, bias, np.array([second[k] for k in range(2 * H, 3 * H)])


def by_mask(weights):
    """A mask of the blocks whose biases add up; copies by np.array."""
    H = weights["weight_hh_l0"].shape[1]
    added = np.repeat([1.0, 1.0, 0.0], H)
    b = weights["bias_ih_l0"] + added * weights["bias_hh_l0"]
    return (
        np.array(weights["weight_ih_l0"].T),
        np.array(weights["weight_hh_l0"].T),
        b,
        np.array(weights["bias_hh_l0"][-H:]),
    )


def by_subtraction(weights):
    """The sum of both, from which the candidate's second bias is taken away again."""
    W_ih, W_hh, b_ih, b_hh = (weights[name] for name in NAMES.values())
    b = b_ih + b_hh
    k = 2 * len(b) // 3
    b[k:] -= b_hh[k:]
    return np.einsum("gd->dg", W_ih).copy(), W_hh.transpose().copy(), b, b_hh[k:] * 1.0


def in_float32(weights):
    """Half the digits."""
    return gru_weights_from_torch({name: value.astype(np.float32) for name, value in weights.items()})


ALTERNATIVES = {
    "block by block, a list of outputs": by_blocks,
    "loops": by_loops,
    "a mask of the blocks whose biases add up": by_mask,
    "the sum of both, less the candidate's second bias": by_subtraction,
    "float32 inside": in_float32,
}

PROBLEM = Problem(
    name="gru_weights_from_torch",
    outputs={
        "W_x": Gates("D 3H", gates="rzn"),
        "W_h": Gates("H 3H", gates="rzn"),
        "b": Gates("3H", gates="rzn"),
        "b_h": Numbers("H"),
    },
    unpack=several,
    parts={"matrices": 1, "biases": 2, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=gru_weights_from_torch,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 8, section "To torch and back"',
    shapes='chapter 8, section "Two cells, one name"',
)
