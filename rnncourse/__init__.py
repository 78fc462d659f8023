"""Recurrent neural networks in NumPy, plain enough to read as a text.

Start with `rnncourse.recurrence` (unroll and backpropagation through time, written once for every cell)
and `rnncourse.cells`. Importing this package imports NumPy and nothing heavier.
"""

__version__ = "0.1.0"
