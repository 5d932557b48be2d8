"""What pieces add to the lessons: each goes into a notebook with its script and its data."""

import re

import pytest

from tests.support.lessons import LESSONS, read

KIB = 1024
LARGEST = 30 * KIB
# Training takes more script than the others.
OTHERS = {"cnn-train-here": 60 * KIB}
# The weights of a network, 57 KiB, come on top of its piece.
WITH_A_NETWORK = "cnn-draw-digit"
WEIGHTS = re.compile(r'(?<="w":")[\w+/=]{1,58240}(?=")')
NAME = re.compile(r'<div class="(cnn-[\w-]+)">')


def pieces(path):
    """The pieces in a lesson's outputs: (class, HTML) of each."""
    for cell in read(path).cells:
        for output in cell.get("outputs", ()):
            html = output.get("data", {}).get("text/html", "")
            if found := NAME.match(html):
                yield found[1], html


def added(name, html):
    """The bytes that count: all, or all but the weights of a piece that carries a network."""
    if name == WITH_A_NETWORK:
        html = WEIGHTS.sub("", html, count=1)
    return len(html.encode())


def too_large(found):
    """Those of some pieces, (class, HTML) each, that add more than they may."""
    sizes = [(name, added(name, html)) for name, html in found]
    return [(name, size) for name, size in sizes if size > OTHERS.get(name, LARGEST)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_piece_adds_little_to_a_lesson(path):
    assert too_large(pieces(path)) == []


def test_a_piece_that_is_too_large_is_noticed():
    script = "<script><!--\n" + "x" * LARGEST + "\n--></script>"
    for name in ("cnn-stepper", WITH_A_NETWORK):
        html = f'<div class="{name}"><!--{{}}-->\n</div>\n{script}'
        assert [one for one, _ in too_large([(name, html)])] == [name]
    for size, fits in ((58_240, True), (58_244, False)):
        data = f'<div class="{WITH_A_NETWORK}"><!--{{"w":"{"x" * size}"}}-->\n</div>\n'
        assert (too_large([(WITH_A_NETWORK, data)]) == []) == fits


def test_the_lessons_hold_pieces_of_each_kind():
    """Or nothing is measured above."""
    names = {name for path in LESSONS for name, _ in pieces(path)}
    assert {"cnn-stepper", "cnn-prediction", "cnn-network-explorer", WITH_A_NETWORK} <= names
