"""Text in columns: a letter of Korean takes two of them."""

import itertools
import textwrap

import pytest

from helpers._columns import columns, fill, padded

ENGLISH = "A window of 3 × 3 — well-known — moves over the image, and stops at its border. " * 3
KOREAN = "윈도우가 이미지 위를 움직이고, `stride` 값만큼 건너뛰며, 가장자리에서 멈춥니다. " * 3


@pytest.mark.parametrize(
    ("text", "wide"), [("", 0), ("window", 6), ("윈도우", 6), ("2 × 3", 5), ("a윈b", 4), ("한", 2)]
)
def test_a_letter_of_korean_takes_two_columns(text, wide):
    assert columns(text) == wide
    assert columns(padded(text, 10)) == 10
    assert padded(text, 10).rstrip() == text


def test_english_is_filled_as_textwrap_does_it():
    assert fill(ENGLISH, 60, "  why       ", " " * 12) == textwrap.fill(
        ENGLISH, 60, initial_indent="  why       ", subsequent_indent=" " * 12
    )
    assert fill(ENGLISH, 60, break_on_hyphens=False) == textwrap.fill(
        ENGLISH, 60, break_on_hyphens=False
    )


@pytest.mark.parametrize("width", [24, 40, 79, 80])
def test_korean_fills_lines_and_no_line_is_too_wide(width):
    lines = fill(KOREAN, width, "  이유      ", " " * 12).split("\n")
    assert all(columns(line) <= width for line in lines)
    assert " ".join(line.strip() for line in lines) == f"이유      {KOREAN.strip()}"
    # The first word of each line has no room on the line before.
    for line, following in itertools.pairwise(lines):
        assert columns(f"{line} {following.split()[0]}") > width
