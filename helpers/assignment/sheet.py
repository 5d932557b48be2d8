"""What ships with an assignment: fingerprints of known mistakes, and what to say to each.

A fingerprint is a digest of a call and of the rounded numbers that came back. It tells nothing
about how the numbers were made, so a sheet gives no answer away. Instructors make the sheets from
their collection of known mistakes with ``make assignments``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

SHEET_NAME = "checks.json"


class Sheet:
    """The known mistakes of an assignment by fingerprint, and its test cells.

    Parameters
    ----------
    sentences : list of str
        What to say to each mistake.
    fingerprints : dict of str to int
        The index of the sentence that belongs to a fingerprint.
    tests : dict of str to dict
        By grade id: ``points``, and ``digest``, the `fingerprint` of the released cell's text.
    tries : dict of str to str
        The cells that only show a student's result: the `fingerprint` of the text by the cell's id.
    """

    def __init__(
        self,
        sentences: Iterable[str] = (),
        fingerprints: Mapping[str, int] | None = None,
        tests: Mapping[str, dict] | None = None,
        tries: Mapping[str, str] | None = None,
    ) -> None:
        self.sentences = list(sentences)
        self.fingerprints = dict(fingerprints or {})
        self.tests = dict(tests or {})
        self.tries = dict(tries or {})

    @classmethod
    def beside(cls, folder: str | Path) -> Sheet:
        """The sheet in this folder; an empty one, without diagnoses, if there is none."""
        path = Path(folder) / SHEET_NAME
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def diagnose(self, found: str) -> str | None:
        """The sentence for a fingerprint, or None."""
        index = self.fingerprints.get(found)
        return None if index is None else self.sentences[index]

    def to_json(self) -> str:
        """The text of the file, the same for the same content."""
        content = {
            "sentences": self.sentences,
            "fingerprints": dict(sorted(self.fingerprints.items())),
            "tests": self.tests,
            "tries": self.tries,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def fingerprint(*things: object) -> str:
    """A short digest of values: the same for the same numbers, whatever their type.

    Numbers are rounded to four digits of the largest one in their array, whole numbers are taken
    exactly; so a float32 and a float64 way to the same result agree.

    Parameters
    ----------
    *things : array_like, torch.Tensor, str, None, or tuples, lists and dicts of them

    Returns
    -------
    str
        16 hexadecimal digits of a SHA-256 digest.
    """
    digest = hashlib.sha256()
    for thing in things:
        _feed(digest.update, thing)
    return digest.hexdigest()[:16]


def _feed(update, thing):
    if thing is None or isinstance(thing, str | bytes | bool):
        update(f"{type(thing).__name__} {thing!r};".encode())
        return
    if isinstance(thing, dict):
        update(b"{")
        for key, value in thing.items():
            _feed(update, str(key))
            _feed(update, value)
        update(b"}")
        return
    array = _as_array(thing)
    if array is not None:
        numbers, exponent = _rounded(array)
        update(f"array {array.shape} {exponent};".encode() + numbers.tobytes())
    elif isinstance(thing, tuple | list):
        update(b"(")
        for item in thing:
            _feed(update, item)
        update(b")")
    else:
        name = getattr(thing, "__name__", "")
        update(f"object {type(thing).__name__} {name};".encode())


def _as_array(thing):
    """The thing as an array of numbers, or None."""
    try:
        array = np.asarray(thing.detach().cpu() if hasattr(thing, "detach") else thing)
    except (ValueError, TypeError, RuntimeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _rounded(array):
    """Float64 numbers in which rounding errors have no trace, and the power of ten they are in."""
    numbers = np.array(array, dtype=np.float64)
    finite = np.isfinite(numbers)
    size = float(np.abs(numbers[finite]).max()) if finite.any() else 0.0
    if size == 0.0:
        return numbers + 0.0, 0  # −0 becomes 0
    whole = np.round(numbers)
    if np.all(np.abs(numbers[finite] - whole[finite]) <= 1e-5 * min(size, 1e4)):
        return whole + 0.0, 0
    # The exponent is taken from three digits, so that 99.9999 and 100.0001 get the same one.
    exponent = math.ceil(math.log10(float(f"{size:.2e}")) - 1e-9)
    return np.round(numbers * 10.0 ** (4 - exponent)) + 0.0, exponent - 4
