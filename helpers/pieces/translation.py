"""The saved output of a piece in another language, without running its cell again."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

import numpy as np

from helpers.language import ENGLISH, speaking
from helpers.pieces._piece import Piece, read_title
from helpers.pieces._words import tr

__all__ = ["translate_output"]

_BEGINNING = re.compile(r'<div class="cnn-([\w-]+)"><!--(.*?)-->')
_PICTURE = re.compile(r'<img alt="([^"]*)" src="([^"]*)">')


def translate_output(data: Mapping[str, str], language: str) -> dict[str, str]:
    """What a piece would have shown in another language.

    The piece is made again from the numbers that it carries.

    Parameters
    ----------
    data : dict of str to str
        The MIME bundle of an output that was made in English. What is no piece comes back as it is.
    language : str
        A code, such as "ko".

    Returns
    -------
    dict of str to str
        Equal to the last byte to what the same cell shows in that language.

    Raises
    ------
    ValueError
        If the course does not make this output any more: its notebook has to be run again.
    """
    found = _BEGINNING.match(data.get("text/html", ""))
    if not found or found[1] not in _MAKERS:
        return dict(data)
    known = json.loads(found[2])
    with speaking(ENGLISH):
        before = _MAKERS[found[1]](known, data["text/html"])._repr_mimebundle_()
    if any(data.get(kind) != text for kind, text in before.items()):
        raise ValueError(f"this saved {found[1]} is not what the course makes now: run its lesson.")
    with speaking(language):
        after = _MAKERS[found[1]](known, data["text/html"])._repr_mimebundle_()
    return {**data, **after}


def _stepper(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.stepper import step_conv2d, step_pool2d

    def planes(packed, size):
        arrays = [
            np.frombuffer(base64.b64decode(plane), "<f4") if isinstance(plane, str) else plane
            for plane in packed
        ]
        return np.array(arrays, np.float64).reshape(len(packed), *size)

    x, settings = planes(known["x"], known["n"]), (known["s"], known["p"])
    if known["k"] == "conv":
        weight = planes(known["w"], known["f"])
        return step_conv2d(x, weight, known["b"], *settings, known["d"], known["t"])
    return step_pool2d(
        x, known["f"], *settings, known["k"], known["m"], known["i"], known["d"], known["t"]
    )


def _draw_digit(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.draw_digit import DrawDigit
    from helpers.pieces.draw_digit.net import Net, read_file, unpack

    net, examples = read_file()
    if known["w"] != net.packed():
        net = Net(unpack(known["w"]), {})
    return DrawDigit(net, examples, read_title(known["t"], ""))


def _filter_dialog(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.filter_dialog import FILTERS, FilterDialog

    pictures = {tr(unescape(name)): address for name, address in _PICTURE.findall(html)}
    return FilterDialog(pictures, list(FILTERS)[known["s"]], read_title(known["t"], ""))


def _network_explorer(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.network_explorer import explore_network

    return explore_network(known["n"], known["s"], known["t"])


def _train_here(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.train_here import train_here

    return train_here(known["t"])


def _prediction(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.prediction import Prediction, predict

    try:
        with speaking(ENGLISH):
            is_ours = predict(known["n"])._repr_html_() == html
    except ValueError:  # a reader's own question
        is_ours = False
    return predict(known["n"]) if is_ours else Prediction(known)


def _prediction_record(known: Mapping[str, Any], html: str) -> Piece:
    from helpers.pieces.prediction import PredictionRecord

    return PredictionRecord(known["l"])


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], str], Piece]] = {
    "stepper": _stepper,
    "draw-digit": _draw_digit,
    "filter-dialog": _filter_dialog,
    "network-explorer": _network_explorer,
    "train-here": _train_here,
    "prediction": _prediction,
    "prediction-record": _prediction_record,
}
