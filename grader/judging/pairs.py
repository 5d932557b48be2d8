"""Inputs for hidden tests in which every pair of kinds of two arguments comes together.

A test of one behaviour leaves open what happens when two meet: a stride and a kernel that is not
square, a padding and a type of numbers. All combinations are far too many; all pairs fit into a few
rows, and find each mistake that needs only two kinds to show itself.

Hidden tests import this module, and they run in the grader alone. That is why it is not in
`helpers`, which students are given.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# All rows are listed before some are chosen.
MOST_ROWS = 100_000
VALUES = ("small", "negative", "zeros", "large")
ORDERS = ("rows", "columns")
# The rows that were chosen before, by the numbers of kinds and what is impossible: they are the
# same for all submissions, and to choose them takes milliseconds.
known: dict[str, list[list[int]]] = {}


def every_pair(
    kinds: Mapping[str, Sequence[Any]], impossible: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """A few rows in which each kind of each argument meets each kind of every other.

    Each next row is the one with the most pairs that were in no row before (the greedy way), so
    that the same kinds always give the same rows.

    Parameters
    ----------
    kinds : dict of str to sequence
        The kinds of each argument, by its name: at least two arguments.
    impossible : sequence of dict, optional
        Kinds of some arguments with which a function cannot be called at the same time. A pair
        that stands in no possible row is left out.

    Returns
    -------
    list of dict
        For each row the kind of each argument, by its name.

    Raises
    ------
    ValueError
        If there is only one argument, no possible row, or more than 100,000 rows to choose from.

    >>> for row in every_pair({"stride": [1, 2], "padding": [0, 1], "bias": [False, True]}):
    ...     print(row)
    {'stride': 1, 'padding': 0, 'bias': False}
    {'stride': 1, 'padding': 1, 'bias': True}
    {'stride': 2, 'padding': 0, 'bias': True}
    {'stride': 2, 'padding': 1, 'bias': False}
    """
    names, sizes = list(kinds), [len(choices) for choices in kinds.values()]
    if len(sizes) < 2 or np.prod(sizes) > MOST_ROWS:
        raise ValueError(f"two arguments or more, and at most {MOST_ROWS} rows, not {sizes} kinds")
    excluded = [
        sorted((names.index(name), list(kinds[name]).index(kind)) for name, kind in some.items())
        for some in impossible
    ]
    key = json.dumps([sizes, excluded])
    if key not in known:
        known[key] = _rows(sizes, excluded)
    return [
        {name: kinds[name][at] for name, at in zip(names, row, strict=True)} for row in known[key]
    ]


def _rows(sizes: Sequence[int], impossible: Sequence[Sequence[tuple[int, int]]]) -> list[list[int]]:
    """The rows of `every_pair`, with the number of each kind for each argument."""
    # In the smallest types that hold the numbers: thousands of rows are gone through for each pair.
    table = np.indices(sizes, dtype=np.min_scalar_type(max(sizes))).reshape(len(sizes), -1)
    is_possible = np.ones(table.shape[1], dtype=bool)
    for some in impossible:
        is_this = np.ones(table.shape[1], dtype=bool)
        for argument, kind in some:
            is_this &= table[argument] == kind
        is_possible &= ~is_this
    table = table[:, is_possible]
    if not table.shape[1]:
        raise ValueError("no row is possible")
    # Each pair of kinds has a number: pairs[k][row] is that of the k-th two arguments.
    both = list(itertools.combinations(range(len(sizes)), 2))
    *starts, count = itertools.accumulate((sizes[a] * sizes[b] for a, b in both), initial=0)
    small = np.min_scalar_type(count)
    pairs = [
        table[a].astype(small) * sizes[b] + table[b] + start
        for start, (a, b) in zip(starts, both, strict=True)
    ]
    is_missing = np.zeros(count, dtype=bool)
    for numbers in pairs:
        is_missing[numbers] = True
    # How many of its pairs are missing, by row.
    missing = np.full(table.shape[1], len(both), dtype=np.min_scalar_type(len(both)))
    chosen = []
    while is_missing.any():
        best = int(missing.argmax())
        for numbers in pairs:
            if is_missing[numbers[best]]:
                is_missing[numbers[best]] = False
                missing -= numbers == numbers[best]
        chosen.append(table[:, best].tolist())
    return chosen


def array_of(
    rng: np.random.Generator,
    shape: Sequence[int],
    values: str = "small",
    dtype: str = "float64",
    order: str = "rows",
) -> np.ndarray:
    """Random numbers of a kind.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the class: ``check.hidden.rng(number)``.
    shape : sequence of int
    values : str
        "small": around 0 (whole numbers to 9, others to 1), of both signs where the type has them.
        "negative": the same, all below 0. "zeros": the same, about half of them 0. "large": in
        the thousands, of both signs; in a small type the last quarter before its ends.
    dtype : str
        A type with a fraction, or of whole numbers.
    order : str
        In memory: "rows", or "columns" for a transposed view.

    Returns
    -------
    numpy.ndarray
        Of this shape and type.

    Raises
    ------
    ValueError
        If the type has no numbers below 0, or there is no such kind of values or order.
    """
    if values not in VALUES or order not in ORDERS:
        raise ValueError(f"there are {VALUES} in the orders {ORDERS}, not {values!r}, {order!r}")
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        top = int(np.iinfo(kind).max)
        low, high = (min(20_000, top * 3 // 4), min(40_000, top)) if values == "large" else (1, 9)
        made = rng.integers(low, high, shape, endpoint=True)
    else:
        low, high = (2_000, 4_000) if values == "large" else (0.1, 1)
        made = rng.uniform(low, high, shape)
    if values == "negative":
        if kind.kind == "u":
            raise ValueError(f"{dtype} has no numbers below 0")
        made = -made
    elif kind.kind != "u":
        made = made * rng.choice([-1, 1], shape)
    if values == "zeros":
        # In stripes two numbers wide, of which a stride of 2 or 3 meets both kinds.
        made = made * (np.indices(shape).sum(axis=0) // 2 % 2)
    return np.array(made, dtype=kind, order="C" if order == "rows" else "F")
