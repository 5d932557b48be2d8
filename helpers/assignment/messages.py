"""The words of a failed check: the call, what was expected, what came back, and why."""

from __future__ import annotations

import linecache
import textwrap
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers._arguments import check_pair
from helpers.checks import as_numpy, entry

if TYPE_CHECKING:
    import numpy.typing as npt

    from helpers._arguments import IntOrPair

# nbgrader's Validate cuts lines after 87 characters.
WIDTH = 80
OURS = Path(__file__).resolve().parents[1]


def wrap(text: str, indent: int = 0) -> str:
    """Text in lines of at most WIDTH characters; a path stays whole, so that it can be copied."""
    lines = textwrap.TextWrapper(WIDTH, break_on_hyphens=False, break_long_words=False)
    lines.initial_indent = lines.subsequent_indent = " " * indent
    return lines.fill(text)


def labelled(label: str, text: str) -> str:
    """A sentence beside its label, the following lines under the first word."""
    return textwrap.fill(text, WIDTH, initial_indent=f"  {label:<10}", subsequent_indent=" " * 12)


def call_text(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """The call as a student would write it, long values by their shape."""
    words = [_brief(value) for value in args]
    words += [f"{key}={_brief(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(words)})"


def _brief(value):
    if hasattr(value, "shape") and len(value.shape):
        return "×".join(map(str, value.shape)) + (
            " tensor" if hasattr(value, "detach") else " array"
        )
    text = repr(value)
    if callable(value) and getattr(value, "__name__", "<")[0] != "<":
        return value.__name__
    if " at 0x" in text:
        return f"a {type(value).__name__}"
    if len(text) <= 40:
        return text
    if hasattr(value, "__len__"):
        return f"{type(value).__name__} of length {len(value)}"
    return text[:37] + "..."


def inputs_lines(names: Sequence[str], args: Sequence[object]) -> list[str]:
    """A block for each array among the arguments, by the student's own name for it."""
    lines = []
    for name, value in zip(names, args, strict=True):
        if hasattr(value, "shape") and len(value.shape):
            lines.append(entry("input", value, f"{name} = "))
    return lines


def values_lines(expected: object, received: object) -> list[str]:
    """What was expected and what came back, as blocks."""
    return [_value_line("expected", expected), _value_line("received", received)]


def _value_line(label, value):
    if isinstance(value, float):
        return labelled(label, f"{value:.6g}")
    if isinstance(value, tuple | list | dict | str) or value is None:
        return labelled(
            label, repr(value) if len(repr(value)) < 400 else repr(value)[:400] + " ..."
        )
    return entry(label, value)


def window_lines(
    image: npt.ArrayLike,
    place: Sequence[int],
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> list[str]:
    """The window of the input that a position of the output looks at, as a block.

    Parameters
    ----------
    image : array_like, shape (…, H, W)
        The first input. Of the leading axes those of `place` that fit are followed.
    place : tuple of int
        A position in the output, its last two numbers the row and the column.
    kernel_size, stride, padding, dilation : int or (int, int)
    """
    array = as_numpy(image)
    if array.ndim < 2 or len(place) < 2:
        return []
    while array.ndim > 2 and len(place) > 2 and len(array.shape) == len(place):
        # The batch, and with pooling the channel, are the same in input and output.
        array, place = array[min(place[0], len(array) - 1)], place[1:]
    ranges, words = [], []
    axes = zip(
        place[-2:],
        array.shape[-2:],
        check_pair("kernel_size", kernel_size),
        check_pair("stride", stride),
        check_pair("padding", padding, smallest=0),
        check_pair("dilation", dilation),
        strict=True,
    )
    for word, (position, size, k, s, p, d) in zip(("rows", "columns"), axes, strict=True):
        at = position * s - p + d * np.arange(k)
        inside = at[(at >= 0) & (at < size)]
        if not inside.size:
            return [labelled("window", "lies wholly in the padding")]
        ranges.append(inside)
        words.append(
            f"{word} {inside[0]} to {inside[-1]}" if d == 1 else f"{word} {inside.tolist()}"
        )
    part = array[..., ranges[0][:, None], ranges[1][None, :]]
    text = np.array2string(part, precision=4, threshold=60, suppress_small=True, max_line_width=66)
    head = labelled("window", f"of this position, {' and '.join(words)} of the input:")
    return [head, textwrap.indent(text, " " * 14)]


def student_frame(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line of the student's own code that an error came through, or None."""
    place = getattr(error, "place", None)  # of an error in another process
    for frame in traceback.extract_tb(error.__traceback__):
        path = frame.filename
        ours = path.startswith(str(OURS)) or "site-packages" in path or "/lib/python3" in path
        if not ours and not path.startswith("<frozen"):
            place = frame
    return place


def error_lines(error: BaseException) -> list[str]:
    """What went wrong inside the student's function, and in which line of it."""
    place = student_frame(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    lines = [labelled("error", text if len(text) < 400 else text[:400] + " ...")]
    if "unexpected keyword argument" in text:
        lines.append(labelled("hint", "keep the names of the arguments as the task gives them"))
    if place is not None:
        line = (place.line or linecache.getline(place.filename, place.lineno or 0)).strip()
        if line:
            lines.append(labelled("in", f"{place.name}, line {place.lineno}:"))
            lines.append(" " * 14 + line[: WIDTH - 14])
    return lines
