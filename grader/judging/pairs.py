"""Inputs for hidden tests in which every pair of kinds of two arguments comes together.

A test of one behaviour leaves open what happens when two meet: a stride and a kernel that is not
square, a padding and a type of numbers. All combinations are far too many; all pairs fit into a few
rows, and find each mistake that needs only two kinds to show itself.

Hidden tests import this module, and they run in the grader alone. That is why it is not in
`helpers`, which students are given.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# All rows are listed before some are chosen.
MOST_ROWS = 100_000
VALUES = ("small", "negative", "zeros", "large")
ORDERS = ("rows", "columns")


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
    table = np.indices(sizes).reshape(len(sizes), -1).T
    is_possible = np.ones(len(table), dtype=bool)
    for some in impossible:
        places = [list(kinds[name]).index(kind) for name, kind in some.items()]
        columns = [names.index(name) for name in some]
        is_possible &= (table[:, columns] != places).any(axis=1)
    table = table[is_possible]
    if not len(table):
        raise ValueError("no row is possible")
    # Each pair of kinds has a number: pairs[k, row] is that of the k-th two arguments.
    both = list(itertools.combinations(range(len(sizes)), 2))
    *starts, count = np.cumsum([0, *(sizes[a] * sizes[b] for a, b in both)])
    pairs = np.stack(
        [
            start + table[:, a] * sizes[b] + table[:, b]
            for start, (a, b) in zip(starts, both, strict=True)
        ]
    )
    is_missing = np.zeros(count, dtype=bool)
    is_missing[pairs] = True
    missing = np.full(len(table), len(both))  # how many of its pairs are, by row
    chosen = []
    while is_missing.any():
        best = int(missing.argmax())
        for numbers in pairs:
            if is_missing[numbers[best]]:
                is_missing[numbers[best]] = False
                missing -= numbers == numbers[best]
        chosen.append({name: kinds[name][at] for name, at in zip(names, table[best], strict=True)})
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
