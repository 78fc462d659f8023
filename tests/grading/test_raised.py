"""NumPy's errors about sizes: each is followed by plain words, which hold the sizes that do not fit."""

import numpy as np
import pytest
from problem_sets import judged

from rnncourse.grading.checks.attempt import Failure
from rnncourse.grading.checks.raised import described, in_plain_words

RAGGED = "The entries of an array have one shape: those of this list have several"
WRITTEN = "An array must have the shape of the place it is written to: here "


def ones(*shape):
    return np.ones(shape)


def written(into, array):
    into[:] = array


def added(into, array):
    into += array


RAISED = [
    ("a product", lambda: ones(5, 5) @ ones(3, 5), "The inner sizes of a product must agree: here 5 and 3"),
    ("a product with a vector", lambda: ones(2, 5) @ ones(3), "The inner sizes of a product must agree: here 5 and 3"),
    ("np.dot", lambda: ones(2, 5).dot(ones(3, 5)), "The inner sizes of a product must agree: here 5 and 3"),
    ("a list of lists of several lengths", lambda: np.array([[1, 2], [1]]), RAGGED),
    ("a list of matrices of several shapes", lambda: np.array([ones(2, 3), ones(2, 2)]), RAGGED),
    (
        "an array as an entry",
        lambda: written(ones(2), [ones(3), 1]),
        "One entry of an array holds one number: here are several",
    ),
    ("an index", lambda: ones(2, 5)[0, 5], "The indices of an axis of size 5 end at 4, and from its end at -5"),
    ("an index from the end", lambda: ones(1)[-2], "The indices of an axis of size 1 end at 0, and from its end at -1"),
    ("an index of nothing", lambda: ones(0)[-1], "This axis has size 0: there is nothing in it"),
    ("a list's index", lambda: [0, 1][2], "The last index is one less than the length"),
    (
        "a sum",
        lambda: ones(3, 5) + ones(4),
        "Sizes must be equal, or 1, axis by axis from the last: here 5 and 4 in axis -1, the last",
    ),
    (
        "a sum with several axes that fit",
        lambda: ones(6, 3, 5) + ones(4, 1, 5),
        "Sizes must be equal, or 1, axis by axis from the last: here 6 and 4 in axis -3",
    ),
    (
        "a choice among three",
        lambda: np.where(ones(3, 1) > 0, ones(4), ones(2)),
        "Sizes must be equal, or 1, axis by axis from the last: here 4 and 2 in axis -1, the last",
    ),
    ("a longer array", lambda: written(ones(3, 5), ones(6, 5)), f"{WRITTEN}axis 0 has size 6, and in the place 3"),
    ("a wider array", lambda: written(ones(3, 5), ones(1, 6)), f"{WRITTEN}axis 1 has size 6, and in the place 5"),
    (
        "an array of more axes",
        lambda: written(ones(5), ones(3, 5)),
        f"{WRITTEN}it has 2 axes, and the place has 1 axis",
    ),
    (
        "blocks of several sizes",
        lambda: np.split(ones(3, 20), 4),
        "np.split cuts along axis 0 unless told another axis",
    ),
    (
        "a sum in place",
        lambda: added(ones(3), ones(3, 3)),
        "An operation in place, as +=, cannot change the shape on its left",
    ),
]


@pytest.mark.parametrize(("call", "plain"), [row[1:] for row in RAISED], ids=[row[0] for row in RAISED])
def test_a_message_about_sizes_is_followed_by_plain_words(call, plain):
    with pytest.raises((ValueError, IndexError)) as caught:
        call()
    assert described(Failure.of(caught.value)).endswith(f"{str(caught.value).rstrip('. ')}. {plain}")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "my own words",
        "could not broadcast input array from shape (3,) into shape (3,)",
        "operands could not be broadcast together with shapes (3,) (3,)",
        "operands could not be broadcast together with shapes ()",
    ],
)
def test_any_other_message_stays_alone(message):
    assert in_plain_words(message) == ""
    assert described(Failure.of(ValueError(message))).endswith(message)


def test_a_message_of_endless_digits_is_cut_first():
    assert (
        len(described(Failure.of(IndexError("index 0 is out of bounds for axis 0 with size " + "9" * 10_000)))) < 1000
    )


def off_by_one(X, h0, W_x, W_h, b):
    return [X[t + 1] for t in range(len(X))]


def stacks_ragged(X, h0, W_x, W_h, b):
    return np.array([h0, X[0]])


def adds_ragged(X, h0, W_x, W_h, b):
    return X @ W_x + h0 @ W_x


def stores_all(X, h0, W_x, W_h, b):
    states = np.zeros((len(X), *h0.shape))
    states[0] = X @ W_x
    return states


@pytest.mark.parametrize(
    ("function", "line", "plain"),
    [
        (off_by_one, 1, "The indices of an axis of size 6 end at 5, and from its end at -6."),
        (stacks_ragged, 1, f"{RAGGED}."),
        (adds_ragged, 1, "The inner sizes of a product must agree: here 5 and 4."),
        (stores_all, 2, f"{WRITTEN}it has 3 axes, and the place has 2 axes."),
    ],
)
def test_the_report_names_the_line_the_plain_words_and_the_shapes_of_the_inputs(function, line, plain):
    sentence = judged("rnn_forward", function).advice[0]
    assert f" in your line {function.__code__.co_firstlineno + line}, `" in sentence
    assert sentence.endswith(f"{plain} The inputs were X (6, 3, 4), h0 (3, 5), W_x (4, 5), W_h (5, 5), b (5,).")
