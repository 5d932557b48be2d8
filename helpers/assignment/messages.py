"""The words of a failed check: the call, what was expected, what came back, and why."""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
import textwrap
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers._arguments import check_pair
from helpers._columns import fill
from helpers.assignment.reasons import reason
from helpers.checks import as_numpy, entry, lead
from helpers.language import TESTS, catalogue, gettext, spoken

if TYPE_CHECKING:
    import numpy.typing as npt

    from helpers._arguments import IntOrPair

# nbgrader's Validate cuts lines after 87 characters.
WIDTH = 80
DEEPEST = 200  # frames of an error that are looked at
LONGEST = 12  # lines of an array that a message shows
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
NOT_THEIRS = (str(Path(__file__).resolve().parents[1]), sysconfig.get_path("stdlib"))


def wrap(text: str, indent: int = 0) -> str:
    """Text in lines of at most WIDTH characters; a path stays whole, so that it can be copied."""
    space = " " * indent
    return fill(text, WIDTH, space, space, break_on_hyphens=False, break_long_words=False)


def says(text: str, sentence: str) -> re.Match[str] | None:
    """Where a message has this sentence, its placeholders filled; the groups are called so.

    Parameters
    ----------
    text : str
        A message in the language that is spoken, in lines or not.
    sentence : str
        As `gettext` gives it, with `{name}` where a name or a number stands.
    """
    words = [
        re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\S+)", re.escape(word)) for word in sentence.split()
    ]
    return re.search(r"\s+".join(words), text)


def retold(text: str) -> str:
    """What a test cell says, in the reader's language; the text itself if it is none of that.

    The sentence comes with its values in it: in the catalogue a `{…}` stands for each.
    """
    known = catalogue(spoken(), TESTS)
    if ("", text) in known:
        return known["", text]
    for (_, sentence), translation in known.items():
        names = PLACEHOLDER.findall(sentence)
        parts = map(re.escape, PLACEHOLDER.split(sentence))
        if names and (found := re.fullmatch("(.*)".join(parts), text, re.DOTALL)):
            for name, value in zip(names, found.groups(), strict=True):
                translation = translation.replace(name, retold(value))
            return translation
    return text


def labelled(label: str, text: str) -> str:
    """A sentence beside its label, the following lines under the first word."""
    return fill(text, WIDTH, lead(label), " " * 12)


def call_text(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    """The call as a student would write it, long values by their shape."""
    words = [_brief(value) for value in args]
    words += [f"{key}={_brief(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(words)})"


def _brief(value):
    if hasattr(value, "shape") and len(value.shape):
        shape = "×".join(map(str, value.shape))
        if hasattr(value, "detach"):
            return gettext("{shape} tensor").format(shape=shape)
        return gettext("{shape} array").format(shape=shape)
    text = plain(value)
    if callable(value) and getattr(value, "__name__", "<")[0] != "<":
        return value.__name__
    if " at 0x" in text:
        return gettext("a {class_name}").format(class_name=type(value).__name__)
    if len(text) <= 40:
        return text
    if hasattr(value, "__len__"):
        return gettext("{type} of length {count}").format(
            type=type(value).__name__, count=len(value)
        )
    return text[:37] + "..."


def inputs_lines(names: Sequence[str], args: Sequence[object]) -> list[str]:
    """A block for each array among the arguments, by the student's own name for it.

    An array that would take many lines is told by its shape and its smallest and largest number.
    """
    lines = []
    for name, value in zip(names, args, strict=True):
        if not (hasattr(value, "shape") and len(value.shape)):
            continue
        block = entry(gettext("input"), value, f"{name} = ")
        array = as_numpy(value)
        if array.size > 1 and array.dtype.kind in "iuf" and not np.isnan(array).any():
            low, high = array.min(), array.max()
            shape = "×".join(map(str, array.shape))
            said = ""
            if low == high:
                said = gettext("{name} = {shape} numbers, all {low}")
            elif block.count("\n") > LONGEST:
                said = gettext("{name} = {shape} numbers, from {low} to {high}")
            if said:
                told = said.format(name=name, shape=shape, low=plain(low), high=plain(high))
                block = labelled(gettext("input"), told)
        lines.append(block)
    return lines


def values_lines(expected: object, received: Any, place: Sequence[int] | None = None) -> list[str]:
    """What was expected and what came back, as blocks.

    An array that is expected is shown without its type, which is asked for in a test of its own,
    and as floats if floats came. Of one that would take many lines, the map is shown in which a
    place lies.
    """
    if place is not None and len(place) > 2 and entry("", received).count("\n") > LONGEST:
        at = tuple(place[:-2])
        head = labelled(
            gettext("map"),
            gettext("number {place}, the first that is not right:").format(place=list(at)),
        )
        return [head, *values_lines(as_numpy(expected)[at], as_numpy(received)[at])]
    if hasattr(expected, "shape") and hasattr(received, "dtype"):
        whole, came = as_numpy(expected), as_numpy(received).dtype
        if came.kind == "f":
            expected = whole.astype(came) if whole.dtype.kind in "iu" else whole
    return [expected_line(expected), received_line(received)]


def expected_line(value: object) -> str:
    """What was expected, as a block: an array without its type."""
    dtype = f", {getattr(value, 'dtype', '')}\n"
    return _value_line(gettext("expected"), value).replace(dtype, "\n", 1)


def received_line(value: object) -> str:
    """What came back, as a block."""
    return _value_line(gettext("received"), retold(value) if isinstance(value, str) else value)


def _value_line(label, value):
    if isinstance(value, float):
        return labelled(label, f"{value:.6g}")
    if isinstance(value, tuple | list | dict | str) or value is None:
        text = plain(value)
        return labelled(label, text if len(text) < 400 else text[:400] + " ...")
    return entry(label, value)


def plain(value: Any, digits: int = 17) -> str:
    """A value as a student writes it: numbers without the names of their types.

    Of the numbers in arrays six digits are shown, of others so many if they have more.
    """
    if isinstance(value, np.generic) or (hasattr(value, "shape") and not len(value.shape)):
        value = value.item()
    if hasattr(value, "shape"):
        value, digits = as_numpy(value).tolist(), 6
    if isinstance(value, float):
        is_short = digits <= 6 or float(f"{value:.6g}") == value
        return f"{value:.6g}" if is_short else repr(value)
    if isinstance(value, dict):
        items = (f"{plain(k, digits)}: {plain(v, digits)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    if type(value) is list:
        return "[" + ", ".join(plain(item, digits) for item in value) + "]"
    if type(value) is tuple:
        end = "," if len(value) == 1 else ""
        return "(" + ", ".join(plain(item, digits) for item in value) + end + ")"
    return repr(value)


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
    ranges = []
    axes = zip(
        place[-2:],
        array.shape[-2:],
        check_pair("kernel_size", kernel_size),
        check_pair("stride", stride),
        check_pair("padding", padding, smallest=0),
        check_pair("dilation", dilation),
        strict=True,
    )
    for position, size, k, s, p, d in axes:
        at = position * s - p + d * np.arange(k)
        inside = at[(at >= 0) & (at < size)]
        if not inside.size:
            return [labelled(gettext("window"), gettext("lies wholly in the padding"))]
        ranges.append(inside)
    heights, widths = check_pair("dilation", dilation)
    rows, columns = ranges
    if heights == 1:
        down = gettext("rows {first} to {last}").format(first=rows[0], last=rows[-1])
    else:
        down = gettext("rows {numbers}").format(numbers=rows.tolist())
    if widths == 1:
        right = gettext("columns {first} to {last}").format(first=columns[0], last=columns[-1])
    else:
        right = gettext("columns {numbers}").format(numbers=columns.tolist())
    part = array[..., rows[:, None], columns[None, :]]
    text = np.array2string(part, precision=4, threshold=60, suppress_small=True, max_line_width=66)
    said = gettext("of this position, {rows} and {columns} of the input:")
    head = labelled(gettext("window"), said.format(rows=down, columns=right))
    return [head, textwrap.indent(text, " " * 14)]


def student_frame(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line of the student's own code that an error came through, or None."""
    place = getattr(error, "place", None)  # of an error in another process
    return place if place is not None else next(iter(student_frames(error)), None)


def student_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The lines of the student's own code that an error came through, the innermost first."""
    found = []
    for frame in traceback.extract_tb(error.__traceback__, limit=-DEEPEST):
        path = frame.filename
        if not path.startswith((*NOT_THEIRS, "<frozen")) and "site-packages" not in path:
            found.append(frame)
    return found[::-1]


def error_text(error: BaseException) -> str:
    """The error as Python's own last line has it; of a long one the beginning."""
    said = str(error).strip()
    if not isinstance(error, AssertionError):
        said = said.partition("\n")[0]
    text = f"{type(error).__name__}: {retold(said)}" if said else type(error).__name__
    return text if len(text) < 400 else text[:400] + " ..."


def is_stub(error: BaseException | None) -> bool:
    """Whether it is the error of a function that is still as it was given.

    PyTorch raises errors of the same type, with words of its own.
    """
    return isinstance(error, NotImplementedError) and not str(error)


def not_written(error: BaseException, name: str) -> str:
    """A clause for a function that is still as it was given: this one, or one that it calls."""
    place = student_frame(error)
    where = place.name if place is not None and place.name.isidentifier() else name
    return not_written_sentence().format(name=where)


def not_written_sentence() -> str:
    """What is said of a function that is still as it was given, its name left open."""
    return gettext(
        "it is not written yet: `{name}` still reaches `raise NotImplementedError`. Write your "
        "answer, and delete that line"
    )


def not_there() -> str:
    """What is said of a function that is missing, its name left open."""
    return gettext("There is no `{name}` in this notebook.")


def error_lines(error: BaseException) -> list[str]:
    """The student's line in which an error came up, and what the error means."""
    lines = place_of(student_frame(error))
    meaning = reason(error)
    return [*lines, labelled(gettext("why"), meaning)] if meaning else lines


def place_of(frame: traceback.FrameSummary | None, label: str | None = None) -> list[str]:
    """Where in the notebook a line of code stands, and the line; nothing if it is not known.

    The label is by default "in".
    """
    if frame is None:
        return []
    line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
    if not line:
        return []
    cell = cell_number(frame.filename)
    if cell:
        where = line_of_cell().format(line=frame.lineno, cell=cell)
    else:
        where = gettext("line {line}").format(line=frame.lineno)
    if frame.name.isidentifier():
        where = gettext("{function}, {line}").format(function=frame.name, line=where)
    return [labelled(label or gettext("in"), f"{where}:"), " " * 14 + line[: WIDTH - 14]]


def line_of_cell() -> str:
    """How a line of a cell is told, the numbers left open."""
    return gettext("line {line} of cell [{cell}]")


def cell_number(filename: str) -> str | None:
    """The number in brackets beside the cell of a notebook that was run under this name."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return None
    # Not what the shell keeps for itself: this is how its own tracebacks ask.
    named = shell.compile.format_code_name(filename)
    found = re.search(r"\d+", named[1]) if named else None
    return found[0] if found else None
