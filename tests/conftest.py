"""What several test files share: hypothesis' settings, and the finite-difference check of a whole layer."""

import numpy as np
import pytest
from hypothesis import Phase, settings

from rnncourse.analysis.structure import each, leaves
from rnncourse.gradcheck import numerical_gradient

# The same examples on every run, and no deadline: a slow machine is not a failure.
settings.register_profile("course", derandomize=True, deadline=None, max_examples=25)
# `make proof`: many more, others for each --hypothesis-seed; a failure prints the seed and the example, not a file.
settings.register_profile("proof", deadline=None, max_examples=1000, database=None, print_blob=True)
# benchmarks/mutation.py: that a test fails is all it asks, not for the simplest example.
PHASES = (Phase.explicit, Phase.generate)
settings.register_profile("mutants", settings.get_profile("course"), phases=PHASES, report_multiple_bugs=False)
settings.load_profile("course")


@pytest.fixture(scope="session")
def check_by_differences():
    """check(layer, X, state, mask, rng): every gradient of Σ Y ⊙ R + Σ state ⊙ R′ against central differences."""

    def check(layer, X, state, mask, rng):
        Y, last, tape = layer.forward(X, state, mask)
        dY, dlast = rng.normal(size=Y.shape), each(lambda s: rng.normal(size=s.shape), last)

        def loss():
            Y, last, _ = layer.forward(X, state, mask)
            return (Y * dY).sum() + sum((s * d).sum() for s, d in zip(leaves(last), leaves(dlast), strict=True))

        dX, dstate, grads = layer.backward(dY, tape, dlast)
        assert grads.keys() == layer.params.keys()
        pairs = [("X", X, dX)] + [(name, p, grads[name]) for name, p in layer.params.items()]
        pairs += [(f"state {k}", s, d) for k, (s, d) in enumerate(zip(leaves(state), leaves(dstate), strict=True))]
        for name, array, gradient in pairs:
            expected = numerical_gradient(loss, array)
            np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8, err_msg=f"gradient of {name}")

    return check
