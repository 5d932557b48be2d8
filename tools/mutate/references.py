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
from pathlib import Path

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
        return tuple(" ".join(part.split()) for part in (self.text[first:last], new))

    def __str__(self):
        return f"{self.exercise}, {self.of}: {' ⇒ '.join(self.lines)}"

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
    """The first verdict that is not passed, or the error of making it; None: it survives.

    Tests that ask for more time, since they train for long, come last: few mutants get there.
    """
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            thing = mutant.made()
    except Exception as error:
        return error
    for cell in sorted(bench.tests, key=lambda test: ".limit(" in test.source):
        if f'"{mutant.exercise}"' in cell.source:
            with contextlib.redirect_stderr(io.StringIO()):
                verdict = bench.run_test(cell, {mutant.exercise: thing})
            if not verdict.passed:
                return verdict
    return None


def reasons(solutions=SOLUTIONS):
    """{a mutant, as it is shown: why the tests may let it live}"""
    entries = tomllib.loads(Path(solutions, REASONS).read_text(encoding="utf-8"))["reason"]
    return {mutant: entry["text"] for entry in entries for mutant in entry["mutants"]}


def show_references(names, number, seed, with_sentences=False, exercises=None, solutions=SOLUTIONS):
    """Try mutants of these assignments' right solutions, name the survivors, and count.

    `exercises` names those to try; by default all. Returns whether each survivor has its reason.
    """
    known, rows = reasons(solutions), []
    for name in names:
        bench = Workbench(name, Sheet.beside(Path(solutions, name)), solutions)
        bench.space["check"].seconds = SECONDS
        for exercise, mutants in every_mutant(bench).items():
            if exercises and exercise not in exercises:
                continue
            chosen = choose(mutants, number, seed)
            alive = []
            for mutant in chosen:
                verdict = judge(bench, mutant)
                if verdict is None:
                    alive.append(mutant)
                    print(f"survives: {mutant}\n  {known.get(str(mutant), 'NO REASON')}")
                elif with_sentences and getattr(verdict, "diagnosis", None):
                    print(f"{verdict.grade_id}: {mutant}\n  is told: {verdict.diagnosis}")
            explained = sum(str(mutant) in known for mutant in alive)
            rows.append((exercise, len(chosen), len(alive), explained))
            print(row_of(rows[-1]), flush=True)
    print(*table(rows), sep="\n")
    return all(alive == explained for _, _, alive, explained in rows)


def table(rows):
    """The rows for each exercise, as lines, and their sum."""
    total = ["all", *(sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True))]
    lines = ["", "exercise                mutants  noticed  the same  survive  share noticed"]
    return lines + [row_of(row) for row in (*rows, total)]


def row_of(row):
    """Of the mutants that do not do the same as the solution, how many are noticed."""
    exercise, tried, alive, explained = row
    noticed, others = tried - alive, tried - explained
    share = f"{noticed / others:.1%}" if others else "–"
    unexplained = alive - explained
    return f"{exercise:<23}{tried:>8}{noticed:>9}{explained:>10}{unexplained:>9}{share:>15}"
