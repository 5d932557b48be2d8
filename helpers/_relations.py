"""What two arrays have to do with each other that should be equal: facts about their numbers.

A sentence says what the numbers show, never why: the same numbers can come out of many mistakes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from helpers.language import gettext

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
        return gettext(
            "there are NaN values in the result (0/0, inf − inf, or the root of a negative number)"
        )
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
    for many, few in ((received, wanted), (wanted, received)):
        for axis in range(many.ndim if few.ndim else 0):
            total = many.sum(axis=axis, keepdims=many.ndim == few.ndim)
            if total.shape == few.shape and many.shape[axis] > 1 and same(total, few):
                if many is received:
                    said = gettext("added up along axis {axis}, it is the expected result")
                else:
                    said = gettext("it is the expected result, added up along axis {axis}")
                return said.format(axis=axis)
    if received.ndim == wanted.ndim and received.ndim >= 2:
        return _of_parts(received, wanted, same)
    if received.ndim != wanted.ndim:
        if received.ndim == 1:
            said = gettext("{received} axis instead of {expected}")
        else:
            said = gettext("{received} axes instead of {expected}")
        return said.format(received=received.ndim, expected=wanted.ndim)
    return None


def _of_axes(received, wanted, same):
    """As many values, in another shape."""
    if received.ndim == wanted.ndim <= 4:
        for order in itertools.permutations(range(wanted.ndim)):
            turned = wanted.transpose(order)
            if turned.shape == received.shape and same(received, turned):
                if wanted.ndim == 2:
                    return _transposed()
                return gettext(
                    "it is the expected result with its axes in the order {order}"
                ).format(order=order)
    right = same(received.ravel(), wanted.ravel())
    squeezed = [n for n in received.shape if n != 1] == [n for n in wanted.shape if n != 1]
    if squeezed and received.ndim != wanted.ndim:
        if received.ndim < wanted.ndim:
            if right:
                return gettext("an axis of length 1 is missing; the numbers are right")
            return gettext("an axis of length 1 is missing; the numbers are not all right")
        if right:
            return gettext("an axis of length 1 is too many; the numbers are right")
        return gettext("an axis of length 1 is too many; the numbers are not all right")
    if right:
        return gettext(
            "the numbers are right, and in the right order: only the shape is another one"
        )
    if received.ndim == 2 and received.shape == wanted.shape[::-1]:
        return gettext("rows and columns of the shape are swapped")
    return gettext("the number of values is right: the axes are in another order, or flattened")


def _transposed():
    return gettext("it is the expected result transposed: rows and columns are swapped")


def _of_parts(received, wanted, same):
    """A result that is too small or too large, with the same number of axes."""
    if received.shape[:-2] != wanted.shape[:-2] or not received.size:
        axes = [n for n in range(wanted.ndim) if received.shape[n] != wanted.shape[n]]
        if len(axes) == 1:
            n = axes[0]
            return gettext("axis {axis} has the length {received} instead of {expected}").format(
                axis=n, received=received.shape[n], expected=wanted.shape[n]
            )
        return None
    for large, small in ((received, wanted), (wanted, received)):
        height, width = small.shape[-2:]
        for top, left in _shifts(large, small):
            part = large[..., top : top + height, left : left + width]
            if part.shape == small.shape and _varied(small) and same(part, small):
                if large is received:
                    said = gettext("the expected result stands in it, from {place} on")
                else:
                    said = gettext("it is a part of the expected result, from {place} on")
                return said.format(place=[top, left])
    # After the parts: the first of two rows is every second one, too.
    for large, small in ((received, wanted), (wanted, received)):
        for step in (2, 3, 4):
            part = large[..., ::step, ::step]
            if part.shape == small.shape and _varied(small) and same(part, small):
                return _of_every(step, large is received)
    height, width = np.minimum(received.shape[-2:], wanted.shape[-2:])
    common = [array[..., :height, :width] for array in (received, wanted)]
    if _varied(common[1]) and same(*common):
        return gettext("as far as both go, from the upper left on, the numbers are equal")
    return None


def _of_every(step, is_received):
    """What is said where every so many rows and columns of the one are the other."""
    if is_received:
        return {
            2: gettext("every second row and column of it is the expected result"),
            3: gettext("every third row and column of it is the expected result"),
            4: gettext("every fourth row and column of it is the expected result"),
        }[step]
    return {
        2: gettext("it is every second row and column of the expected result"),
        3: gettext("it is every third row and column of the expected result"),
        4: gettext("it is every fourth row and column of the expected result"),
    }[step]


def _shifts(large, small):
    """Where the smaller one may begin in the larger one."""
    room = np.subtract(large.shape[-2:], small.shape[-2:])
    if (room < 0).any():
        return []
    return itertools.product(*(range(min(n, 2 * FARTHEST) + 1) for n in room))


def _of_order(received, wanted, same):
    """The right numbers in another order."""
    for said, turned in _turned(wanted):
        if turned.shape == wanted.shape and same(received, turned):
            return said()
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
            # More than half of them: two halves that trade places are not moved.
            if 2 * here.size > wanted.size and _varied(there) and same(here, there):
                return _moved(down, right)
    return None


def _moved(down, right):
    """What is said of a result that stands so many rows lower and columns further right."""
    ways = []
    if down:
        ways.append(_way_down(down).format(count=abs(down)))
    if right:
        ways.append(_way_right(right).format(count=abs(right)))
    if len(ways) == 1:
        return gettext("it is the expected result, moved {way}").format(way=ways[0])
    return gettext("it is the expected result, moved {down} and {right}").format(
        down=ways[0], right=ways[1]
    )


def _way_down(count):
    if count < -1:
        return gettext("up by {count} rows")
    if count == -1:
        return gettext("up by {count} row")
    return gettext("down by {count} row") if count == 1 else gettext("down by {count} rows")


def _way_right(count):
    if count < -1:
        return gettext("left by {count} columns")
    if count == -1:
        return gettext("left by {count} column")
    return gettext("right by {count} column") if count == 1 else gettext("right by {count} columns")


def _turned(wanted: np.ndarray) -> Iterator[tuple[Callable[[], str], np.ndarray]]:
    """The array in other orders, with what makes the words for each: few of them are needed."""
    if wanted.ndim == 1:
        yield lambda: gettext("it is the expected result in the opposite order"), wanted[::-1]
    if wanted.ndim < 2:
        return
    swapped = wanted.swapaxes(-1, -2)
    yield _transposed, swapped
    yield lambda: gettext("it is the expected result turned by 180°"), wanted[..., ::-1, ::-1]
    yield (
        lambda: gettext("it is the expected result with left and right exchanged"),
        wanted[..., ::-1],
    )
    yield (
        lambda: gettext("it is the expected result with top and bottom exchanged"),
        wanted[..., ::-1, :],
    )
    for turned in (swapped[..., ::-1], swapped[..., ::-1, :]):
        yield lambda: gettext("it is the expected result turned by 90°"), turned
    yield (
        lambda: gettext("it is the expected result transposed, along the other diagonal"),
        swapped[..., ::-1, ::-1],
    )
    for axis in range(wanted.ndim - 2):
        if wanted.shape[axis] > 1:
            yield functools.partial(_flipped, axis), np.flip(wanted, axis)
    for first, second in itertools.combinations(range(wanted.ndim), 2):
        if (first, second) != (wanted.ndim - 2, wanted.ndim - 1):
            yield functools.partial(_swapped, first, second), wanted.swapaxes(first, second)


def _flipped(axis):
    return gettext("it is the expected result in the opposite order along axis {axis}").format(
        axis=axis
    )


def _swapped(first, second):
    return gettext("it is the expected result with axis {first} and axis {second} swapped").format(
        first=first, second=second
    )


def _of_types(received, wanted, same, result=None):
    """The right numbers, as far as a type can hold them.

    Each change here, made again, changes nothing: so it must leave the whole `result` as it is.
    """
    if not np.isfinite(wanted).all():
        return None
    whole = received if result is None else result
    if received.dtype == np.float16 and np.allclose(received, wanted, rtol=2e-3, atol=0):
        return gettext(
            "they are the expected numbers to about 3 digits: the type float16 holds no more"
        )

    def fits(changed, changed_whole):
        return np.array_equal(received, changed) and np.array_equal(whole, changed_whole)

    is_whole = same(np.rint(wanted), wanted)
    if not is_whole and whole.any():  # 0 is what is left of a half, and of much else
        if fits(np.rint(wanted), np.rint(whole)):
            return gettext("they are the expected numbers, rounded to whole numbers")
        if fits(np.trunc(wanted), np.trunc(whole)):
            return gettext("they are the expected numbers, without what stands after the point")
        if fits(np.floor(wanted), np.floor(whole)):
            return gettext("they are the expected numbers, rounded down to whole numbers")
        for digits in (1, 2, 3, 4):
            if all(
                np.allclose(numbers, np.round(other, digits), rtol=1e-9, atol=1e-9)
                for numbers, other in ((received, wanted), (whole, whole))
            ):
                return gettext("they are the expected numbers, rounded to {count} decimals").format(
                    count=digits
                )
    if is_whole and np.abs(wanted).max() < 2**53:
        for name in _NARROW:
            limits = np.iinfo(name)
            left_over = np.rint(wanted).astype(np.int64).astype(name)
            if fits(left_over, np.clip(whole, limits.min, limits.max)):
                return gettext(
                    "this is what is left of what is expected in the type {type}, which holds "
                    "{smallest} to {largest} only"
                ).format(type=name, smallest=limits.min, largest=limits.max)

    def is_changed(change):
        return same(received, change(wanted)) and np.array_equal(whole, change(whole))

    def is_cut_off(change):
        # A number that only lies at the ends can come from anywhere: others must have been kept.
        one = wanted.size == 1
        kept = whole if one else wanted[change(wanted) == wanted]
        kept = np.unique(kept[~np.isin(kept, (0, 1, 255))])
        return is_changed(change) and len(kept) > (0 if one else 1)

    if is_cut_off(lambda numbers: np.maximum(numbers, 0)):
        return gettext("they are the expected numbers with 0 in place of all below 0")
    if is_changed(np.abs):
        return gettext("they are the expected numbers without their signs")
    if is_cut_off(lambda numbers: np.minimum(numbers, 255)):
        return gettext("they are the expected numbers cut off at 255")
    for largest in (255, 1):
        if is_cut_off(lambda numbers, largest=largest: np.clip(numbers, 0, largest)):
            return gettext("they are the expected numbers cut off at 0 and {largest}").format(
                largest=largest
            )
    for name, digits in (("float16", 3), ("float32", 7)):
        is_wide = received.dtype == wanted.dtype == np.float64
        if is_wide and fits(wanted.astype(name), whole.astype(name)):
            return gettext(
                "they are the expected numbers to about {count} digits, as in {type}"
            ).format(count=digits, type=name)
    return None


def _of_places(received, wanted, right, same):
    """Right at some places, and wrong at others."""
    if wanted.size < 2:
        return None
    if _all_equal(received):
        if _all_equal(wanted):
            return None
        return gettext("every value is the same, {value}").format(value=_number(received.flat[0]))
    if not right.any():
        return _of_slices(received, wanted, right, same)
    # Of a 3×3 result the inside is a single number: too little to tell.
    if wanted.ndim >= 2 and min(wanted.shape[-2:]) > 3:
        border = np.ones(wanted.shape, dtype=bool)
        border[..., 1:-1, 1:-1] = False
        if right[~border].all():
            return gettext("only the border differs: inside all is right")
    wrong = received[~right]
    if wrong.size > 1 and _all_equal(wrong) and 4 * right.sum() >= wanted.size:
        return gettext("{wrong} of {count} values are {value}, and the others are right").format(
            wrong=wrong.size, count=wanted.size, value=_number(wrong[0])
        )
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
                return gettext("along axis {axis} it is the same at all {count} places").format(
                    axis=axis, count=count
                )
        # A slice with a single wrong number says nothing.
        mostly_wrong = np.moveaxis(right, axis, 0).reshape(count, -1).mean(axis=1) <= 0.5
        if by_slice.sum() == 1 and mostly_wrong.sum() == count - 1:
            return gettext("along axis {axis} only number {number} is right").format(
                axis=axis, number=int(by_slice.argmax())
            )
        if count > 2 and by_slice.sum() == count - 1 and mostly_wrong.any():
            return gettext("along axis {axis} only number {number} is wrong").format(
                axis=axis, number=int(by_slice.argmin())
            )
    return None


def _of_amounts(received, wanted, same):
    """Off by one number, or scaled by one factor, everywhere."""
    if wanted.size < 2:
        return None
    if same(-received, wanted):
        return gettext("the sign is the wrong way round")
    # The same two numbers again and again are one fact: as well an amount as a factor.
    if _all_equal(wanted):
        return None
    offset = np.subtract(received, wanted, dtype=np.float64)
    if not np.isfinite(offset).all():
        return None
    if _all_close(offset) and not np.allclose(received, wanted):
        return gettext("every value is off by {amount}").format(amount=_number(offset.flat[0]))
    ratio = _ratio(received, wanted)
    if ratio is not None and _all_close(ratio):
        return gettext("every value is {factor} times the expected one").format(
            factor=_number(ratio.flat[0])
        )
    return None


def _of_steps(received, wanted):
    """Off by another number at each place along an axis."""
    offset = np.subtract(received, wanted, dtype=np.float64)
    if not np.isfinite(offset).all() or np.allclose(received, wanted):
        return None
    for axis in range(wanted.ndim):
        count = wanted.shape[axis]
        if 2 <= count <= 6 and wanted.size >= 2 * count:
            rows = np.moveaxis(offset, axis, 0).reshape(count, -1)
            if all(_all_close(row) for row in rows):
                told = ", ".join(_number(row[0]) for row in rows)
                return gettext(
                    "along axis {axis} the values are off by one number each: {amounts}"
                ).format(axis=axis, amounts=told)
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
    for said, turned in _turned(wanted):
        if turned.shape == wanted.shape:
            amount = _of_amounts(received, turned, same)
            if amount:
                return gettext("{order}; then {amount}").format(order=said(), amount=amount)
    if same(received.ravel(), np.cumsum(wanted)):
        return gettext("each value is the sum of all expected ones up to its place, row by row")
    if wanted.size > 2 and same(np.sort(received, axis=None), np.sort(wanted, axis=None)):
        return gettext("the numbers are right, and stand at other places")
    return None


def _of_room(received, wanted):
    """A type that has no room for what is expected, whatever else is wrong."""
    if received.dtype.kind not in "iu" or not np.isfinite(wanted).all() or not received.any():
        return None
    if (np.rint(wanted) != wanted).any():
        return gettext("the result is of type {type}, which holds whole numbers only").format(
            type=received.dtype
        )
    limits = np.iinfo(received.dtype)
    if wanted.min() < limits.min or wanted.max() > limits.max:
        return gettext(
            "the result is of type {type}, which holds {smallest} to {largest} only"
        ).format(type=received.dtype, smallest=limits.min, largest=limits.max)
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
