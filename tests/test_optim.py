"""SGD, Momentum, Adam and clipping against torch, and at the extremes of floating point."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnncourse.optim import SGD, Adam, Momentum, clip_by_global_norm, clip_by_value

SEED = st.integers(0, 2**32 - 1)
SHAPES = {"W": (3, 4), "b": (4,), "s": (1, 1)}


def draw(rng, scale=1.0, dtype=np.float64):
    return {name: (scale * rng.normal(size=shape)).astype(dtype) for name, shape in SHAPES.items()}


OPTIMIZERS = {
    "SGD": (lambda p: SGD(p, 0.3), lambda p: torch.optim.SGD(p, 0.3)),
    "Momentum": (lambda p: Momentum(p, 0.3), lambda p: torch.optim.SGD(p, 0.3, momentum=0.9)),
    "Momentum with its option": (lambda p: Momentum(p, 0.3, 0.4), lambda p: torch.optim.SGD(p, 0.3, momentum=0.4)),
    "Adam": (lambda p: Adam(p), lambda p: torch.optim.Adam(p)),
    "Adam with all its options": (
        lambda p: Adam(p, 0.05, (0.7, 0.95), 1e-4),
        lambda p: torch.optim.Adam(p, 0.05, (0.7, 0.95), 1e-4),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_ten_steps_equal_torch(name, scale):
    ours, theirs = OPTIMIZERS[name]
    rng = np.random.default_rng(0)
    params = draw(rng)
    tensors = {key: torch.tensor(p, requires_grad=True) for key, p in params.items()}
    before = {key: p.copy() for key, p in params.items()}
    optimizer, expected = ours(params), theirs(list(tensors.values()))
    for step in range(10):
        grads = draw(rng, scale) if step != 4 else {key: np.zeros(shape) for key, shape in SHAPES.items()}
        optimizer.step(grads)
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[key])
        expected.step()
        for key in params:
            theirs_now = tensors[key].detach().numpy()
            np.testing.assert_allclose(params[key], theirs_now, rtol=1e-10, atol=1e-10, err_msg=f"{key}, step {step}")
    assert all((params[key] != before[key]).any() for key in params), "nothing moved"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_change_in_place_and_keep_their_dtype(name):
    rng = np.random.default_rng(0)
    params = draw(rng, dtype=np.float32)
    arrays, grads = dict(params), draw(rng, dtype=np.float32)
    before = {key: g.copy() for key, g in grads.items()}
    OPTIMIZERS[name][0](params).step(grads)
    for key, p in params.items():
        assert p is arrays[key]
        assert p.dtype == np.float32
        assert (grads[key] == before[key]).all(), "the gradients are not the optimizer's to change"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_zero_gradient_moves_nothing_at_first(name):
    params = draw(np.random.default_rng(0))
    before = {key: p.copy() for key, p in params.items()}
    OPTIMIZERS[name][0](params).step({key: np.zeros(shape) for key, shape in SHAPES.items()})
    assert all((params[key] == before[key]).all() for key in params)


def test_adam_first_step_is_the_learning_rate_whatever_the_gradient():
    params = {"a": np.zeros(3)}
    Adam(params, lr=0.01).step({"a": np.array([1e-4, -1.0, 1e6])})
    np.testing.assert_allclose(params["a"], [-0.01, 0.01, -0.01], rtol=2e-4)


def test_momentum_zero_is_plain_descent():
    rng = np.random.default_rng(0)
    one, grads = draw(rng), [draw(rng) for _ in range(3)]
    two = {key: p.copy() for key, p in one.items()}
    plain, heavy = SGD(one, 0.1), Momentum(two, 0.1, 0)
    for g in grads:
        plain.step(g)
        heavy.step(g)
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_rate_set_anew_acts_from_the_next_step_on_as_in_torch(name):
    rng = np.random.default_rng(0)
    params = draw(rng)
    tensors = {key: torch.tensor(p, requires_grad=True) for key, p in params.items()}
    optimizer, expected = OPTIMIZERS[name][0](params), OPTIMIZERS[name][1](list(tensors.values()))
    for lr in (0.1, 0.1, 0.01, 0.3):
        optimizer.lr = expected.param_groups[0]["lr"] = lr
        grads = draw(rng)
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[key])
        optimizer.step(grads)
        expected.step()
    for key, tensor in tensors.items():
        np.testing.assert_allclose(params[key], tensor.detach(), rtol=0, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_schedule_is_asked_for_steps_1_2_3(kind):
    asked, params = [], draw(np.random.default_rng(0))
    optimizer = kind(params, lambda k: asked.append(k) or 0.1)
    for _ in range(3):
        optimizer.step({key: np.ones_like(p) for key, p in params.items()})
    assert asked == [1, 2, 3]


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_schedule_is_the_rate_set_by_hand_before_each_step(kind):
    rng = np.random.default_rng(0)
    one, grads, rates = draw(rng), [draw(rng) for _ in range(4)], [0.5, 0.0, 0.1, 0.2]
    two = {key: p.copy() for key, p in one.items()}
    scheduled, by_hand = kind(one, lambda k: rates[k - 1]), kind(two, 1.0)
    for g, lr in zip(grads, rates, strict=True):
        scheduled.step(g)
        by_hand.lr = lr
        by_hand.step(g)
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_schedule_that_gives_no_rate_changes_nothing(kind, bad):
    params = draw(np.random.default_rng(0))
    before = {key: p.copy() for key, p in params.items()}
    optimizer = kind(params, lambda k: 0.0 if k == 1 else bad)
    for message in (None, "at step 2", "at step 2"):
        if message is None:
            optimizer.step({key: np.zeros_like(p) for key, p in params.items()})
        else:
            with pytest.raises(ValueError, match=f"expected a learning rate from 0, got {bad} {message}"):
                optimizer.step({key: np.ones_like(p) for key, p in params.items()})
    assert all((params[key] == before[key]).all() for key in params)
    assert optimizer.k == 1


def test_a_failed_step_changes_nothing():
    params = draw(np.random.default_rng(0))
    before, adam = {key: p.copy() for key, p in params.items()}, Adam(params)
    with pytest.raises(KeyError):
        adam.step({"W": np.ones((3, 4))})
    with pytest.raises(ValueError, match="gradient of s"):
        adam.step({"W": np.ones((3, 4)), "b": np.ones(4), "s": np.ones(1)})
    assert adam.k == 0
    assert all((params[key] == before[key]).all() for key in params)


@given(seed=SEED, exponent=st.integers(-12, 12), max_norm=st.floats(1e-3, 1e3))
def test_clip_by_global_norm_equals_torch(seed, exponent, max_norm):
    grads = draw(np.random.default_rng(seed), 10.0**exponent)
    tensors = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES.values()]
    for tensor, g in zip(tensors, grads.values(), strict=True):
        tensor.grad = torch.tensor(g)
    expected = torch.nn.utils.clip_grad_norm_(tensors, max_norm).item()
    assert clip_by_global_norm(grads, max_norm) == pytest.approx(expected, rel=1e-12)
    for g, tensor in zip(grads.values(), tensors, strict=True):
        np.testing.assert_allclose(
            g, tensor.grad, rtol=2e-6 / min(max_norm, expected) + 1e-12
        )  # torch adds 1e-6 to ‖g‖


def norm(grads):
    return float(np.sqrt(sum((g.astype(float) ** 2).sum() for g in grads.values())))


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(np.float32, s) for s in (1e-30, 1.0, 1e30)] + [(np.float64, s) for s in (1e-300, 1.0, 1e300)],
)
def test_norm_and_clipping_hold_from_the_smallest_to_the_largest_floats(dtype, size):
    grads = {"a": np.full((2, 3), 3 * size, dtype), "b": np.full(10, -size, dtype)}
    assert clip_by_global_norm(grads, 0.5) == pytest.approx(8 * size, rel=1e-6)
    if size >= 1:
        assert norm(grads) == pytest.approx(0.5, rel=1e-6)
        assert grads["a"][0, 0] / grads["b"][0] == pytest.approx(-3, rel=1e-6)
    else:
        assert (grads["a"] == dtype(3 * size)).all()


@pytest.mark.parametrize("seed", range(5))
def test_norm_of_float32_gradients_is_summed_in_float64(seed):
    grads = {"a": np.random.default_rng(seed).normal(size=20000).astype(np.float32)}
    expected = norm(grads)
    assert clip_by_global_norm(grads, np.inf) == pytest.approx(expected, rel=3e-9)


def test_a_norm_beyond_the_largest_float_still_keeps_its_direction():
    grads = {"a": np.full(4, 1.5e308), "b": np.zeros(2)}
    assert clip_by_global_norm(grads, 1.0) == np.inf
    assert grads["a"].tolist() == [0.5] * 4


def test_a_norm_at_the_bound_is_left_alone():
    grads = {"a": np.array([3.0]), "b": np.array([-4.0])}
    assert clip_by_global_norm(grads, 5.0) == 5
    assert (grads["a"].item(), grads["b"].item()) == (3, -4)


def test_zero_and_absent_gradients_have_norm_zero():
    grads = {"a": np.zeros(3), "b": np.zeros((0, 2))}
    assert clip_by_global_norm(grads, 1.0) == 0
    assert not grads["a"].any()
    assert clip_by_global_norm({}, 1.0) == 0


@given(seed=SEED, limit=st.floats(1e-3, 10))
def test_clip_by_value_equals_torch(seed, limit):
    grads = draw(np.random.default_rng(seed))
    tensors = {key: torch.zeros(shape, dtype=torch.float64, requires_grad=True) for key, shape in SHAPES.items()}
    arrays = dict(grads)
    for key, tensor in tensors.items():
        tensor.grad = torch.tensor(grads[key])
    torch.nn.utils.clip_grad_value_(tensors.values(), limit)
    clip_by_value(grads, limit)
    for key, tensor in tensors.items():
        assert grads[key] is arrays[key]
        assert (grads[key] == tensor.grad.numpy()).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("clip", [clip_by_global_norm, clip_by_value])
def test_clipping_refuses_what_it_cannot_mend_and_leaves_it(clip, bad):
    grads = {"a": np.array([9.0, 9.0]), "b": np.array([1.0, bad])}
    with pytest.raises(FloatingPointError, match=f"expected finite gradients, got {bad} in b"):
        clip(grads, 1.0)
    assert grads["a"].tolist() == [9, 9]
