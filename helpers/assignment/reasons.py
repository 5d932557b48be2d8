"""What the errors mean that beginners meet most, in one sentence each.

A sentence says what the words of the error say, and where such an error comes from. It names a
cause only where Python gives the error for no other.
"""

from __future__ import annotations

import builtins
import difflib
import re
import sys
from types import FrameType, TracebackType

import numpy as np

from helpers.language import MESSAGES, gettext, gettext_noop, translated

_WHOLE = gettext_noop(
    "A whole number is needed here, and this one has a decimal point. `/` always gives such a "
    "number, also for 6 / 2, which is 3.0; `//` gives a whole one."
)
_NONE = gettext_noop(
    "A value here is None. A function gives None back if it ends without `return`, and an argument "
    "can be None if it is left out, as in `stride=None`."
)
_ONE_NUMBER = gettext_noop(
    "One number belongs here, and this is an array or a list. Which of its numbers is meant: the "
    "one at a place, as in `biases[f]`, or their sum?"
)
_OF_MATH = gettext_noop(
    "The functions of `math` take one number; NumPy's, such as `np.sqrt`, take each number of an "
    "array."
)
_PAIRED = gettext_noop(
    "Arrays are taken together number by number. For that their sizes, counted from the last axis, "
    "must be equal, or one of them 1. Here the shapes are {0}."
)
_NO_CALCULATING = gettext_noop(
    "A list, or a pair such as a tuple, is not calculated with. Take one of its items, as in "
    "`pair[0]`, or make an array of it with np.array(…)."
)
_SINGLE = gettext_noop(
    "This is a single number, and the code takes it for several, such as a pair."
)
_NOT_CALLED = gettext_noop(
    "Round brackets behind a value call it as a function, and this one is no function. A place in "
    "it stands in square brackets, `x[0]`, and a product needs its `*`."
)
_TWO_TYPES = gettext_noop(
    "PyTorch wants both in the same type of numbers, and here one is {0} and the other {1}. "
    "`.float()` or `.double()` on both makes them the same."
)
_TENSOR = gettext_noop(
    "PyTorch's functions take tensors, and this is a NumPy array. torch.tensor(…) makes one."
)
_AXES_OF_CONV = gettext_noop(
    "F.conv2d takes one image with channels, (C, H, W), or a batch of them, (N, C, H, W), and "
    "weights with four axes, (F, C, K, L). `x[None]` puts an axis of length 1 in front."
)
_MATRICES = gettext_noop(
    "In a product of matrices the rows of the first are as long as the columns of the second. Here "
    "they have {0} and {1} numbers."
)
_UNPACKED = gettext_noop(
    "{0} names stand on the left of the `=`, and {1} values on the right. The shape of an array "
    "holds one number for each axis."
)

_UNPACKED_MORE = gettext_noop(
    "{0} names stand on the left of the `=`, and more values on the right. The shape of an array "
    "holds one number for each axis."
)

# A pattern, and the sentences that belong to it. The first line that fits counts. What the error
# says goes into the braces.
_MEANINGS: list[tuple[str, ...]] = [
    (r"float\d*' object cannot be interpreted as an integer", _WHOLE),
    (r"ndices must be integers.*not (?:numpy\.)?float", _WHOLE),
    (
        r"slice indices must be integers",
        gettext_noop(
            "The ends of a slice are whole numbers. A pair is none, and neither is a number with a "
            "decimal point, such as 2.0: `//` gives whole numbers, `/` never does."
        ),
    ),
    (r"must be (?:tuple of )?ints?,? .*float", _WHOLE),
    (
        r"only integers, slices",
        gettext_noop(
            "A place in an array is a whole number, a slice such as 1:3, or an array of them. A "
            "number with a decimal point is none, also not 2.0: `//` gives whole numbers, `/` "
            "never does."
        ),
    ),
    (
        r"list indices must be integers or slices, not tuple",
        gettext_noop(
            "A list takes one place at a time, a[i][j]. An array takes a[i, j], and np.array(…) "
            "makes an array of a list."
        ),
    ),
    (
        r"inhomogeneous shape",
        gettext_noop("An array is to be made of parts that differ in length or shape."),
    ),
    (r"setting an array element with a sequence", _ONE_NUMBER),
    (r"only (?:length-1|size-1|0-dimensional) arrays can be converted", _ONE_NUMBER, _OF_MATH),
    (r"only integer scalar arrays can be converted", _ONE_NUMBER),
    (r"a Tensor with \d+ elements cannot be converted", _ONE_NUMBER),
    (r"only one element tensors can be converted", _ONE_NUMBER),
    (
        r"operands could not be broadcast together with (?:remapped )?shapes ((?:\([\d,]*\) ?)+)",
        _PAIRED,
    ),
    (
        r"einsum\(\): subscript (\w+) has size (\d+) for .* previously seen size (\d+)",
        gettext_noop(
            "Each letter of einsum stands for one length, and the letters of an array name its "
            "axes in their order. Here `{0}` has the length {2} in one array and {1} in another."
        ),
    ),
    (
        r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\).* dimension (\d+)",
        gettext_noop(
            "The two tensors are taken together number by number. For that their sizes, counted "
            "from the last axis, must be equal, or one of them 1. Along axis {2} they are {0} and "
            "{1}."
        ),
    ),
    (
        r"could not broadcast input array from shape (\(.*?\)) into "
        r"shape (\((?:\d+,)*0[,)][\d,)]*)",
        gettext_noop(
            "What stands on the right of the `=` has the shape {0}, and the place for it has {1}: "
            "it is empty, as `[p:-p]` is for p = 0."
        ),
    ),
    (
        r"could not broadcast input array from shape (\(.*?\)) into shape (\(.*?\))",
        gettext_noop(
            "What stands on the right of the `=` has the shape {0}, and the place for it has {1}."
        ),
    ),
    (
        r"index -?\d+ is out of bounds for (?:axis|dimension) (\d+) with size 0",
        gettext_noop("There is nothing along axis {0}: its size is 0."),
    ),
    (
        r"index (-?\d+) is out of bounds for (?:axis|dimension) (\d+) with size (\d+)",
        gettext_noop(
            "The size of axis {1} is {2}, and its places are numbered from 0. There is no place "
            "{0}."
        ),
    ),
    (
        r"tuple index out of range",
        gettext_noop(
            "The tuple has fewer items than that. Is it the shape of an array? A shape has one "
            "number for each axis, and they are numbered from 0."
        ),
    ),
    (
        r"list (?:assignment )?index out of range",
        gettext_noop("A list of n items has the places 0 to n − 1."),
    ),
    (
        r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
        gettext_noop(
            "The array's number of axes is {1}, and they are numbered from 0. There is no axis {0}."
        ),
    ),
    (
        r"expected to be in range of \[-\d+, (\d+)\], but got (-?\d+)",
        gettext_noop("The axes of this tensor are numbered from 0 to {0}. There is no axis {1}."),
    ),
    (
        r"array is (\d+)-dimensional, but (\d+) were indexed",
        gettext_noop(
            "Between the brackets stand {1} places, and the array's number of axes is {0}."
        ),
    ),
    (
        r"too many indices for tensor of dimension (\d+)",
        gettext_noop("More places stand between the brackets than the tensor has axes, {0}."),
    ),
    (r"not enough values to unpack \(expected (\d+), got (\d+)\)", _UNPACKED),
    (r"too many values to unpack \(expected (\d+), got (\d+)\)", _UNPACKED),
    (r"too many values to unpack \(expected (\d+)\)", _UNPACKED_MORE),
    (
        r"local variable '(\w+)'",
        gettext_noop(
            "`{0}` has no value yet when this line runs. Give it one before: for a sum, 0 before "
            "the loop begins."
        ),
    ),
    (r"'NoneType'|not NoneType", _NONE),
    (r"unsupported operand type.*'(?:list|tuple)'", _NO_CALCULATING),
    (r"can only concatenate (?:list|tuple)", _NO_CALCULATING),
    (r"can't multiply sequence by non-int", _NO_CALCULATING),
    (r"'(?:int|float|numpy\.\w+\d)' object is not (?:iterable|subscriptable)", _SINGLE),
    (r"cannot unpack non-iterable (?:int|float|numpy\.\w+) object", _SINGLE),
    (r"object of type '(?:int|float|numpy\.\w+\d)' has no len", _SINGLE),
    (
        r"'(?:numpy\.ndarray|Tensor|int|float|list|tuple|numpy\.\w+\d)' object is not callable",
        _NOT_CALLED,
    ),
    (
        r"(?:truth value of an array|Boolean value of Tensor) with more than one",
        gettext_noop(
            "`if`, `and` and `or` need one answer, and comparing an array gives one for each of "
            "its numbers. np.where(…) decides for each number."
        ),
    ),
    (
        r"Cannot cast ufunc '\w+' output from dtype\('(\w+)'\) to dtype\('(\w+)'\)",
        gettext_noop(
            "`+=`, `*=` and the like keep the type of the array on the left. It is {1}, and {0} "
            "does not go into it."
        ),
    ),
    (
        r"boolean array indexing assignment",
        gettext_noop(
            "With a mask on the left of the `=`, there belongs one number on the right, or as many "
            "as the mask takes: those of `x[mask]`, and not of `x`."
        ),
    ),
    (
        r"Cannot interpret '(.*)' as a data type",
        gettext_noop(
            "{0} stands where the type of the numbers belongs. A shape with several axes is one "
            "argument, in brackets of its own: np.zeros((2, 3))."
        ),
    ),
    (
        r"integer (-?\d+) out of bounds for (\w+)",
        gettext_noop(
            "An array of type {1} has no room for {0}. Make it an array of floats first, with "
            "`.astype(float)`."
        ),
    ),
    (r"expected scalar type (\w+) but found (\w+)", _TWO_TYPES),
    (r"same dtype, but got:? (\S+) (?:!=|and) (\S+)", _TWO_TYPES),
    (r"Input type \((?!.*cuda)(.+)\) and \w+ type \((.+)\) should be the same", _TWO_TYPES),
    (
        r"not implemented for '(?:Long|Int|Short|Byte|Char|Bool)'|dtype must be either a floating"
        r"|Only Tensors of floating point",
        gettext_noop(
            "PyTorch does this with floats only, and these are no floats. `.float()` or "
            "`.double()` makes floats of them."
        ),
    ),
    (r"must be Tensor, not (?:numpy\.)?ndarray", _TENSOR),
    (r"invalid combination of arguments - got \((?:numpy\.)?ndarray", _TENSOR),
    (
        r"negative.* strides? .*not|strides? .*negative",
        gettext_noop(
            "PyTorch takes no array that was turned round with [::-1]. Copy it first, with .copy()."
        ),
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        gettext_noop(
            "A tensor that gradients are prepared for goes to NumPy as `x.detach().numpy()`."
        ),
    ),
    (
        r"modified by an inplace operation",
        gettext_noop(
            "The backward pass needs numbers that were overwritten after they had been used. `+=`, "
            "`*=`, `relu_()` and `inplace=True` write into the tensor itself; `x = x + y` makes a "
            "new one."
        ),
    ),
    (r"Expected 3D .* or 4D .* input to conv2d", _AXES_OF_CONV),
    (r"weight should have at least three dimensions", _AXES_OF_CONV),
    (
        r"expected input\[.*\] to have (\d+) channels, but got (\d+) channels",
        gettext_noop(
            "The number of channels that the filters are made for is {0}, and what arrives has {1}."
        ),
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)",
        _MATRICES,
        gettext_noop("For nn.Linear: {0} arrive, and `in_features` is {1}."),
    ),
    (r"shapes .* not aligned: (\d+) \(dim \d+\) != (\d+)", _MATRICES),
    (
        r"matmul: (?=.*is different from (\d+)\)).*\(size (\d+) is different",
        _MATRICES,
    ),
    (
        r"cannot reshape array of size (\d+) into shape (\(.*\))",
        gettext_noop("`reshape` keeps every number. {0} numbers do not fill the shape {1}."),
    ),
    (
        r"shape '(\[.*\])' is invalid for input of size (\d+)",
        gettext_noop(
            "`reshape` and `view` keep every number. {1} numbers do not fill the shape {0}."
        ),
    ),
    (
        r"view size is not compatible",
        gettext_noop(
            "`view` only works on numbers in this order in memory. `reshape` works always."
        ),
    ),
    (
        r"element 0 of tensors does not require grad",
        gettext_noop(
            "`backward()` needs numbers that were worked out of weights, with gradients switched "
            "on. `torch.no_grad()`, `.detach()`, `.item()` and a new `torch.tensor(…)` cut this "
            "way."
        ),
    ),
    (
        r"leaf Variable that requires grad",
        gettext_noop("Weights are changed inside `with torch.no_grad():`."),
    ),
    (
        r"zero-size array to reduction operation|max\(\): Expected reduction dim",
        gettext_noop("The largest or smallest number of an empty array is asked for."),
    ),
    (
        r"all input arrays must have the same shape",
        gettext_noop("`np.stack` takes arrays of one shape only."),
    ),
    (
        r"(?:assignment destination|output array) is read-only",
        gettext_noop("This array may only be read. Work on a copy, x.copy()."),
    ),
    (
        r"before Module\.__init__\(\) call",
        gettext_noop("The first line of `__init__` has to be `super().__init__()`."),
    ),
    (
        r"unexpected keyword argument|required positional argument|takes .* positional argument",
        gettext_noop(
            "The function is called with other arguments than it takes. A function of a task keeps "
            "the names and the order that the task gives; the first argument of a method is `self`."
        ),
    ),
    (
        r"maximum recursion depth exceeded",
        gettext_noop("A function calls itself, and never stops doing so."),
    ),
]


def reason(error: BaseException) -> str | None:
    """What an error means, or None if nothing can be said that its own words do not say.

    Parameters
    ----------
    error : BaseException
        With its traceback, by which names that look alike are found.

    Returns
    -------
    str or None
    """
    text = str(error)
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return _unknown_name(error, text)
    if isinstance(error, AttributeError) and getattr(error, "obj", None) is not None:
        return _unknown_attribute(error.obj, error.name)
    if isinstance(error, ModuleNotFoundError):
        return gettext(
            "NumPy, PyTorch and what the notebook imports itself are enough for the tasks."
        )
    for pattern, *sentences in _MEANINGS:
        found = re.search(pattern, text, re.DOTALL)
        if found:
            said = " ".join(translated(sentence, MESSAGES) for sentence in sentences)
            return said.format(*(group.strip() for group in found.groups()))
    return None


def _unknown_name(error, text):
    name = getattr(error, "name", None) or _quoted(text)
    if not name:
        return None
    frame = _last_frame(error.__traceback__)
    known = {} if frame is None else {**vars(builtins), **frame.f_globals, **frame.f_locals}
    close = _alike(name, known)
    if close:
        said = gettext("There is no `{name}` here. Did you mean `{close}`?")
    elif name in sys.stdlib_module_names or name in ("np", "torch", "nn", "F"):
        said = gettext("There is no `{name}` here. A module has to be imported first.")
    else:
        said = gettext(
            "There is no `{name}` here. Is it spelled right, and was the cell run that makes it?"
        )
    return said.format(name=name, close=close)


def _unknown_attribute(thing, name):
    torch = sys.modules.get("torch")
    if isinstance(thing, np.ndarray) and torch and hasattr(torch.Tensor, name):
        said = gettext("This is a NumPy array, and only PyTorch's tensors have `.{name}`.")
    elif torch and isinstance(thing, torch.Tensor) and hasattr(np.ndarray, name):
        said = gettext("This is a tensor of PyTorch's, and only NumPy's arrays have `.{name}`.")
    elif isinstance(thing, list) and hasattr(np.ndarray, name):
        said = gettext("A list has no `.{name}`. np.array(…) makes an array of it.")
    elif isinstance(thing, tuple) and hasattr(np.ndarray, name):
        said = gettext("A tuple has no `.{name}`. Take one of its items first, as in `pair[0]`.")
    else:
        close = _alike(name, dir(thing))
        if not close:
            return None
        return gettext("There is no `{name}` in it. Did you mean `{close}`?").format(
            name=name, close=close
        )
    return said.format(name=name)


def _alike(name, known):
    """The one of these names that looks most like this one, or None."""
    names = [
        other
        for other in known
        if isinstance(other, str) and other.startswith("_") is name.startswith("_")
    ]
    close = difflib.get_close_matches(name, names, 1, 0.7)
    return close[0] if close else None


def _last_frame(trace: TracebackType | None) -> FrameType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else trace.tb_frame


def _quoted(text):
    found = re.search(r"name '(\w+)'", text)
    return found[1] if found else None
