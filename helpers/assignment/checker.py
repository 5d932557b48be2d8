"""`Checker`: call a student's function by name, and compare what comes back."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import inspect
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from helpers.assignment.cells import protect
from helpers.assignment.messages import (
    LONGEST,
    WIDTH,
    call_text,
    error_lines,
    error_text,
    expected_line,
    inputs_lines,
    is_stub,
    labelled,
    not_there,
    not_written,
    place_of,
    plain,
    received_line,
    retold,
    student_frame,
    values_lines,
    window_lines,
    wrap,
)
from helpers.assignment.sheet import Sheet, fingerprint
from helpers.assignment.time_limit import WALL_FACTOR, TookTooLong, time_limit
from helpers.checks import as_numpy, difference, entry
from helpers.language import MESSAGES, gettext, gettext_noop, translated

SECONDS_AGAIN = 2  # for a function that was stopped before


def _the_result():
    return gettext("the result")


def _item(what, key):
    return f"{what()}[{key!r}]"


def _one_of(number, count):
    return gettext("value {number} of {count}").format(number=number, count=count)


class CheckFailed(AssertionError):
    """A failed check. Notebooks show its message alone, without the lines of the checker.

    Attributes
    ----------
    kind : str
        What is wrong: "missing", "not written", "error", "too long", "type", "shape", "values",
        "dtype", "inputs", "memory", "no error" or "claim".
    hidden : bool
        Whether the check is a hidden one, whose message keeps its numbers to itself.
    evidence : tuple
        What the fingerprint is made of.
    diagnosis : str or None
        The sentence of the known mistake that gives exactly these numbers.
    """

    def __init__(
        self,
        message: str,
        kind: str,
        *,
        hidden: bool = False,
        evidence: tuple | None = None,
        diagnosis: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.hidden = hidden
        self.evidence = evidence
        self.diagnosis = diagnosis

    def _render_traceback_(self):
        # IPython asks an exception for this before it formats a traceback of its own.
        return [str(self)]


class Checker:
    """Calls the student's functions, and makes a clear message of everything that goes wrong.

    Parameters
    ----------
    assignment : str
        Its name, for instance "01-convolution-by-hand".
    sheet : Sheet, optional
        The known mistakes; by default the file ``checks.json`` in the working folder, where
        Jupyter starts a notebook.
    seconds : float
        How long one call may compute. What else the machine does is not counted.

    Arrays and tensors among the arguments are copied for each call, so that a function that
    writes into its input spoils no other check. What a function writes to stderr is dropped:
    a warning is not a mistake.
    """

    def __init__(self, assignment: str, sheet: Sheet | None = None, seconds: float = 20.0) -> None:
        self.assignment = assignment
        self.sheet = Sheet.beside(".") if sheet is None else sheet
        self.seconds = seconds
        self.is_hidden = False
        self.seed = ""
        protect(self.sheet.tries)
        self._slow: list[object] = []  # functions that were stopped once

    def rng(self, number: int) -> np.random.Generator:
        """A generator for the numbers of a hidden test: the same for the whole class.

        It depends on the class's seed, which only the grader knows, on the assignment and on
        `number`. Draw what is expected from it with a reference, too: then no table of answers
        fits another class.

        Parameters
        ----------
        number : int
            Another one for each test.

        Returns
        -------
        numpy.random.Generator
        """
        text = f"{self.seed}\n{self.assignment}\n{number}"
        digest = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint8)
        # As words of an array: the numbers of a list would be converted one by one.
        return np.random.default_rng(digest.astype(np.uint32))

    @property
    def hidden(self) -> Checker:
        """A checker for hidden tests, whose messages show neither inputs nor expected values."""
        return self._changed(is_hidden=True)

    def limit(self, seconds: float) -> Checker:
        """A checker whose calls may take this long, for instance for training."""
        return self._changed(seconds=seconds)

    def __call__(self, name: str, *args: Any, **kwargs: Any) -> Observation:
        """Call the function `name` of the notebook; compare with what the result offers.

        Returns
        -------
        Observation
        """
        return self._observe(self._find(name), name, name, args, kwargs)

    def probe(self, procedure: Callable[..., object], name: str, *args: Any) -> Observation:
        """Observe a class or function at work: ``procedure(thing, *args)``.

        For what one call does not show: a network that is built, given fixed weights and run, or
        a step of training. The numbers that `procedure` returns are compared.

        Parameters
        ----------
        procedure : callable
            Defined in the test cell; its name says what it does.
        name : str
            The class or function of the notebook that is handed to it.
        """
        thing = self._find(name)
        at_work = functools.partial(procedure, thing)
        return self._observe(at_work, name, f"{procedure.__name__} of {name}", args, {})

    def _changed(self, **attributes):
        other = copy.copy(self)
        vars(other).update(attributes)
        return other

    def _find(self, name):
        return self._find_in(sys._getframe(2).f_globals, name)

    def _find_in(self, space, name):
        """The student's function, or a failure that says what there is instead."""
        if name not in space:
            raise CheckFailed(
                wrap(
                    not_there().format(name=name)
                    + " "
                    + gettext(
                        "Run the cell that defines it; if that cell shows an error, fix it first. "
                        "If you gave it another name, give it back the name of the task."
                    )
                ),
                "missing",
                hidden=self.is_hidden,
            )
        if not callable(space[name]):
            raise CheckFailed(
                wrap(
                    gettext(
                        "`{name}` should be a function, but it is {a_thing}: somewhere the name "
                        "was given another value."
                    ).format(name=name, a_thing=_a(space[name]))
                ),
                "missing",
                hidden=self.is_hidden,
            )
        return space[name]

    def _observe(self, function, name, label, args, kwargs):
        given, options = _own(args), _own(kwargs)
        value = error = None
        # Nobody waits seven times for the same endless loop, called in a probe or by itself.
        is_probe = label != name and isinstance(function, functools.partial)
        thing = function.args[0] if is_probe else function
        is_slow = any(thing is other for other in self._slow)
        seconds = min(self.seconds, SECONDS_AGAIN) if is_slow else self.seconds
        try:
            with (
                time_limit(WALL_FACTOR * seconds, thread_seconds=seconds),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                value = function(*given, **options)
        except TookTooLong as long:
            error = long
            self._slow.append(thing)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # SystemExit too: exit() in a solution ends no notebook
            error = raised
        names = _argument_names(function, args)
        before, after = (args, kwargs), (given, options)
        checker = self.limit(seconds)
        return Observation(checker, name, label, names, before, after, value, error)


class Observation:
    """What a call gave: compare it with `gives`, `has_shape`, `has_dtype` and the others.

    Each method raises `CheckFailed` if it does not hold, and returns the observation if it does,
    so that they can be chained.
    """

    def __init__(
        self,
        checker: Checker,
        name: str,
        label: str,
        names: Sequence[str] | None,
        before: tuple[tuple, dict],
        after: tuple[tuple, dict],
        value: object,
        error: BaseException | None,
        shares: Sequence[bool] | None = None,
    ) -> None:
        self.checker = checker
        self.name = name
        self.label = label
        self.value = value
        self.error = error
        self._before, self._after = before, after
        self._names = names or _numbered(len(before[0]))
        # For each argument whether the result lies in its memory; None: look.
        self._shares = shares

    def gives(
        self,
        expected: object,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        window: dict[str, Any] | None = None,
    ) -> Observation:
        """The result holds these numbers, in this shape.

        Parameters
        ----------
        expected : array_like, number, str, bool, None, or a tuple or dict of them
            For an array of axes a NumPy array or a tensor must come back, not a list. For a tuple
            the result must be a tuple (or a list) of as many values.
        rtol, atol : float, optional
            As in `helpers.checks.assert_same`.
        window : dict, optional
            ``kernel_size``, ``stride``, ``padding``, ``dilation`` of a sliding window, by which
            the message shows the part of the first input that the first wrong value looks at.
        """
        self._need_value()
        self._compare(self.value, expected, _the_result, rtol, atol, window)
        return self

    def gives_at(
        self,
        values: dict[tuple[int, ...], float],
        *,
        rtol: float | None = None,
        atol: float | None = None,
        window: dict[str, Any] | None = None,
    ) -> Observation:
        """The result holds these numbers at these places, whatever stands elsewhere.

        For a test of one behaviour that is not to fail because of another, such as the size.

        Parameters
        ----------
        values : dict of tuple of int to number
            By position, for instance ``{(0, 0): 19, (1, 1): 43}``.
        rtol, atol, window
            As in `gives`.
        """
        self._need_value()
        array = self._array(self.value)
        if atol is None and array.dtype.kind == "f":
            # As in `gives`: relative to the largest number that is expected, also where it is 0.
            largest = max(abs(float(expected)) for expected in values.values())
            atol = largest * (1e-4 if array.dtype.itemsize < 8 else 1e-9)
        if self._all_at(array, values, rtol, atol):
            return self
        hint = self._relation_at(array, values, rtol, atol)
        for place, expected in values.items():
            if len(place) != array.ndim or any(
                not 0 <= at < size for at, size in zip(place, array.shape, strict=True)
            ):
                self._fail(
                    "shape",
                    gettext("the result has shape {shape}: there is no value at {place}").format(
                        shape=array.shape, place=list(place)
                    ),
                    ("value", self.value),
                    place_lines(place, expected, array),
                )
            wanted = np.asarray(expected)
            if difference(array[place], wanted, rtol=rtol, atol=atol):
                lines = place_lines(place, expected, array)
                if window and self._before[0]:
                    lines += window_lines(self._before[0][0], place, **window)
                told = [plain(number, 6) for number in (expected, array[place])]
                if told[0] == told[1]:
                    told = [plain(number) for number in (expected, array[place])]
                self._fail(
                    "values",
                    gettext("at {place} expected {expected}, received {received}").format(
                        place=list(place), expected=told[0], received=told[1]
                    ),
                    ("value", self.value),
                    lines,
                    hint=hint,
                )
        return self

    def _relation_at(self, array, values, rtol, atol):
        """What the values at these places have to do with the expected ones, or None."""
        if not self._are_inside(array, values):
            return None
        received = array[tuple(np.array(list(values)).T)]
        wanted = np.array(list(values.values()))
        found = difference(received, wanted, rtol=rtol, atol=atol, picked_from=array)
        if found is None or found.hint is None:
            return None
        if len(values) == 1:
            return found.hint
        return gettext("at the places that are tested, {hint}").format(hint=found.hint)

    def _all_at(self, array, values, rtol, atol):
        """Whether `gives_at` holds: in one comparison, since a class has thousands of them."""
        if not self._are_inside(array, values):
            return False
        places = np.array(list(values))
        wanted = np.array(list(values.values()))
        return difference(array[tuple(places.T)], wanted, rtol=rtol, atol=atol) is None

    def _are_inside(self, array, values):
        """Whether the array has all these places."""
        places = np.array(list(values))
        if places.ndim != 2 or places.shape[1] != array.ndim:
            return False
        return not ((places < 0).any() or (places >= array.shape).any())

    def has_shape(self, shape: Sequence[int]) -> Observation:
        """The result is an array or tensor of this shape."""
        self._need_value()
        array = self._array(self.value, needs_axes=bool(len(shape)))
        if array.shape != tuple(shape):
            self._fail(
                "shape",
                gettext("the shape is {received}, expected {expected}").format(
                    received=array.shape, expected=tuple(shape)
                ),
                ("value", self.value),
                [
                    labelled(label, gettext("shape {shape}").format(shape=told))
                    for label, told in (
                        (gettext("expected"), tuple(shape)),
                        (gettext("received"), array.shape),
                    )
                ],
            )
        return self

    def has_dtype(self, dtype: Any) -> Observation:
        """The result's numbers are of this type, for instance ``numpy.float32``."""
        self._need_value()
        wanted = str(np.dtype(dtype)) if not str(dtype).startswith("torch.") else str(dtype)[6:]
        received = str(getattr(self.value, "dtype", type(self.value).__name__))
        received = received.removeprefix("torch.")
        if received != wanted:
            self._fail(
                "dtype",
                gettext("the numbers are {received}, expected {expected}").format(
                    received=received, expected=wanted
                ),
                ("dtype", received),
                [labelled(gettext("expected"), wanted), labelled(gettext("received"), received)],
            )
        return self

    def keeps_inputs(self) -> Observation:
        """The call left the arrays that it was given as they were, and returned numbers."""
        self._need_value()
        if not isinstance(self.value, tuple | list | dict):
            self._refuse_nan(self._array(self.value, needs_axes=False))
        pairs = zip(self._names, self._before[0], self._after[0], strict=True)
        for name, before, after in pairs:
            if hasattr(before, "shape") and _differ(before, after):
                self._fail(
                    "inputs",
                    gettext(
                        "it changes its input `{name}`. Whoever calls it still needs that: work "
                        "on a copy"
                    ).format(name=name),
                    ("inputs", after),
                    values_lines(before, after),
                )
        return self

    def is_new(self) -> Observation:
        """The result is an array of its own, not a view of an input."""
        self._need_value()
        result = self._array(self.value)
        shares = self._shares or [
            hasattr(given, "shape") and np.shares_memory(result, as_numpy(given))
            for given in self._after[0]
        ]
        for name, shared in zip(self._names, shares, strict=True):
            if shared:
                self._fail(
                    "memory",
                    gettext(
                        "the result shares its memory with the input `{name}`: who changes one "
                        "changes both. Return a copy"
                    ).format(name=name),
                    ("memory", self.value),
                    [],
                )
        return self

    def raises(self, error: type[BaseException], mentions: object = None) -> Observation:
        """The call raises this error, and its message has this in it."""
        if isinstance(self.error, error) and not is_stub(self.error):
            if mentions is None or str(mentions) in str(self.error):
                return self
            self._fail(
                "no error",
                gettext("the message of the {error} should mention {text!r}").format(
                    error=error.__name__, text=mentions
                ),
                ("message", str(self.error)),
                [labelled(gettext("received"), str(self.error) or gettext("no message"))],
            )
        if self.error is not None:
            self._need_value()
        self._fail(
            "no error",
            gettext("it should raise a {error} here, but it returned a value").format(
                error=error.__name__
            ),
            ("value", self.value),
            [labelled(gettext("expected"), error.__name__), received_line(self.value)],
        )

    def satisfies(self, claim: str, holds: Callable[[Any], object]) -> Observation:
        """The result has a property: `claim` is a clause that says it, ``holds(result)`` tests it.

        For what has no single right number, for instance "an accuracy of at least 0.9".
        """
        self._need_value()
        if self.value is None:
            self._array(None)
        another = None
        try:
            answer = bool(holds(self.value))
        except Exception as error:
            answer, another = False, error
        if not answer:
            if another is None:
                said = gettext("expected {claim}")
            else:
                said = gettext("expected {claim}; what came back has another form ({error})")
            self._fail(
                "claim",
                said.format(claim=retold(claim), error=type(another).__name__),
                ("value", self.value),
                [received_line(self.value)] if _is_short(self.value) else [],
            )
        return self

    def _ipython_display_(self):
        # The value of a cell's last line: nbgrader reads a displayed value as partial credit.
        print(gettext("✓ passed"))

    def _called(self):
        """What was called, in the reader's words."""
        if self.label == self.name:
            return self.name
        procedure = self.label.removesuffix(f" of {self.name}")
        return gettext("{procedure} of {name}").format(procedure=procedure, name=self.name)

    def _need_value(self):
        """Fail if the call raised an error instead of returning."""
        if self.error is None:
            return
        if isinstance(self.error, CheckFailed):
            raise self.error
        if isinstance(self.error, TookTooLong):
            self._fail(
                "too long",
                gettext(
                    "it was still running after {seconds:g} seconds, and was stopped. Does a loop "
                    "never end, or does it do far too much work?"
                ).format(seconds=self.checker.seconds),
                None,
                place_of(student_frame(self.error), gettext("stopped")),
            )
        if is_stub(self.error):
            self._fail("not written", not_written(self.error, self.name))
        if self.checker.is_hidden:
            # The message of an error can hold the numbers of the hidden test.
            said = gettext("it stopped with {an_error}").format(an_error=_a(self.error))
            self._fail("error", said, cause=self.error)
        self._fail("error", error_text(self.error), None, error_lines(self.error), cause=self.error)

    def _array(self, value, what=_the_result, needs_axes=True):
        """The value as a NumPy array, or a failure that says what it is instead.

        `what` makes the words for it: they are needed only where something is wrong.
        """
        if value is None:
            self._fail(
                "type",
                gettext(
                    "{what} is None. Does the function end with `return`? (print only shows a "
                    "value)"
                ).format(what=what()),
                ("value", None),
            )
        if needs_axes and not hasattr(value, "shape"):
            self._fail(
                "type",
                gettext(
                    "{what} is {a_thing}, not an array. np.array(…) makes an array of numbers"
                ).format(what=what(), a_thing=_a(value)),
                None,
                [received_line(value)],
            )
        try:
            return as_numpy(value)
        except AssertionError:
            try:
                return as_numpy(value, what())
            except AssertionError as error:
                self._fail("type", str(error), None)

    def _refuse_nan(self, received, wanted=None):
        if received.dtype.kind == "f" and np.isnan(received).any():
            self._fail(
                "values",
                gettext(
                    "{wrong} of {count} values are NaN, not a number (as from 0/0, inf − inf, the "
                    "root of a negative number, or memory that was never filled)"
                ).format(wrong=int(np.isnan(received).sum()), count=received.size),
                ("value", self.value),
                () if wanted is None else values_lines(wanted, received),
            )

    def _compare(self, value, expected, what, rtol, atol, window):
        if isinstance(expected, dict):
            if not isinstance(value, dict) or set(value) != set(expected):
                wanted = ", ".join(map(repr, expected))
                self._fail(
                    "type",
                    gettext("{what} should be a dict with the keys {keys}").format(
                        what=what(), keys=wanted
                    ),
                    ("value", self.value),
                    values_lines(expected, value),
                )
            for key, part in expected.items():
                self._compare(
                    value[key], part, functools.partial(_item, what, key), rtol, atol, window
                )
        elif isinstance(expected, tuple):
            if not isinstance(value, tuple | list) or len(value) != len(expected):
                if isinstance(value, tuple | list):
                    got, said = len(value), gettext("{what} should hold {count} values, not {got}")
                else:
                    got, said = _a(value), gettext("{what} should be {count} values, it is {got}")
                self._fail(
                    "type",
                    said.format(what=what(), count=len(expected), got=got),
                    ("value", self.value),
                    values_lines(expected, value),
                )
            for number, (part, wanted) in enumerate(zip(value, expected, strict=True), start=1):
                words = functools.partial(_one_of, number, len(expected))
                self._compare(part, wanted, words, rtol, atol, window)
        elif expected is None or isinstance(expected, str | bool):
            same = value is expected if expected is None else bool(np.all(value == expected))
            if not same or isinstance(expected, str) != isinstance(value, str):
                self._fail(
                    "values",
                    gettext("{what} should be {expected!r}").format(what=what(), expected=expected),
                    ("value", self.value),
                    values_lines(expected, value),
                )
        else:
            self._compare_arrays(value, as_numpy(expected), what, rtol, atol, window)

    def _compare_arrays(self, value, wanted, what, rtol, atol, window):
        received = self._array(value, what, needs_axes=bool(wanted.ndim))
        if not wanted.ndim and received.size == 1:
            received = received.reshape(())  # a 0-d or 1×1 array is a number, too
        if not np.isnan(wanted.astype(np.float64)).any():
            self._refuse_nan(received, wanted)
        found = difference(received, wanted, rtol=rtol, atol=atol)
        if found is None:
            return
        lines = values_lines(wanted, received, found.place)
        if found.place is not None and window and self._before[0]:
            lines += window_lines(self._before[0][0], found.place, **window)
        reason = found.reason if what is _the_result else f"{what()}: {found.reason}"
        # What a probe puts together is no result of the student's, but parts with axes often are.
        is_result = self.label == self.name or (what is not _the_result and wanted.ndim > 1)
        hint = found.hint if is_result else None
        self._fail(found.kind, reason, ("value", self.value), lines, hint=hint)

    def _fail(
        self,
        kind: str,
        reason: str,
        evidence: tuple | None = None,
        lines: Sequence[str] = (),
        hint: str | None = None,
        cause: BaseException | None = None,
    ) -> NoReturn:
        checker = self.checker
        if checker.is_hidden:
            how = translated(_HIDDEN[kind], MESSAGES) if kind in _HIDDEN else reason
            said = gettext("{name}: a hidden test fails. {how}")
            text = wrap(said.format(name=self.name, how=how))
            raise CheckFailed(text, kind, hidden=True) from cause
        diagnosis = None
        if evidence is not None:
            evidence = (self.label, *_numbers(self._before), *evidence)
            diagnosis = checker.sheet.diagnose(fingerprint(*evidence))
        is_error = kind in ("error", "too long")
        parts = [wrap(f"{self.name}: {reason}" + "." * (not is_error and reason[-1] not in ".?!"))]
        if diagnosis:
            # Other mistakes can give the same: so this is all that is certain.
            said = gettext("One mistake that gives exactly this:")
            parts.append(labelled(gettext("why"), said))
            parts.append(wrap(diagnosis, 12))
        elif hint:
            parts.append(labelled(gettext("hint"), hint))
        if is_error:
            # What is to be mended stands in the student's line: the shapes in the call are enough.
            parts += lines
        if kind != "not written":
            called = call_text(self._called(), *self._before)
            parts.append(labelled(gettext("call"), called))
        if not is_error and kind != "not written" and self.value is not None:
            parts += inputs_lines(self._names, self._before[0])
            parts += lines
        message = "\n".join(part for part in parts if part)
        raise CheckFailed(message, kind, evidence=evidence, diagnosis=diagnosis) from cause


_HIDDEN = {
    "shape": gettext_noop("On other inputs the result has the wrong shape."),
    "values": gettext_noop("On other inputs the numbers are wrong."),
    "dtype": gettext_noop("On other inputs the numbers are of the wrong type."),
    "type": gettext_noop(
        "On other inputs it does not return what it should: an array, or as many values as the "
        "task says."
    ),
    "inputs": gettext_noop("It changes its input."),
    "memory": gettext_noop("The result shares its memory with an input."),
    "no error": gettext_noop("On other inputs it should raise an error, or say more in it."),
    "claim": gettext_noop(
        "On other inputs the result has not got the property that this test is about."
    ),
    "too long": gettext_noop("It did not come to an end on other inputs."),
}


def place_lines(place: Sequence[int], expected: object, array: np.ndarray) -> list[str]:
    """A place, and what was expected there and what came back, as blocks."""
    head = labelled(gettext("place"), str(list(place)))
    if array.ndim == len(place) > 2 and entry("", array).count("\n") > LONGEST:
        at = tuple(place[:-2])
        if all(0 <= number < size for number, size in zip(at, array.shape, strict=False)):
            of_map = gettext("of map {place}:").format(place=list(at))
            shown = entry(gettext("received"), array[at], f"{of_map} ")
            return [head, expected_line(expected), shown]
    return [head, *values_lines(expected, array)]


def _own(arguments):
    """Copies of the arrays, tensors and plain containers among the arguments."""
    if isinstance(arguments, dict):
        return {key: _own(value) for key, value in arguments.items()}
    if isinstance(arguments, tuple | list):
        return type(arguments)([_own(item) for item in arguments])
    if isinstance(arguments, np.ndarray):
        return arguments.copy(order="K")
    if hasattr(arguments, "detach") and hasattr(arguments, "clone"):
        return arguments.detach().clone().requires_grad_(arguments.requires_grad)
    return arguments


def _differ(before, after):
    before, after = as_numpy(before), as_numpy(after)
    return before.shape != after.shape or not np.array_equal(before, after, equal_nan=True)


def _numbers(before):
    args, kwargs = before
    return tuple(args), dict(sorted(kwargs.items()))


def _argument_names(function, args):
    """The student's own names for the positional arguments, or None if they do not fit."""
    try:
        names = list(inspect.signature(function).bind_partial(*args).arguments)
    except (TypeError, ValueError):
        return None
    return names if len(names) == len(args) else None


def _a(value):
    """The type of a value with its article, for a sentence."""
    name = type(value).__name__
    vowel = name[0].lower() in "aeio" or name == "ndarray"
    return (gettext("an {type}") if vowel else gettext("a {type}")).format(type=name)


def _numbered(count):
    """Names for arguments that have none."""
    return [gettext("argument {number}").format(number=n) for n in range(1, count + 1)]


def _is_short(value):
    return len(repr(value)) < 6 * WIDTH
