"""Whether the graded tests notice mutants of right solutions: `course mutate --references`.

Of each exercise the reference is mutated first, and then the right solutions of the bank, until
there are enough. A mutant that passes all tests, visible and hidden, is a survivor: the tests
lack a case, or it does the same. ``solutions/survivors.toml`` says why of those that may live.
"""

import contextlib
import hashlib
import inspect
import io
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field

from grader.authoring.bank import SOLUTIONS, load_bank
from grader.authoring.examine import Workbench
from helpers.assignment import Sheet
from tools.mutate.fault import Edit
from tools.mutate.kinds import SOLUTION
from tools.mutate.mutants import mutations
from tools.mutate.python import Source

SECONDS = 5
"""For one call of a mutant; an endless one is noticed, too."""
REASONS = "survivors.toml"
REFERENCE = "reference"


@dataclass(frozen=True)
class Mutant:
    """A right solution with one edit: `of` is REFERENCE or the name of a variant of the bank."""

    exercise: str
    of: str
    edit: Edit
    text: str
    names: dict = field(repr=False, compare=False)

    @property
    def lines(self):
        """The changed lines, before and after, without their indentation."""
        first = self.text.rfind("\n", 0, self.edit.start) + 1
        last = self.text.find("\n", self.edit.end)
        last = len(self.text) if last < 0 else last
        new = self.text[first : self.edit.start] + self.edit.new + self.text[self.edit.end : last]
        return tuple(
            " ".join(part.split()) for part in (self.text[first:last], new)
        )

    def rank(self, seed):
        told = f"{seed} {self.exercise} {self.of} {self.edit.what} {self.lines}"
        return hashlib.sha256(told.encode()).digest()

    def made(self):
        """The mutant itself: the function or class."""
        space = {**self.names, "__name__": "mutant"}
        exec(compile(self.edit.of(self.text), f"<mutant of {self.exercise}>", "exec"), space)
        return space[self.exercise if self.of == REFERENCE else self.of]


def every_mutant(bench):
    """{exercise: its mutants}, those of the reference first."""
    found = {}
    for cell in bench.cells:
        if cell.kind == "solution":
            inside = [match.span(1) for match in SOLUTION.finditer(cell.source)]
            given = cell.grade_id, REFERENCE, cell.source, bench.space, inside
            found[cell.grade_id] = list(_mutants(*given))
    for variant in load_bank(bench.assignment, bench.folder.parent):
        if not variant.is_mistake:
            text = inspect.getsource(variant.thing).partition("\n")[2]  # without its decorator
            names = vars(sys.modules[variant.thing.__module__])
            given = variant.exercise, variant.name, text, names, [(0, len(text))]
            found[variant.exercise] += _mutants(*given)
    return found


def _mutants(exercise, of, text, names, spans):
    for edit in mutations(Source(text)):
        if any(start <= edit.start and edit.end <= end for start, end in spans):
            yield Mutant(exercise, of, edit, text, names)


def choose(mutants, number, seed):
    """So many: of the reference, if it has enough, else of the others, too; evenly over kinds."""
    chosen, places = [], {}
    for of in dict.fromkeys(mutant.of for mutant in mutants):
        turns, before = {}, Counter()
        for mutant in sorted((m for m in mutants if m.of == of), key=lambda m: m.rank(seed)):
            turns[mutant] = before[mutant.edit.what]
            before[mutant.edit.what] += 1
        chosen += sorted(turns, key=turns.get)
    places = {mutant: place for place, mutant in enumerate(mutants)}
    return sorted(chosen[:number], key=places.get)


def judge(bench, mutant):
    """The first verdict that is not passed, or None: the mutant survives."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            thing = mutant.made()
    except Exception as error:
        return error
    for cell in bench.tests:
        if f'"{mutant.exercise}"' in cell.source:
            with contextlib.redirect_stderr(io.StringIO()):
                verdict = bench.run_test(cell, {mutant.exercise: thing})
            if not verdict.passed:
                return verdict
    return None
