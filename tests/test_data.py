"""The data are what their docstrings say."""

import ast
import hashlib
import keyword
import re
import sys
import unicodedata
from collections import Counter
from itertools import accumulate
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rnncourse.data import (
    TOKEN_CLASSES,
    adding,
    classify_tokens,
    co2,
    delayed_recall,
    docstring_prose,
    flip_flop,
    numpy_prose,
    parity,
    python_tokens,
    recall,
    seattle_weather,
    sunspots,
    surnames,
)
from rnncourse.losses import squared_error


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


def test_co2_is_every_saturday_from_1958_to_2001():
    dates, ppm, measured = co2()
    assert (dates.dtype, ppm.dtype, measured.dtype) == (np.dtype("datetime64[D]"), np.float64, bool)
    assert dates.shape == ppm.shape == measured.shape == (2284,)
    assert (str(dates[0]), str(dates[-1])) == ("1958-03-29", "2001-12-29")
    assert set(np.diff(dates).astype(int)) == {7}
    assert dates[0].item().weekday() == 5


def test_co2_measurements_are_those_of_the_source():
    dates, ppm, measured = co2()
    assert (~measured).sum() == 59
    assert Counter(str(date)[:4] for date in dates[~measured])["1964"] == 21
    assert (ppm[measured].min(), ppm[measured].max()) == (313.0, 373.9)
    assert ppm[measured].sum() == pytest.approx(756816.5)


def test_co2_lies_on_a_straight_line_where_it_was_not_measured():
    _, ppm, measured = co2()
    for week in np.flatnonzero(~measured):
        before = max(w for w in range(week) if measured[w])
        after = min(w for w in range(week, len(ppm)) if measured[w])
        slope = (ppm[after] - ppm[before]) / (after - before)
        assert ppm[week] == pytest.approx(ppm[before] + slope * (week - before)), week


def test_co2_rises_from_year_to_year_and_peaks_in_spring():
    dates, ppm, _ = co2()
    year, month = dates.astype("datetime64[Y]").astype(int), dates.astype("datetime64[M]").astype(int) % 12
    yearly = np.array([ppm[year == y].mean() for y in np.unique(year)[1:]])
    assert (np.diff(yearly) > 0).mean() > 0.95
    peaks = [month[year == y][ppm[year == y].argmax()] for y in np.unique(year)[1:]]
    assert Counter(peaks).most_common(1)[0][0] == 4, f"months of the yearly peak: {peaks}"


def test_seattle_weather_is_every_day_of_four_years():
    dates, weather = seattle_weather()
    assert (dates.dtype, weather.dtype) == (np.dtype("datetime64[D]"), np.float64)
    assert (dates == np.arange("2012-01-01", "2016-01-01", dtype="datetime64[D]")).all()
    assert weather.shape == (1461, 4)


def test_seattle_weather_is_that_of_the_source():
    _, weather = seattle_weather()
    assert weather.sum(axis=0) == pytest.approx([4426.0, 24017.5, 12031.0, 4735.3])
    assert weather.min(axis=0).tolist() == [0.0, -1.6, -7.1, 0.4]
    assert weather.max(axis=0).tolist() == [55.9, 35.6, 18.3, 9.5]
    assert (weather[:, 1] >= weather[:, 2]).all(), "the highest temperature is above the lowest"


def test_seattle_summers_are_warm_and_dry():
    dates, weather = seattle_weather()
    month = dates.astype("datetime64[M]").astype(int) % 12
    rain, high, low, _ = np.array([weather[month == m].mean(axis=0) for m in range(12)]).T
    assert {high.argmax(), low.argmax()} <= {6, 7}, "July or August"
    assert rain.argmin() in (5, 6, 7)


def test_numpy_prose_is_distinct_clean_sentences():
    lines = numpy_prose().splitlines()
    assert len(lines) == len(set(lines)) > 500
    for line in lines:
        assert line.endswith("."), line
        assert line == line.lower() == " ".join(line.split()), line
        assert set(line) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ,.:;'()-"), line
    assert numpy_prose() == numpy_prose()


def test_docstring_prose_takes_public_callables_once_and_leaves_the_standard_library_out():
    module = ModuleType("made_up")
    paragraph = "Return `a` value of a certain\n    length and   shape."

    def public():
        pass

    public.__doc__ = (
        f"{paragraph}\n\n    Summary\n    -------\n    no full stop at the end of this\n\n        {paragraph}"
    )
    public.__module__ = "made_up"
    module.public = module.alias = module._private = public
    module.number = 3
    module.Counter = Counter  # whose docstring reads as prose
    module._other = lambda: None
    module._other.__doc__ = "what is private is nobody else's business."
    assert docstring_prose(module) == ["return a value of a certain length and shape."]


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


def test_recall_shows_a_symbol_then_noise_and_asks_for_the_symbol():
    T, B, K = 6, 40, 4
    X, targets = recall(T, B, K, np.random.default_rng(0))
    assert (X.shape, X.dtype) == ((T, B, K + 1), np.float64)
    assert (targets.shape, targets.dtype.kind) == ((1, B), "i")
    for b in range(B):
        shown = [k for k in range(K) if X[0, b, k] == 1]
        assert shown == [targets[0, b]], b
    assert np.count_nonzero(X[0]) == B, "the first step shows the symbol and nothing else"
    assert not X[1:, :, :K].any(), "no later step shows a symbol"
    assert X[1:, :, K].all(), "every later step has noise"


def test_recall_symbols_are_equally_likely_and_the_noise_is_standard_normal():
    X, targets = recall(3, 20000, 4, np.random.default_rng(0))
    assert np.bincount(targets[0]) / 20000 == pytest.approx(np.full(4, 1 / 4), abs=4 * np.sqrt(3 / 16 / 20000))
    noise = X[1:, :, 4]
    assert noise.mean() == pytest.approx(0, abs=4 / np.sqrt(40000))
    assert noise.var() == pytest.approx(1, abs=4 * np.sqrt(2 / 40000))


@pytest.mark.parametrize("T", [2, 3, 10])
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(T):
    B = 60
    X, targets = adding(T, B, np.random.default_rng(0))
    assert (X.shape, X.dtype) == ((T, B, 2), np.float64)
    assert (targets.shape, targets.dtype) == ((1, B, 1), np.float64)
    assert ((X[..., 0] >= 0) & (X[..., 0] < 1)).all()
    marked = set()
    for b in range(B):
        assert set(X[:, b, 1]) <= {0, 1}
        first, second = (t for t in range(T) if X[t, b, 1] == 1)
        assert first < T // 2 <= second, b
        assert targets[0, b, 0] == pytest.approx(X[first, b, 0] + X[second, b, 0])
        marked |= {first, second}
    assert marked == set(range(T)), "every step is marked in some sequence"


def test_adding_always_answering_one_leaves_a_sixth():
    _, targets = adding(5, 50000, np.random.default_rng(0))
    assert targets.mean() == pytest.approx(1, abs=4 * np.sqrt(1 / 6 / 50000))
    assert ((targets - 1) ** 2).mean() == pytest.approx(1 / 6, abs=0.005)
    assert squared_error(np.ones_like(targets), targets)[0] == pytest.approx(1 / 12, abs=0.0025)


def test_parity_target_is_whether_the_ones_so_far_are_odd():
    X, targets = parity(16, 30, np.random.default_rng(0))
    assert (X.shape, X.dtype) == ((16, 30, 1), np.float64)
    assert (targets.shape, targets.dtype.kind) == ((16, 30), "i")
    for b in range(30):
        odd = False
        for t in range(16):
            assert X[t, b, 0] in (0, 1)
            odd ^= X[t, b, 0] == 1
            assert targets[t, b] == odd, (t, b)


def test_parity_bits_and_answers_are_fair_coins():
    X, targets = parity(1000, 50, np.random.default_rng(0))
    assert X.mean() == pytest.approx(0.5, abs=2 / np.sqrt(50000))
    assert targets.mean() == pytest.approx(0.5, abs=2 / np.sqrt(50000))


TASKS = {
    "recall": lambda rng: recall(9, 4, 3, rng),
    "adding": lambda rng: adding(9, 4, rng),
    "parity": lambda rng: parity(9, 4, rng),
    "flip_flop": lambda rng: flip_flop(9, 4, rng),
    "delayed_recall": lambda rng: delayed_recall(9, 4, 2, rng),
}


@pytest.mark.parametrize("task", TASKS)
def test_tasks_same_seed_same_bits(task):
    def drawn(seed):
        return b"".join(array.tobytes() for array in TASKS[task](np.random.default_rng(seed)))

    assert drawn(1) == drawn(1) != drawn(2)


def test_surnames_are_sorted_words_of_latin_letters():
    names, labels, languages = surnames()
    pairs = list(zip(labels.tolist(), names, strict=True))
    assert len(pairs) > 4000
    assert pairs == sorted(set(pairs)), "sorted, and no name twice in one language"
    assert set(labels.tolist()) == set(range(len(languages)))
    assert (min(map(len, names)), max(map(len, names))) == (2, 13)
    for name in names:
        assert name[0].isupper(), name
        assert all("LATIN" in unicodedata.name(letter) for letter in name), name
        assert unicodedata.is_normalized("NFC", name), f"an accent of {name} is a character of its own"


def test_surnames_know_well_known_names():
    names, labels, languages = surnames()
    assert {(name, languages[label]) for name, label in zip(names, labels, strict=True)} >= {
        ("Jansen", "Dutch"),
        ("Smith", "English"),
        ("Virtanen", "Finnish"),
        ("Lefèvre", "French"),
        ("Müller", "German"),
        ("Esposito", "Italian"),
        ("Ibáñez", "Spanish"),
    }


def test_surnames_shared_by_languages_are_listed_under_each_and_few():
    names, labels, languages = surnames()
    martin = [languages[label] for name, label in zip(names, labels, strict=True) if name == "Martin"]
    assert martin == ["English", "French", "German", "Spanish"]
    assert 0.97 < len(set(names)) / len(names) < 1, "what a classifier that knows every name reaches"


def test_surnames_baseline_is_a_quarter_and_no_language_is_rare():
    _, labels, _ = surnames()
    share = np.bincount(labels) / len(labels)
    assert share.max() < 0.3
    assert share.min() > 0.05


def test_surnames_without_faker_say_what_to_install(monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "faker"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(ModuleNotFoundError, match="faker") as caught:
        surnames()
    assert "pip install 'rnncourse[book]'" in "".join(caught.value.__notes__)


CLASS_LETTERS = "_#'1kno"  # one for each of TOKEN_CLASSES
SOURCES = {
    "a statement": ("if x1 < 10: y  # why", "kk_nn_o_11o_n__#####"),
    "keywords and names that begin alike": ("None is island", "kkkk_kk_nnnnnn"),
    "soft keywords": ("match = case", "nnnnn_o_nnnn"),
    "numbers": ("0x1F+1e-3j*1_0", "1111o11111o111"),
    "prefixes": ("rb'a' + u'b'", "'''''_o_''''"),
    "a docstring": ('"""a\n# b\n"""\nc', "''''''''''''_n"),
    "a hash in a string": ("'#' # '", "'''_###"),
    "operators": ("a[:-1]@=b**c", "nooo1ooonoon"),
    "a line continued": ("a = \\\n  b", "n_o_____n"),
    "no line break at the end": ("pass", "kkkk"),
    "nothing": ("", ""),
    "a form feed": ("a\n\x0cb", "n__n"),
    "a tab": ("if a:\n\tb", "kk_no__n"),
    "line breaks of Windows": ("a\r\nb # c\r\n'''d\r\ne'''", "n__n_###__''''''''''"),
    "letters beyond ASCII": ("α = 'ß👋' # é", "n_o_''''_###"),
    "an f-string": ("f'a{b}c' + d", "''''''''_o_n"),
    "an f-string with a format": ("x = f'{a!r:>{w}}', b", "n_o_'''''''''''''o_n"),
    "an f-string with braces": ("rF'{{}}' + b", "''''''''_o_n"),
    "an f-string in an f-string": ("""f'{f"{a}" + "b"}' + c""", "'''''''''''''''''_o_n"),
    "an f-string of several lines": ("f'''{\n a\n}\n  # b''' + c", "'''''''''''''''''''_o_n"),
    "two f-strings side by side": ("f'a' f'{b}'", "''''_''''''"),
    "an f-string beyond ASCII": ("'é', f'é{a}é', b", "'''o_''''''''o_n"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_classify_tokens(name):
    source, expected = SOURCES[name]
    assert "".join(CLASS_LETTERS[label] for label in classify_tokens(source)) == expected


def test_python_tokens_are_the_first_of_numpy_lib_whatever_their_number():
    modules = sorted((Path(np.__file__).parent / "lib").glob("*.py"))
    first, second = (module.read_text(encoding="utf-8") for module in modules[:2])
    both = np.concatenate([classify_tokens(first), classify_tokens(second)])
    for size in (1, len(first) - 1, len(first), len(first) + 1, len(first + second)):
        text, labels = python_tokens(size)
        assert text == (first + second)[:size]
        assert labels.dtype.kind == "i"
        assert labels.tolist() == both[:size].tolist(), size


def test_python_tokens_are_what_their_labels_say():
    text, labels = python_tokens()
    assert len(text) == len(labels) == 200_000
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    runs = [(TOKEN_CLASSES[labels[i]], text[i:j]) for i, j in zip(starts, [*starts[1:], len(text)], strict=True)]
    for kind, run in runs[:-1]:
        match kind:
            case "space":
                assert not run.strip(" \n\\"), run
            case "comment":
                assert run.startswith("#") and "\n" not in run, run
            case "string":
                assert re.match("[rbfu]{0,2}['\"]", run, re.IGNORECASE), run
            case "number":
                assert isinstance(ast.literal_eval(run), (int, float, complex)), run
            case "keyword":
                assert keyword.iskeyword(run), run
            case "name":
                assert run.isidentifier() and not keyword.iskeyword(run), run
            case "operator":
                assert not re.search(r"[\w\s#'\"]", run), run
    assert min(Counter(kind for kind, _ in runs).values()) > 100
    assert 0.5 < (labels == TOKEN_CLASSES.index("string")).mean() < 0.6


def test_python_tokens_strings_are_those_of_the_syntax_tree():
    for module in sorted((Path(np.__file__).parent / "lib").glob("*.py")):
        source = module.read_text(encoding="utf-8")
        assert source.isascii(), f"{module.name}: the tree counts bytes, not characters"
        labels = np.array(TOKEN_CLASSES)[classify_tokens(source)]
        line_starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
        in_tree = np.zeros(len(source), bool)
        for node in _strings(ast.parse(source)):
            start = line_starts[node.lineno - 1] + node.col_offset
            stop = line_starts[node.end_lineno - 1] + node.end_col_offset
            in_tree[start:stop] = True
            between = set(labels[start:stop]) - {"string"}
            assert between <= {"space", "comment"}, f"{module.name}, line {node.lineno}: {between} in a string"
        outside = np.flatnonzero((labels == "string") & ~in_tree)
        assert not len(outside), f"{module.name}: not in a string: {source[outside[0] :][:40]!r}"


def _strings(tree):
    """Every string of the tree. What is inside an f-string is not visited: all of it is string."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            yield node
        else:
            yield from _strings(node)


@pytest.mark.skipif(np.__version__ != "2.4.6", reason="the digest is of NumPy 2.4.6, which constraints.txt pins")
def test_python_tokens_are_the_same_on_every_python():
    text, labels = python_tokens()
    assert (
        hashlib.sha256(text.encode() + labels.astype(np.uint8).tobytes()).hexdigest()
        == "0708d79c0129978bcfa73fe32e794da51dc3c932411f174a408ac5d93a04e5f4"
    )
