"""Rows for tokens from the company they keep: count neighbors, compare with chance, factorize.

No label is needed, only text. Tokens with similar neighbors get similar rows, which can start an embedding.
"""

from collections.abc import Sequence

import numpy as np

from rnncourse.arrays import Array, expect_array, expect_ids, expect_positive


def cooccurrences(sequences: Sequence[Array], V: int, reach: int) -> Array:
    """How often two tokens stand at most `reach` places apart: C (V, V), symmetric, float.

    `sequences` are ids (n,) from 0 to V−1, of any lengths; pairs across two sequences are not counted. C_ab counts each
    place of a with each place of b, so a pair of equal tokens counts twice in C_aa.
    Raises TypeError or ValueError, naming the sequence, for what are no ids; ValueError unless V and reach are at least
    1.

    >>> cooccurrences([np.array([0, 1, 2]), np.array([1, 1])], V=3, reach=1)
    array([[0., 1., 0.],
           [1., 2., 1.],
           [0., 1., 0.]])
    """
    expect_positive(V=V, reach=reach)
    counts = np.zeros((V, V))
    for b, ids in enumerate(sequences):
        expect_ids(f"sequences[{b}]", ids, V, ("n",))
        for gap in range(1, min(reach, len(ids) - 1) + 1):
            np.add.at(counts, (ids[:-gap], ids[gap:]), 1)
    return counts + counts.T


def positive_pmi(counts: Array) -> Array:
    """Positive pointwise mutual information of counts C (V, V):

        M_ab = max(0, log( C_ab Σ_ij C_ij / (Σ_j C_aj Σ_i C_ib) ))

    and 0 where C_ab = 0. It is 0 for pairs that meet no more often than chance would have it.
    Raises TypeError or ValueError if `counts` is no square array, ValueError if one is negative.
    Source: Church & Hanks 1990; the positive part, Bullinaria & Levy 2007.

    >>> positive_pmi(np.array([[0.0, 3.0], [3.0, 2.0]])).round(2)
    array([[0.  , 0.47],
           [0.47, 0.  ]])
    """
    expect_array("counts", counts, ("V", "V"))
    if counts.shape[0] != counts.shape[1]:
        raise ValueError(f"expected counts of shape (V, V), got {counts.shape}")
    if counts.min() < 0:
        raise ValueError(f"expected counts of at least 0, got {counts.min()}")
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1)
    ratio = np.divide(counts, by_chance, out=np.ones_like(by_chance), where=by_chance > 0)
    M: Array = np.log(np.maximum(ratio, 1))
    return M


def closest_rows(M: Array, D: int) -> Array:
    """The rows W (V, D) for which W Wᵀ comes closest to a symmetric M (V, V), in the sum of squared differences.

    W = U diag(√λ), with the D largest eigenvalues λ of M and their eigenvectors, the columns of U. Rows turned all by
    one rotation do as well. Raises TypeError or ValueError if M is no square array; ValueError unless 1 ≤ D ≤ V, or if
    M has fewer than D positive eigenvalues: then no W with D columns is better than one with fewer.

    >>> M = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
    >>> W = closest_rows(M, 2)
    >>> np.allclose(W @ W.T, M)
    True
    """
    V = expect_array("M", M, ("V", "V")).shape[0]
    if M.shape[1] != V or not np.allclose(M, M.T):
        raise ValueError(f"expected a symmetric M of shape (V, V), got another of shape {M.shape}")
    expect_positive(D=D)
    if D > V:
        raise ValueError(f"expected D of at most {V}, M's rows, got {D}")
    eigenvalues, vectors = np.linalg.eigh(M)  # in ascending order
    if eigenvalues[-D] <= 0:
        raise ValueError(f"expected M with {D} positive eigenvalues, got {int((eigenvalues > 0).sum())}")
    W: Array = vectors[:, -D:] * np.sqrt(eigenvalues[-D:])
    return W
