"""Saving and loading parameters: bit for bit, whole or not at all, and refused with reasons."""

import os
import pickle
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnncourse.cells import RNN
from rnncourse.layers import Linear, Stacked
from rnncourse.parameters import TAKEN, load, read, save

DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.complex128])
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
NAMES = st.text("Wbxhγ01._/ -", min_size=1, max_size=8) | st.sampled_from(["0.W_x", "a.npy.b", "self", "args", "kwds"])
PARAMS = st.dictionaries(NAMES, ARRAYS, max_size=5)


def model(seed=0, H=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return Stacked(RNN(3, H, rng, dtype), Linear(H, 2, rng, dtype))


def bits(params):
    return {name: (p.dtype.str, p.shape, p.tobytes()) for name, p in params.items()}


@given(params=PARAMS, suffix=st.sampled_from(["", ".npz", ".weights"]))
def test_what_is_loaded_is_bit_for_bit_what_was_saved(params, suffix):
    """NaNs with their payload, −0, infinities, empty and zero-dimensional arrays, names of any kind."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "model" + suffix)
        save(path, params)
        assert [p.name for p in Path(folder).iterdir()] == [path.name]
        into = {name: np.ones_like(p) for name, p in params.items()}
        load(path, into)
        assert bits(into) == bits(params) == bits(read(path))


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda a: a[::-1, ::2], lambda a: a.T, lambda a: a.astype(">f8")]
)
def test_arrays_of_any_layout(layout, tmp_path):
    W = layout(np.random.default_rng(0).normal(size=(4, 6)))
    save(tmp_path / "w", {"W": W})
    into = layout(np.zeros((4, 6)))
    load(tmp_path / "w", {"W": into})
    assert (into == W).all()


def test_a_model_continues_as_if_never_away(tmp_path):
    one, two = model(0), model(1)
    X = np.random.default_rng(2).normal(size=(5, 2, 3))
    arrays = two.params
    save(str(tmp_path / "m.npz"), one.params)
    load(str(tmp_path / "m.npz"), two.params)
    assert (one.forward(X)[0] == two.forward(X)[0]).all()
    assert all(two.params[name] is arrays[name] for name in arrays), "the arrays are no longer the model's own"


def test_saving_again_replaces_the_file_and_keeps_its_folder_clean(tmp_path):
    for value in (1.0, 2.0):
        save(tmp_path / "m", {"a": np.array(value)})
    assert read(tmp_path / "m")["a"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_others_may_read_the_file_as_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    save(tmp_path / "m", {"a": np.ones(1)})
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_file_is_a_new_one_whatever_stood_there(tmp_path):
    (tmp_path / "plain").touch()
    (tmp_path / "m").touch(mode=0o600)
    (tmp_path / "link").symlink_to("m")
    for name in ("link", "m"):
        save(tmp_path / name, {"a": np.ones(1)})
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).stat().st_mode == (tmp_path / "plain").stat().st_mode
        assert read(tmp_path / name)["a"] == 1


def test_what_a_link_pointed_to_stays_as_it_is(tmp_path):
    (tmp_path / "m").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("m")
    save(tmp_path / "link", {"a": np.ones(1)})
    assert (tmp_path / "m").read_bytes() == b"precious"


@pytest.mark.parametrize("where", ["np.savez", "os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(where, error, tmp_path, monkeypatch):
    save(tmp_path / "m", {"a": np.ones(3)})

    def fail(*args, **kwargs):
        if where == "np.savez":
            args[0].write(b"half of it")
        raise error

    monkeypatch.setattr({"np.savez": "numpy.savez"}.get(where, where), fail)
    with pytest.raises(type(error)):
        save(tmp_path / "m", {"a": np.zeros(3)})
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert read(tmp_path / "m")["a"].tolist() == [1, 1, 1]


def test_all_is_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    done, synced, replace = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: done.append(os.fstat(fd).st_size) or synced(fd))
    monkeypatch.setattr(Path, "replace", lambda a, b: done.append((a.parent, a.stat().st_size, b)) or replace(a, b))
    save(tmp_path / "m", {"a": np.ones(300)})
    size = (tmp_path / "m").stat().st_size
    assert done == [size, (tmp_path, size, tmp_path / "m")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize("old", [None, 1.0])
def test_a_killed_save_never_leaves_half_a_file_under_the_name(old, tmp_path):
    """The process dies, with no chance to clean up, at the moment when half of the bytes are written."""
    if old is not None:
        save(tmp_path / "m", {"a": np.array(old)})
    code = f"""if True:
        import os, signal, numpy as np
        from rnncourse import parameters
        real = np.savez
        def dies(file, **params):
            real(file, **params)
            file.truncate(file.tell() // 2)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        np.savez = dies
        parameters.save({str(tmp_path / "m")!r}, {{"a": np.zeros(1000)}})
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert (tmp_path / "m").exists() == (old is not None)
    if old is not None:
        assert read(tmp_path / "m")["a"] == old


def refused(path, params):
    """The message of the ValueError that loading raises, having changed nothing."""
    before = bits(params)
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        load(path, params)
    assert bits(params) == before, "a refused file changed the parameters"
    return str(caught.value)


def test_a_file_that_does_not_fit_says_which_keys_differ_and_how(tmp_path):
    params = {name: np.zeros((2, 3)) for name in "abcde"}
    other = {
        "a": np.ones((3, 2)),
        "b": np.ones((2, 3), np.float32),
        "c": np.ones((2, 3)),
        "f": np.ones(1),
        "g": np.ones(1),
    }
    path = tmp_path / "m.npz"
    save(path, other)
    assert refused(path, params) == (
        f"expected parameters that fit in {path}: missing ['d', 'e']; too many ['f', 'g']; "
        "a expected of shape (2, 3), got (3, 2); b expected of dtype float64, got float32"
    )


def test_shapes_that_would_broadcast_do_not_fit(tmp_path):
    save(tmp_path / "m", {"a": np.ones((1, 3))})
    assert "a expected of shape (2, 3), got (1, 3)" in refused(tmp_path / "m", {"a": np.zeros((2, 3))})


def test_a_read_only_parameter_is_found_before_anything_changes(tmp_path):
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    params["b"].flags.writeable = False
    save(tmp_path / "m", {"a": np.ones(2), "b": np.ones(2)})
    assert "b expected to be writeable" in refused(tmp_path / "m", params)


def archive(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def test_pickles_are_refused_and_never_run(tmp_path):
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return Path.touch, (ran,)

    objects = np.empty(1, object)
    objects[0] = Bomb()
    np.savez(tmp_path / "objects.npz", a=objects)
    (tmp_path / "plain").write_bytes(pickle.dumps(Bomb()))
    archive(tmp_path / "inside", {"a": pickle.dumps(Bomb())})
    archive(tmp_path / "inside.npy", {"a.npy": pickle.dumps(Bomb())})
    for name in ("objects.npz", "plain", "inside", "inside.npy"):
        refused(tmp_path / name, {"a": np.zeros(1)})
    assert not ran.exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"hello, world" * 9, b"\x93NUMPY"])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "m").write_bytes(content)
    assert "an .npz archive, got another kind of file" in refused(tmp_path / "m", {"a": np.zeros(1)})


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "m.npy", np.zeros(1))
    assert "got another kind of file" in refused(tmp_path / "m.npy", {"a": np.zeros(1)})


@given(data=st.data())
def test_a_cut_file_is_refused(data):
    with TemporaryDirectory() as folder:
        path = Path(folder, "m")
        save(path, model().params)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        refused(path, model(1).params)


@given(data=st.data())
def test_a_changed_byte_is_noticed_or_does_not_matter(data):
    """Either the file is refused and nothing changes, or what is loaded is exactly what was saved."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "m")
        saved, into = model(0).params, model(1).params
        save(path, saved)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        before = bits(into)
        try:
            load(path, into)
        except ValueError as error:
            assert str(error).startswith("expected ")
            assert bits(into) == before
        else:
            assert bits(into) == bits(saved)


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_names_that_savez_would_swallow_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=f"expected parameters by other names .*got '{name}'"):
        save(tmp_path / "m", {"a": np.zeros(1), name: np.zeros(1)})
    assert not list(tmp_path.iterdir())
