"""Predictions without a browser: their data, what stays without scripts, and their errors."""

import re

import nbformat
import numpy as np
import pytest
from nbconvert.preprocessors.sanitize import SanitizeHTML
from traitlets.config import Config

from helpers.pieces.prediction import SIZE_LIMIT, PredictionRecord, ask, predict, read_predictions

WORDS = {"name": "02-stride-3", "because": "A second one would start in column 3."}


def number(**options):
    return ask("How many places?", 1, **{**WORDS, "wrong": {9: "That is stride 1."}, **options})


def choice(**options):
    return ask("Is it `None`?", "yes", **{**WORDS, "choices": ["yes", "no"], **options})


def test_the_data_of_all_predictions_can_be_read():
    shape = ask("What shape?", (1, 28), **{**WORDS, "name": "A-shape"}, wrong={(28,): "--> <b>"})
    found = read_predictions("".join(p._repr_html_() for p in (number(), choice(), shape)))
    assert [one["a"] for one in found] == [1, "yes", [1, 28]]
    assert [one["n"] for one in found] == ["02-stride-3", "02-stride-3", "A-shape"]
    assert [one["w"] for one in found] == [[[9, "That is stride 1."]], [], [[[28], "--> <b>"]]]


def test_numbers_of_numpy_are_numbers():
    made = ask("?", np.int64(3), **WORDS), ask("?", np.float32(0.5), **WORDS)
    assert [read_predictions(one._repr_html_())[0]["a"] for one in made] == [3, 0.5]
    made = ask("?", tuple(np.zeros((2, 3)).shape), **WORDS)
    assert "(2, 3)" in made._repr_html_()


def test_without_scripts_the_question_stays_and_the_answer_is_folded():
    still = choice()._repr_html_().split("<script>")[0]
    assert "Is it <code>None</code>?" in still
    assert still.count("<li>") == 2
    folded = re.search("<details><summary>The answer</summary>(.*?)</details>", still)[1]
    assert "yes. A second one would start in column 3." in folded
    assert "2,704" in ask("?", 2704, **WORDS)._repr_html_()
    assert "(−1,)" in ask("?", (-1,), **WORDS)._repr_html_()


def test_the_text_of_it_does_not_tell_the_answer():
    assert repr(number()) == "Predict, then run. How many places?"
    assert repr(choice()) == "Predict, then run. Is it `None`?\n- yes\n- no"


def test_a_sanitizer_prints_no_script_and_no_data():
    output = nbformat.v4.new_output("display_data", data=number()._repr_mimebundle_())
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("piece", outputs=[output])]
    )
    clean = SanitizeHTML(config=Config(SanitizeHTML={})).preprocess(notebook, {})[0]
    text = clean.cells[0].outputs[0].data["text/html"]
    assert "How many places?" in text
    for word in ("const", "localStorage", "font:", "function", "=>", "=&gt;", "stride 1"):
        assert word not in text


def test_a_piece_stays_small_and_the_same():
    html = number()._repr_html_()
    assert len(html.encode()) <= SIZE_LIMIT
    assert html == number()._repr_html_()
    for word in ("http", "src=", "import(", "fetch(", " id=", "random", "Date"):
        assert word not in html


def test_a_text_cannot_end_the_script():
    evil = "--> </script> <!-- & 숫자"
    html = choice(because=evil)._repr_html_()
    assert html.count("<script") == html.count("</script") == 1
    assert html.count("<!--") == html.count("-->") == 2
    assert read_predictions(html)[0]["b"] == evil


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ask("", 1, **WORDS), TypeError, "question must be a text"),
        (lambda: number(because=" "), TypeError, "because must be a text"),
        (lambda: number(name="stride"), ValueError, "begin with the lesson's number"),
        (lambda: number(within=2), ValueError, "between 0 and 1"),
        (lambda: choice(choices=["yes"]), ValueError, "two to five different"),
        (lambda: choice(choices=["yes", "yes"]), ValueError, "two to five different"),
        (lambda: choice(choices=list("abcdef")), ValueError, "two to five different"),
        (lambda: choice(choices=["no", "perhaps"]), ValueError, "none of the choices"),
        (lambda: choice(wrong={"never": "?"}), ValueError, "none of the choices"),
        (lambda: ask("?", "yes", **WORDS), ValueError, "none of the choices"),
        (lambda: ask("?", True, **WORDS), TypeError, "a number, a tuple"),
        (lambda: ask("?", float("nan"), **WORDS), TypeError, "a number, a tuple"),
        (lambda: ask("?", (), **WORDS), TypeError, "a number, a tuple"),
        (lambda: ask("?", (1.5,), **WORDS), TypeError, "a number, a tuple"),
        (lambda: number(wrong={(1, 2): "?"}), ValueError, "another kind"),
        (lambda: number(wrong={1: "?"}), ValueError, "would count as right"),
        (lambda: ask("?", 10, **WORDS, wrong={11: "?"}, within=0.1), ValueError, "as right"),
    ],
)
def test_an_error_says_what_would_be_right(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_question_of_the_course_is_asked_by_its_name():
    html = predict("02-stride-3")._repr_html_()
    assert [one["n"] for one in read_predictions(html)] == ["02-stride-3"]
    with pytest.raises(ValueError, match=r"this lesson.s are: .*02-stride-3"):
        predict("02-stride")


def test_a_record_counts_what_there_is():
    record = PredictionRecord(
        [("01 Slide", "a.html", ["01-a", "01-b"]), ("02", "b.html", ["02-c"])]
    )
    assert "3 places" in record._repr_html_()
    assert repr(record) == "A record of 3 predictions"
    assert read_predictions(record._repr_html_()) == []
