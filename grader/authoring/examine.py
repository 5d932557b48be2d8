"""Grade the graders: run an assignment's test cells on every variant in its bank.

The cells are run in this process, in a namespace of their own for each variant: the reference
solution with one exercise exchanged. That is faithful as long as the notebook needs no kernel,
and takes milliseconds instead of seconds a variant.
"""

import contextlib
import functools
import io
import os
from dataclasses import dataclass, field, replace

import numpy as np

from grader.authoring.bank import SOLUTIONS, load_bank
from grader.authoring.source import graded_cells, notebook_path, read_cells
from helpers.assignment import Checker, Sheet, fingerprint


@dataclass(frozen=True)
class Verdict:
    """What one test cell said about one variant: None in `failure` if it passed."""

    grade_id: str
    failure: BaseException | None
    diagnosis: str | None = None

    @property
    def passed(self):
        return self.failure is None

    @property
    def evidence(self):
        """What the fingerprint of a visible failure is made of, or None."""
        return getattr(self.failure, "evidence", None)

    @property
    def is_visible(self):
        """Whether a student sees this failure: a hidden check is not in the student's version."""
        return not getattr(self.failure, "hidden", False)

    def told_by(self, sheet):
        """The same verdict with the diagnosis that this sheet gives."""
        found = sheet.diagnose(fingerprint(*self.evidence)) if self.evidence else None
        return replace(self, diagnosis=found)


@dataclass(frozen=True)
class Report:
    """All verdicts on an assignment's bank."""

    assignment: str
    cells: list
    verdicts: dict = field(default_factory=dict)  # variant -> list of Verdict

    def failed(self, variant):
        """The grade ids of the tests that a variant fails."""
        return {v.grade_id for v in self.verdicts[variant] if not v.passed}

    def told_by(self, sheet):
        """The same report with the diagnoses of this sheet."""
        verdicts = {
            variant: [verdict.told_by(sheet) for verdict in given]
            for variant, given in self.verdicts.items()
        }
        return replace(self, verdicts=verdicts)

    def diagnoses(self, variant):
        """The sentences that visible tests told a student with this variant, in order."""
        return [v.diagnosis for v in self.verdicts[variant] if v.diagnosis and v.is_visible]


class Workbench:
    """An assignment whose tests can be run on variants of its exercises.

    Parameters
    ----------
    assignment : str
    sheet : Sheet, optional
        The known mistakes to diagnose with; by default none.
    seed : str
        The class's: the hidden tests draw their numbers from it.
    """

    def __init__(self, assignment, sheet=None, solutions=SOLUTIONS, seed=""):
        self.assignment = assignment
        self.folder = notebook_path(assignment, solutions).parent
        self.cells = read_cells(notebook_path(assignment, solutions))
        self.tests = graded_cells(self.cells)
        self.sheet, self.seed = sheet or Sheet(), seed
        self.space = {"__name__": "__main__"}
        for cell in self.cells:
            if cell.kind in ("setup", "solution"):
                self._run(cell, self.space)

    def grade(self, exercise=None, thing=None):
        """Run the tests with `thing` in the place of the exercise; the reference without one.

        Only the cells that name the exercise are run: the others cannot see the exchange.

        Returns
        -------
        list of Verdict
        """
        verdicts = []
        for cell in self.tests:
            if exercise is not None and f'"{exercise}"' not in cell.source:
                continue
            verdicts.append(self.run_test(cell, {} if exercise is None else {exercise: thing}))
        return verdicts

    def run_test(self, cell, exchanged):
        """The `Verdict` of one test cell on the reference solution with these things exchanged."""
        failure = self._run(cell, {**self.space, **exchanged}, catch=True)
        return Verdict(cell.grade_id, failure, getattr(failure, "diagnosis", None))

    def run_hidden(self, cell, exchanged):
        """The same of its hidden part alone: what the visible checks ask is not asked."""
        return self.run_test(cell, {**exchanged, "check": OnlyHidden(self.space["check"])})

    def _run(self, cell, space, catch=False):
        code = _compiled(cell.source, cell.grade_id)
        try:
            with _inside(self.folder), contextlib.redirect_stdout(io.StringIO()):
                exec(code, space)
        except (Exception, SystemExit) as error:
            if not catch:
                raise
            return error
        finally:
            for value in space.values():
                if isinstance(value, Checker):
                    value.sheet, value.seed = self.sheet, self.seed
        return None


@functools.cache
def _compiled(source, grade_id):
    """The code of a cell, which runs for each variant."""
    return compile(source, f"<{grade_id}>", "exec")


class OnlyHidden:
    """In the place of a notebook's `Checker`: visible checks pass unasked."""

    def __init__(self, checker):
        self.hidden = checker.hidden

    def __call__(self, *args, **kwargs):
        return Unasked()

    probe = __call__

    def limit(self, seconds):
        return self


class Unasked:
    """In the place of an `Observation`: whatever is compared agrees."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: self


def examine(assignment, sheet=None, solutions=SOLUTIONS, variants=None, seed=""):
    """The `Report` on every variant of an assignment, or on some.

    Parameters
    ----------
    assignment : str
    sheet : Sheet, optional
    variants : list of Variant, optional
    seed : str
        As of `Workbench`.
    """
    bench = Workbench(assignment, sheet, solutions, seed)
    report = Report(assignment, bench.cells)
    for variant in load_bank(assignment, solutions) if variants is None else variants:
        report.verdicts[variant] = bench.grade(variant.exercise, variant.thing)
    return report


def make_sheet(report):
    """The `Sheet` that ships with an assignment, from what its tests saw of the bank.

    A fingerprint that two mistakes with different sentences share is left out, and so is one
    whose numbers stand so near to a rounding edge that another machine could round them the
    other way.
    """
    owners: dict[str, set[str]] = {}
    for variant, verdicts in report.verdicts.items():
        for verdict in verdicts:
            evidence = verdict.evidence
            if variant.is_mistake and verdict.is_visible and evidence and _is_steady(evidence):
                owners.setdefault(fingerprint(*evidence), set()).add(variant.sentence)
    sentences = sorted({next(iter(said)) for said in owners.values() if len(said) == 1})
    prints = {
        key: sentences.index(next(iter(said))) for key, said in owners.items() if len(said) == 1
    }
    return Sheet(sentences, prints)


def _is_steady(evidence):
    return all(
        fingerprint(*_scaled(evidence, 1 + nudge)) == fingerprint(*evidence)
        for nudge in (-2e-6, 2e-6)
    )


def _scaled(thing, factor):
    """The same, with the fractions in its arrays moved a little; whole numbers are exact."""
    if isinstance(thing, dict):
        return {key: _scaled(value, factor) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return type(thing)(_scaled(item, factor) for item in thing)
    if hasattr(thing, "detach"):
        thing = thing.detach().cpu().numpy()
    if isinstance(thing, float | np.floating | np.ndarray) and np.asarray(thing).dtype.kind == "f":
        numbers = np.asarray(thing, dtype=np.float64)
        return np.where(numbers == np.round(numbers), numbers, numbers * factor)
    return thing


@contextlib.contextmanager
def _inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
