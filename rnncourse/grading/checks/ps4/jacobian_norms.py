"""jacobian_norms: the norm of dh_T/dh_{T−k} for every lag k of a run, from its states and recurrent weights."""

import numpy as np

from rnncourse.analysis import singular_values
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def largest(J):
    """The norm of each matrix: its largest singular value."""
    return singular_values(J)[..., 0]


def factors(states, W_h):
    """∂h_t/∂h_{t−1} = diag(1 − h_t²) W_hᵀ of every step, (T, B, H, H)."""
    return (1 - states**2)[..., None] * W_h.T


def products(steps):
    """The factors of the given steps multiplied up, later ones on the right: T + 1 products, from the identity on."""
    J = [np.broadcast_to(np.eye(steps.shape[-1]), steps.shape[1:])]
    for step in steps:
        J.append(J[-1] @ step)
    return np.stack(J)


def jacobian_norms(states, W_h):
    """The reference: states (T, B, H), W_h (H, H) to norms (T + 1, B), by lag."""
    return largest(products(factors(states, W_h)[::-1]))


def draw(rng, T, B, H):
    """The two arguments, by name: states in between 0 and ±1, weights that neither vanish nor explode at once."""
    states = rng.uniform(0.2, 0.9, (T, B, H)) * rng.choice([-1, 1], (T, B, H))
    return {"states": states, "W_h": 2.5 * rng.normal(size=(H, H)) / np.sqrt(H)}


def saturated(args):
    """The same with every second state at −1 or 1 exactly."""
    states = args["states"].copy()
    states.flat[::2] = np.sign(states.flat[::2])
    return args | {"states": states}


def cases(rng):
    """One sequence, several; sizes all different and all equal, each once 1; float32, saturated, huge, long."""
    yield Case("one sequence", "One sequence (B = 1)", draw(rng, T=5, B=1, H=4))
    yield Case("one sequence", "One sequence, as many units as steps", draw(rng, T=4, B=1, H=4))
    yield Case("a batch", "All sizes different", draw(rng, T=5, B=3, H=4))
    yield Case("a batch", "All sizes equal", draw(rng, T=3, B=3, H=3))
    yield Case("sizes of 1", "One time step (T = 1)", draw(rng, T=1, B=3, H=3))
    yield Case("sizes of 1", "One hidden unit (H = 1)", draw(rng, T=4, B=3, H=1))
    yield Case("numbers and inputs", "Inputs in float32", single_precision(draw(rng, T=4, B=2, H=3)))
    yield Case("numbers and inputs", "Half of the states at -1 or 1", saturated(draw(rng, T=4, B=2, H=5)))
    huge = draw(rng, T=3, B=2, H=4)
    yield Case("numbers and inputs", "Weights 3000 times as large", huge | {"W_h": 3000 * huge["W_h"]})
    yield Case("numbers and inputs", "12 time steps", draw(rng, T=12, B=2, H=3))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, T=4, B=3, H=2), untouched=True)


def sized(size):
    """The right Jacobians by lag, their sizes by another norm: a mistake."""
    return lambda states, W_h: size(products(factors(states, W_h)[::-1]))


def sloped(slope):
    """With another slope of tanh, `slope(h)`: a mistake."""
    return lambda states, W_h: largest(products((slope(states)[..., None] * W_h.T)[::-1]))


def multiplied(multiply):
    """With the norms of `multiply(factors)`, where the factors come from the first step to the last: a mistake."""
    return lambda states, W_h: largest(multiply(factors(states, W_h)))


def returned(result):
    """Returns `result(norms)` of the right norms: a mistake."""
    return lambda states, W_h: result(jacobian_norms(states, W_h))


def onto_the_left(steps):
    """Like `products`, with later ones on the left."""
    return products(steps.swapaxes(-1, -2)).swapaxes(-1, -2)


def entry_by_entry(steps):
    """Products entry by entry, from the identity on."""
    return np.cumprod(np.concatenate([0 * steps[:1] + np.eye(steps.shape[-1]), steps[::-1]]), axis=0)


def alone(steps):
    """The identity, and then each factor by itself."""
    return np.concatenate([0 * steps[:1] + np.eye(steps.shape[-1]), steps[::-1]])


def one_step_off(states, W_h):
    """The slope at lag k from states[T − 1 − k]: at the largest lag that is states[-1]."""
    return jacobian_norms(np.roll(states, 1, axis=0), W_h)


def product_of_norms(states, W_h):
    """Norms multiplied instead of matrices."""
    norms = largest(factors(states, W_h)[::-1])
    return np.cumprod(np.concatenate([np.ones_like(norms[:1]), norms]), axis=0)


def bound(states, W_h):
    """σ_max(W_h)^k."""
    powers = largest(W_h) ** np.arange(len(states) + 1)
    return np.repeat(powers[:, None], states.shape[1], axis=1)


def spectral_radius(J):
    """The largest modulus of an eigenvalue."""
    return abs(np.linalg.eigvals(J)).max(axis=-1)


def one_at_lag_0(norms):
    """The same, but for the first, which is written down as 1."""
    norms[0] = 1
    return norms


def without_batch(multiply):
    """A loop that takes a step's states for (H,), and multiplies by `multiply(J, slopes, W_h)`."""

    def norms_by_lag(states, W_h):
        J = np.eye(len(W_h))
        norms = [np.linalg.norm(J, 2)]
        for h in states[::-1]:
            J = multiply(J, 1 - h**2, W_h)
            norms.append(np.linalg.norm(J, 2))
        return np.array(norms)

    return norms_by_lag


def goes_on(states, W_h):
    """One product for all sequences, one behind the other."""
    T, B, H = states.shape
    J, norms = np.eye(H), np.ones((T + 1, B))
    for b in range(B):
        for k in range(1, T + 1):
            J = J @ np.diag(1 - states[T - k, b] ** 2) @ W_h.T
            norms[k, b] = np.linalg.norm(J, 2)
    return norms


def overwrites(states, W_h):
    """Squares the states in place."""
    norms = jacobian_norms(states, W_h)
    states **= 2
    return norms


MISTAKES = {
    "W_h is not transposed: the factor is diag(1 - h²) times W_h.T": lambda states, W_h: jacobian_norms(states, W_h.T),
    "the slopes multiply the columns of W_h.T, as `(1 - h**2) * W_h.T` does; in diag(1 - h²) W_h.T they multiply its "
    "rows": lambda states, W_h: largest(products(((1 - states**2)[..., None, :] * W_h.T)[::-1])),
    "the factors stand in the other order: that of the last step belongs on the left (`J = J @ factor` on the way "
    "back; `(1 - h**2) * W_h` is the factor transposed)": multiplied(lambda steps: onto_the_left(steps[::-1])),
    "the product begins with the first step: norms[k] is that of dh_k/dh_0, not of dh_T/dh_{T-k}": multiplied(
        onto_the_left
    ),
    "the product begins with the first step, and later factors stand on the right": multiplied(products),
    "W_h is not transposed, and the product begins with the first step: it begins with the last one": (
        lambda states, W_h: largest(onto_the_left(factors(states, W_h.T)))
    ),
    "norms are stored by time step; norms[k] belongs to lag k, and norms[0] is 1": returned(lambda norms: norms[::-1]),
    "the slope comes from the state before the step, h_{t-1}: the step to h_t has the slope 1 - h_t²": one_step_off,
    "the slope is 1 - h; that of tanh is 1 - h²": sloped(lambda h: 1 - h),
    "the slope is h²; that of tanh is 1 - h²": sloped(lambda h: h**2),
    "the slope is 1 - tanh(h)², as if h were the sum before the tanh": sloped(lambda h: 1 - np.tanh(h) ** 2),
    "the slope is h(1 - h), which is that of a sigmoid": sloped(lambda h: h * (1 - h)),
    "the slope 1 - h² is left out": sloped(np.ones_like),
    "W_h is left out: only the slopes are multiplied": lambda states, W_h: jacobian_norms(states, np.eye(len(W_h))),
    "the Frobenius norm is taken (np.linalg.norm without ord=2), which is the root of the sum of all squares": sized(
        lambda J: np.sqrt((J**2).sum(axis=(-1, -2)))
    ),
    "the Frobenius norm is taken from lag 1 on (np.linalg.norm without ord=2), which is the root of the sum of all "
    "squares": sized(lambda J: one_at_lag_0(np.sqrt((J**2).sum(axis=(-1, -2))))),
    "the spectral radius is taken, the largest modulus of an eigenvalue, instead of the largest singular value": (
        sized(spectral_radius)
    ),
    "the smallest singular value is taken; np.linalg.svd gives the largest first": sized(
        lambda J: singular_values(J)[..., -1]
    ),
    "the norm is squared: the eigenvalues of J Jᵀ are the squares of the singular values": sized(
        lambda J: largest(J) ** 2
    ),
    "the singular values are added up": sized(lambda J: singular_values(J).sum(axis=-1)),
    "the singular values are added up from lag 1 on": sized(lambda J: one_at_lag_0(singular_values(J).sum(axis=-1))),
    "the singular values are averaged": sized(lambda J: singular_values(J).mean(axis=-1)),
    "the largest entry is taken for the norm": sized(lambda J: abs(J).max(axis=(-1, -2))),
    "the largest sum of a row is taken (ord=np.inf), not the largest singular value (ord=2)": sized(
        lambda J: abs(J).sum(axis=-1).max(axis=-1)
    ),
    "the largest sum of a column is taken (ord=1), not the largest singular value (ord=2)": sized(
        lambda J: abs(J).sum(axis=-2).max(axis=-1)
    ),
    "the determinant is taken for the norm": sized(lambda J: abs(np.linalg.det(J))),
    "the norms of the factors are multiplied: that is a bound, not the norm of the product": product_of_norms,
    "the norm of W_h is raised to the power of the lag: that is a bound, not the norm": bound,
    "each lag has one factor alone: they are not multiplied up": multiplied(alone),
    "the matrices are multiplied entry by entry, with `*`; `@` is the matrix product": multiplied(entry_by_entry),
    "the logarithm of the norms is returned": returned(lambda norms: np.log(np.maximum(norms, 1e-300))),
    "the logarithm to base 10 of the norms is returned": returned(lambda norms: np.log10(np.maximum(norms, 1e-300))),
    "lag 0 is left out: there are T + 1 lags, from 0 to T": returned(lambda norms: norms[1:]),
    "the largest lag is left out: there are T + 1 lags, from 0 to T": returned(lambda norms: norms[:-1]),
    "the loop ends one lag early: norms[T], the largest lag, stays at 1": returned(
        lambda norms: np.concatenate([norms[:-1], np.ones_like(norms[-1:])])
    ),
    "the loop ends one lag early: norms[T], the largest lag, stays at 0": returned(
        lambda norms: np.concatenate([norms[:-1], np.zeros_like(norms[-1:])])
    ),
    "norms[0] stays at 0: at lag 0 the Jacobian is the identity, with norm 1": returned(
        lambda norms: norms * (np.arange(len(norms)) > 0)[:, None]
    ),
    "only the norm at the largest lag is returned": returned(lambda norms: norms[-1]),
    "norms is returned with the sequences first, (B, T + 1)": returned(lambda norms: norms.T),
    "the norms are averaged over the sequences": returned(lambda norms: norms.mean(axis=1)),
    "only the first sequence is looked at": returned(lambda norms: norms[:, 0]),
    "every sequence gets the norms of the first": returned(lambda norms: np.repeat(norms[:, :1], norms.shape[1], 1)),
    "the slopes are averaged over the sequences": lambda states, W_h: jacobian_norms(
        np.sqrt(np.broadcast_to((states**2).mean(axis=1, keepdims=True), states.shape)), W_h
    ),
    "axes of size 1 are squeezed away": returned(np.squeeze),
    "states is taken for batch first, (B, T, H)": lambda states, W_h: jacobian_norms(states.swapaxes(0, 1), W_h),
    "states is taken for batch first, (B, T, H), and norms returned so": lambda states, W_h: (
        jacobian_norms(states.swapaxes(0, 1), W_h).T
    ),
    "states[t] is taken for one sequence, (H,), where it holds B of them, (B, H)": without_batch(
        lambda J, slopes, W_h: J @ np.diag(slopes) @ W_h.T
    ),
    "states[t] is taken for one sequence, (H,), where it holds B of them, (B, H), and np.diag takes a diagonal of it": (
        without_batch(lambda J, slopes, W_h: J @ (np.diag(slopes) @ W_h.T))
    ),
    "J is not set back to the identity for the next sequence: it goes on from the one before": goes_on,
    "states is written over": overwrites,
}


def one_by_one(states, W_h):
    """Sequence by sequence, with np.diag."""
    T, B, H = states.shape
    norms = np.empty((T + 1, B))
    for n in range(B):
        J = np.eye(H)
        norms[0, n] = 1
        for k in range(1, T + 1):
            J = J @ np.diag(1 - states[T - k, n] ** 2) @ W_h.T
            norms[k, n] = np.linalg.norm(J, 2)
    return norms


def transposed(states, W_h):
    """The product transposed, on one buffer, by einsum: as a gradient goes back."""
    J = np.tile(np.eye(len(W_h), dtype=W_h.dtype), (states.shape[1], 1, 1))
    norms = [np.linalg.norm(J, ord=2, axis=(1, 2))]
    for h in reversed(states):
        J[:] = np.einsum("ij,bj,bjk->bik", W_h, 1 - h * h, J)
        norms.append(np.linalg.norm(J, ord=2, axis=(1, 2)))
    return np.array(norms)


def from_scratch(states, W_h):
    """Every lag by itself, the norm from the eigenvalues of Jᵀ J."""
    steps = factors(states, W_h)
    norms = np.ones((len(states) + 1, states.shape[1]))
    for k in range(1, len(states) + 1):
        J = steps[-k]
        for step in steps[len(states) - k + 1 :]:
            J = step @ J
        norms[k] = np.sqrt(np.linalg.eigvalsh(J.swapaxes(1, 2) @ J)[:, -1])
    return norms


ALTERNATIVES = {
    "loops over sequences and lags": one_by_one,
    "the transposed product, by einsum": transposed,
    "every lag from scratch, by eigenvalues": from_scratch,
    "float32 inside": lambda states, W_h: one_by_one(states.astype(np.float32), W_h.astype(np.float32)),
}

PROBLEM = Problem(
    name="jacobian_norms",
    outputs={"norms": Numbers("T+1 B")},
    parts={"one sequence": 2, "a batch": 1, "sizes of 1": 1, "numbers and inputs": 1},
    cases=cases,
    reference=jacobian_norms,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 6, section "A product of Jacobians"',
    shapes='"Notation" in the problem set',
)
