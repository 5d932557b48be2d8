"""The tests of an assignment: call the student's function, and say what went wrong.

A notebook makes one `Checker` and calls it in its test cells::

    check = Checker("01-convolution-by-hand")
    check("correlate2d", image, kernel).gives([[19, 25], [37, 43]])
"""

from helpers.assignment.checker import Checker, CheckFailed, Observation
from helpers.assignment.sheet import Sheet, fingerprint

__all__ = ["CheckFailed", "Checker", "Observation", "Sheet", "fingerprint"]
