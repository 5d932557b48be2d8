"""An integer, or one for height and one for width: what several modules take."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterable, Sequence

from helpers.language import gettext

IntOrPair = int | Sequence[int]
"""An integer for both axes, or a pair (for height, for width)."""


def check_int(name: str, value: object, smallest: int = 1, largest: int | None = None) -> int:
    """`value` as an int from `smallest` to `largest`; else `TypeError` or `ValueError`."""
    # A plain int is the rule, and to ask for an abstract type takes ten times as long.
    if type(value) is not int and (
        isinstance(value, bool) or not isinstance(value, numbers.Integral)
    ):
        raise TypeError(
            gettext("{name}={value!r}: it must be an integer, not {type}").format(
                name=name, value=value, type=type(value).__name__
            )
        )
    number = operator.index(value)
    if number < smallest or (largest is not None and number > largest):
        if largest is None:
            said = gettext("{name}={value}: it must be at least {smallest}")
        else:
            said = gettext("{name}={value}: it must be from {smallest} to {largest}")
        raise ValueError(said.format(name=name, value=value, smallest=smallest, largest=largest))
    return number


def check_pair(
    name: str, value: object, smallest: int = 1, largest: int | None = None
) -> tuple[int, int]:
    """`value` as a pair (for height, for width); an int, or one in a sequence, is used for both.

    Each is from `smallest` to `largest`; else `TypeError` or `ValueError`.
    """
    # A plain int is the rule here, too.
    if type(value) is int or isinstance(value, str) or not isinstance(value, Iterable):
        number = check_int(name, value, smallest, largest)
        return number, number
    items = list(value)
    if len(items) not in (1, 2):
        raise ValueError(
            gettext("{name}={value!r}: it must be one integer or a pair (height, width)").format(
                name=name, value=value
            )
        )
    checked = [check_int(f"{name}[{i}]", item, smallest, largest) for i, item in enumerate(items)]
    return checked[0], checked[-1]
