"""What two arrays have to do with each other that should be equal: facts about their numbers.

A sentence says what the numbers show, never why: the same numbers can come out of many mistakes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

# Above this many values only what is cheap is looked for.
MOST = 200_000
# How far, in rows and columns, a result is looked for that stands at another place.
FARTHEST = 3
Same = Callable[[np.ndarray, np.ndarray], bool]
_NARROW = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


def relation(
    received: np.ndarray, wanted: np.ndarray, right: np.ndarray | None, same: Same
) -> str | None:
    """A clause that says how the one comes from the other, or None.

    Parameters
    ----------
    received, wanted : numpy.ndarray
        Different ones, in their shape or in their numbers.
    right : numpy.ndarray of bool, optional
        Which of the numbers are equal, if the shapes are.
    same : callable
        Whether two arrays of one shape hold the same numbers, within the tolerance.
    """
    if right is None:
        return _of_shapes(received, wanted, same)
    if _has_nan(received) and not _has_nan(wanted):
        return "there are NaN values in the result (0/0, or inf − inf)"
    if received.dtype.kind == "b" or wanted.dtype.kind == "b":
        return None
    with np.errstate(all="ignore"):
        if received.size > MOST:
            return _of_amounts(received, wanted, same)
        return (
            _of_order(received, wanted, same)
            or _of_types(received, wanted, same)
            or _of_amounts(received, wanted, same)
            or _of_moves(received, wanted, same)
            or _of_places(received, wanted, right, same)
            or _of_steps(received, wanted)
            or _of_two(received, wanted, same)
            or _of_room(received, wanted)
        )


def relation_of_numbers(
    received: np.ndarray, wanted: np.ndarray, result: np.ndarray, same: Same
) -> str | None:
    """As `relation`, of numbers that were picked out of a result: their order means nothing.

    What one number looks like, rounded or cut off, must hold for all numbers of the result.
    """
    if _has_nan(received) or received.dtype.kind == "b" or wanted.dtype.kind == "b":
        return None
    with np.errstate(all="ignore"):
        return (
            _of_types(received, wanted, same, result)
            or _of_amounts(received, wanted, same)
            or _of_room(received, wanted)
        )


def _of_shapes(received, wanted, same):
    """What is said of results of different shapes."""
    if received.size > MOST or wanted.size > MOST:
        return None
    if received.size == wanted.size and received.size > 1:
        return _of_axes(received, wanted, same)
    for many, few, words in (
        (received, wanted, "added up along axis {0}, it is the expected result"),
        (wanted, received, "it is the expected result, added up along axis {0}"),
    ):
        for axis in range(many.ndim if few.ndim else 0):
            total = many.sum(axis=axis, keepdims=many.ndim == few.ndim)
            if total.shape == few.shape and many.shape[axis] > 1 and same(total, few):
                return words.format(axis)
    if received.ndim == wanted.ndim and received.ndim >= 2:
        return _of_parts(received, wanted, same)
    if received.ndim != wanted.ndim:
        axes = "axis" if received.ndim == 1 else "axes"
        return f"{received.ndim} {axes} instead of {wanted.ndim}"
    return None


def _of_axes(received, wanted, same):
    """As many values, in another shape."""
    if received.ndim == wanted.ndim <= 4:
        for order in itertools.permutations(range(wanted.ndim)):
            turned = wanted.transpose(order)
            if turned.shape == received.shape and same(received, turned):
                if wanted.ndim == 2:
                    return "it is the expected result transposed: rows and columns are swapped"
                return f"it is the expected result with its axes in the order {order}"
    right = "right" if same(received.ravel(), wanted.ravel()) else "not all right"
    squeezed = [n for n in received.shape if n != 1] == [n for n in wanted.shape if n != 1]
    if squeezed and received.ndim != wanted.ndim:
        missing = "is missing" if received.ndim < wanted.ndim else "is too many"
        return f"an axis of length 1 {missing}; the numbers are {right}"
    if right == "right":
        return "the numbers are right, and in the right order: only the shape is another one"
    if received.ndim == 2 and received.shape == wanted.shape[::-1]:
        return "rows and columns of the shape are swapped"
    return "the number of values is right: the axes are in another order, or flattened"


def _of_parts(received, wanted, same):
    """A result that is too small or too large, with the same number of axes."""
    if received.shape[:-2] != wanted.shape[:-2] or not received.size:
        axes = [n for n in range(wanted.ndim) if received.shape[n] != wanted.shape[n]]
        if len(axes) == 1:
            n = axes[0]
            return f"axis {n} has the length {received.shape[n]} instead of {wanted.shape[n]}"
        return None
    for large, small, words in (
        (received, wanted, "every {0} row and column of it is the expected result"),
        (wanted, received, "it is every {0} row and column of the expected result"),
    ):
        for step, word in ((2, "second"), (3, "third"), (4, "fourth")):
            part = large[..., ::step, ::step]
            if part.shape == small.shape and _varied(small) and same(part, small):
                return words.format(word)
    for large, small, words in (
        (received, wanted, "the expected result stands in it, from {0} on"),
        (wanted, received, "it is a part of the expected result, from {0} on"),
    ):
        height, width = small.shape[-2:]
        for top, left in _shifts(large, small):
            part = large[..., top : top + height, left : left + width]
            if part.shape == small.shape and _varied(small) and same(part, small):
                return words.format([top, left])
    height, width = np.minimum(received.shape[-2:], wanted.shape[-2:])
    common = [array[..., :height, :width] for array in (received, wanted)]
    if _varied(common[1]) and same(*common):
        return "as far as both go, from the upper left on, the numbers are equal"
    return None


def _shifts(large, small):
    """Where the smaller one may begin in the larger one."""
    room = np.subtract(large.shape[-2:], small.shape[-2:])
    if (room < 0).any():
        return []
    return itertools.product(*(range(min(n, 2 * FARTHEST) + 1) for n in room))


def _of_order(received, wanted, same):
    """The right numbers in another order."""
    for words, turned in _turned(wanted):
        if turned.shape == wanted.shape and same(received, turned):
            return f"it is the expected result {words}"
    return None


def _of_moves(received, wanted, same):
    """The right numbers some rows or columns away."""
    if wanted.ndim >= 2 and wanted.size >= 6 and _varied(wanted):
        height, width = wanted.shape[-2:]
        for down, right in itertools.product(range(-FARTHEST, FARTHEST + 1), repeat=2):
            if (down, right) == (0, 0) or abs(down) >= height or abs(right) >= width:
                continue
            here = received[..., max(down, 0) : height + min(down, 0), :]
            there = wanted[..., max(-down, 0) : height - max(down, 0), :]
            here = here[..., max(right, 0) : width + min(right, 0)]
            there = there[..., max(-right, 0) : width - max(right, 0)]
            if 2 * here.size >= wanted.size and _varied(there) and same(here, there):
                return f"it is the expected result, moved {_moved(down, right)}"
    return None


def _moved(down, right):
    words = []
    for count, unit, way in ((down, "row", ("up", "down")), (right, "column", ("left", "right"))):
        if count:
            plural = "s" * (abs(count) > 1)
            words.append(f"{way[count > 0]} by {abs(count)} {unit}{plural}")
    return " and ".join(words)


def _turned(wanted: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The array in other orders, with the words for them."""
    if wanted.ndim == 1:
        yield "in the opposite order", wanted[::-1]
    if wanted.ndim < 2:
        return
    swapped = wanted.swapaxes(-1, -2)
    yield "transposed: rows and columns are swapped", swapped
    yield "turned by 180°", wanted[..., ::-1, ::-1]
    yield "with left and right exchanged", wanted[..., ::-1]
    yield "with top and bottom exchanged", wanted[..., ::-1, :]
    yield "turned by 90°", swapped[..., ::-1]
    yield "turned by 90°", swapped[..., ::-1, :]
    yield "transposed, along the other diagonal", swapped[..., ::-1, ::-1]
    for axis in range(wanted.ndim - 2):
        if wanted.shape[axis] > 1:
            yield f"in the opposite order along axis {axis}", np.flip(wanted, axis)
    for first, second in itertools.combinations(range(wanted.ndim), 2):
        if (first, second) != (wanted.ndim - 2, wanted.ndim - 1):
            yield f"with axis {first} and axis {second} swapped", wanted.swapaxes(first, second)


def _of_types(received, wanted, same, result=None):
    """The right numbers, as far as a type can hold them.

    Each change here, made again, changes nothing: so it must leave the whole `result` as it is.
    """
    if not np.isfinite(wanted).all():
        return None
    whole = received if result is None else result
    if received.dtype == np.float16 and np.allclose(received, wanted, rtol=2e-3, atol=0):
        return "they are the expected numbers to about 3 digits: the type float16 holds no more"

    def fits(changed, changed_whole):
        return np.array_equal(received, changed) and np.array_equal(whole, changed_whole)

    is_whole = same(np.rint(wanted), wanted)
    if not is_whole:
        for words, change in (
            ("rounded to whole numbers", np.rint),
            ("without what stands behind the point", np.trunc),
            ("rounded down to whole numbers", np.floor),
        ):
            if fits(change(wanted), change(whole)):
                return f"they are the expected numbers, {words}"
        for digits in (1, 2, 3, 4):
            if all(
                np.allclose(numbers, np.round(other, digits), rtol=1e-9, atol=1e-9)
                for numbers, other in ((received, wanted), (whole, whole))
            ):
                return f"they are the expected numbers, rounded to {digits} decimals"
    if is_whole and np.abs(wanted).max() < 2**53:
        for name in _NARROW:
            limits = np.iinfo(name)
            left_over = np.rint(wanted).astype(np.int64).astype(name)
            if fits(left_over, np.clip(whole, limits.min, limits.max)):
                return (
                    f"this is what is left of what is expected in the type {name}, which holds "
                    f"{limits.min} to {limits.max} only"
                )
    for words, change in (
        ("with 0 in place of all below 0", lambda numbers: np.maximum(numbers, 0)),
        ("without their signs", np.abs),
        ("cut off at 255", lambda numbers: np.minimum(numbers, 255)),
        ("cut off at 0 and 255", lambda numbers: np.clip(numbers, 0, 255)),
        ("cut off at 0 and 1", lambda numbers: np.clip(numbers, 0, 1)),
    ):
        if same(received, change(wanted)) and np.array_equal(whole, change(whole)):
            return f"they are the expected numbers {words}"
    for name, digits in (("float16", 3), ("float32", 7)):
        is_wide = received.dtype == wanted.dtype == np.float64
        if is_wide and fits(wanted.astype(name), whole.astype(name)):
            return f"they are the expected numbers to about {digits} digits, as in {name}"
    return None


def _of_places(received, wanted, right, same):
    """Right at some places, and wrong at others."""
    if wanted.size < 2:
        return None
    if _all_equal(received):
        return (
            None if _all_equal(wanted) else f"every value is the same, {_number(received.flat[0])}"
        )
    if not right.any():
        return _of_slices(received, wanted, right, same)
    # Of a 3×3 result the inside is a single number: too little to tell.
    if wanted.ndim >= 2 and min(wanted.shape[-2:]) > 3:
        border = np.ones(wanted.shape, dtype=bool)
        border[..., 1:-1, 1:-1] = False
        if right[~border].all():
            return "only the border differs: inside all is right"
    wrong = received[~right]
    if wrong.size > 1 and _all_equal(wrong) and 4 * right.sum() >= wanted.size:
        told = _number(wrong[0])
        return f"{wrong.size} of {wanted.size} values are {told}, and the others are right"
    return _of_slices(received, wanted, right, same)


def _of_slices(received, wanted, right, same):
    """One image, channel, filter, row or column right; or the same for all."""
    for axis in range(wanted.ndim):
        count = wanted.shape[axis]
        if count < 2 or wanted.size == count:
            continue
        by_slice = np.moveaxis(right, axis, 0).reshape(count, -1).all(axis=1)
        first = np.take(received, [0], axis=axis)
        if same(np.broadcast_to(first, received.shape), received):
            ours = np.broadcast_to(np.take(wanted, [0], axis=axis), wanted.shape)
            if not same(ours, wanted):
                return f"along axis {axis} it is the same at all {count} places"
        # A slice with a single wrong number says nothing.
        mostly_wrong = np.moveaxis(right, axis, 0).reshape(count, -1).mean(axis=1) <= 0.5
        if by_slice.sum() == 1 and mostly_wrong.sum() == count - 1:
            return f"along axis {axis} only number {int(by_slice.argmax())} is right"
        if count > 2 and by_slice.sum() == count - 1 and mostly_wrong.any():
            return f"along axis {axis} only number {int(by_slice.argmin())} is wrong"
    return None


def _of_amounts(received, wanted, same):
    """Off by one number, or scaled by one factor, everywhere."""
    if wanted.size < 2:
        return None
    if same(-received, wanted):
        return "the sign is the wrong way round"
    offset = np.subtract(received, wanted, dtype=np.float64)
    if _all_close(offset) and not np.allclose(received, wanted):
        return f"every value is off by {_number(offset.flat[0])}"
    ratio = _ratio(received, wanted)
    if ratio is not None and _all_close(ratio):
        return f"every value is {_number(ratio.flat[0])} times the expected one"
    return None


def _of_steps(received, wanted):
    """Off by another number at each place along an axis."""
    offset = np.subtract(received, wanted, dtype=np.float64)
    for axis in range(wanted.ndim):
        count = wanted.shape[axis]
        if 2 <= count <= 6 and wanted.size >= 2 * count:
            rows = np.moveaxis(offset, axis, 0).reshape(count, -1)
            if all(_all_close(row) for row in rows):
                told = ", ".join(_number(row[0]) for row in rows)
                return f"along axis {axis} the values are off by one number each: {told}"
    return None


def _ratio(received, wanted):
    """What the values that are not 0 are multiplied by; None if that is no question."""
    nonzero = wanted != 0
    if not nonzero.any() or received[~nonzero].any():
        return None
    ratio = received[nonzero] / wanted[nonzero]
    return None if not ratio.flat[0] or np.isclose(ratio.flat[0], 1) else ratio


def _of_two(received, wanted, same):
    """In another order, and off by a number or a factor besides."""
    if wanted.size < 4 or not _varied(wanted):
        return None
    for words, turned in _turned(wanted):
        if turned.shape == wanted.shape:
            amount = _of_amounts(received, turned, same)
            if amount:
                return f"it is the expected result {words}; then {amount}"
    if same(received.ravel(), np.cumsum(wanted)):
        return "each value is the sum of all expected ones up to its place, row by row"
    if wanted.size > 2 and same(np.sort(received, axis=None), np.sort(wanted, axis=None)):
        return "the numbers are right, and stand at other places"
    return None


def _of_room(received, wanted):
    """A type that has no room for what is expected, whatever else is wrong."""
    if received.dtype.kind not in "iu" or not np.isfinite(wanted).all():
        return None
    if (np.rint(wanted) != wanted).any():
        return f"the result is of type {received.dtype}, which holds whole numbers only"
    limits = np.iinfo(received.dtype)
    if wanted.min() < limits.min or wanted.max() > limits.max:
        return (
            f"the result is of type {received.dtype}, which holds {limits.min} to {limits.max} only"
        )
    return None


def _has_nan(array):
    return array.dtype.kind in "fc" and bool(np.isnan(array).any())


def _all_equal(array):
    return bool((array == array.flat[0]).all())


def _all_close(array):
    return bool(np.allclose(array, array.flat[0]))


def _varied(array):
    """Whether there are enough different numbers that an order means something."""
    return len(np.unique(array)) >= min(3, array.size)


def _number(value):
    value = np.asarray(value).item()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
