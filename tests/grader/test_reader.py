"""Whatever a file costs to read, it ends the process that reads it, and nothing else."""

import json
import time

import nbformat
import pytest

from grader.batch import reader as reading
from grader.batch.reader import Reader
from grader.judging.policy import MEBIBYTE, Limits
from helpers.assignment.notebook_file import Unreadable

GOOD = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")]))
LIMITS = Limits()


def parse_hostile(data, limits):
    """What a fault in reading could do, named by the file."""
    text = data.decode()
    if text == "loop":
        while True:
            pass
    if text == "memory":
        return ["x"] * 10**9
    if text == "sleep":
        time.sleep(0.5)
    return text, []


@pytest.fixture
def hostile(monkeypatch):
    monkeypatch.setattr(reading, "parse", parse_hostile)
    # The process that reads imports this module anew: it is given the function itself.
    monkeypatch.setattr(reading, "_parse", _parse_hostile)
    with Reader(cpu_seconds=1, memory_bytes=1024 * MEBIBYTE) as made:
        yield made


def _parse_hostile(data, limits, cpu_seconds):
    reading.parse = parse_hostile
    return _real(data, limits, cpu_seconds)


_real = reading._parse


def test_a_notebook_is_read_as_without_it():
    with Reader() as reader:
        notebook, notes = reader.parse(GOOD.encode(), LIMITS)
        assert [cell["source"] for cell in notebook["cells"]] == ["x = 1"]
        assert notes == []
        with pytest.raises(Unreadable) as caught:
            reader.parse(json.dumps({"cells": 7}).encode(), LIMITS)
        assert str(caught.value)
        assert caught.value.advice


def test_an_endless_file_is_ended_by_its_processor_time(hostile):
    with pytest.raises(Unreadable, match="more than 1 s of processor time"):
        hostile.parse(b"loop", LIMITS)
    assert hostile.parse(b"sleep", LIMITS) == ("sleep", [])  # time that passes costs nothing
    for _ in range(3):
        assert hostile.parse(b"good", LIMITS) == ("good", [])


def test_a_file_that_takes_too_much_memory_is_its_own_fault(hostile):
    with pytest.raises(Unreadable, match="memory"):
        hostile.parse(b"memory", LIMITS)
    assert hostile.parse(b"good", LIMITS) == ("good", [])
