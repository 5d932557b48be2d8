"""Which cases of the hidden tests a known mistake needs: `course mutate --cases`.

`make test` sees that the hidden part of each test notices each known mistake by itself. A case that
is left out is noticed by that if no other case tells some mistake. Here each is left out in turn.
"""

import contextlib
import io
from dataclasses import replace

from grader.authoring.bank import load_bank
from grader.authoring.examine import Workbench
from tools.mutate.kinds import hidden_cases
from tools.mutate.python import Source


def show_cases(names):
    """Name the cases of these assignments that no known mistake needs, and count them."""
    for name in names:
        bench, variants = Workbench(name), load_bank(name)
        number = needed = 0
        for cell in bench.tests:
            for case, needed_by in cases_of(cell, bench, variants):
                number += 1
                needed += bool(needed_by)
                if not needed_by:
                    print(f"{name[:2]} {cell.grade_id}: {' '.join(case.split())}")
        print(f"{name}: {number} cases of hidden tests, {needed} of them needed by a known mistake")


def cases_of(cell, bench, variants):
    """The cases of a test, each with the names of the mistakes that are noticed only by it."""
    losing = [
        variant
        for variant in variants
        if cell.grade_id in variant.fails and not passes(cell, bench, variant)
    ]
    for case, edit in hidden_cases(Source(cell.source)):
        changed = replace(cell, source=edit.of(cell.source))
        yield case, [variant.name for variant in losing if passes(changed, bench, variant)]


def passes(cell, bench, variant):
    with contextlib.redirect_stderr(io.StringIO()):
        return bench.run_hidden(cell, {variant.exercise: variant.thing}).passed
