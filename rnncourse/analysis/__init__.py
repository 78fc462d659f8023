"""Look into a layer without changing it: what its state remembers, what reaches it that should not, what it costs.

`jacobians`  how a state depends on an earlier one: norms, singular values, effective memory
`leaks`      what moves an output and must not: the future, the padding, the rest of the batch
`costs`      parameters and floating-point operations
"""

from rnncourse.analysis.costs import Flops, count_parameters, flops
from rnncourse.analysis.jacobians import effective_memory, singular_values, state_jacobians
from rnncourse.analysis.leaks import Leaks, leak_test

__all__ = [
    "Flops",
    "Leaks",
    "count_parameters",
    "effective_memory",
    "flops",
    "leak_test",
    "singular_values",
    "state_jacobians",
]
