"""The still picture: plain tables that read without script and without style, and plain text."""

from __future__ import annotations

from html import escape

import numpy as np

from helpers.pieces._words import tr
from helpers.pieces.stepper.words import Setup, show, step

# How much of a large picture is drawn: everything; of the input only the window; of the output
# only a corner as well; that corner alone, since the sentences hold the window's numbers.
WHOLE, WINDOW, CORNER, RESULT = range(4)
CORNER_SIDE = 6


def _caption(grid, channel, more=""):
    """A caption: "Input 5×5, channel 0 (first window in [ ])"; `grid` without what is optional."""
    channel = "" if channel is None else ", " + tr("channel {0}", channel)
    return f"{grid}{channel}" + (f" ({more})" if more else "")


def _table(caption, rows, columns, cell):
    # HTML closes rows and cells by itself; leaving their end tags out saves a third.
    lines = ["<tr><td>" + "".join(f"<th>{show(q)}" for q in columns)]
    for r in rows:
        lines.append(f"<tr><th>{show(r)}" + "".join(f"<td>{cell(r, q)}" for q in columns))
    return f"<table><caption>{caption}</caption>\n" + "\n".join(lines) + "\n</table>\n"


def _input_cell(setup, channel, r, q):
    """(text, is it a real cell) of a cell of the input, its padding or outside."""
    rows, columns = setup.axes
    if 0 <= r < rows.n and 0 <= q < columns.n:
        return show(setup.x[channel, r, q]), True
    if r >= rows.n + rows.p or q >= columns.n + columns.p:
        return "·", False
    return ("−∞" if setup.kind == "max" else "0"), False


def still(setup: Setup, outputs: np.ndarray, detail: int = WHOLE) -> str:
    """Tables of input, kernel and output with the first window in bold, and its arithmetic.

    Parameters
    ----------
    setup : Setup
    outputs : ndarray, (maps, out_h, out_w)
    detail : int
        WHOLE, WINDOW, CORNER or RESULT.

    Returns
    -------
    str
        HTML of `p` and `table` elements without attributes that a sanitizer would take.
    """
    rows, columns = setup.axes
    first = step(setup, 0, 0, 0)
    window = {(r, q) for r, q, *_ in first.cells}
    shown_rows, shown_columns = range(-rows.p, rows.end), range(-columns.p, columns.end)
    if detail != WHOLE:
        shown_rows, shown_columns = sorted({r for r, _ in window}), sorted({q for _, q in window})
    parts = [f"<p><b>{escape(setup.title)}</b></p>\n"]
    for c in range(len(setup.x) if detail != RESULT else 0):
        channel = c if len(setup.x) > 1 else None
        marked = setup.kind == "conv" or c == 0

        def cell(r, q, c=c, marked=marked):
            text, real = _input_cell(setup, c, r, q)
            text = text if real else f"<i>{text}</i>"
            return f"<b>[{text}]</b>" if marked and (r, q) in window else text

        what = tr("first window in [ ]") if detail == WHOLE else tr("its first window")
        if rows.p or columns.p:
            what += ", " + tr("padding in italics")
        caption = _caption(tr("Input {0}×{1}", rows.n, columns.n), channel, what)
        parts.append(_table(caption, shown_rows, shown_columns, cell))
        if setup.weight is not None:
            weight = setup.weight[c]
            name = _caption(tr("Kernel {0}×{1}", rows.k, columns.k), channel)
            parts.append(
                _table(name, range(rows.k), range(columns.k), lambda r, q, w=weight: show(w[r, q]))
            )
    for c, plane in enumerate(outputs):
        channel = c if len(outputs) > 1 else None

        def result(r, q, c=c, plane=plane):
            text = show(plane[r, q])
            return f"<b>[{text}]</b>" if (c, r, q) == (0, 0, 0) else text

        side = CORNER_SIDE if detail >= CORNER else max(plane.shape)
        corner = tr("its top left corner") if side < max(plane.shape) else ""
        name = _caption(tr("Output {0}×{1}", rows.out, columns.out), channel, corner)
        parts.append(_table(name, range(rows.out)[:side], range(columns.out)[:side], result))
    lines = [*first.lines, first.note, rows.sentence("row"), columns.sentence("column")]
    parts += [f"<p>{escape(line)}</p>\n" for line in lines if line]
    ending = tr("Run this cell in JupyterLab to step through it.")
    parts.append(f"<p><i>{ending}</i></p>\n")
    return "".join(parts)


def text(setup: Setup, outputs: np.ndarray) -> str:
    """The same as plain text, for terminals and for exports without HTML.

    Returns
    -------
    str
        Lines: the grids side by side, channel under channel, then the sentences.
    """
    rows, columns = setup.axes
    first = step(setup, 0, 0, 0)
    window = {(r, q) for r, q, *_ in first.cells}

    def block(title, grid):
        width = max(len(t) for line in grid for t in line)
        lines = [" ".join(t.rjust(width) for t in line) for line in grid]
        wide = max(len(title), *(len(line) for line in lines))
        return [line.ljust(wide) for line in [title, *lines]]

    def beside(blocks):
        height = max(len(b) for b in blocks)
        filled = [b + [" " * len(b[0])] * (height - len(b)) for b in blocks]
        return ["   ".join(line).rstrip() for line in zip(*filled, strict=True)]

    lines = [setup.title]
    for c in range(len(setup.x)):
        channel = c if len(setup.x) > 1 else None
        marked = setup.kind == "conv" or c == 0
        grid = []
        for r in range(-rows.p, rows.end):
            line = []
            for q in range(-columns.p, columns.end):
                name = _input_cell(setup, c, r, q)[0]
                line.append(f"[{name}]" if marked and (r, q) in window else f" {name} ")
            grid.append(line)
        blocks = [block(_caption(tr("Input {0}×{1}", rows.n, columns.n), channel), grid)]
        if setup.weight is not None:
            grid = [[show(v) for v in line] for line in setup.weight[c]]
            kernel = tr("Kernel {0}×{1}", rows.k, columns.k)
            blocks.append(block(_caption(kernel, channel), grid))
        if c < len(outputs):
            grid = [[show(v) for v in line] for line in outputs[c]]
            output = tr("Output {0}×{1}", rows.out, columns.out)
            blocks.append(block(_caption(output, c if len(outputs) > 1 else None), grid))
        lines += ["", *beside(blocks)]
    sentences = [*first.lines, first.note, rows.sentence("row"), columns.sentence("column")]
    return "\n".join([*lines, "", *(line for line in sentences if line)])
