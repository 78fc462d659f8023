"""Every cell against autograd of its formula, against finite differences, and against what can be computed by hand."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import CELLS, autograd, gradients

from rnncourse.arrays import sigmoid
from rnncourse.cells import GRU, LSTM, RNN, Cell, GRUResetBefore, ReLURNN
from rnncourse.variants import CoupledLSTM, LayerNormLSTM, LayerNormRNN, LeakyReLURNN, PeepholeLSTM, SkipRNN

SIZES = st.tuples(*[st.integers(1, 6)] * 4)
SEED = st.integers(0, 2**32 - 1)
cells = pytest.mark.parametrize("name", CELLS)


def random_cell(name, D, H, rng, dtype=np.float64):
    """A cell with parameters large enough that every gate moves; no LayerNorm gain is left at 1."""
    cell = CELLS[name](D=D, H=H, rng=rng, dtype=dtype)
    for p in cell.params.values():
        p[:] = rng.normal(size=p.shape)
    return cell


def random_state(cell, B, rng):
    return tuple(rng.normal(size=(B, len(cell.W_h))) for _ in range(cell.n_states))


@cells
@given(sizes=SIZES, seed=SEED, masked=st.booleans())
def test_equals_autograd_of_the_formula(name, sizes, seed, masked):
    """Outputs, last state and all gradients of Σ h ⊙ dH + Σ last state ⊙ dstate, to 1e-10."""
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    cell = random_cell(name, D, H, rng)
    X, state, dstate = rng.normal(size=(T, B, D)), random_state(cell, B, rng), random_state(cell, B, rng)
    dH, mask = rng.normal(size=(T, B, H)), rng.random((T, B)) < 0.7 if masked else None
    Y, last, tape = cell.forward(X, state, mask)
    dX, dfirst, grads = cell.backward(dH, tape, dstate)

    states, leaves = autograd(cell, X, state, mask)
    loss = sum((s[0] * torch.tensor(d)).sum() for s, d in zip(states, dH, strict=True))
    loss = loss + sum((s * torch.tensor(d)).sum() for s, d in zip(states[-1], dstate, strict=True))
    loss.backward()
    expected_dX, expected_dfirst, expected_grads = gradients(cell, leaves)

    pairs = {"Y": (Y, torch.stack([s[0] for s in states]).detach()), "dX": (dX, expected_dX)}
    pairs |= {f"last[{k}]": (s, states[-1][k].detach()) for k, s in enumerate(last)}
    pairs |= {f"dstate[{k}]": (s, expected_dfirst[k]) for k, s in enumerate(dfirst)}
    assert grads.keys() == expected_grads.keys() == cell.params.keys()
    pairs |= {f"d{key}": (grads[key], expected_grads[key]) for key in grads}
    for what, (got, expected) in pairs.items():
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10, err_msg=what)


# N is too steep for differences where its numbers hardly differ: the layer-norm cells have autograd alone.
@pytest.mark.parametrize("name", [name for name in CELLS if "LayerNorm" not in name])
@given(sizes=st.tuples(*[st.integers(1, 4)] * 4), seed=SEED, masked=st.booleans())
def test_gradients_equal_differences(name, check_by_differences, sizes, seed, masked):
    (T, B, D, H), rng = sizes, np.random.default_rng(seed)
    mask = rng.random((T, B)) < 0.7 if masked else None
    cell = CELLS[name](D=D, H=H, rng=rng)
    X, state = rng.normal(size=(T, B, D)), random_state(cell, B, rng)
    if "ReLU" in name:  # no sum may be so near the bend that a difference reaches across it
        h = np.concatenate([state[0][None], cell.forward(X, state, mask)[0][:-1]])
        assume(abs(X @ cell.W_x + cell.b + h @ cell.W_h).min() > 1e-3)
    check_by_differences(cell, X, state, mask, rng)


def test_one_step_by_hand():
    cell = RNN(1, 1, np.random.default_rng(0))
    cell.W_x[:], cell.W_h[:], cell.b[:] = 2.0, 3.0, 0.5
    Y, (h,), _ = cell.forward(np.full((1, 1, 1), 0.1), (np.full((1, 1), -0.2),))
    assert Y.item() == h.item() == pytest.approx(np.tanh(0.1 * 2 - 0.2 * 3 + 0.5), abs=1e-15)


def test_relu_counts_on_without_bound():
    cell = ReLURNN(1, 1, np.random.default_rng(0))
    cell.W_x[:], cell.W_h[:], cell.b[:] = 1.0, 1.0, 0.0
    Y, _, _ = cell.forward(np.array([2.0, 3.0, -1.0, -9.0, 4.0]).reshape(5, 1, 1))
    assert Y.ravel().tolist() == [2, 5, 4, 0, 4]


def test_relu_has_slope_zero_at_zero():
    cell = ReLURNN(1, 1, np.random.default_rng(0))
    cell.b[:] = 0
    _, _, tape = cell.forward(np.zeros((1, 1, 1)))
    assert cell.backward(np.ones((1, 1, 1)), tape)[2]["b"].item() == 0


def test_tanh_does_not_overflow():
    cell = RNN(3, 4, np.random.default_rng(0))
    Y, _, tape = cell.forward(np.full((2, 1, 3), 1e300))
    assert (abs(Y) == 1).all()
    assert not cell.backward(np.ones_like(Y), tape)[0].any(), "a saturated unit passes no gradient"


@cells
def test_float32_follows_float64(name):
    rng = np.random.default_rng(1)
    cell, X = CELLS[name](D=5, H=7, rng=rng), rng.normal(size=(20, 3, 5))
    single = CELLS[name](D=5, H=7, rng=np.random.default_rng(0), dtype=np.float32)
    for key, p in single.params.items():
        p[:] = cell.params[key]
    Y, last, tape = cell.forward(X)
    Y32, last32, tape32 = single.forward(X.astype(np.float32))
    dX, dstate, grads = cell.backward(Y, tape)
    dX32, dstate32, grads32 = single.backward(Y32, tape32)
    pairs = [(Y, Y32), (dX, dX32), *zip(last, last32, strict=True), *zip(dstate, dstate32, strict=True)]
    pairs += [(grads[key], grads32[key]) for key in grads]
    assert tape32.states.dtype == tape32.gates.dtype == np.float32
    for double, rounded in pairs:
        assert rounded.dtype == np.float32
        assert abs(double - rounded).max() < 1e-5 * max(1, abs(double).max())
        assert abs(double).max() > 1e-3, "nothing to compare"


@cells
def test_parameters_start_within_one_over_root_H(name):
    for key, p in CELLS[name](D=9, H=25, rng=np.random.default_rng(0)).params.items():
        if key == "gain":
            assert (p == 1).all()
        else:
            assert 0.17 < abs(p).max() <= 0.2, key
            assert abs(p.mean()) < 0.08, key


D, H = 3, 5
SHAPES = {  # of all parameters: W_x, W_h, b and what else the cell has
    "RNN": ((D, H), (H, H), (H,)),
    "ReLURNN": ((D, H), (H, H), (H,)),
    "LeakyReLURNN": ((D, H), (H, H), (H,)),
    "SkipRNN": ((D, H), (H, H), (H,), (H, H)),
    "LSTM": ((D, 4 * H), (H, 4 * H), (4 * H,)),
    "PeepholeLSTM": ((D, 4 * H), (H, 4 * H), (4 * H,), (H,), (H,), (H,)),
    "CoupledLSTM": ((D, 3 * H), (H, 3 * H), (3 * H,)),
    "GRU": ((D, 3 * H), (H, 3 * H), (3 * H,), (H,)),
    "GRUResetBefore": ((D, 3 * H), (H, 3 * H), (3 * H,)),
    "LayerNormRNN": ((D, H), (H, H), (H,), (H,)),
    "LayerNormLSTM": ((D, 4 * H), (H, 4 * H), (4 * H,), (4 * H,)),
}


@cells
def test_parameter_shapes(name):
    params = CELLS[name](D=D, H=H, rng=np.random.default_rng(0)).params
    assert tuple(p.shape for p in params.values()) == SHAPES[name]


@cells
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_have_the_dtype_asked_for(name, dtype):
    assert {p.dtype for p in CELLS[name](D=2, H=3, rng=np.random.default_rng(0), dtype=dtype).params.values()} == {
        np.dtype(dtype)
    }


@cells
def test_same_seed_same_bits(name):
    one, two, other = (CELLS[name](D=4, H=6, rng=np.random.default_rng(seed)) for seed in (7, 7, 8))
    for key in one.params:
        assert (one.params[key] == two.params[key]).all()
        assert key == "gain" or (one.params[key] != other.params[key]).any()
    X = np.random.default_rng(0).normal(size=(9, 2, 4))
    assert one.forward(X)[0].tobytes() == two.forward(X)[0].tobytes()


def test_changing_params_in_place_changes_the_cell():
    cell = RNN(2, 3, np.random.default_rng(0))
    for p in cell.params.values():
        p[:] = 0
    assert not cell.forward(np.ones((4, 1, 2)))[0].any()


@pytest.mark.parametrize("name", [name for name in CELLS if "ReLU" not in name])  # a ReLU's state has no bound
def test_extreme_inputs_do_not_overflow(name):
    """Saturated gates are 0 or 1, not NaN; a warning would be an error here."""
    cell = CELLS[name](D=2, H=3, rng=np.random.default_rng(0))
    X = np.random.default_rng(1).choice([-1e30, 1e30], size=(6, 4, 2))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        Y, _, tape = cell.forward(X)
        dX, _, grads = cell.backward(np.ones_like(Y), tape)
    assert np.isfinite(Y).all()
    assert np.isfinite(dX).all()
    assert all(np.isfinite(g).all() for g in grads.values())


def one_unit(Cell, **values):
    """A cell of one input and one unit with the parameters given, each a list with a number a gate."""
    cell = Cell(D=1, H=1, rng=np.random.default_rng(0))
    for name, p in cell.params.items():
        p[:] = values[name]
    return cell


def run_once(cell, x, *state):
    return [s.item() for s in cell.forward(np.full((1, 1, 1), x), tuple(np.full((1, 1), s) for s in state))[1]]


def test_lstm_by_hand():
    """The one-unit cell of chapter 7; gates in the order i f g o."""
    cell = one_unit(LSTM, W_h=[[2.00, 2.70, 1.41, 4.38]], W_x=[[1.65, 1.63, 0.94, -0.19]], b=[0.62, 1.62, -0.32, 0.59])
    h, c = run_once(cell, 1.0, 1.0, 2.0)
    assert c == pytest.approx(sigmoid(5.95) * 2 + sigmoid(4.27) * np.tanh(2.03), abs=1e-12)
    assert c == pytest.approx(2.948, abs=5e-4)
    assert h == pytest.approx(sigmoid(4.78) * np.tanh(c), abs=1e-12)
    assert h == pytest.approx(0.986, abs=5e-4)


def test_forget_gate_of_one_and_closed_input_keep_c_exactly():
    cell = one_unit(LSTM, W_x=0, W_h=0, b=[-1e3, 1e3, 5.0, 0.0])
    assert run_once(cell, 3.0, 0.4, 1.7) == [pytest.approx(0.5 * np.tanh(1.7)), 1.7]


def test_coupled_lstm_by_hand():
    cell = one_unit(CoupledLSTM, W_h=[[0.3, -0.2, 0.5]], W_x=[[0.1, 0.7, -0.4]], b=[0.2, -0.1, 0.6])
    h, c = run_once(cell, 2.0, 0.5, -1.0)
    f, g, o = (
        sigmoid(0.1 * 2 + 0.3 * 0.5 + 0.2),
        np.tanh(0.7 * 2 - 0.2 * 0.5 - 0.1),
        sigmoid(-0.4 * 2 + 0.5 * 0.5 + 0.6),
    )
    assert c == pytest.approx(-f + (1 - f) * g, abs=1e-15)
    assert h == pytest.approx(o * np.tanh(c), abs=1e-15)


def test_peepholes_see_the_cell_state():
    cell = one_unit(PeepholeLSTM, W_x=0, W_h=0, b=[0, 0, 1.0, 0], p_i=0.5, p_f=-0.25, p_o=2.0)
    h, c = run_once(cell, 0.0, 0.0, 2.0)
    assert c == pytest.approx(sigmoid(-0.5) * 2 + sigmoid(1.0) * np.tanh(1.0), abs=1e-15)
    assert h == pytest.approx(sigmoid(2 * c) * np.tanh(c), abs=1e-15)


def test_gru_by_hand():
    cell = one_unit(GRU, W_h=[[0.5, -0.3, 0.8]], W_x=[[0.2, 0.4, -0.6]], b=[0.1, -0.2, 0.3], b_h=[0.7])
    (h,) = run_once(cell, 1.5, -0.4)
    r, z = sigmoid(0.2 * 1.5 + 0.5 * -0.4 + 0.1), sigmoid(0.4 * 1.5 - 0.3 * -0.4 - 0.2)
    n = np.tanh(-0.6 * 1.5 + 0.3 + r * (0.8 * -0.4 + 0.7))
    assert h == pytest.approx((1 - z) * n + z * -0.4, abs=1e-15)


def test_the_two_grus_agree_for_one_unit_without_the_second_bias_and_else_differ():
    rng = np.random.default_rng(0)
    for H, same in ((1, True), (4, False)):
        after, before = GRU(3, H, rng), GRUResetBefore(3, H, rng)
        after.b_h[:] = 0
        for key, p in before.params.items():
            p[:] = after.params[key]
        X = rng.normal(size=(6, 2, 3))
        difference = abs(after.forward(X)[0] - before.forward(X)[0]).max()
        assert (difference < 1e-14) == same
        assert same or difference > 1e-3


def test_skip_rnn_without_skip_weights_is_an_rnn_and_with_them_reaches_k_steps_back():
    rng = np.random.default_rng(0)
    skip, plain, X = SkipRNN(2, 3, 4, rng), RNN(2, 3, rng), rng.normal(size=(9, 1, 2))
    for key, p in plain.params.items():
        p[:] = skip.params[key]
    assert (skip.forward(X)[0] != plain.forward(X)[0]).any(axis=(1, 2)).tolist() == [False] * 4 + [True] * 5
    skip.W_s[:] = 0
    assert (skip.forward(X)[0] == plain.forward(X)[0]).all()


def test_layer_norm_makes_the_size_of_the_recurrent_weights_irrelevant():
    for cls in (LayerNormRNN, LayerNormLSTM):
        cell, X = cls(2, 8, np.random.default_rng(0)), np.random.default_rng(1).normal(size=(20, 3, 2))
        Y = cell.forward(X)[0].copy()
        cell.W_h *= 1000
        assert abs(cell.forward(X)[0] - Y).max() < 0.05
        cell.gain *= 2
        assert abs(cell.forward(X)[0] - Y).max() > 0.1


def test_leaky_relu_passes_a_hundredth_below_zero():
    assert LeakyReLURNN.activation(np.array([-3.0, 0.0, 2.0])).tolist() == [-0.03, 0, 2]
    assert LeakyReLURNN.slope(np.array([-0.03, 0.0, 2.0])).tolist() == [0.01, 0.01, 1]


def test_gates_are_named_in_their_order():
    names = {name: CELLS[name](D=1, H=1, rng=np.random.default_rng(0)).gate_names for name in CELLS}
    assert names["LSTM"] == names["PeepholeLSTM"] == ("i", "f", "g", "o")
    assert names["CoupledLSTM"] == ("f", "g", "o")
    assert names["GRU"] == names["GRUResetBefore"] == ("r", "z", "n")
    assert names["RNN"] == ("h",)


def test_a_cell_may_hand_its_input_on_as_its_state():
    """x W_x + b lies where the saved numbers go: the state must be kept before they come."""

    class Echo(Cell):
        """h' = x W_x + b."""

        def step(self, xw, state):
            return (xw,), np.tanh(xw)

    cell, X = Echo(2, 3, np.random.default_rng(0)), np.random.default_rng(1).normal(size=(5, 4, 2))
    Y, (h,), tape = cell.forward(X)
    np.testing.assert_allclose(Y, X @ cell.W_x + cell.b, rtol=0, atol=1e-15)
    assert (h == Y[-1]).all()
    np.testing.assert_allclose(tape.gates, np.tanh(Y), rtol=0, atol=1e-15)


def test_a_cell_of_your_own_needs_the_methods():
    class Half(Cell):
        """h' = h/2 + x W_x + b."""

        def step(self, xw, state):
            return (state[0] / 2 + xw,), xw

        def linearize(self, gates, prev, new):
            return (np.ones_like(gates),)

        def pullback(self, dstate, J, W_hT):
            return dstate[0], (dstate[0] / 2,)

    cell = Half(1, 1, np.random.default_rng(0))
    cell.W_x[:], cell.b[:] = 1, 0
    Y, _, tape = cell.forward(np.array([4.0, 0, 0]).reshape(3, 1, 1))
    assert Y.ravel().tolist() == [4, 2, 1]
    assert cell.backward(np.array([0, 0, 1.0]).reshape(3, 1, 1), tape)[0].ravel().tolist() == [0.25, 0.5, 1]
    for method, args in (("step", 2), ("linearize", 3), ("pullback", 3)):
        with pytest.raises(NotImplementedError):
            getattr(Cell(1, 1, np.random.default_rng(0)), method)(*[None] * args)
