"""Values travel between the grader and a sandbox unchanged, and nothing else does."""

import base64
import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from rnncourse.grading.checks.wrong import kind
from rnncourse.grading.sandbox.wire import DEPTH, DTYPES, Decoder, Garbled, decode, encode, type_name

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50)
plain = plain.filter(lambda value: not isinstance(value, str) or value.isprintable())
keys = st.text(max_size=5) | st.integers(1 - 2**60, 2**60 - 1) | st.booleans()
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def sent(value):
    """The value after its way through JSON."""
    return decode(json.loads(json.dumps(encode(value))))


@given(values)
def test_plain_values_arrive(value):
    arrived = sent(value)
    assert arrived == value and type(arrived) is type(value)


@given(arrays(st.sampled_from([*map(np.dtype, sorted(DTYPES))]), array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_arrays_arrive_with_dtype_shape_and_every_bit(array):
    arrived = sent(array)
    assert arrived.dtype == array.dtype and arrived.shape == array.shape
    assert arrived.tobytes() == array.tobytes() and arrived.flags.writeable


@given(scalar_dtypes().filter(lambda dtype: dtype.str in DTYPES).flatmap(lambda dtype: arrays(dtype, ())))
def test_numbers_of_numpy_stay_numbers_of_numpy(array):
    arrived = sent(array[()])
    assert type(arrived) is type(array[()]) and arrived.tobytes() == array.tobytes()


def test_the_order_of_bytes_and_of_axes_does_not_matter():
    array = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(sent(np.asfortranarray(array).astype(">f8")), array)


def test_words_in_an_array_arrive():
    np.testing.assert_array_equal(sent(np.array([["a", "bc"]])), np.array([["a", "bc"]]))


class Tensor:
    """Stands for a value of a library that the grader does not know."""


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(Tensor(), "a Tensor"), ({1, 2}, "a set"), (1 + 2j, "a complex"), ((n for n in "ab"), "a generator")],
)
def test_an_unknown_value_arrives_as_the_name_of_its_type(value, sentence):
    assert kind(sent(value)) == sentence
    assert repr(sent(value)) == f"<{sentence.split()[1]}>", "the same each time"


def test_an_array_of_objects_arrives_as_one_that_holds_nothing():
    arrived = sent(np.array([[Tensor()]], dtype=object))
    assert arrived.dtype == object and arrived.shape == (1, 1) and arrived[0, 0] is None


def test_a_function_arrives_as_what_the_other_end_makes_of_it():
    functions = []
    message = encode({"loss": np.tanh}, functions)
    assert functions == [np.tanh]
    assert decode(message, lambda name, place: f"{name} at {place}") == {"loss": "tanh at 0"}


def test_a_function_from_a_stranger_is_refused():
    with pytest.raises(Garbled, match="a kind of value that there is"):
        decode(["function", "loss", 0])


GARBLED = {
    "no message": 5,
    "an empty message": [],
    "an unknown kind": ["pickle", "gASV"],
    "a value of another type": ["bool", 1],
    "an integer that is no number": ["int", "1e5"],
    "a float that is no number": ["float", "five"],
    "too many digits": ["int", "9" * 5000],
    "too long a text": ["str", "x" * 20_001],
    "bytes that are not base64": ["array", "<f8", [1], "!!!!"],
    "too few bytes": ["array", "<f8", [2], "AAAAAAAA8D8="],
    "a dtype that runs code": ["array", "|O", [1], "AAAAAAAA8D8="],
    "a negative length": ["array", "<f8", [-1], ""],
    "a length that is a float": ["array", "<f8", [1.0], "AAAAAAAA8D8="],
    "a shape that overflows": ["objects", [10**6, 10**6, 10**6]],
    "a large array of nothing": ["array", "<f8", [0, 10**6, 10**6], ""],
    "too many axes": ["objects", [1] * 9],
    "a key that cannot be one": ["dict", [[["list", []], ["none"]]]],
    "a pair that is none": ["dict", [[["none"]]]],
    "a key that others could share their hash with": ["dict", [[["int", str(2**61 - 1)], ["none"]]]],
    "a pair as a key": ["dict", [[["tuple", [["int", "1"]]], ["none"]]]],
    "texts that take the room of the longest": ["strings", [100], ["x" * 20_000, *[""] * 99]],
    "a list that as an array takes the room of its longest text": [
        "list",
        [["str", "x" * 20_000], *[["str", ""]] * 999],
    ],
    "the same, of an array and numbers": ["list", [["strings", [], ["x" * 20_000]], *[["int", "0"]] * 999]],
    "many types": ["list", [["other", f"T{k}"] for k in range(101)]],
}


@pytest.mark.parametrize("message", GARBLED.values(), ids=GARBLED)
def test_what_encode_never_writes_is_refused(message):
    with pytest.raises(Garbled):
        decode(message)


def test_depth_is_bounded():
    message = ["none"]
    for _ in range(DEPTH + 5):
        message = ["list", [message]]
    with pytest.raises(Garbled, match="more levels"):
        decode(message)


def test_the_numbers_of_all_arrays_together_are_bounded():
    message = ["list", [encode(np.zeros(60)), encode(np.zeros(60))]]
    assert len(decode(message, entries=120)) == 2
    with pytest.raises(Garbled, match="more numbers"):
        decode(message, entries=119)


@pytest.mark.parametrize(
    "message",
    [
        ["objects", [700, 1000]],
        ["array", "<f2", [6, 10**5], base64.b64encode(bytes(12 * 10**5)).decode()],
        ["strings", [50], ["x" * 15_000, *[""] * 49]],
        ["list", [["none"]] * 60_000],
    ],
    ids=["objects", "numbers", "texts", "values"],
)
def test_what_all_messages_of_a_reply_hold_is_bounded(message):
    decoder = Decoder()
    decoder.read(message)
    with pytest.raises(Garbled):
        decoder.read(message)


def test_objects_take_no_room():
    assert decode(["objects", [1000, 1000]]).strides == (0, 0)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=5)))
def test_any_json_is_a_value_or_refused(message):
    with suppress(Garbled):
        decode(message)


@pytest.mark.parametrize(("name", "letters"), [("Tensor", "Tensor"), ("<i>", "i"), ("", "object"), (None, "object")])
def test_the_name_of_a_type_holds_letters_only(name, letters):
    assert type_name(name) == letters
