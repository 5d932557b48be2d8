"""A question that takes the reader's guess before the result is shown, and answers at once.

Where scripts do not run, the question stays, with the answer folded under it.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from numbers import Integral, Real

from helpers.language import spoken, translated
from helpers.pieces._piece import Piece, element, script_of
from helpers.pieces._words import tr

SIZE_LIMIT = 12 * 1024

__all__ = ["Prediction", "PredictionRecord", "ask", "predict", "read_predictions"]

Answer = int | float | str | tuple[int, ...]

_NAME = re.compile(r"[0-9A]\w?-[a-z0-9-]+")


class Prediction(Piece):
    """A box that takes a guess; the last value of a cell shows it. `ask` makes one.

    Parameters
    ----------
    data : dict
        What the script works on, as `ask` makes it.
    """

    def __init__(self, data: Mapping[str, object]) -> None:
        question, listed = str(data["q"]), [str(choice) for choice in data.get("c", ())]  # type: ignore[attr-defined]
        title = tr("Predict, then run")
        begin, answer = tr("Predict, then run."), tr("The answer")
        choices = "".join(f"<li>{_html(choice)}</li>" for choice in listed)
        still = (
            f"<p><b>{begin}</b> {_html(question)}</p>\n"
            + (f"<ul>{choices}</ul>\n" if choices else "")
            + f"<details><summary>{answer}</summary><p>{_html(_text(data['a']))}. "
            f"{_html(str(data['b']))}</p></details>\n"
        )
        html = element("cnn-prediction", data, still, script_of("helpers.pieces.prediction"))
        # Without the answer: this stands where somebody only wants the question.
        super().__init__(title, html, "\n- ".join([f"{begin} {question}", *listed]))


class PredictionRecord(Piece):
    """What a reader has predicted in this browser, lesson by lesson, with a button that forgets it.

    Parameters
    ----------
    lessons : sequence of (str, str, sequence of str)
        Each lesson's title, its address, and the names of its predictions.
    """

    def __init__(self, lessons: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        rows = [[title, address, list(names)] for title, address, names in lessons]
        count = sum(len(names) for _, _, names in lessons)
        places = tr(
            "The lessons have {0} places where you predict a result before you see it.", count
        )
        script = script_of("helpers.pieces.prediction")
        html = element("cnn-prediction-record", {"l": rows}, f"<p>{places}</p>\n", script)
        super().__init__(tr("Your predictions"), html, tr("A record of {0} predictions", count))


@cache
def _questions() -> dict[str, dict[str, object]]:
    text = files(__package__).joinpath("questions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def predict(name: str) -> Prediction:
    """Ask one of the course's questions: those of ``questions.toml``, beside this file.

    It comes in the reader's language.

    Parameters
    ----------
    name : str
        The question's name there, as ``"02-stride-3"``.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        There is no question of this name.
    """
    if name not in _questions():
        near = [known for known in _questions() if known[:2] == str(name)[:2]]
        raise ValueError(
            tr(
                "there is no question {0}; this lesson's are: {1}.",
                repr(name),
                ", ".join(near) or tr("none"),
            )
        )

    def said(value):
        """A value of the question: its texts in the reader's language, its numbers as they are."""
        if isinstance(value, list):
            return [said(one) for one in value]
        if isinstance(value, str):
            return translated(value, "predictions", name, spoken())
        return value

    fields = {key: said(value) for key, value in _questions()[name].items()}
    # TOML has neither tuples nor keys that are numbers.
    wrong = {_tuple(guess): tip for guess, tip in fields.pop("wrong", ())}
    answer = _tuple(fields.pop("answer"))
    return ask(answer=answer, name=name, wrong=wrong, **fields)


def _tuple(value: object) -> Answer:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]


def ask(
    question: str,
    answer: Answer,
    *,
    name: str,
    because: str,
    choices: Iterable[str] = (),
    wrong: Mapping[Answer, str] | None = None,
    within: float = 0.0,
) -> Prediction:
    """Ask for a number, a shape or one of a few choices, and answer at once.

    Parameters
    ----------
    question : str
        A sentence or a few. Here and in the other texts, code stands between backticks.
    answer : int, float, tuple of int, or str
        A number, a shape (or another row of whole numbers), or one of `choices`.
    name : str
        Of this question in the whole course, as ``"02-stride-3"``: the reader's browser keeps the
        guess under it.
    because : str
        The reason, in a sentence or two; it is shown with the answer.
    choices : iterable of str
        Two to five, in the order in which they are shown. Without them the reader types.
    wrong : dict, optional
        Sentences for guesses that are wrong: what leads to this one. Each key is of the answer's
        kind.
    within : float
        A number is right when it is at most this share of the answer away from it, 0 to 1.

    Returns
    -------
    Prediction

    Raises
    ------
    TypeError
        A text that is missing or of the wrong type, or an answer that is none of the above.
    ValueError
        A name of another form; an answer or a wrong guess that could not be given; a wrong guess
        that counts as right; `within` outside its range.
    """
    for what, text in (("question", question), ("because", because)):
        if not isinstance(text, str) or not text.strip():
            raise TypeError(f"{what} must be a text that is not empty, got {text!r}.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"name must begin with the lesson's number, as in '02-stride-3', got {name!r}."
        )
    if not 0 <= within <= 1:
        raise ValueError(f"within must lie between 0 and 1, got {within!r}.")
    choices = list(choices)
    if choices and not (2 <= len(set(choices)) == len(choices) <= 5):
        raise ValueError(f"choices must be two to five different texts, got {choices!r}.")
    right = _plain(answer, choices)
    tips = [(_plain(guess, choices), tip) for guess, tip in (wrong or {}).items()]
    for guess, _ in tips:
        if type(guess) is not type(right) and not (_is_number(guess) and _is_number(right)):
            raise ValueError(f"the wrong guess {guess!r} is of another kind than {answer!r}.")
        if guess == right or _is_near(guess, right, within):
            raise ValueError(f"the wrong guess {guess!r} would count as right.")
    data = {"n": name, "q": question, "a": right, "b": because, "w": tips, "r": within}
    return Prediction({**data, "c": choices} if choices else data)


def read_predictions(html: str) -> list[dict[str, object]]:
    """The data of all predictions in a text of HTML, in order; ``"n"`` is the name of each."""
    found = re.findall(r'<div class="cnn-prediction"[^>]*><!--(.*?)-->', html)
    return [json.loads(text) for text in found]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _is_near(guess: object, right: object, within: float) -> bool:
    if isinstance(guess, int | float) and isinstance(right, int | float):
        return abs(guess - right) <= within * abs(right)
    return False


def _plain(answer: object, choices: Sequence[str]) -> int | float | str | list[int]:
    """The answer as JSON holds it."""
    if choices or isinstance(answer, str):
        if answer not in choices:
            raise ValueError(f"{answer!r} is none of the choices {list(choices)!r}.")
        return str(answer)
    if isinstance(answer, Integral) and not isinstance(answer, bool):
        return int(answer)
    if isinstance(answer, Real) and not isinstance(answer, bool) and math.isfinite(answer):
        return float(answer)
    if isinstance(answer, tuple) and answer and all(isinstance(n, Integral) for n in answer):
        return [int(n) for n in answer]
    raise TypeError(
        f"answer must be a number, a tuple of whole numbers or one of the choices, got {answer!r}."
    )


def _html(text: str) -> str:
    """HTML of a text with code between backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))


def _text(value: object) -> str:
    """An answer as people write it: 2704 is 2,704, and a shape has its brackets."""
    if isinstance(value, list):
        inside = ", ".join(str(n).replace("-", "−") for n in value)
        return f"({inside}{',' * (len(value) == 1)})"
    return f"{value:,.12g}".replace("-", "−") if _is_number(value) else str(value)
