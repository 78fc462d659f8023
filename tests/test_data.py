"""The data are what their docstrings say."""

import numpy as np
import pytest

from rnncourse.data import delayed_recall, flip_flop, numpy_prose, sunspots


def test_sunspots_are_every_year_from_1700_to_2008():
    years, numbers = sunspots()
    assert years.tolist() == list(range(1700, 2009))
    assert years.dtype.kind == "i"
    assert numbers.dtype == np.float64
    assert numbers.shape == (309,)
    assert numbers.min() >= 0


def test_sunspots_have_their_known_extremes_and_their_cycle():
    years, numbers = sunspots()
    assert (numbers.max(), years[numbers.argmax()]) == (190.2, 1957)
    assert set(years[numbers == 0]) <= set(range(1645, 1716)) | {1810}, "no spots but in the Maunder minimum and 1810"
    power = abs(np.fft.rfft(numbers - numbers.mean())) ** 2
    assert 309 / power[1:].argmax() == pytest.approx(11, abs=1.5)


def test_numpy_prose_is_distinct_clean_sentences():
    lines = numpy_prose().splitlines()
    assert len(lines) == len(set(lines)) > 500
    for line in lines:
        assert line.endswith("."), line
        assert line == line.lower() == " ".join(line.split()), line
        assert set(line) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ,.:;'()-"), line
    assert numpy_prose() == numpy_prose()


def test_flip_flop_target_is_the_last_pulse():
    X, targets = flip_flop(50, 7, np.random.default_rng(0), p=0.2)
    assert X.shape == (50, 7, 1)
    assert (X.dtype, targets.dtype.kind) == (np.float64, "i")
    for b in range(7):
        last = None
        for t in range(50):
            pulse = X[t, b, 0]
            assert pulse in (-1, 0, 1)
            last = pulse if pulse else last
            assert last is not None, "the first step has a pulse"
            assert targets[t, b] == (last > 0), (t, b)


def test_flip_flop_pulses_come_with_probability_p_and_either_sign():
    X, _ = flip_flop(2001, 50, np.random.default_rng(0), p=0.1)
    pulses = X[1:] != 0
    assert pulses.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 1e5))
    assert X.sum() / (X != 0).sum() == pytest.approx(0, abs=4 / np.sqrt((X != 0).sum()))


def test_flip_flop_same_seed_same_bits():
    one, two, other = (flip_flop(30, 4, np.random.default_rng(seed))[0].tobytes() for seed in (1, 1, 2))
    assert one == two != other


def test_flip_flop_with_a_pulse_at_every_step():
    X, targets = flip_flop(9, 3, np.random.default_rng(0), p=1)
    assert ((X[..., 0] > 0) == targets).all()
    assert X.all()


@pytest.mark.parametrize("lag", [1, 3, 8])
def test_delayed_recall_asks_for_the_input_lag_steps_ago(lag):
    X, targets = delayed_recall(9, 4, lag, np.random.default_rng(0))
    assert X.shape == (9, 4, 1)
    assert targets.shape == (9 - lag, 4)
    assert set(np.unique(X)) <= {-1, 1}
    for t in range(lag, 9):
        assert ((X[t - lag, :, 0] > 0) == targets[t - lag]).all(), t


def test_delayed_recall_inputs_are_fair_coins():
    X, _ = delayed_recall(1000, 50, 1, np.random.default_rng(0))
    assert X.mean() == pytest.approx(0, abs=4 / np.sqrt(50000))
    assert (X[1:] * X[:-1]).mean() == pytest.approx(0, abs=4 / np.sqrt(50000)), "steps are independent"
