"""Every wrong call, one row: the exception names the argument, what was expected and what came."""

from types import SimpleNamespace as Namespace

import numpy as np
import pytest
import torch

from rnncourse import analysis, init, interop, optim, parameters, schedules
from rnncourse.arrays import expect, one_hot
from rnncourse.cells import GRU, LSTM, RNN, GRUResetBefore
from rnncourse.cooccurrence import closest_rows, cooccurrences, positive_pmi
from rnncourse.data import (
    adding,
    classify_tokens,
    delayed_recall,
    docstring_prose,
    flip_flop,
    parity,
    python_tokens,
    recall,
)
from rnncourse.decoding import draw, greedy, sample
from rnncourse.evidence import claim, measured
from rnncourse.gradcheck import gradcheck, numerical_gradient
from rnncourse.layers import (
    Bidirectional,
    Dropout,
    Embedding,
    Frozen,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    SequenceDropout,
    Stacked,
    Tanh,
    Window,
    causal_cnn,
)
from rnncourse.losses import at_end, from_step, perplexity, quantile, softmax_cross_entropy, squared_error
from rnncourse.ngram import AddK, Interpolated, ngrams
from rnncourse.padding import bucket, length_mask, pad_left, pad_right, padding_share, reverse_padded
from rnncourse.recurrence import truncated_bptt
from rnncourse.seeds import Seeds, clip_each
from rnncourse.subwords import BytePairs
from rnncourse.text import Vocabulary, contiguous_batches
from rnncourse.train import fit
from rnncourse.trials import AdamEach, Trial, train_each
from rnncourse.variants import PeepholeLSTM, SkipRNN

T, B, D, H, V = 5, 2, 3, 4, 6


def rng():
    return np.random.default_rng(0)


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


cell, linear = RNN(D, H, rng()), Linear(H, V, rng())
stack = Stacked(cell, linear)
both = Bidirectional(RNN(D, H, rng()), RNN(D, H, rng()))
ids = np.zeros((T, B), int)
single = RNN(D, H, rng(), np.float32)
language_model = Stacked(RNN(V, H, rng()), Linear(H, V, rng()))
X, Y = np.ones((T, B, D)), np.ones((T, B, H))
tape = cell.forward(X)[2]
logits, targets = np.zeros((T, B, V)), np.zeros((T, B), int)
params = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
nothing = Namespace(shape=(T, B, D), dtype=np.float64)  # quacks, but is no array
IDS = np.arange(4)
nan_head = Linear(V, V, rng())
nan_head.b[:] = np.nan


def shape(name, wanted, got):
    return rf"^expected {name} of shape \({wanted}\), got \({got}\)"


ROWS = {
    # inputs
    "forward: T = 0": (
        lambda: cell.forward(X[:0]),
        ValueError,
        shape("X", "T, B, 3", "0, 2, 3") + " .no size may be 0",
    ),
    "forward: B = 0": (
        lambda: cell.forward(X[:, :0]),
        ValueError,
        shape("X", "T, B, 3", "5, 0, 3") + " .no size may be 0",
    ),
    "forward: wrong D": (lambda: cell.forward(Y), ValueError, shape("X", "T, B, 3", "5, 2, 4")),
    "forward: two axes": (lambda: cell.forward(X[0]), ValueError, shape("X", "T, B, 3", "2, 3")),
    "forward: integers": (
        lambda: cell.forward(X.astype(int)),
        TypeError,
        "^expected X of a floating-point .*got int64",
    ),
    "forward: booleans": (lambda: cell.forward(X > 0), TypeError, "^expected X of a floating-point dtype, got bool"),
    "forward: complex": (lambda: cell.forward(X + 0j), TypeError, "^expected X of a floating-point .*got complex128"),
    "forward: float32": (
        lambda: cell.forward(X.astype(np.float32)),
        TypeError,
        "^expected X of dtype float64 .*got float32",
    ),
    "forward: float64 to float32": (lambda: single.forward(X), TypeError, "^expected X of dtype float32 .*got float64"),
    "forward: a list": (lambda: cell.forward(X.tolist()), TypeError, "^expected X to be a NumPy array, got list"),
    "forward: a tensor": (
        lambda: cell.forward(torch.ones(T, B, D)),
        TypeError,
        "^expected X .*NumPy array, got Tensor",
    ),
    "forward: no array": (lambda: cell.forward(nothing), TypeError, "^expected X .*NumPy array, got SimpleNamespace"),
    "forward: None": (lambda: cell.forward(None), TypeError, "^expected X to be a NumPy array, got NoneType"),
    "forward: NaN": (
        lambda: cell.forward(changed(X, (3, 1, 0), np.nan)),
        ValueError,
        r"^expected X to be finite, got nan at index \(3, 1, 0\)",
    ),
    "forward: infinity": (
        lambda: cell.forward(changed(X, (0, 0, 2), -np.inf)),
        ValueError,
        r"^expected X to be finite, got -inf at index \(0, 0, 2\)",
    ),
    "Linear: wrong D": (lambda: linear.forward(X), ValueError, shape("X", "T, B, 4", "5, 2, 3")),
    "Linear: integers": (lambda: linear.forward(Y.astype(int)), TypeError, "^expected X of a floating-point"),
    "Stacked: wrong D": (lambda: stack.forward(Y), ValueError, shape("X", "T, B, 3", "5, 2, 4")),
    # states
    "state: not a tuple": (
        lambda: cell.forward(X, np.zeros((B, H))),
        TypeError,
        "^expected state to be a tuple of 1 array, got ndarray",
    ),
    "state: too many": (
        lambda: cell.forward(X, (np.zeros((B, H)),) * 2),
        TypeError,
        "^expected state to be a tuple of 1 array, got a tuple of 2",
    ),
    "state: none in it": (lambda: cell.forward(X, ()), TypeError, "^expected state .* of 1 array, got a tuple of 0"),
    "state: wrong H": (lambda: cell.forward(X, (np.zeros((B, D)),)), ValueError, shape(r"state\[0\]", "2, 4", "2, 3")),
    "state: wrong B": (lambda: cell.forward(X, (np.zeros((1, H)),)), ValueError, shape(r"state\[0\]", "2, 4", "1, 4")),
    "state: float32": (
        lambda: cell.forward(X, (np.zeros((B, H), np.float32),)),
        TypeError,
        r"^expected state\[0\] of dtype float64 .*got float32",
    ),
    "state: NaN": (
        lambda: cell.forward(X, (np.full((B, H), np.nan),)),
        ValueError,
        r"^expected state\[0\] to be finite, got nan at index \(0, 0\)",
    ),
    "Stacked: too few states": (lambda: stack.forward(X, [None]), ValueError, "^expected state with 2 entries.*got 1"),
    "Stacked: state of no length": (lambda: stack.forward(X, 7), ValueError, "^expected state with 2 entries.*got int"),
    "Stacked: too few dstates": (
        lambda: stack.backward(logits, stack.forward(X)[2], [None] * 3),
        ValueError,
        "^expected dstate with 2 entries, one a layer, got 3",
    ),
    # masks
    "mask: wrong shape": (
        lambda: cell.forward(X, None, np.ones((B, T), bool)),
        ValueError,
        shape("mask", "5, 2", "2, 5"),
    ),
    "mask: three axes": (
        lambda: cell.forward(X, None, np.ones((T, B, 1), bool)),
        ValueError,
        shape("mask", "5, 2", "5, 2, 1"),
    ),
    "mask: numbers": (
        lambda: cell.forward(X, None, np.ones((T, B))),
        TypeError,
        "^expected mask of dtype bool, got float64",
    ),
    "mask: a list": (
        lambda: cell.forward(X, None, [[True] * B] * T),
        TypeError,
        "^expected mask .*NumPy array, got list",
    ),
    # gradients
    "backward: wrong T": (lambda: cell.backward(Y[1:], tape), ValueError, shape("dH", "5, 2, 4", "4, 2, 4")),
    "backward: wrong H": (lambda: cell.backward(X, tape), ValueError, shape("dH", "5, 2, 4", "5, 2, 3")),
    "backward: float32": (
        lambda: cell.backward(Y.astype(np.float32), tape),
        TypeError,
        "^expected dH of dtype float64 .*got float32",
    ),
    "backward: the tape of another cell": (
        lambda: LSTM(D, H, rng()).backward(Y, tape),
        ValueError,
        "^expected tape of LSTM with 2 state arrays, 16 saved numbers a step and D = 3, got 1, 4 and 3",
    ),
    "backward: the tape of another input size": (
        lambda: RNN(D + 1, H, rng()).backward(Y, tape),
        ValueError,
        "^expected tape of RNN with 1 state arrays, 4 saved numbers a step and D = 4, got 1, 4 and 3",
    ),
    "backward: outputs for a tape": (
        lambda: cell.backward(Y, Y),
        TypeError,
        "^expected tape to be a Tape, as forward returns it, got ndarray",
    ),
    "LSTM: one array for two": (
        lambda: LSTM(D, H, rng()).forward(X, (np.zeros((B, H)),)),
        TypeError,
        "^expected state to be a tuple of 2 arrays, got a tuple of 1",
    ),
    "LSTM: c of a wrong shape": (
        lambda: LSTM(D, H, rng()).forward(X, (np.zeros((B, H)), np.zeros((B, D)))),
        ValueError,
        r"^expected state\[1\] of shape \(2, 4\), got \(2, 3\)",
    ),
    "SkipRNN: k of 1": (lambda: SkipRNN(D, H, 1, rng()), ValueError, "^expected k of at least 2, got 1"),
    "SkipRNN: k of 2.5": (
        lambda: SkipRNN(D, H, 2.5, rng()),
        ValueError,
        r"^expected k to be a positive integer, got 2\.5",
    ),
    "backward: NaN": (lambda: cell.backward(Y * np.nan, tape), ValueError, "^expected dH to be finite, got nan"),
    "backward: dstate": (
        lambda: cell.backward(Y, tape, (np.zeros((H, B)),)),
        ValueError,
        shape(r"dstate\[0\]", "2, 4", "4, 2"),
    ),
    "backward: dstate of float32": (
        lambda: cell.backward(Y, tape, (np.zeros((B, H), np.float32),)),
        TypeError,
        r"^expected dstate\[0\] of dtype float64 \(the parameters'\), got float32",
    ),
    "backward: dstate no tuple": (
        lambda: cell.backward(Y, tape, np.zeros((B, H))),
        TypeError,
        "^expected dstate to be a tuple of 1 array, got ndarray",
    ),
    "Linear: backward": (lambda: linear.backward(Y, Y), ValueError, shape("dY", "5, 2, 6", "5, 2, 4")),
    "truncated_bptt: k1 > k2": (
        lambda: truncated_bptt(cell, Y, tape, 3, 2),
        ValueError,
        "^expected k1 <= k2, got k1 = 3 and k2 = 2",
    ),
    "truncated_bptt: k1 = 0": (
        lambda: truncated_bptt(cell, Y, tape, 0, 2),
        ValueError,
        "^expected k1 to be a positive integer, got 0",
    ),
    "truncated_bptt: k2 a fraction": (
        lambda: truncated_bptt(cell, Y, tape, 1, 2.5),
        ValueError,
        "^expected k2 to be a positive integer, got 2.5",
    ),
    "truncated_bptt: longer than the tape": (
        lambda: truncated_bptt(cell, np.ones((T + 1, B, H)), tape, 1, 2),
        ValueError,
        shape("dH", "5, 2, 4", "6, 2, 4"),
    ),
    # making layers
    "RNN: D = 0": (lambda: RNN(0, H, rng()), ValueError, "^expected D to be a positive integer, got 0"),
    "RNN: negative H": (lambda: RNN(D, -1, rng()), ValueError, "^expected H to be a positive integer, got -1"),
    "RNN: H a float": (lambda: RNN(D, 4.0, rng()), ValueError, r"^expected H to be a positive integer, got 4\.0"),
    "RNN: H a boolean": (lambda: RNN(D, True, rng()), ValueError, "^expected H to be a positive integer, got True"),
    "RNN: no rng": (lambda: RNN(D, H, None), TypeError, "^expected rng to be a numpy.random.Generator, got NoneType"),
    "RNN: rng a seed": (lambda: RNN(D, H, 0), TypeError, "^expected rng to be a numpy.random.Generator, got int"),
    "RNN: rng of old": (
        lambda: RNN(D, H, np.random.RandomState(0)),
        TypeError,
        "^expected rng .*got RandomState",
    ),
    "Linear: Q = 0": (lambda: Linear(D, 0, rng()), ValueError, "^expected Q to be a positive integer, got 0"),
    "scaled_to_radius: nilpotent": (
        lambda: init.scaled_to_radius(np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0),
        ValueError,
        "^expected W with a non-zero eigenvalue, got spectral radius 0",
    ),
    # init
    "xavier: one size": (
        lambda: init.xavier((4,), rng()),
        ValueError,
        r"^expected shape to be two sizes \(m, n\), got \(4,\)",
    ),
    "xavier: a number": (lambda: init.xavier(4, rng()), ValueError, r"^expected shape to be two sizes .*got 4"),
    "xavier: m = 0": (lambda: init.xavier((0, 4), rng()), ValueError, "^expected m to be a positive integer, got 0"),
    "xavier: no rng": (lambda: init.xavier((3, 4), 0), TypeError, "^expected rng .*got int"),
    "orthogonal: three sizes": (
        lambda: init.orthogonal((2, 3, 4), rng()),
        ValueError,
        r"^expected shape to be two sizes \(m, n\), got \(2, 3, 4\)",
    ),
    "orthogonal: n negative": (
        lambda: init.orthogonal((3, -1), rng()),
        ValueError,
        "^expected n to be a positive integer, got -1",
    ),
    "orthogonal: no rng": (lambda: init.orthogonal((3, 4), None), TypeError, "^expected rng .*got NoneType"),
    "set_forget_bias: no such gate": (
        lambda: init.set_forget_bias(cell, 1.0),
        TypeError,
        r"^expected a cell with a gate f or z, got RNN with \['h'\]",
    ),
    "set_forget_bias: one too few": (
        lambda: init.set_forget_bias(LSTM(D, H, rng()), np.ones(3)),
        ValueError,
        r"^expected value to be a number or of shape \(4,\), got \(3,\)",
    ),
    "set_chrono_biases: T_max": (
        lambda: init.set_chrono_biases(LSTM(D, H, rng()), 1.5, rng()),
        ValueError,
        "^expected T_max of at least 2, got 1.5",
    ),
    "set_chrono_biases: no rng": (
        lambda: init.set_chrono_biases(LSTM(D, H, rng()), 9, 0),
        TypeError,
        "^expected rng .*got int",
    ),
    "set_chrono_biases: no such gate": (
        lambda: init.set_chrono_biases(cell, 9, rng()),
        TypeError,
        "^expected a cell with a gate f or z, got RNN",
    ),
    "identity: H = 0": (lambda: init.identity(0), ValueError, "^expected H to be a positive integer, got 0"),
    # losses
    "cross entropy: float targets": (
        lambda: softmax_cross_entropy(logits, targets * 1.0),
        TypeError,
        "^expected targets to be integers, got float64",
    ),
    "cross entropy: targets a list": (
        lambda: softmax_cross_entropy(logits, targets.tolist()),
        TypeError,
        "^expected targets to be a NumPy array of integers, got list",
    ),
    "cross entropy: target too large": (
        lambda: softmax_cross_entropy(logits, targets + V),
        ValueError,
        "^expected targets between 0 and 5, got 6",
    ),
    "cross entropy: target negative": (
        lambda: softmax_cross_entropy(logits, targets - 1),
        ValueError,
        "^expected targets between 0 and 5, got -1",
    ),
    "cross entropy: targets' shape": (
        lambda: softmax_cross_entropy(logits, targets.T),
        ValueError,
        shape("targets", "5, 2", "2, 5"),
    ),
    "cross entropy: logits NaN": (
        lambda: softmax_cross_entropy(logits * np.nan, targets),
        ValueError,
        "^expected logits to be finite, got nan",
    ),
    "cross entropy: empty mask": (
        lambda: softmax_cross_entropy(logits, targets, np.zeros((T, B), bool)),
        ValueError,
        "^expected mask with at least one True, got none",
    ),
    "cross entropy: mask of weights": (
        lambda: softmax_cross_entropy(logits, targets, np.ones((T, B))),
        TypeError,
        "^expected mask of dtype bool, got float64",
    ),
    "squared error: shapes": (lambda: squared_error(Y, X), ValueError, shape("targets", "5, 2, 4", "5, 2, 3")),
    "squared error: dtypes": (
        lambda: squared_error(Y.astype(np.float32), Y),
        TypeError,
        "^expected targets of dtype float32 .*got float64",
    ),
    "squared error: mask": (
        lambda: squared_error(Y, Y, np.ones((T, 1), bool)),
        ValueError,
        shape("mask", "5, 2", "5, 1"),
    ),
    "from_step: targets of every step": (
        lambda: from_step(-1, softmax_cross_entropy)(logits, targets),
        ValueError,
        shape("targets", "1, 2", "5, 2"),
    ),
    "quantile: no level": (lambda: quantile(), ValueError, r"^expected levels between 0 and 1, got \(\)"),
    "quantile: level 1": (lambda: quantile(0.5, 1), ValueError, r"^expected levels between 0 and 1, got \(0.5, 1\)"),
    "quantile: level 0": (lambda: quantile(0.0), ValueError, r"^expected levels between 0 and 1, got \(0.0,\)"),
    "quantile: outputs for other levels": (
        lambda: quantile(0.1, 0.9)(Y, Y[..., :1]),
        ValueError,
        shape("Y", "T, B, 2", "5, 2, 4"),
    ),
    "quantile: a target per level": (
        lambda: quantile(0.1, 0.9)(Y[..., :2], Y[..., :2]),
        ValueError,
        shape("targets", "5, 2, 1", "5, 2, 2"),
    ),
    "quantile: targets' dtype": (
        lambda: quantile(0.5)(Y[..., :1], Y[..., :1].astype(np.float32)),
        TypeError,
        "^expected targets of dtype float64 .*got float32",
    ),
    "quantile: empty mask": (
        lambda: quantile(0.5)(Y[..., :1], Y[..., :1], np.zeros((T, B), bool)),
        ValueError,
        "^expected mask with at least one True, got none",
    ),
    "perplexity: no tokens": (
        lambda: perplexity(1.0, 0),
        ValueError,
        "^expected tokens to be a positive integer, got 0",
    ),
    # optimizers
    "SGD: lr = 0": (lambda: optim.SGD(params, 0), ValueError, "^expected lr to be positive, got 0"),
    "Adam: lr negative": (lambda: optim.Adam(params, -0.1), ValueError, "^expected lr to be positive, got -0.1"),
    "Adam: lr NaN": (lambda: optim.Adam(params, np.nan), ValueError, "^expected lr to be positive, got nan"),
    "Momentum: lr = 0": (lambda: optim.Momentum(params, 0), ValueError, "^expected lr to be positive, got 0"),
    "Momentum: 1": (
        lambda: optim.Momentum(params, 0.1, 1),
        ValueError,
        "^expected momentum from 0 to below 1, got 1",
    ),
    "Momentum: negative": (
        lambda: optim.Momentum(params, 0.1, -0.5),
        ValueError,
        "^expected momentum from 0 to below 1, got -0.5",
    ),
    "schedule: negative": (
        lambda: optim.SGD(params, lambda k: -1.0).step(params),
        ValueError,
        "^expected a learning rate from 0, got -1.0 at step 1",
    ),
    "step_decay: lr": (lambda: schedules.step_decay(0, 0.5, 3), ValueError, "^expected lr to be positive, got 0"),
    "step_decay: factor": (
        lambda: schedules.step_decay(0.1, -1, 3),
        ValueError,
        "^expected factor to be positive, got -1",
    ),
    "step_decay: every": (
        lambda: schedules.step_decay(0.1, 0.5, 0),
        ValueError,
        "^expected every to be a positive integer, got 0",
    ),
    "warmup_cosine: lr": (lambda: schedules.warmup_cosine(-1, 1, 2), ValueError, "^expected lr to be positive, got -1"),
    "warmup_cosine: no steps left": (
        lambda: schedules.warmup_cosine(0.1, 5, 5),
        ValueError,
        "^expected integers 0 <= warmup < steps, got warmup = 5 and steps = 5",
    ),
    "warmup_cosine: step 0": (
        lambda: schedules.warmup_cosine(0.1, 0, 10)(0),
        ValueError,
        "^expected k to be a positive integer, got 0",
    ),
    "step_decay: step 0": (
        lambda: schedules.step_decay(0.1, 0.5, 2)(0),
        ValueError,
        "^expected k to be a positive integer, got 0",
    ),
    "Adam: a beta of 1": (
        lambda: optim.Adam(params, betas=(1.0, 0.999)),
        ValueError,
        r"^expected betas to be two numbers from 0 to below 1, got \(1\.0, 0\.999\)",
    ),
    "Adam: eps = 0": (lambda: optim.Adam(params, eps=0), ValueError, "^expected eps to be positive, got 0"),
    # dtype
    "cell: integers": (
        lambda: RNN(D, H, rng(), int),
        TypeError,
        "^expected dtype to be float64 or float32, got int64",
    ),
    "cell: half precision": (
        lambda: LSTM(D, H, rng(), np.float16),
        TypeError,
        "^expected dtype to be float64 or float32, got float16",
    ),
    "orthogonal: integers": (
        lambda: init.orthogonal((2, 2), rng(), dtype=int),
        TypeError,
        "^expected dtype to be float64 or float32, got int64",
    ),
    "identity: complex": (
        lambda: init.identity(2, dtype=complex),
        TypeError,
        "^expected dtype to be float64 or float32, got complex128",
    ),
    "backward: the tape of another dtype": (
        lambda: cell.backward(Y, single.forward(X.astype(np.float32))[2]),
        TypeError,
        "^expected tape of dtype float64 .*got float32",
    ),
    "truncated_bptt: arguments swapped": (
        lambda: truncated_bptt(cell, tape, Y, 1, 2),
        TypeError,
        "^expected tape to be a Tape, as forward returns it, got ndarray",
    ),
    # more of init
    "scaled_to_radius: not square": (
        lambda: init.scaled_to_radius(np.ones((2, 3)), 1.0),
        ValueError,
        shape("W", "2, 2", "2, 3"),
    ),
    "scaled_to_radius: NaN": (
        lambda: init.scaled_to_radius(np.full((2, 2), np.nan), 1.0),
        ValueError,
        "^expected W to be finite, got nan",
    ),
    "scaled_to_radius: negative": (
        lambda: init.scaled_to_radius(np.eye(2), -1.0),
        ValueError,
        r"^expected radius to be a finite number from 0, got -1\.0",
    ),
    "set_forget_bias: a layer": (
        lambda: init.set_forget_bias(linear, 1.0),
        TypeError,
        "^expected a cell with a gate f or z, got Linear",
    ),
    "set_forget_bias: NaN": (
        lambda: init.set_forget_bias(LSTM(D, H, rng()), np.nan),
        ValueError,
        "^expected value to be finite, got nan",
    ),
    "set_chrono_biases: infinity": (
        lambda: init.set_chrono_biases(LSTM(D, H, rng()), np.inf, rng()),
        ValueError,
        "^expected T_max of at least 2, got inf",
    ),
    # more of losses and training
    "quantile: levels in a list": (
        lambda: quantile([0.1, 0.9]),
        ValueError,
        r"^expected levels between 0 and 1, got \(\[0\.1, 0\.9\],\)",
    ),
    "from_step: past the end": (
        lambda: from_step(9, squared_error)(Y, Y),
        ValueError,
        "^expected first to be one of 5 steps, got 9",
    ),
    "from_step: the mask leaves a sequence out": (
        lambda: from_step(-1, squared_error)(Y, Y[-1:], np.arange(T)[:, None] < [T, T - 1]),
        ValueError,
        "^expected mask with a real step of every sequence from step -1 on, got none of 1",
    ),
    "at_end: the mask leaves a sequence out": (
        lambda: at_end(squared_error)(Y, Y[-1:], np.arange(T)[:, None] < [T, 0]),
        ValueError,
        "^expected mask with a real step of every sequence, got none of 1",
    ),
    "fit: a batch of four": (
        lambda: fit(cell, [(X, Y, None, 1)], squared_error, optim.SGD(cell.params, 0.1)),
        ValueError,
        r"^expected batches of \(X, targets\) or \(X, targets, mask\), got 4\n\(training, batch 0\)",
    ),
    "fit: one batch for a list of them": (
        lambda: fit(cell, (X, Y), squared_error, optim.SGD(cell.params, 0.1)),
        ValueError,
        r"^expected batches of \(X, targets\) or \(X, targets, mask\), got ndarray",
    ),
    "sample: a model without parameters": (
        lambda: sample(Stacked(), IDS, 3, rng()),
        ValueError,
        "^expected a model with parameters, or encode to make its inputs, got neither",
    ),
    "greedy: logits of NaN": (
        lambda: greedy(Stacked(nan_head), IDS, 3),
        ValueError,
        "^expected logits to be finite, got nan",
    ),
    "SGD: keys differ": (
        lambda: optim.SGD(params, 1.0).step({"W": params["W"], "c": params["b"]}),
        KeyError,
        r"expected gradients for \['W', 'b'\]: lacks \['b'\], too many \['c'\]",
    ),
    "Adam: shape": (
        lambda: optim.Adam(params).step({"W": params["W"], "b": np.zeros(1)}),
        ValueError,
        r"^expected the gradient of b of shape \(3,\), got \(1,\)",
    ),
    "clip: bound 0": (lambda: optim.clip_by_global_norm({}, 0), ValueError, "^expected max_norm to be positive, got 0"),
    "clip: limit": (lambda: optim.clip_by_value({}, -1), ValueError, "^expected limit to be positive, got -1"),
    "clip: NaN": (
        lambda: optim.clip_by_global_norm({"W": np.array([1, np.nan])}, 1.0),
        FloatingPointError,
        "^expected finite gradients, got nan in W",
    ),
    # analysis
    "state_jacobians: no state": (
        lambda: analysis.state_jacobians(linear, Y),
        ValueError,
        "^expected a layer with state, got Linear, which has none",
    ),
    "state_jacobians: bidirectional": (
        lambda: analysis.state_jacobians(Stacked(both, Linear(2 * H, V, rng())), X),
        ValueError,
        "^expected a layer that goes on step by step, got one with a Bidirectional",
    ),
    "state_jacobians: wrong D": (
        lambda: analysis.state_jacobians(cell, Y),
        ValueError,
        shape("X", "T, B, 3", "5, 2, 4"),
    ),
    "state_jacobians: mask": (
        lambda: analysis.state_jacobians(cell, X, None, np.ones((B, T), bool)),
        ValueError,
        shape("mask", "5, 2", "2, 5"),
    ),
    "state_jacobians: mask that no layer looks at": (
        lambda: analysis.state_jacobians(linear, Y, (np.zeros((B, H)),), [[True] * B] * T),
        TypeError,
        "^expected mask to be a NumPy array, got list",
    ),
    "singular_values: a vector": (
        lambda: analysis.singular_values(np.ones(3)),
        ValueError,
        r"^expected J of shape \(…, S, S\), got \(3,\)",
    ),
    "singular_values: not square": (
        lambda: analysis.singular_values(X),
        ValueError,
        r"^expected J of shape \(…, S, S\), got \(5, 2, 3\)",
    ),
    "singular_values: NaN": (
        lambda: analysis.singular_values(np.full((2, 2), np.nan)),
        ValueError,
        r"^expected J to be finite, got nan at index \(0, 0\)",
    ),
    "effective_memory: negative": (
        lambda: analysis.effective_memory(np.array([1.0, -0.5]), 0.5),
        ValueError,
        "^expected norms from 0, and above 0 at lag 0, got -0.5",
    ),
    "effective_memory: zeros": (
        lambda: analysis.effective_memory(np.zeros((5, 2)), 0.5),
        ValueError,
        "^expected norms from 0, and above 0 at lag 0, got 0",
    ),
    "effective_memory: fraction 0": (
        lambda: analysis.effective_memory(np.ones(5), 0),
        ValueError,
        "^expected fraction above 0 and at most 1, got 0",
    ),
    "effective_memory: fraction 2": (
        lambda: analysis.effective_memory(np.ones(5), 2),
        ValueError,
        "^expected fraction above 0 and at most 1, got 2",
    ),
    "effective_memory: matrices": (
        lambda: analysis.effective_memory(np.ones((5, 2, 4)), 0.5),
        ValueError,
        shape("norms", r"T\+1,", "5, 2, 4"),
    ),
    "effective_memory: NaN": (
        lambda: analysis.effective_memory(np.array([1, np.nan]), 0.5),
        ValueError,
        r"^expected norms to be finite, got nan at index \(1,\)",
    ),
    "leak_test: no rng": (lambda: analysis.leak_test(cell, X, 0), TypeError, "^expected rng .*got int"),
    "leak_test: wrong D": (lambda: analysis.leak_test(cell, Y, rng()), ValueError, shape("X", "T, B, 3", "5, 2, 4")),
    "leak_test: mask that no layer looks at": (
        lambda: analysis.leak_test(linear, Y, rng(), np.ones((T, B))),
        TypeError,
        "^expected mask of dtype bool, got float64",
    ),
    "leak_test: turned mask that no layer looks at": (
        lambda: analysis.leak_test(linear, Y, rng(), np.ones((B, T), bool)),
        ValueError,
        shape("mask", "5, 2", "2, 5"),
    ),
    "leak_test: one id": (
        lambda: analysis.leak_test(Embedding(V, D, rng()), targets, rng()),
        ValueError,
        "^expected X with at least two different ids, got 0 alone",
    ),
    "flops: a class": (
        lambda: analysis.flops(RNN, 1),
        TypeError,
        r"^expected layer to be a layer, got the class RNN: make one with RNN\(…\)",
    ),
    "count_parameters: a number": (
        lambda: analysis.count_parameters(3),
        TypeError,
        "^expected layer to be a layer .*, got int",
    ),
    "flops: T = 0": (lambda: analysis.flops(cell, 0), ValueError, "^expected T to be a positive integer, got 0"),
    "flops: B a fraction": (
        lambda: analysis.flops(cell, 1, 0.5),
        ValueError,
        "^expected B to be a positive integer, got 0.5",
    ),
    # parameters
    "load: no file": (
        lambda: parameters.load("no such file.npz", params),
        FileNotFoundError,
        "No such file.*'no such file.npz'",
    ),
    "load: a folder": (lambda: parameters.load(".", params), IsADirectoryError, "Is a directory"),
    "save: no folder": (
        lambda: parameters.save("no such folder/m.npz", params),
        FileNotFoundError,
        "^expected a folder to save m.npz in, got no such folder, which is none",
    ),
    "save: a list": (
        lambda: parameters.save("m.npz", {"W": [1.0]}),
        TypeError,
        "^expected W to be a NumPy array of numbers, got list",
    ),
    "save: objects": (
        lambda: parameters.save("m.npz", {"W": np.array([None])}),
        TypeError,
        "^expected W to be a NumPy array of numbers, got dtype object",
    ),
    "save: a taken name": (
        lambda: parameters.save("m.npz", {"file": np.zeros(1)}),
        ValueError,
        r"^expected parameters by other names than \['allow_pickle', 'file'\], got 'file'",
    ),
    "save: a name that ends in .npy": (
        lambda: parameters.save("m.npz", {"a": np.zeros(1), "a.npy": np.zeros(1)}),
        ValueError,
        r"^expected parameters by names that do not end in \.npy, got 'a\.npy'",
    ),
    "save: a number for a name": (
        lambda: parameters.save("m.npz", {0: np.zeros(1)}),
        TypeError,
        "^expected the parameters' names to be strings, got 0",
    ),
    "save: a layer": (
        lambda: parameters.save("m.npz", cell),
        TypeError,
        r"^expected params to be a dict of arrays by name, as layer\.params is, got RNN",
    ),
    "save: turned round": (
        lambda: parameters.save(params, "m.npz"),
        TypeError,
        "^expected params to be a dict of arrays .*, got str",
    ),
    "load: a layer": (
        lambda: parameters.load("m.npz", cell),
        TypeError,
        "^expected params to be a dict of arrays .*, got RNN",
    ),
    # gradient check
    "gradcheck: no samples": (
        lambda: gradcheck(lambda: 0.0, params, params, rng(), samples=0),
        ValueError,
        "^expected samples to be a positive integer, got 0",
    ),
    "gradcheck: tolerance NaN": (
        lambda: gradcheck(lambda: 0.0, params, params, rng(), tolerance=np.nan),
        ValueError,
        "^expected tolerance to be positive and finite, got nan",
    ),
    "gradcheck: tolerance infinite": (
        lambda: gradcheck(lambda: 0.0, params, params, rng(), tolerance=np.inf),
        ValueError,
        "^expected tolerance to be positive and finite, got inf",
    ),
    "gradcheck: no parameters": (
        lambda: gradcheck(lambda: 0.0, {}, {}, rng()),
        ValueError,
        "^expected parameters to check, got none",
    ),
    "gradcheck: empty parameters": (
        lambda: gradcheck(lambda: 0.0, {"W": np.zeros((0, 3))}, {"W": np.zeros((0, 3))}, rng()),
        ValueError,
        "^expected parameters to check, got none",
    ),
    "gradcheck: integers": (
        lambda: gradcheck(lambda: 0.0, {"W": IDS}, {"W": IDS}, rng()),
        TypeError,
        "^expected W of a floating-point dtype, got int64",
    ),
    "numerical_gradient: integers": (
        lambda: numerical_gradient(lambda: 0.0, IDS),
        TypeError,
        "^expected array of a floating-point dtype, got int64",
    ),
    "gradcheck: keys": (
        lambda: gradcheck(lambda: 0.0, params, {"W": params["W"]}, rng()),
        KeyError,
        r"expected gradients for \['W', 'b'\]: lacks \['b'\], too many \[\]",
    ),
    "gradcheck: shape": (
        lambda: gradcheck(lambda: 0.0, params, {"W": params["W"].T, "b": params["b"]}, rng()),
        ValueError,
        r"^expected the gradient of W of shape \(2, 3\), got \(3, 2\)",
    ),
    "gradcheck: no rng": (
        lambda: gradcheck(lambda: 0.0, params, params, None),
        TypeError,
        "^expected rng .*got NoneType",
    ),
    # text, sampling, data
    "one_hot: too large": (lambda: one_hot(IDS, 3), ValueError, "^expected ids between 0 and 2, got 3"),
    "one_hot: floats": (lambda: one_hot(IDS / 2, 3), TypeError, "^expected ids to be integers, got float64"),
    "sample: empty prompt": (
        lambda: sample(language_model, IDS[:0], 3, rng()),
        ValueError,
        shape("prompt", "n,", "0,") + " .no size may be 0",
    ),
    "sample: unknown id": (
        lambda: sample(language_model, IDS + 3, 3, rng()),
        ValueError,
        "^expected prompt between 0 and 5, got 6",
    ),
    "sample: prompt a string": (
        lambda: sample(language_model, "ab", 3, rng()),
        TypeError,
        "^expected prompt .*got str",
    ),
    "sample: prompt of two axes": (
        lambda: sample(language_model, IDS[None], 3, rng()),
        ValueError,
        shape("prompt", "n,", "1, 4"),
    ),
    "sample: temperature 0": (
        lambda: sample(language_model, IDS, 3, rng(), 0),
        ValueError,
        "^expected temperature to be positive, got 0",
    ),
    "sample: negative length": (
        lambda: sample(language_model, IDS, -1, rng()),
        ValueError,
        "^expected length to be a positive integer, got -1",
    ),
    "sample: no rng": (lambda: sample(language_model, IDS, 3, None), TypeError, "^expected rng .*got NoneType"),
    "Vocabulary: empty": (
        lambda: Vocabulary(""),
        ValueError,
        "^expected at least one token, got none",
    ),
    "encode: unknown": (
        lambda: Vocabulary("abc").encode("abzay"),
        KeyError,
        r"expected tokens of the vocabulary, got \['y', 'z'\]",
    ),
    "decode: negative": (
        lambda: Vocabulary("abc").decode([0, -1]),
        ValueError,
        "^expected ids between 0 and 2, got -1",
    ),
    "decode: too large": (lambda: Vocabulary("abc").decode([3]), ValueError, "^expected ids between 0 and 2, got 3"),
    "decode: floats": (lambda: Vocabulary("abc").decode([1.0]), TypeError, "^expected ids to be integers, got float"),
    "decode: a number": (lambda: Vocabulary("abc").decode(2), ValueError, r"^expected ids of shape \(n,\), got \(\)"),
    "contiguous_batches: floats": (
        lambda: contiguous_batches(np.arange(9.0), 2, 2),
        TypeError,
        "^expected ids to be integers, got float64",
    ),
    "contiguous_batches: too short": (
        lambda: contiguous_batches(IDS, 2, 2),
        ValueError,
        r"^expected at least B·T \+ 1 = 5 ids for one window, got 4",
    ),
    "contiguous_batches: a list": (
        lambda: contiguous_batches([1, 2, 3], 1, 1),
        TypeError,
        "^expected ids to be a NumPy array, got list",
    ),
    "contiguous_batches: two axes": (
        lambda: contiguous_batches(targets, 1, 1),
        ValueError,
        shape("ids", "n,", "5, 2"),
    ),
    "contiguous_batches: B = 0": (
        lambda: contiguous_batches(IDS, 0, 1),
        ValueError,
        "^expected B to be a positive integer, got 0",
    ),
    # data
    "flip_flop: p = 0": (lambda: flip_flop(T, B, rng(), 0), ValueError, "^expected p above 0 and at most 1, got 0"),
    "flip_flop: p > 1": (lambda: flip_flop(T, B, rng(), 2), ValueError, "^expected p above 0 and at most 1, got 2"),
    "flip_flop: no rng": (lambda: flip_flop(T, B, None), TypeError, "^expected rng .*got NoneType"),
    "delayed_recall: lag": (lambda: delayed_recall(T, B, T, rng()), ValueError, "^expected lag below T = 5, got 5"),
    "delayed_recall: no rng": (lambda: delayed_recall(T, B, 1, 3), TypeError, "^expected rng .*got int"),
    "recall: one step": (lambda: recall(1, B, 4, rng()), ValueError, "^expected T of at least 2, got 1"),
    "recall: no symbols": (lambda: recall(T, B, 0, rng()), ValueError, "^expected K to be a positive integer, got 0"),
    "recall: no rng": (lambda: recall(T, B, 4, None), TypeError, "^expected rng .*got NoneType"),
    "adding: one step": (lambda: adding(1, B, rng()), ValueError, "^expected T of at least 2, got 1"),
    "adding: B = 0": (lambda: adding(T, 0, rng()), ValueError, "^expected B to be a positive integer, got 0"),
    "adding: no rng": (lambda: adding(T, B, 7), TypeError, "^expected rng .*got int"),
    "parity: T a fraction": (
        lambda: parity(2.5, B, rng()),
        ValueError,
        r"^expected T to be a positive integer, got 2\.5",
    ),
    "parity: no rng": (lambda: parity(T, B, None), TypeError, "^expected rng .*got NoneType"),
    "python_tokens: none": (
        lambda: python_tokens(0),
        ValueError,
        "^expected size to be a positive integer, got 0",
    ),
    "python_tokens: too many": (
        lambda: python_tokens(10**9),
        ValueError,
        r"^expected size of at most \d+, the characters of numpy.lib, got 1000000000",
    ),
    "classify_tokens: bytes": (
        lambda: classify_tokens(b"a = 1"),
        TypeError,
        "^expected source to be a string, got bytes",
    ),
    "docstring_prose: a name": (
        lambda: docstring_prose("numpy"),
        TypeError,
        "^expected module to be a module, got str",
    ),
    "classify_tokens: no Python": (lambda: classify_tokens("a = ("), SyntaxError, "was never closed"),
    # layers
    "Stacked: a list": (
        lambda: Stacked([cell, linear]),
        TypeError,
        r"^expected layer 0 to be a layer \(params, forward, backward\), got list",
    ),
    "Stacked: a class": (
        lambda: Stacked(cell, Tanh),
        TypeError,
        r"^expected layer 1 to be a layer, got the class Tanh: make one with Tanh\(…\)",
    ),
    "Stacked: widths": (
        lambda: Stacked(cell, Stacked(linear, Linear(H, V, rng()))).forward(X),
        ValueError,
        shape("X", "T, B, 4", "5, 2, 6") + r"\n\(in layer 1, Linear\)\n\(in layer 1, Stacked\)$",
    ),
    "Stacked: backward": (
        lambda: stack.backward(Y, stack.forward(X)[2]),
        ValueError,
        shape("dY", "5, 2, 6", "5, 2, 4") + r"\n\(in layer 1, Linear\)$",
    ),
    "Bidirectional: None": (
        lambda: Bidirectional(cell, None),
        TypeError,
        "^expected right to be a layer.*got NoneType",
    ),
    "Bidirectional: one for both": (
        lambda: Bidirectional(cell, RNN(D, H, rng())).forward(X, (np.zeros((B, H)),)),
        ValueError,
        "^expected state with 2 entries, one a layer, got 1",
    ),
    "Bidirectional: dstate": (
        lambda: both.backward(np.ones((T, B, 2 * H)), both.forward(X)[2], np.zeros(2)),
        ValueError,
        "^expected dstate with 2 entries, one a layer, got ndarray",
    ),
    "Bidirectional: half of dY": (
        lambda: both.backward(Y, both.forward(X)[2]),
        ValueError,
        shape("dY", "5, 2, 8", "5, 2, 4"),
    ),
    "Bidirectional: the right one's widths": (
        lambda: Bidirectional(cell, linear).forward(X),
        ValueError,
        shape("X", "T, B, 4", "5, 2, 3") + r"\n\(in right, Linear\)$",
    ),
    "Residual: no layer": (lambda: Residual("RNN"), TypeError, "^expected layer to be a layer.*got str"),
    "Residual: widths": (
        lambda: Residual(cell).forward(X),
        ValueError,
        r"^expected outputs as wide as the inputs, X \+ layer\(X\): got \(5, 2, 3\) \+ \(5, 2, 4\)",
    ),
    "Frozen: a class": (lambda: Frozen(Linear), TypeError, "^expected layer to be a layer, got the class Linear"),
    "Dropout: p = 1": (lambda: Dropout(1), ValueError, "^expected p of at least 0 and below 1, got 1"),
    "Dropout: p negative": (
        lambda: SequenceDropout(-0.1),
        ValueError,
        "^expected p of at least 0 and below 1, got -0.1",
    ),
    "Dropout: p NaN": (lambda: Dropout(np.nan), ValueError, "^expected p of at least 0 and below 1, got nan"),
    "Dropout: rng a seed": (
        lambda: Dropout(0.5).forward(X, None, None, 7),
        TypeError,
        "^expected rng to be a numpy.random.Generator, got int",
    ),
    "Tanh: ids": (lambda: Tanh().forward(ids), ValueError, shape("X", "T, B, D", "5, 2")),
    "ReLU: integers": (lambda: ReLU().forward(X.astype(int)), TypeError, "^expected X of a floating-point .*got int64"),
    "Tanh: backward": (
        lambda: Tanh().backward(Y, Tanh().forward(X)[2]),
        ValueError,
        shape("dY", "5, 2, 3", "5, 2, 4"),
    ),
    "ReLU: backward in single precision": (
        lambda: ReLU().backward(X.astype(np.float32), ReLU().forward(X)[2]),
        TypeError,
        "^expected dY of dtype float64 .*got float32",
    ),
    "LayerNorm: D = 0": (lambda: LayerNorm(0), ValueError, "^expected D to be a positive integer, got 0"),
    "LayerNorm: wrong D": (lambda: LayerNorm(H).forward(X), ValueError, shape("X", "T, B, 4", "5, 2, 3")),
    "LayerNorm: float32": (
        lambda: LayerNorm(D, np.float32).forward(X),
        TypeError,
        "^expected X of dtype float32 .*got float64",
    ),
    "Embedding: V = 0": (lambda: Embedding(0, D, rng()), ValueError, "^expected V to be a positive integer, got 0"),
    "Embedding: no rng": (lambda: Embedding(V, D, None), TypeError, "^expected rng .*got NoneType"),
    "Embedding: padding": (
        lambda: Embedding(V, D, rng(), padding=V),
        ValueError,
        "^expected padding between 0 and 5, got 6",
    ),
    "Embedding: padding a word": (
        lambda: Embedding(V, D, rng(), padding="<pad>"),
        TypeError,
        "^expected padding to be integers, got str",
    ),
    "Embedding: one-hot": (
        lambda: Embedding(V, D, rng()).forward(one_hot(ids, V)),
        TypeError,
        "^expected X to be integers, got float64",
    ),
    "Embedding: unknown id": (
        lambda: Embedding(V, D, rng()).forward(ids + V),
        ValueError,
        "^expected X between 0 and 5, got 6",
    ),
    "Embedding: one sequence": (
        lambda: Embedding(V, D, rng()).forward(ids[:, 0]),
        ValueError,
        shape("X", "T, B", "5,"),
    ),
    "Embedding: backward": (
        lambda: Embedding(V, D, rng()).backward(Y, ids),
        ValueError,
        shape("dY", "5, 2, 3", "5, 2, 4"),
    ),
    "Window: k = 0": (lambda: Window(0), ValueError, "^expected k to be a positive integer, got 0"),
    "Window: dilation": (lambda: Window(2, 0), ValueError, "^expected dilation to be a positive integer, got 0"),
    "Window: mask": (
        lambda: Window(2).forward(X, None, np.ones((B, T), bool)),
        ValueError,
        shape("mask", "5, 2", "2, 5"),
    ),
    "Window: state": (
        lambda: Window(3).forward(X, (np.zeros((B, D)),)),
        TypeError,
        "^expected state to be a tuple of 2 arrays, got a tuple of 1",
    ),
    "Window: dstate": (
        lambda: Window(2).backward(np.ones((T, B, 2 * D)), Window(2).forward(X)[2], (np.zeros((B, H)),)),
        ValueError,
        shape(r"dstate\[0\]", "2, 3", "2, 4"),
    ),
    "Window: backward": (
        lambda: Window(2).backward(X, Window(2).forward(X)[2]),
        ValueError,
        shape("dY", "5, 2, 6", "5, 2, 3"),
    ),
    "Window: backward in single precision": (
        lambda: Window(1).backward(X.astype(np.float32), Window(1).forward(X)[2]),
        TypeError,
        "^expected dY of dtype float64 .*got float32",
    ),
    "causal_cnn: depth = 0": (
        lambda: causal_cnn(D, H, V, 0, rng()),
        ValueError,
        "^expected depth to be a positive integer, got 0",
    ),
    "Stacked: too few tapes": (
        lambda: stack.backward(logits, stack.forward(X)[2][:1]),
        ValueError,
        "^expected tapes with 2 entries, one a layer, got 1",
    ),
    "Stacked: too many tapes": (
        lambda: stack.backward(logits, stack.forward(X)[2] * 2),
        ValueError,
        "^expected tapes with 2 entries, one a layer, got 4",
    ),
    "Stacked: no tapes": (
        lambda: stack.backward(logits, None),
        ValueError,
        "^expected tapes with 2 entries, one a layer, got 0",
    ),
    "Stacked: a layer twice": (
        lambda: Stacked(linear, Tanh(), linear),
        ValueError,
        "^expected layers with parameters of their own, got one array for both 0.W and 2.W",
    ),
    "Stacked: a layer twice, deep inside": (
        lambda: Stacked(Residual(cell), Stacked(Tanh(), cell)),
        ValueError,
        "^expected layers with parameters of their own, got one array for both 0.W_x and 1.1.W_x",
    ),
    "Bidirectional: one layer for both": (
        lambda: Bidirectional(cell, cell),
        ValueError,
        "^expected layers with parameters of their own, got one array for both left.W_x and right.W_x",
    ),
    # evidence
    "measured: a number": (lambda: measured("size", 66), TypeError, "^expected text to be a string.*got int"),
    "claim: verdict": (
        lambda: claim("c", "S", "true", "e", 1.0, at_most=1),
        ValueError,
        "^expected verdict to be one of .*'depends'.*got 'true'",
    ),
    "claim: no bound": (
        lambda: claim("c", "S", "holds", "e", 1.0),
        ValueError,
        "^expected exactly one of at_least and at_most",
    ),
    "claim: two bounds": (
        lambda: claim("c", "S", "holds", "e", 1.0, 0, 2),
        ValueError,
        "^expected exactly one of at_least and at_most",
    ),
    # decoding
    "sample: no integers": (
        lambda: sample(language_model, IDS / 2, 3, rng()),
        TypeError,
        "^expected prompt to be integers, got float64",
    ),
    "greedy: empty prompt": (lambda: greedy(language_model, IDS[:0], 3), ValueError, shape("prompt", "n,", "0,")),
    "greedy: length 0": (
        lambda: greedy(language_model, IDS, 0),
        ValueError,
        "^expected length to be a positive integer, got 0",
    ),
    "sample: an embedding given one-hot vectors": (
        lambda: sample(Stacked(Embedding(V, H, rng()), Linear(H, V, rng())), IDS, 3, rng()),
        TypeError,
        "^expected X to be integers, got float64",
    ),
    "draw: temperature NaN": (
        lambda: draw(np.zeros(3), rng(), np.nan),
        ValueError,
        "^expected temperature to be positive, got nan",
    ),
    "draw: two axes": (lambda: draw(np.zeros((1, 3)), rng()), ValueError, shape("logits", "V,", "1, 3")),
    "draw: logits of no chance at all": (
        lambda: draw(np.array([0, -np.inf]), rng()),
        ValueError,
        r"^expected logits to be finite, got -inf at index \(1,\)",
    ),
    # text
    "Vocabulary: nothing frequent": (
        lambda: Vocabulary("abc", min_frequency=2),
        ValueError,
        "^expected a token that is no special and occurs 2 times, got none",
    ),
    "Vocabulary: nothing but specials": (
        lambda: Vocabulary(["<unk>"], specials=["<unk>"]),
        ValueError,
        "^expected a token that is no special and occurs 1 times, got none",
    ),
    "Vocabulary: frequency 0": (
        lambda: Vocabulary("abc", 0),
        ValueError,
        "^expected min_frequency to be a positive integer, got 0",
    ),
    "Vocabulary: specials a string": (
        lambda: Vocabulary("abc", specials="<pad>"),
        TypeError,
        "^expected specials to be a list of strings, got the string '<pad>'",
    ),
    "Vocabulary: special twice": (
        lambda: Vocabulary("abc", specials=["<pad>", "<unk>", "<pad>"]),
        ValueError,
        r"^expected specials without repeats, got \['<pad>', '<unk>', '<pad>'\]",
    ),
    "encode: a string of words": (
        lambda: Vocabulary(["the", "a", "cat"], specials=["<unk>"]).encode("the cat"),
        TypeError,
        "^expected a list of tokens, since they are not characters, got the string 'the cat'",
    ),
    "decode: two axes": (lambda: Vocabulary("abc").decode(IDS[:1, None]), ValueError, shape("ids", "n,", "1, 1")),
    "unknown_rate: no tokens": (
        lambda: Vocabulary("abc").unknown_rate([]),
        ValueError,
        "^expected at least one token, got none",
    ),
    "unknown_rate: a string of words": (
        lambda: Vocabulary(["the", "a", "cat"]).unknown_rate("the cat"),
        TypeError,
        "^expected a list of tokens, since they are not characters, got the string 'the cat'",
    ),
    "Vocabulary: ids": (lambda: Vocabulary([1, 2, 3]), TypeError, "^expected tokens to be strings, got 1"),
    "Vocabulary: special None": (
        lambda: Vocabulary("abc", specials=[None]),
        TypeError,
        "^expected specials to be strings, got None",
    ),
    "encode: an id among words": (
        lambda: Vocabulary(["the", "cat"]).encode(["dog", 3]),
        TypeError,
        "^expected tokens to be strings, got 3",
    ),
    # cooccurrence
    "cooccurrences: an id too large": (
        lambda: cooccurrences([np.array([0, 1]), np.array([2])], V=2, reach=1),
        ValueError,
        r"^expected sequences\[1\] between 0 and 1, got 2",
    ),
    "cooccurrences: no array": (
        lambda: cooccurrences([[0, 1]], V=2, reach=1),
        TypeError,
        r"^expected sequences\[0\] to be a NumPy array of integers, got list",
    ),
    "cooccurrences: reach 0": (
        lambda: cooccurrences([np.array([0, 1])], V=2, reach=0),
        ValueError,
        "^expected reach to be a positive integer, got 0",
    ),
    "positive_pmi: not square": (
        lambda: positive_pmi(np.ones((2, 3))),
        ValueError,
        r"^expected counts of shape \(V, V\), got \(2, 3\)",
    ),
    "positive_pmi: negative": (
        lambda: positive_pmi(np.array([[1.0, -1.0], [-1.0, 1.0]])),
        ValueError,
        "^expected counts of at least 0, got -1.0",
    ),
    "closest_rows: not symmetric": (
        lambda: closest_rows(np.array([[1.0, 2.0], [0.0, 1.0]]), 1),
        ValueError,
        r"^expected a symmetric M of shape \(V, V\), got another of shape \(2, 2\)",
    ),
    "closest_rows: not square": (
        lambda: closest_rows(np.ones((2, 3)), 1),
        ValueError,
        r"^expected a symmetric M of shape \(V, V\), got another of shape \(2, 3\)",
    ),
    "closest_rows: D too large": (
        lambda: closest_rows(np.eye(2), 3),
        ValueError,
        "^expected D of at most 2, M's rows, got 3",
    ),
    "closest_rows: too few positive eigenvalues": (
        lambda: closest_rows(np.diag([1.0, 0.0, -1.0]), 2),
        ValueError,
        "^expected M with 2 positive eigenvalues, got 1",
    ),
    # subwords
    "BytePairs: None": (lambda: BytePairs([None], 3), TypeError, "^expected words to be strings, got None"),
    "BytePairs: no words": (lambda: BytePairs([], 3), ValueError, "^expected at least one word, got none"),
    "BytePairs: a string": (
        lambda: BytePairs("low lower", 3),
        TypeError,
        "^expected words to be a list of strings, got the string 'low lower'",
    ),
    "BytePairs: a space in a word": (
        lambda: BytePairs(["low", "low er"], 3),
        ValueError,
        "^expected words without white space, .*got 'low er'",
    ),
    "BytePairs: an empty word": (lambda: BytePairs(["low", ""], 3), ValueError, "^expected words .*at least one .*''"),
    "BytePairs: merges negative": (
        lambda: BytePairs(["low"], -1),
        ValueError,
        "^expected merges to be an integer of at least 0, got -1",
    ),
    "BytePairs: merges a float": (
        lambda: BytePairs(["low"], 3.0),
        ValueError,
        "^expected merges to be an integer of at least 0, got 3.0",
    ),
    "BytePairs: merges a boolean": (lambda: BytePairs(["low"], True), ValueError, "^expected merges .*got True"),
    "byte pairs encode: a space": (
        lambda: BytePairs(["low"], 1).encode(["lo w"]),
        ValueError,
        "^expected words without white space, .*got 'lo w'",
    ),
    "byte pairs encode: a string": (lambda: BytePairs(["low"], 1).encode("low"), TypeError, "^expected words .*'low'"),
    # padding
    "length_mask: a list": (
        lambda: length_mask([3, 1]),
        TypeError,
        "^expected lengths to be a NumPy array, got list",
    ),
    "length_mask: floats": (
        lambda: length_mask(np.ones(2)),
        TypeError,
        "^expected lengths to be integers, got float64",
    ),
    "length_mask: length 0": (lambda: length_mask(IDS), ValueError, "^expected lengths of at least 1, got 0"),
    "pad: nothing": (lambda: pad_right([]), ValueError, "^expected at least one sequence, got none"),
    "pad: an empty sequence": (
        lambda: pad_left([IDS, IDS[:0]]),
        ValueError,
        shape(r"sequences\[1\]", "n,", "0,") + " .no size may be 0",
    ),
    "pad: a list": (
        lambda: pad_right([IDS, [1, 2]]),
        TypeError,
        r"^expected sequences\[1\] to be a NumPy array, got list",
    ),
    "pad: widths differ": (
        lambda: pad_right([X[0], Y[0]]),
        ValueError,
        shape(r"sequences\[1\]", "n, 3", "2, 4"),
    ),
    "pad: dtypes differ": (
        lambda: pad_right([IDS, IDS * 1.0]),
        TypeError,
        r"^expected sequences\[1\] of dtype int64 \(the first one's\), got float64",
    ),
    "pad: half an id": (lambda: pad_left([IDS], 0.5), TypeError, "^expected value to fit dtype int64, got 0.5"),
    "pad: an id too large": (
        lambda: pad_right([IDS.astype(np.uint8)], 300),
        TypeError,
        "^expected value to fit dtype uint8, got 300",
    ),
    "pad: NaN for an id": (lambda: pad_right([IDS], np.nan), TypeError, "^expected value to fit dtype int64, got nan"),
    "pad: a word": (lambda: pad_right([X[0]], "<pad>"), TypeError, "^expected value to fit dtype float64, got '<pad>'"),
    "pad: a word for an id": (
        lambda: pad_right([IDS], "<pad>"),
        TypeError,
        "^expected value to fit dtype int64, got '<pad>'",
    ),
    "pad: words": (
        lambda: pad_right([np.array(["the", "cat"])]),
        TypeError,
        "^expected value to fit dtype <U3, got 0",
    ),
    "reverse_padded: mask turned": (
        lambda: reverse_padded(X, np.ones((B, T), bool)),
        ValueError,
        shape("mask", "5, 2", "2, 5"),
    ),
    "reverse_padded: no mask": (
        lambda: reverse_padded(X, None),
        TypeError,
        "^expected mask to be a NumPy array, got NoneType",
    ),
    "reverse_padded: one axis": (
        lambda: reverse_padded(IDS, IDS > 0),
        ValueError,
        r"^expected X of shape \(T, B, …\), got \(4,\)",
    ),
    "bucket: B = 0": (
        lambda: bucket(IDS + 1, 0, rng()),
        ValueError,
        "^expected B to be a positive integer, got 0",
    ),
    "bucket: no rng": (lambda: bucket(IDS + 1, 2, None), TypeError, "^expected rng .*got NoneType"),
    "bucket: length 0": (lambda: bucket(IDS, 2, rng()), ValueError, "^expected lengths of at least 1, got 0"),
    "padding_share: length 0": (
        lambda: padding_share(IDS, [IDS]),
        ValueError,
        "^expected lengths of at least 1, got 0",
    ),
    "padding_share: no batch": (
        lambda: padding_share(IDS + 1, []),
        ValueError,
        "^expected at least one batch, and none empty",
    ),
    "padding_share: an empty batch": (
        lambda: padding_share(IDS + 1, [IDS, IDS[:0]]),
        ValueError,
        "^expected at least one batch, and none empty",
    ),
    "padding_share: index too large": (
        lambda: padding_share(IDS + 1, [IDS, IDS + 1]),
        ValueError,
        r"^expected batches\[1\] between 0 and 3, got 4",
    ),
    "padding_share: a mask": (
        lambda: padding_share(IDS + 1, [IDS > 0]),
        TypeError,
        r"^expected batches\[0\] to be .*integers, got bool",
    ),
    # n-grams
    "ngrams: n = 0": (lambda: ngrams(IDS, 0), ValueError, "^expected n to be a positive integer, got 0"),
    "ngrams: a string": (lambda: ngrams("abc", 2), TypeError, "^expected ids to be a NumPy array, got str"),
    "ngrams: floats": (lambda: ngrams(IDS / 2, 2), TypeError, "^expected ids to be integers, got float64"),
    "AddK: n = 0": (lambda: AddK(IDS, 0, V), ValueError, "^expected n to be a positive integer, got 0"),
    "AddK: V too small": (lambda: AddK(IDS, 2, 3), ValueError, "^expected ids between 0 and 2, got 3"),
    "AddK: a list": (
        lambda: AddK([0, 1, 2], 2, V),
        TypeError,
        "^expected ids to be a NumPy array of integers, got list",
    ),
    "AddK: two axes": (lambda: AddK(targets, 2, V), ValueError, shape("ids", "N,", "5, 2")),
    "AddK: k = 0": (lambda: AddK(IDS, 2, V, 0), ValueError, "^expected k to be positive and finite, got 0"),
    "AddK: k infinite": (lambda: AddK(IDS, 2, V, np.inf), ValueError, "^expected k to be positive and finite, got inf"),
    "Interpolated: weight 0": (
        lambda: Interpolated(IDS, 2, V, 0),
        ValueError,
        "^expected weight between 0 and 1, got 0",
    ),
    "Interpolated: weight 1": (
        lambda: Interpolated(IDS, 2, V, 1),
        ValueError,
        "^expected weight between 0 and 1, got 1",
    ),
    "n-gram: unknown id in context": (
        lambda: AddK(IDS, 2, V).probabilities(IDS + 3),
        ValueError,
        "^expected context between 0 and 5, got 6",
    ),
    "n-gram: context of two axes": (
        lambda: AddK(IDS, 2, V).probabilities(targets),
        ValueError,
        shape("context", "N,", "5, 2"),
    ),
    "n-gram: context a number": (
        lambda: AddK(IDS, 2, V).probabilities(3),
        ValueError,
        r"^expected context of shape \(N,\), got \(\)",
    ),
    "n-gram: loss of nothing": (lambda: AddK(IDS, 2, V).loss(IDS[:0]), ValueError, shape("ids", "N,", "0,")),
    "n-gram: loss of an unknown id": (
        lambda: AddK(IDS, 2, V).loss(IDS + 3),
        ValueError,
        "^expected ids between 0 and 5, got 6",
    ),
    "n-gram: sample of length 0": (
        lambda: AddK(IDS, 2, V).sample(IDS, 0, rng()),
        ValueError,
        "^expected length to be a positive integer, got 0",
    ),
    "n-gram: sample without rng": (
        lambda: AddK(IDS, 2, V).sample(IDS, 3, None),
        TypeError,
        "^expected rng .*got NoneType",
    ),
    "n-gram: temperature negative": (
        lambda: AddK(IDS, 2, V).sample(IDS, 3, rng(), -1),
        ValueError,
        "^expected temperature to be positive, got -1",
    ),
    # torch
    "to_torch: Linear on top": (
        lambda: interop.to_torch(stack),
        TypeError,
        r"^expected a layer with a twin, like .*, got Stacked\(RNN\(3, 4\), Linear\(…\)\)",
    ),
    "to_torch: two kinds": (
        lambda: interop.to_torch(Stacked(RNN(D, H, rng()), GRU(H, H, rng()))),
        TypeError,
        r"^expected a layer with a twin, like Stacked\(RNN\(3, 4\), RNN\(4, 4\)\), got .*GRU\(4, 4\)",
    ),
    "to_torch: two sizes": (
        lambda: interop.to_torch(Bidirectional(RNN(D, H, rng()), RNN(D, 5, rng()))),
        TypeError,
        r"^expected a layer with a twin, like .*, got Bidirectional\(RNN\(3, 4\), RNN\(3, 5\)\)",
    ),
    "to_torch: one direction, then two": (
        lambda: interop.to_torch(Stacked(RNN(D, H, rng()), Bidirectional(RNN(H, H, rng()), RNN(H, H, rng())))),
        TypeError,
        "^expected a layer with a twin, like .*, got Stacked.*Bidirectional",
    ),
    "to_torch: dropout after the last": (
        lambda: interop.to_torch(Stacked(RNN(D, H, rng()), Dropout(0.5))),
        TypeError,
        r"^expected a layer with a twin, like RNN\(3, 4\), got Stacked\(RNN\(3, 4\), Dropout\(0\.5\)\)",
    ),
    "to_torch: a stack in a stack": (
        lambda: interop.to_torch(Stacked(Stacked(RNN(D, H, rng()), RNN(H, H, rng())))),
        TypeError,
        r"^expected a layer with a twin, like RNN\(3, 4\), got Stacked\(Stacked",
    ),
    "to_torch: no cell": (
        lambda: interop.to_torch(Stacked(Dropout(0.5))),
        TypeError,
        r"^expected a layer with a twin in torch.*, got Stacked\(Dropout\(0\.5\)\)",
    ),
    "to_torch: the other GRU": (
        lambda: interop.to_torch(GRUResetBefore(D, H, rng())),
        TypeError,
        r"^expected a layer with a twin in torch.*, got GRUResetBefore\(3, 4\)",
    ),
    "to_torch: peepholes": (
        lambda: interop.to_torch(PeepholeLSTM(D, H, rng())),
        TypeError,
        r"^expected a layer with a twin in torch.*, got PeepholeLSTM\(3, 4\)",
    ),
    "to_torch: two dtypes": (
        lambda: interop.to_torch(Stacked(RNN(D, H, rng()), RNN(H, H, rng(), np.float32))),
        TypeError,
        "^expected a layer of one dtype, got torch.float64 and torch.float32",
    ),
    "state_dict: frozen": (
        lambda: interop.state_dict(Frozen(linear)),
        TypeError,
        "^expected a layer with a twin in torch.*, got Frozen",
    ),
    "load_state_dict: arrays": (
        lambda: interop.load_state_dict(linear, {"weight": linear.W.T, "bias": linear.b}),
        TypeError,
        r"^expected weight to be a torch\.Tensor, got ndarray",
    ),
    "load_state_dict: a module": (
        lambda: interop.load_state_dict(linear, torch.nn.Linear(H, V)),
        TypeError,
        r"^expected weights by name, as a module's state_dict\(\) is, got Linear",
    ),
    "load_state_dict: names": (
        lambda: interop.load_state_dict(linear, {"weight": torch.zeros(V, H), "bais": torch.zeros(V)}),
        KeyError,
        r"expected weights \['bias', 'weight'\]: lacks \['bias'\], too many \['bais'\]",
    ),
    "load_state_dict: shape": (
        lambda: interop.load_state_dict(linear, {"weight": torch.zeros(H, V), "bias": torch.zeros(V)}),
        ValueError,
        r"^expected weight of shape \(6, 4\), got \(4, 6\)",
    ),
    "load_state_dict: dtype": (
        lambda: interop.load_state_dict(linear, torch.nn.Linear(H, V).state_dict()),
        TypeError,
        r"^expected weight of dtype torch.float64, got torch.float32",
    ),
    "from_torch: another module": (
        lambda: interop.from_torch(torch.nn.Conv1d(2, 3, 1)),
        TypeError,
        "^expected a torch.nn.Linear, Embedding, RNN, LSTM or GRU, got Conv1d",
    ),
    "from_torch: a cell": (
        lambda: interop.from_torch(torch.nn.LSTMCell(2, 3)),
        TypeError,
        "^expected a torch.nn.Linear, Embedding, RNN, LSTM or GRU, got LSTMCell",
    ),
    "from_torch: half precision": (
        lambda: interop.from_torch(torch.nn.GRU(2, 3, dtype=torch.bfloat16)),
        TypeError,
        "^expected a module of dtype float64 or float32, got bfloat16",
    ),
    "from_torch: batch first": (
        lambda: interop.from_torch(torch.nn.LSTM(2, 3, batch_first=True)),
        ValueError,
        "^expected a module with batch_first=False, got batch_first=True",
    ),
    "from_torch: projection": (
        lambda: interop.from_torch(torch.nn.LSTM(2, 3, proj_size=1)),
        ValueError,
        "^expected a module with proj_size=0, got proj_size=1",
    ),
    "from_torch: RNN without bias": (
        lambda: interop.from_torch(torch.nn.RNN(2, 3, bias=False)),
        ValueError,
        "^expected a module with bias=True, got bias=False",
    ),
    "from_torch: Linear without bias": (
        lambda: interop.from_torch(torch.nn.Linear(2, 3, bias=False)),
        ValueError,
        "^expected a module with bias=True, got bias=False",
    ),
    "from_torch: gradients scaled by frequency": (
        lambda: interop.from_torch(torch.nn.Embedding(2, 3, scale_grad_by_freq=True)),
        ValueError,
        "^expected a module with scale_grad_by_freq=False, got scale_grad_by_freq=True",
    ),
    "from_torch: sparse gradients": (
        lambda: interop.from_torch(torch.nn.Embedding(2, 3, sparse=True)),
        ValueError,
        "^expected a module with sparse=False, got sparse=True",
    ),
    "from_torch: embedding of bounded norm": (
        lambda: interop.from_torch(torch.nn.Embedding(2, 3, max_norm=1.0)),
        ValueError,
        "^expected a module with max_norm=None, got max_norm=1.0",
    ),
    # rnncourse.seeds
    "Seeds: no cells": (lambda: Seeds([], []), ValueError, "^expected cells to be one or more, got none"),
    "Seeds: cells of two kinds": (
        lambda: Seeds([RNN(D, H, rng()), LSTM(D, H, rng())], [Linear(H, V, rng())] * 2),
        ValueError,
        "^expected cells to be alike, got a LSTM unlike the first at position 1",
    ),
    "Seeds: heads of two sizes": (
        lambda: Seeds([RNN(D, H, rng())] * 2, [Linear(H, V, rng()), Linear(H, 1, rng())]),
        ValueError,
        "^expected heads to be alike, got a Linear unlike the first at position 1",
    ),
    "Seeds: too few heads": (
        lambda: Seeds([RNN(D, H, rng())] * 2, [Linear(H, V, rng())]),
        ValueError,
        "^expected a head for each of 2 cells, got 1",
    ),
    "Seeds: a cell with a transpose of its own": (
        lambda: Seeds([SkipRNN(D, H, 2, rng())] * 2, [Linear(H, V, rng())] * 2),
        TypeError,
        r"^expected a cell that indexes the last axis alone, as s\[..., :k\], got SkipRNN",
    ),
    "Seeds.forward: sequences of one network too few": (
        lambda: Seeds([RNN(D, H, rng())] * 2, [Linear(H, V, rng())] * 2).forward(np.zeros((T, 1, B, D))),
        ValueError,
        r"^expected X of shape \(T, 2, B, 3\), got \(5, 1, 2, 3\)",
    ),
    "clip_each: a norm of 0": (
        lambda: clip_each({"a": np.ones((2, 3))}, 0),
        ValueError,
        "^expected max_norm to be positive, got 0",
    ),
    "clip_each: NaN": (
        lambda: clip_each({"a": np.full((2, 3), np.nan)}, 1),
        FloatingPointError,
        "^expected finite gradients, got norms",
    ),
    # rnncourse.trials
    "train_each: a rate too few": (
        lambda: train_each(
            lambda D, T, rng: RNN(D, H, rng, np.float32),
            Trial(adding, 2, 1, squared_error, 1, 0.1),
            T,
            [0.1],
            [0, 1],
        ),
        ValueError,
        "^expected a rate for each of 2 seeds, got 1",
    ),
    "AdamEach: a rate of 0": (
        lambda: AdamEach({"a": np.zeros((2, 1, 1))}, [0.1, 0.0]),
        ValueError,
        r"^expected a positive rate for each of 2 networks, got \[0.1, 0.0\]",
    ),
    "AdamEach: a rate too many": (
        lambda: AdamEach({"a": np.zeros((1, 1, 1))}, [0.1, 0.1]),
        ValueError,
        r"^expected a positive rate for each of 1 networks, got \[0.1, 0.1\]",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_wrong_call(row):
    call, exception, message = ROWS[row]
    with pytest.raises(exception, match=message) as caught:
        call()
    assert caught.type is exception, f"{caught.type.__name__} is a kind of {exception.__name__}, which was promised"


def test_messages_write_letters_for_sizes_that_are_free():
    with pytest.raises(ValueError, match=r"^expected X of shape \(T, B, 64\), got \(32, 35, 48\)$"):
        expect("X", np.zeros((32, 35, 48)), ("T", "B", 64))
