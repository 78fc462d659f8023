"""Generated tasks that ask for memory, and whose right answers are known exactly.

Each takes a `numpy.random.Generator` and returns (X, targets), ready for a network and a loss: X (T, B, D) and the
targets of the steps that ask. Where those are only the last steps, train with `losses.from_step`.
"""

import numpy as np

from rnncourse.arrays import Array, expect_positive, expect_rng


def flip_flop(T: int, B: int, rng: np.random.Generator, p: float = 0.05) -> tuple[Array, Array]:
    """The flip-flop task: remember the sign of the last pulse.

    At each step comes a pulse of −1 or +1 with probability p, else 0; the first step always has one. The target is the
    last pulse so far: class 0 for −1, class 1 for +1. A guess is right half the time.
    Returns X float64 (T, B, 1) and targets int (T, B). Generated.
    Raises ValueError unless T and B are positive integers and 0 < p ≤ 1, TypeError if `rng` is not a NumPy generator.

    >>> X, targets = flip_flop(6, 1, np.random.default_rng(3), p=0.5)
    >>> X[:, 0, 0], targets[:, 0]
    (array([ 1., -1.,  0.,  0.,  1.,  1.]), array([1, 0, 0, 0, 1, 1]))
    """
    expect_positive(T=T, B=B)
    expect_rng("rng", rng)
    if not 0 < p <= 1:
        raise ValueError(f"expected p above 0 and at most 1, got {p}")
    pulse = rng.random((T, B)) < p
    pulse[0] = True
    X = np.where(pulse, rng.choice([-1.0, 1.0], (T, B)), 0.0)
    last = np.maximum.accumulate(np.where(pulse, np.arange(T)[:, None], 0), axis=0)
    targets = np.take_along_axis(X, last, axis=0) > 0
    return X[..., None], targets.astype(int)


def delayed_recall(T: int, B: int, lag: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The delayed recall task: say what came `lag` steps ago.

    Each input is −1 or +1 with equal probability. The target at step t is the input at step t − `lag`: class 0 for −1,
    class 1 for +1. A guess is right half the time.
    Returns X float64 (T, B, 1) and targets int (T − lag, B), those of the steps from `lag` on. Generated.
    Raises ValueError unless T, B and lag are positive integers and lag < T, TypeError if `rng` is not a NumPy
    generator.

    >>> X, targets = delayed_recall(5, 1, 2, np.random.default_rng(0))
    >>> X[:, 0, 0], targets[:, 0]
    (array([ 1.,  1.,  1., -1., -1.]), array([1, 1, 1]))
    """
    expect_positive(T=T, B=B, lag=lag)
    expect_rng("rng", rng)
    if lag >= T:
        raise ValueError(f"expected lag below T = {T}, got {lag}")
    X = rng.choice([-1.0, 1.0], (T, B))
    return X[..., None], (X[: T - lag] > 0).astype(int)


def recall(T: int, B: int, K: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The recall task: see one of K symbols, then noise, and name the symbol at the end.

    The first step shows the symbol, one-hot, in the first K inputs; the last input is 0 there. All later steps hold 0
    in the first K inputs and noise, normal with mean 0 and variance 1, in the last. A guess is right once in K.
    Returns X float64 (T, B, K + 1) and targets int (1, B), those of the last step. Generated.
    Raises ValueError unless T, B and K are positive integers and T ≥ 2, TypeError if `rng` is not a NumPy generator.

    >>> X, targets = recall(3, 1, 4, np.random.default_rng(0))
    >>> X[:, 0].round(1), targets
    (array([[ 0. ,  0. ,  0. ,  1. ,  0. ],
           [ 0. ,  0. ,  0. ,  0. , -0.1],
           [ 0. ,  0. ,  0. ,  0. ,  0.6]]), array([[3]]))
    """
    expect_positive(T=T, B=B, K=K)
    expect_rng("rng", rng)
    _expect_two_steps(T)
    symbols = rng.integers(K, size=B)
    X = np.zeros((T, B, K + 1))
    X[0, np.arange(B), symbols] = 1
    X[1:, :, K] = rng.standard_normal((T - 1, B))
    return X, symbols[None]


def adding(T: int, B: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The adding task: add the two numbers that are marked.

    The first input is a number, uniform between 0 and 1; the second is a mark, 1 at one step of the first half and at
    one step of the second half (which has the middle step if T is odd), else 0. The target is the sum of the two marked
    numbers. Always to answer 1 leaves the variance of that sum, a mean squared error of 1/6; `losses.squared_error`,
    which takes half of each square, is 1/12 there.
    Returns X float64 (T, B, 2) and targets float64 (1, B, 1), those of the last step. Generated.
    Source: Hochreiter and Schmidhuber 1997, experiment 4, in the form of Arjovsky, Shah and Bengio 2016.
    Raises ValueError unless T and B are positive integers and T ≥ 2, TypeError if `rng` is not a NumPy generator.

    >>> X, targets = adding(4, 1, np.random.default_rng(2))
    >>> X[:, 0].round(2), targets.round(2)
    (array([[0.26, 1.  ],
           [0.3 , 0.  ],
           [0.81, 0.  ],
           [0.09, 1.  ]]), array([[[0.35]]]))
    """
    expect_positive(T=T, B=B)
    expect_rng("rng", rng)
    _expect_two_steps(T)
    numbers, marks = rng.random((T, B)), np.zeros((T, B))
    marks[rng.integers(T // 2, size=B), np.arange(B)] = 1
    marks[rng.integers(T // 2, T, size=B), np.arange(B)] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=0)[None, :, None]


def parity(T: int, B: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The parity task: is the number of ones so far odd?

    Each input is 0 or 1 with equal probability. The target at step t is the number of ones up to and with step t,
    modulo 2. A guess is right half the time. For the answer at the end alone, take targets[-1:].
    Returns X float64 (T, B, 1) and targets int (T, B). Generated.
    Raises ValueError unless T and B are positive integers, TypeError if `rng` is not a NumPy generator.

    >>> X, targets = parity(5, 1, np.random.default_rng(0))
    >>> X[:, 0, 0], targets[:, 0]
    (array([1., 1., 1., 0., 0.]), array([1, 0, 1, 1, 1]))
    """
    expect_positive(T=T, B=B)
    expect_rng("rng", rng)
    bits = rng.integers(2, size=(T, B))
    return bits[..., None].astype(float), bits.cumsum(axis=0) % 2


def _expect_two_steps(T: int) -> None:
    if T < 2:
        raise ValueError(f"expected T of at least 2, got {T}")
