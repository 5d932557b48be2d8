"""Outputs that come from a student's process: made anew, of what a notebook may hold."""

import json

import nbformat
import pytest

from grader.outputs import LONGEST_NAME, LONGEST_TEXT, clean_outputs
from tests.grader.test_safe_html import COMMANDS

NOTHING = "(nothing that can be shown here)"
STREAM = {"output_type": "stream", "name": "stdout", "text": "hello\n"}
ERROR = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["no"]}
SHOWN = {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}}


def test_what_is_in_order_stays():
    picture = {**SHOWN, "data": {"image/png": "A" * 3 * LONGEST_TEXT, "text/html": "<b>"}}
    assert clean_outputs([STREAM, ERROR, SHOWN, picture]) == [STREAM, ERROR, SHOWN, picture]


@pytest.mark.parametrize(
    ("output", "made"),
    [
        ({**STREAM, "name": "stdin"}, None),
        ({**STREAM, "text": None}, {**STREAM, "text": ""}),
        ({**STREAM, "more": 1}, STREAM),
        ({**ERROR, "ename": "E" * 1000}, {**ERROR, "ename": "E" * LONGEST_NAME}),
        ({**ERROR, "traceback": "no"}, {**ERROR, "traceback": []}),
        (
            {**ERROR, "evalue": ["a"], "traceback": [3]},
            {**ERROR, "evalue": "['a']", "traceback": ["3"]},
        ),
        ({**SHOWN, "metadata": {"text/html": {"isolated": True}}}, SHOWN),
        ({**SHOWN, "data": {"text/plain": ["x"]}}, {**SHOWN, "data": {"text/plain": NOTHING}}),
        ({**SHOWN, "data": {"application/x": "x"}}, {**SHOWN, "data": {"text/plain": NOTHING}}),
        ({**SHOWN, "data": [1]}, {**SHOWN, "data": {"text/plain": NOTHING}}),
        ({"output_type": "update_display_data"}, None),
        ({"output_type": ["stream"]}, None),
        ("text", None),
        (None, None),
    ],
)
def test_what_is_not_in_order_is_left_out(output, made):
    found = clean_outputs([output])
    assert found == [] if made is None else found == [made]
    for one in found:
        nbformat.validate(one, "output", version=4, version_minor=5)


@pytest.mark.parametrize("nothing", [None, "x", {"output_type": "stream"}, 3])
def test_no_list_is_no_output(nothing):
    assert clean_outputs(nothing) == []


@pytest.mark.parametrize("mime", ["text/plain", "text/html", "text/markdown", "text/latex"])
def test_a_long_text_is_cut_or_left_out(mime):
    text = "<b>" * LONGEST_TEXT
    (made,) = clean_outputs([{**SHOWN, "data": {mime: text}}])
    assert len(json.dumps(made)) < LONGEST_TEXT + 200
    (made,) = clean_outputs([{**STREAM, "text": text}])
    assert len(json.dumps(made)) < LONGEST_TEXT + 200


@pytest.mark.parametrize(
    "command", [text for text in COMMANDS if "&" not in text and "<" not in text]
)
def test_a_displayed_formula_makes_no_links(command):
    (made,) = clean_outputs([{**SHOWN, "data": {"text/latex": f"$ {command} $"}}])
    assert made["data"]["text/latex"].startswith(r"$ \text")


@pytest.mark.parametrize(("length", "end"), [(100_000, ""), (100_001, "\n... cut off ...")])
def test_100_000_characters_of_a_text_are_shown(length, end):
    (made,) = clean_outputs([{**STREAM, "text": "x" * length}])
    assert made["text"] == "x" * 100_000 + end
    (made,) = clean_outputs([{**SHOWN, "data": {"text/html": "x" * length}}])
    assert made["data"]["text/html"] == ("(too long to be shown)" if end else "x" * length)


def test_200_characters_of_the_name_of_an_error_are_shown():
    (made,) = clean_outputs([{**ERROR, "ename": "E" * 201}])
    assert made["ename"] == "E" * 200
