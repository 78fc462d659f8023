"""numerical_gradient: central differences, (L(θ + ε) − L(θ − ε)) / 2ε, one entry of θ at a time."""

import numpy as np

from rnncourse import gradcheck
from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def numerical_gradient(loss, theta, eps):
    """The reference: a gradient of the shape of theta, by the course's own `gradcheck`."""
    theta = theta.astype(np.float64)
    return gradcheck.numerical_gradient(lambda: loss(theta), theta, eps)


def cubic_loss(rng, shape):
    """A loss in which every entry meets every other: Σ θ³ + (Σ w θ)², with w fixed; it sees the shape of θ.

    Its central difference is the gradient plus ε², so that the size of the step shows.
    """
    w = rng.uniform(0.4, 0.9, shape) * rng.choice([-1, 1], shape)

    def cubic(theta):
        return float((theta.astype(np.float64) ** 3).sum() + (w * theta).sum() ** 2)

    cubic.__qualname__ = "loss"  # as Python's own errors call it
    return cubic


def recurrent_loss(rng, B, H, steps):
    """The mean square of the states of a small recurrent network without inputs, as a function of its W_h."""
    h0 = rng.uniform(0.3, 0.9, (B, H))

    def recurrent(theta):
        h, total = h0, 0.0
        for _ in range(steps):
            h = np.tanh(h @ theta)
            total += float((h**2).mean())
        return total

    recurrent.__qualname__ = "loss"
    return recurrent


def draw(rng, shape, eps):
    """The three arguments, by name. No entry is near 0."""
    theta = rng.uniform(0.4, 1.2, shape) * rng.choice([-1, 1], shape)
    return {"loss": cubic_loss(rng, shape), "theta": theta, "eps": eps}


def cases(rng):
    """Vectors, then other numbers of axes, sizes of 1, float32. Steps large enough to see which formula is used."""
    yield Case("central differences", "A vector", draw(rng, (5,), 0.1))
    yield Case("central differences", "A shorter vector and step", draw(rng, (3,), 0.05))
    yield Case("any shape", "A matrix", draw(rng, (3, 4), 0.1))
    yield Case("any shape", "A square matrix", draw(rng, (3, 3), 0.05))
    recurrent = {"loss": recurrent_loss(rng, B=3, H=2, steps=4), "theta": rng.normal(size=(2, 2)), "eps": 0.3}
    yield Case("any shape", "The W_h of a small recurrent network", recurrent)
    yield Case("any shape", "Three axes", draw(rng, (2, 3, 2), 0.2))
    yield Case("any shape", "One row", draw(rng, (1, 4), 0.1))
    yield Case("any shape", "One entry", draw(rng, (1, 1), 0.3))
    yield Case("numbers and inputs", "theta in float32", single_precision(draw(rng, (2, 4), 0.1)))
    yield Case("numbers and inputs", "Your inputs afterwards", draw(rng, (4, 3), 0.1), untouched=True)


def moved(theta, at, step):
    """A copy of theta, with the entries `at` moved by a step."""
    theta = theta.copy()
    theta[at] += step
    return theta


def differences(formula, entries=lambda theta: np.ndindex(theta.shape)):
    """`formula(L, eps)` for the entries of theta, where L(step) is the loss with this entry moved; zeros elsewhere."""

    def gradient(loss, theta, eps):
        result = np.zeros(theta.shape)
        for at in entries(theta):
            result[at] = formula(lambda step, at=at: loss(moved(theta, at, step)), eps)
        return result

    return gradient


def central(L, eps):
    """The central difference."""
    return (L(eps) - L(-eps)) / (2 * eps)


def arranged(result):
    """The right gradient, then `result` of it: a mistake."""
    return lambda loss, theta, eps: result(differences(central)(loss, theta, eps))


def not_put_back(first, second):
    """Moves each entry of a copy by two steps in turn, and leaves it there."""

    def gradient(loss, theta, eps):
        theta, result = theta.copy(), np.zeros(theta.shape)
        for at in np.ndindex(theta.shape):
            losses = []
            for step in (first, second):
                theta[at] += step * eps
                losses.append(loss(theta))
            result[at] = (losses[0] - losses[1]) / (2 * eps)
        return result

    return gradient


def two_arrays(made):
    """Moves the entries of the two arrays that `made(theta)` gives, and puts none back: a mistake."""

    def gradient(loss, theta, eps):
        (plus, minus), result = made(theta), np.zeros(theta.shape)
        for at in np.ndindex(theta.shape):
            plus[at] += eps
            minus[at] -= eps
            result[at] = (loss(plus) - loss(minus)) / (2 * eps)
        return result

    return gradient


def all_at_once(loss, theta, eps):
    """Moves all entries together."""
    return np.full(theta.shape, (loss(theta + eps) - loss(theta - eps)) / (2 * eps))


def all_at_once_number(loss, theta, eps):
    """Moves all entries together, and returns the one number."""
    return (loss(theta + eps) - loss(theta - eps)) / (2 * eps)


def row_by_row(loss, theta, eps):
    """Moves whole rows, and keeps one number for each."""
    rows = [differences(central, lambda _, i=i: [i])(loss, theta, eps) for i in range(len(theta))]
    return np.array([row[i].flat[0] for i, row in enumerate(rows)])


def rows_in_place(loss, theta, eps):
    """Keeps `theta[i]` as the old value: of a matrix it is a row, and a view."""
    theta, result = theta.copy(), np.zeros(theta.shape)
    for i in range(len(theta)):
        old = theta[i]
        theta[i] = old + eps
        up = loss(theta)
        theta[i] = old - eps
        result[i] = (up - loss(theta)) / (2 * eps)
        theta[i] = old
    return result


def rows_and_columns(loss, theta, eps):
    """Two loops, for a matrix."""
    result = np.zeros(theta.shape)
    for i in range(theta.shape[0]):
        for j in range(theta.shape[1]):
            result[i, j] = central(lambda step, at=(i, j): loss(moved(theta, at, step)), eps)
    return result


def flattened(loss, theta, eps):
    """Hands the loss theta as a flat array."""
    flat = theta.ravel().copy()
    return differences(central)(loss, flat, eps).reshape(theta.shape)


def added_back(loss, theta, eps):
    """Puts the entry back by adding what was taken away: it rounds."""
    result = np.zeros(theta.shape)
    for at in np.ndindex(theta.shape):
        theta[at] += eps
        up = loss(theta)
        theta[at] -= 2 * eps
        result[at] = (up - loss(theta)) / (2 * eps)
        theta[at] += eps
    return result


MISTAKES = {
    "the difference is taken forward, (L(θ+ε) - L(θ)) / ε; it is central": differences(
        lambda L, eps: (L(eps) - L(0)) / eps
    ),
    "the difference is taken backward, (L(θ) - L(θ-ε)) / ε; it is central": differences(
        lambda L, eps: (L(0) - L(-eps)) / eps
    ),
    "the central difference is divided by ε; the two places are 2ε apart": differences(
        lambda L, eps: (L(eps) - L(-eps)) / eps
    ),
    "a difference with the place in the middle is divided by 2ε; L(θ+ε) - L(θ) spans one ε": differences(
        lambda L, eps: (L(eps) - L(0)) / (2 * eps)
    ),
    "`/ 2 * eps` stands for `/ (2 * eps)`: Python divides by 2 and then multiplies": differences(
        lambda L, eps: (L(eps) - L(-eps)) / 2 * eps
    ),
    "the difference is not divided by 2ε": differences(lambda L, eps: L(eps) - L(-eps)),
    "`L(θ+ε) - L(θ-ε) / (2 * eps)` lacks the parentheses around the difference": differences(
        lambda L, eps: L(eps) - L(-eps) / (2 * eps)
    ),
    "the sign is wrong: it is the loss at θ+ε minus that at θ-ε": differences(
        lambda L, eps: (L(-eps) - L(eps)) / (2 * eps)
    ),
    "the steps are ε/2 to either side; they are ε": differences(lambda L, eps: (L(eps / 2) - L(-eps / 2)) / eps),
    "eps is not used: the step is another number": differences(lambda L, eps: central(L, 1e-4)),
    "the absolute value of the difference is taken": differences(lambda L, eps: abs(central(L, eps))),
    "an entry is not put back: it stays at θ-ε while the next one is moved": not_put_back(1, -2),
    "an entry is not put back: it stays at θ+ε while the next one is moved": not_put_back(-1, 2),
    "plus and minus are two names for one array, so that both losses are the same: copy it": two_arrays(
        lambda theta: [theta.copy()] * 2
    ),
    "the two copies are made once, before the loop, and keep every entry moved": two_arrays(
        lambda theta: (theta.copy(), theta.copy())
    ),
    "all entries are moved together; they are moved one at a time": all_at_once,
    "all entries are moved together, which gives one number": all_at_once_number,
    "whole rows are moved, `theta[i]`; an entry is `theta[i, j]`": differences(
        central, lambda theta: range(len(theta))
    ),
    "whole rows are moved, `theta[i]`, and give one number each; an entry is `theta[i, j]`": row_by_row,
    "whole rows are moved, and with them `old = theta[i]`: of a matrix it is a row, a part of theta": rows_in_place,
    "only the first row is filled in": differences(
        central, lambda theta: ((0, *at) for at in np.ndindex(theta.shape[1:]))
    ),
    "only the diagonal is filled in": differences(
        central, lambda theta: ((i,) * theta.ndim for i in range(min(theta.shape)))
    ),
    "the loops run over rows and columns: theta may have any number of axes": rows_and_columns,
    "the loss is called with theta as a flat array; it needs theta's shape": flattened,
    "the gradient is returned as a flat array; it has the shape of theta": arranged(np.ravel),
    "the gradient is transposed": arranged(lambda gradient: gradient.T.copy()),
    "axes of size 1 are squeezed away": arranged(np.squeeze),
    "the gradient is stored in an array of integers, which drops what follows the decimal point": arranged(
        lambda gradient: gradient.astype(int)
    ),
    "the sum of the gradient is returned": arranged(lambda gradient: gradient.sum()),
    "theta is put back by adding and subtracting eps, which rounds: keep the old value, or move a copy": added_back,
}


def with_old_values(loss, theta, eps):
    """On one copy, putting each old value back, by flat positions."""
    theta, result = theta.astype(np.float64), np.zeros(theta.shape)
    for k in range(theta.size):
        old = theta.flat[k]
        theta.flat[k] = old + eps
        up = loss(theta)
        theta.flat[k] = old - eps
        result.flat[k] = (up - loss(theta)) / (2 * eps)
        theta.flat[k] = old
    return result


def by_unit_arrays(loss, theta, eps):
    """θ plus and minus arrays with a single ε, made from the identity."""
    unit = eps * np.eye(theta.size).reshape(-1, *theta.shape)
    return np.array([(loss(theta + e) - loss(theta - e)) / 2 / eps for e in unit]).reshape(theta.shape)


def in_theta(loss, theta, eps):
    """In theta itself, with every value put back."""
    result = np.empty_like(theta)
    for at, old in list(np.ndenumerate(theta)):
        losses = []
        for theta[at] in (old + eps, old - eps):
            losses.append(loss(theta))
        theta[at] = old
        result[at] = 0.5 * (losses[0] - losses[1]) / eps
    return result


ALTERNATIVES = {
    "a copy for each entry": differences(central),
    "one copy, old values put back": with_old_values,
    "unit arrays": by_unit_arrays,
    "in theta itself, put back": in_theta,
}

PROBLEM = Problem(
    name="numerical_gradient",
    outputs={"gradient": Numbers()},
    parts={"central differences": 2, "any shape": 1, "numbers and inputs": 1},
    cases=cases,
    reference=numerical_gradient,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread='chapter 5, section "Checking a gradient"',
    shapes='chapter 5, section "Checking a gradient"',
)
