"""orthogonal: gain times what Gram–Schmidt makes of a matrix's columns, or of its rows if it is wide."""

import numpy as np

from rnncourse.grading.checks.drawing import single_precision
from rnncourse.grading.checks.kinds import Numbers
from rnncourse.grading.checks.problem import Case, Problem


def positive_qr(A):
    """The QR decomposition of a tall A with a positive diagonal of R: there is one only."""
    Q, R = np.linalg.qr(A)
    signs = np.where(np.diag(R) < 0, -1.0, 1.0)
    return Q * signs, R * signs[:, None]


def orthogonal(A, gain):
    """The reference: A (I, J) to W (I, J). It is `rnncourse.init.orthogonal` with A for what that draws."""
    if A.shape[0] < A.shape[1]:
        return orthogonal(A.T, gain).T
    return gain * positive_qr(A)[0]


def draw(rng, rows, columns):
    """The two arguments, by name: A = QR, R well-behaved; the diagonal that `np.linalg.qr` gives goes from − to +."""
    m, n = max(rows, columns), min(rows, columns)
    Q, _ = positive_qr(rng.normal(size=(m, n)))
    R = np.diag(rng.uniform(1, 2, n)) + np.triu(rng.uniform(0.3, 0.9, (n, n)) * rng.choice([-1, 1], (n, n)), 1)
    A = Q @ R
    A[:, 0] *= -np.sign(A[0, 0]) if m == 1 else np.sign(A[0, 0])
    if n > 1:
        A[:, -1] *= np.sign(np.linalg.qr(A)[1][-1, -1])
    return {"A": A if rows >= columns else A.T.copy(), "gain": round(float(rng.uniform(1.2, 1.8)), 3)}


def cases(rng):
    """Square with gain 1 and another; tall, wide; sizes of 1; float32, huge, small, inputs untouched."""
    yield Case("square", "A square matrix, gain 1", draw(rng, 4, 4) | {"gain": 1.0})
    yield Case("square", "A square matrix", draw(rng, 5, 5))
    yield Case("square", "2 by 2", draw(rng, 2, 2))
    yield Case("tall and wide", "A tall matrix", draw(rng, 5, 3))
    yield Case("tall and wide", "A wide matrix", draw(rng, 2, 4))
    yield Case("sizes of 1 and inputs", "1 by 1", draw(rng, 1, 1))
    yield Case("sizes of 1 and inputs", "One column", draw(rng, 4, 1))
    yield Case("sizes of 1 and inputs", "One row", draw(rng, 1, 3))
    yield Case("sizes of 1 and inputs", "Inputs in float32", single_precision(draw(rng, 3, 3)))
    for factor, note in ((3000, "Inputs 3000 times as large"), (1 / 30, "Inputs a thirtieth as large")):
        args = draw(rng, 3, 3)
        yield Case("sizes of 1 and inputs", note, args | {"A": factor * args["A"]})
    yield Case("sizes of 1 and inputs", "Your inputs afterwards", draw(rng, 4, 4), untouched=True)


def tall(make):
    """`make(A)` of a tall A, or of a wide one turned, times the gain: a mistake."""
    return lambda A, gain: gain * (make(A) if A.shape[0] >= A.shape[1] else make(A.T).T)


def returned(result):
    """Returns `result(W, gain)` of the right answer: a mistake."""
    return lambda A, gain: result(orthogonal(A, gain), gain)


def signed(signs):
    """Q of `np.linalg.qr` with its columns times `signs(Q, R)`: a mistake."""

    def make(A):
        Q, R = np.linalg.qr(A)
        return Q * signs(Q, R)

    return tall(make)


def signs_on_rows(A, gain):
    """The signs along the wrong axis; square matrices only, for others it does not fit."""
    Q, R = np.linalg.qr(A if A.shape[0] >= A.shape[1] else A.T)
    Q = Q * np.sign(np.diag(R))[:, None]
    return gain * (Q if A.shape[0] >= A.shape[1] else Q.T)


def gram_schmidt(A, project, normalize=lambda v: v / np.linalg.norm(v)):
    """Gram–Schmidt on columns with another projection `project(a, Q, A, j)` of the column a = A[:, j]."""
    Q = np.zeros_like(A)
    for j in range(A.shape[1]):
        Q[:, j] = normalize(A[:, j] - project(A[:, j], Q, A, j))
    return Q


def perpendicular(a, Q, A, j):
    """What the columns before have of a, where they have length 1."""
    return Q[:, :j] @ (Q[:, :j].T @ a)


def other_than_turned(make):
    """`make(A)` whatever the shape, times the gain."""
    return lambda A, gain: gain * make(A)


def overwrites(A, gain):
    """Gram–Schmidt in A itself."""
    W = orthogonal(A, gain)
    A[:] = W / gain
    return W


def flips_by_loop(A, gain):
    """Turns the signs one by one, along the columns of A."""
    Q, R = np.linalg.qr(A)
    for j in range(A.shape[1]):
        if R[j, j] < 0:
            Q[:, j] = -Q[:, j]
    return gain * Q


def complete(A):
    """Q of a tall A filled up to a square."""
    Q, R = np.linalg.qr(A, mode="complete")
    return Q * np.where(np.diag(R) < 0, -1, 1) if Q.shape == A.shape else Q


MISTAKES = {
    "the signs of np.linalg.qr are left as they come; each column belongs times the sign of its diagonal entry of R": (
        signed(lambda Q, R: 1)
    ),
    "the signs of np.linalg.qr are left as they come, and a wide matrix is not turned first": other_than_turned(
        lambda A: np.linalg.qr(A)[0]
    ),
    "a wide matrix is not turned first: transpose it, make it orthogonal, transpose it back": other_than_turned(
        lambda A: positive_qr(A)[0] if A.shape[0] >= A.shape[1] else positive_qr(A[:, : A.shape[0]])[0]
    ),
    "a wide matrix is turned, but the result is not turned back": other_than_turned(
        lambda A: positive_qr(A if A.shape[0] >= A.shape[1] else A.T)[0]
    ),
    "a square matrix is turned as well: it is its columns that Gram-Schmidt goes along, from the left": (
        other_than_turned(lambda A: positive_qr(A)[0] if A.shape[0] > A.shape[1] else positive_qr(A.T)[0].T)
    ),
    "the matrix is always turned, so that a tall one is treated as a wide one": other_than_turned(
        lambda A: positive_qr(A.T)[0].T
    ),
    "the signs multiply the rows of Q instead of its columns": signs_on_rows,
    "the signs are those of the diagonal of Q, not of R": signed(lambda Q, R: np.sign(np.diag(Q))),
    "the columns are perpendicular, but not of length 1 (Q times the diagonal of R, not times its sign?)": signed(
        lambda Q, R: np.diag(R)
    ),
    "the columns are divided by the diagonal of R, not multiplied by its sign": signed(lambda Q, R: 1 / np.diag(R)),
    "the signs are turned: R gets a negative diagonal": signed(lambda Q, R: np.where(np.diag(R) < 0, 1, -1)),
    "all columns get one sign, that of the first entry of R; each column has its own": signed(
        lambda Q, R: np.sign(R[0, 0])
    ),
    "a wide matrix is not turned first, so that R has fewer rows than columns": flips_by_loop,
    "the magnitudes of Q are returned, without signs": tall(lambda A: abs(positive_qr(A)[0])),
    "the result is transposed": returned(lambda W, gain: W.T.copy()),
    "R is returned instead of Q": tall(lambda A: positive_qr(A)[1]),
    "R of np.linalg.qr is returned instead of Q": other_than_turned(lambda A: np.linalg.qr(A)[1]),
    "Q times R is returned, which is A": tall(lambda A: 1 * A),
    "np.linalg.qr returns two values, Q and R; both are returned": lambda A, gain: tuple(np.linalg.qr(A)),
    "the columns have length 1, but they are not perpendicular": tall(lambda A: A / np.linalg.norm(A, axis=0)),
    "the rows have length 1, but nothing is perpendicular": tall(
        lambda A: A / np.linalg.norm(A, axis=1, keepdims=True)
    ),
    "A is divided by its Frobenius norm, which makes nothing perpendicular": tall(lambda A: A / np.linalg.norm(A)),
    "A is divided by its largest singular value, which leaves the others smaller": tall(
        lambda A: A / np.linalg.norm(A, 2)
    ),
    "A is divided by its spectral radius": tall(
        lambda A: A / abs(np.linalg.eigvals(A)).max() if A.shape[0] == A.shape[1] else 1 * A
    ),
    "U of the singular value decomposition is returned: orthogonal too, but not the one asked for": tall(
        lambda A: np.linalg.svd(A, full_matrices=False)[0]
    ),
    "U Vᵀ of the singular value decomposition is returned: orthogonal too, but not the one asked for": tall(
        lambda A: np.matmul(*np.linalg.svd(A, full_matrices=False)[::2])
    ),
    "eigenvectors of A Aᵀ are returned: orthogonal too, but not those asked for": tall(
        lambda A: np.linalg.eigh(A @ A.T)[1][:, : A.shape[1]]
    ),
    "the identity is returned: orthogonal too, but not the one asked for": tall(lambda A: np.eye(*A.shape)),
    "Q is completed to a square matrix (mode='complete')": tall(complete),
    "columns are made perpendicular by the formula for length 1, before they have it": tall(
        lambda A: gram_schmidt(A, perpendicular, lambda v: v)
    ),
    "columns are made perpendicular by the formula for length 1 before they have it, and scaled at the end": tall(
        lambda A: (lambda Q: Q / np.linalg.norm(Q, axis=0))(gram_schmidt(A, perpendicular, lambda v: v))
    ),
    "only columns longer than 1 are divided by their length, as if they were clipped; all are": tall(
        lambda A: gram_schmidt(A, perpendicular, lambda v: v / max(1, np.linalg.norm(v)))
    ),
    "each column is made perpendicular to the one before it only": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: (Q[:, j - 1] @ a) * Q[:, j - 1] if j else 0)
    ),
    "each column is made perpendicular to the first one only": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: (Q[:, 0] @ a) * Q[:, 0] if j else 0)
    ),
    "each column is made perpendicular to the columns of A, not to those of the result": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: sum(((c @ a) / (c @ c) * c for c in A[:, :j].T), 0 * a))
    ),
    "each column is divided by the square of its length: the root is missing": tall(
        lambda A: gram_schmidt(A, perpendicular, lambda v: v / (v @ v))
    ),
    "v_j is made from the columns of A before it; those of the result take their place": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: A[:, :j] @ (A[:, :j].T @ a))
    ),
    "the rows of the result stand for its columns: `Q[i]` is row i, `Q[:, i]` is column i": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: Q[:j].T @ (Q[:j] @ a)) if A.shape[0] == A.shape[1] else 1 * A
    ),
    "what the columns before have in common is added, not subtracted": tall(
        lambda A: gram_schmidt(A, lambda a, Q, A, j: -perpendicular(a, Q, A, j))
    ),
    "gain is ignored, or multiplies A: the columns get length 1 all the same": returned(lambda W, gain: W / gain),
    "it is divided by gain": returned(lambda W, gain: W / gain**2),
    "gain multiplies twice": returned(lambda W, gain: W * gain),
    "gain is put under a root": returned(lambda W, gain: W / np.sqrt(gain)),
    "gain is added": returned(lambda W, gain: W / gain + gain),
    "axes of size 1 are squeezed away": returned(lambda W, gain: np.squeeze(W)),
    "A is written over": overwrites,
}


def column_by_column(A, gain):
    """Gram–Schmidt, one column and one product at a time, on a copy."""
    if A.shape[0] < A.shape[1]:
        return column_by_column(A.T, gain).T
    Q = np.array(A)
    for j in range(Q.shape[1]):
        for i in range(j):
            Q[:, j] -= (Q[:, i] @ Q[:, j]) * Q[:, i]
        Q[:, j] /= np.sqrt(Q[:, j] @ Q[:, j])
    return gain * Q


def by_cholesky(A, gain):
    """AᵀA = RᵀR, and Q = A R⁻¹."""
    wide = A.shape[0] < A.shape[1]
    M = A.T if wide else A
    Q = np.linalg.solve(np.linalg.cholesky(M.T @ M), M.T)
    return gain * (Q if wide else Q.T)


def with_a_diagonal_matrix(A, gain):
    """Q times a diagonal matrix of signs, in float32."""
    wide = A.shape[0] < A.shape[1]
    Q, R = np.linalg.qr((A.T if wide else A).astype(np.float32))
    W = gain * Q @ np.diag(np.sign(np.diag(R)))
    return W.T if wide else W


ALTERNATIVES = {
    "Gram-Schmidt, column by column": column_by_column,
    "Gram-Schmidt, with matrix products": tall(lambda A: gram_schmidt(A, perpendicular)),
    "Cholesky": by_cholesky,
    "QR and a diagonal matrix of signs, float32 inside": with_a_diagonal_matrix,
}

PROBLEM = Problem(
    name="orthogonal",
    outputs={"W": Numbers("I J")},
    parts={"square": 2, "tall and wide": 1, "sizes of 1 and inputs": 1},
    cases=cases,
    reference=orthogonal,
    mistakes=MISTAKES,
    alternatives=ALTERNATIVES,
    reread="part 4 of the problem set",
    shapes="part 4 of the problem set",
)
