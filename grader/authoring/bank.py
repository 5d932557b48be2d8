"""The bank of an assignment: known wrong solutions by name, and right ones in other styles.

The files ``solutions/NN-topic/bank/EXERCISE.py`` hold one function (or class) for each variant of
an exercise; these decorators say what it is::

    @mistake("The kernel is flipped: that is a convolution, asked for is …", fails={"orientation"})
    def kernel_flipped(image, kernel): ...

    @correct
    def with_einsum(image, kernel): ...
"""

import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"


@dataclass(frozen=True)
class Variant:
    """One way to solve an exercise, wrong or right.

    Attributes
    ----------
    exercise : str
        The name in the notebook that the variant stands for.
    name : str
        The variant's own name.
    thing : callable
        The function or class.
    sentence : str or None
        What is told to a student whose numbers are exactly these; None for a right solution.
    fails : frozenset of str
        The grade ids of the tests that take points off for it, no others.
    undiagnosed : str or None
        Why no visible test can tell it from other mistakes, if that is so.
    """

    exercise: str
    name: str
    thing: object
    sentence: str | None = None
    fails: frozenset = frozenset()
    undiagnosed: str | None = None

    @property
    def is_mistake(self):
        return self.sentence is not None


def mistake(sentence, *, fails, undiagnosed=None):
    """Mark a function or class as a known mistake.

    Parameters
    ----------
    sentence : str
        Says to the student what the numbers look like and which idea is missing, without giving
        the line of code that fixes it.
    fails : set of str
        The grade ids that it fails.
    undiagnosed : str, optional
        Why it cannot be told by its numbers in any visible test.
    """
    if not fails:
        raise ValueError("a mistake that fails no test would get full marks")

    def mark(thing):
        thing._bank = {
            "sentence": sentence,
            "fails": frozenset(fails),
            "undiagnosed": undiagnosed,
        }
        return thing

    return mark


def correct(thing):
    """Mark a function or class as a right solution in another style."""
    thing._bank = {}
    return thing


def load_bank(assignment, solutions=SOLUTIONS):
    """All variants of an assignment, in the order of the files' names and of their definition.

    Parameters
    ----------
    assignment : str
        The name of its folder, for instance "01-convolution-by-hand".

    Returns
    -------
    list of Variant
    """
    return list(_load_bank(assignment, Path(solutions)))


@functools.cache
def _load_bank(assignment, solutions):
    variants = []
    for path in sorted((solutions / assignment / "bank").glob("*.py")):
        module = _load(path, f"_bank_{assignment.replace('-', '_')}_{path.stem}")
        for name, thing in vars(module).items():
            # Only what is defined in this file, not what it imports.
            marks = vars(thing).get("_bank") if hasattr(thing, "__dict__") else None
            if marks is not None and thing.__module__ == module.__name__:
                variants.append(Variant(path.stem, name, thing, **marks))
    return variants


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where a class looks for its module
    spec.loader.exec_module(module)
    return module
