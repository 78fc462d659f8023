"""Parameters to and from a file: NumPy's .npz, an archive with one array per name.

What you name is what you get: no suffix is added, and loading asks for the very parameters that were saved.
"""

import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

import numpy as np

from rnncourse.arrays import Params

Name: TypeAlias = str | os.PathLike[str]
"""A path, as `open` takes it."""

TAKEN = {"file", "allow_pickle"}
"""Names that `np.savez` keeps for its own arguments."""


def save(path: Name, params: Params) -> None:
    """Write the parameters to the file `path`, whole or not at all: bit for bit, dtype and shape included.

    They go to a new file beside it first, which takes the name `path` when all of it is on the disk. So whenever the
    writing is interrupted, `path` holds what it held before, or all of the new; a process that is killed while it
    writes leaves its unfinished draft beside it, under a name that begins with a dot. Being a new file, it has a new
    file's mode, whatever the old one's was; and if `path` is a symbolic link, it takes the link's place, and what the
    link pointed to stays as it is.
    Raises ValueError for a parameter's name that np.savez keeps for itself or that ends in .npy, which np.load drops;
    TypeError unless `params` is a dict of arrays of numbers by name; and OSError (FileNotFoundError for a folder that
    is not there) if the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder, "weights.npz"), {"W": np.eye(2)})
    ...     W = np.zeros((2, 2))
    ...     load(Path(folder, "weights.npz"), {"W": W})
    >>> W
    array([[1., 0.],
           [0., 1.]])
    """
    arrays = dict[str, Any](_expect_params(params))
    path = Path(path)
    for name, p in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"expected the parameters' names to be strings, got {name!r}")
        if name in TAKEN:
            raise ValueError(f"expected parameters by other names than {sorted(TAKEN)}, got {name!r}")
        if name.endswith(".npy"):
            raise ValueError(f"expected parameters by names that do not end in .npy, got {name!r}")
        if not isinstance(p, np.ndarray) or p.dtype.kind not in "biufc":
            got = f"dtype {p.dtype}" if isinstance(p, np.ndarray) else type(p).__name__
            raise TypeError(f"expected {name} to be a NumPy array of numbers, got {got}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"expected a folder to save {path.name} in, got {path.parent}, which is none")
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        with draft.open("xb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def load(path: Name, params: Params) -> None:
    """Read the file `path` into the arrays of `params`, in place: they are the model's own.

    Raises FileNotFoundError; ValueError if the file is no archive of arrays, is damaged, or holds anything that only
    pickle could read (a pickle can run code); and ValueError that says of each parameter that does not fit what was
    expected and what came; TypeError unless `params` is a dict. Whatever it raises, `params` is unchanged.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(folder + "/weights.npz", {"W": np.eye(2)})
    ...     load(folder + "/weights.npz", {"W": np.zeros((3, 2))})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: expected parameters that fit in .../weights.npz: W expected of shape (3, 2), got (2, 2)
    """
    _expect_params(params)
    stored = read(path)
    missing, extra = sorted(params.keys() - stored.keys()), sorted(stored.keys() - params.keys())
    problems = [f"missing {missing}"] * bool(missing) + [f"too many {extra}"] * bool(extra)
    for name in sorted(params.keys() & stored.keys()):
        p, new = params[name], stored[name]
        if p.shape != new.shape:
            problems.append(f"{name} expected of shape {p.shape}, got {new.shape}")
        if p.dtype != new.dtype:
            problems.append(f"{name} expected of dtype {p.dtype}, got {new.dtype}")
        if not p.flags.writeable:
            problems.append(f"{name} expected to be writeable, got an array that is read-only")
    if problems:
        raise ValueError(f"expected parameters that fit in {path}: {'; '.join(problems)}")
    for name, p in params.items():
        p[...] = stored[name]


def read(path: Name) -> Params:
    """All arrays of the file `path` by name: what `load` compares, and a look into a file whose model is lost.

    Raises FileNotFoundError, and ValueError as `load` does.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder, "weights"), {"W": np.eye(2), "b": np.ones(2)})
    ...     {name: p.shape for name, p in read(Path(folder, "weights")).items()}
    {'W': (2, 2), 'b': (2,)}
    """
    path = Path(path)
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"expected {path} to be an .npz archive, got another kind of file, or part of one")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                stored: Params = {name: archive[name] for name in archive.files}
        except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"expected {path} to be an .npz archive of plain arrays, got: {error}") from error
    for name, p in stored.items():
        if not isinstance(p, np.ndarray):
            raise ValueError(f"expected {path} to be an .npz archive of plain arrays, got {name}, which is none")
    return stored


def _expect_params(params: Params) -> Params:
    if not isinstance(params, Mapping):
        raise TypeError(
            f"expected params to be a dict of arrays by name, as layer.params is, got {type(params).__name__}"
        )
    return params
