"""course.py, function by function; test_course_for_real.py runs it as a program."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import course
from helpers.command import main


@pytest.mark.parametrize(("system", "start"), [("posix", "python"), ("nt", "py -")])
def test_the_newest_python_is_looked_for_first(monkeypatch, system, start):
    asked = []

    def real_path(command, number):
        asked.append((" ".join(command), number))
        return "/found" if number == "3.9" else None

    monkeypatch.setattr(course, "os", SimpleNamespace(name=system))
    monkeypatch.setattr(course, "real_path", real_path)
    assert course.find_python([(3, 9), (3, 12), (3, 8), (3, 10)]) == "/found"
    assert asked == [(f"{start}{number}", number) for number in ("3.12", "3.10", "3.9")]
    assert course.find_python([(3, 12)]) is None


@pytest.mark.parametrize(
    ("answer", "status", "path"),
    [
        ("3.12\n/a/python\n", 0, "/a/python"),
        ("3.12\n/a/python\n", 1, None),
        ("3.13\n/a/python\n", 0, None),
        ("3.12\n", 0, None),
        ("3.12\n/a/python\nmore\n", 0, None),
        (None, 0, None),
    ],
)
def test_a_python_is_one_that_says_so_itself(monkeypatch, answer, status, path):
    asked = []

    def start(command, **rest):
        asked.append(command)
        if answer is None:
            raise OSError
        return SimpleNamespace(communicate=lambda: (answer.encode(), b""), returncode=status)

    monkeypatch.setattr(course.subprocess, "Popen", start)
    assert course.real_path(["py", "-3.12"], "3.12") == path
    assert asked[0][:3] == ["py", "-3.12", "-c"]


def test_other_peoples_folders_are_taken_out_of_the_search_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/theirs", "", str(tmp_path / "link")]))
    monkeypatch.setattr(course.site, "getusersitepackages", lambda: "/home/packages")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    theirs = ["/theirs", "/home/packages", str(tmp_path / "real"), ""]
    monkeypatch.setattr(sys, "path", ["/first", *theirs, "/last"])
    course.own_modules_first()
    assert sys.path == [course.ROOT, "/first", "/last"]


def test_what_a_stream_cannot_show_is_written_in_another_way(monkeypatch):
    asked = []
    stream = SimpleNamespace(reconfigure=lambda **options: asked.append(options))
    monkeypatch.setattr(course, "sys", SimpleNamespace(stdout=stream, stderr=stream))
    course.show_any_text()
    assert asked == [{"errors": "backslashreplace"}] * 2
    monkeypatch.setattr(course, "sys", SimpleNamespace(stdout=object(), stderr=object()))
    course.show_any_text()


@pytest.fixture
def begun(monkeypatch):
    """What the course is begun with; no stream and no search path is changed."""
    calls = []
    monkeypatch.setattr(main, "main", lambda *given: calls.append(given) or 3)
    for name in ("show_any_text", "own_modules_first"):
        monkeypatch.setattr(course, name, lambda name=name: calls.append(name))
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "UTF-8")
    return calls


def test_a_python_that_fits_does_it_itself(begun, monkeypatch):
    monkeypatch.setattr(course, "find_python", pytest.fail)
    before = ["show_any_text", "own_modules_first"]
    assert course.main(["lab", "x"], installed=False) == 3
    assert begun == [*before, (["lab", "x"], False)]
    monkeypatch.setattr(sys, "argv", ["course", "doctor"])
    assert course.main() == 3
    assert begun[3:] == [*before, (["doctor"], True)]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such locale")
def test_a_locale_without_letters_is_left(begun, monkeypatch):
    def execute(*given):
        raise SystemExit(given)

    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    monkeypatch.setattr(os, "execv", execute)
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(SystemExit) as left:
        course.main(["lab"])
    program = [sys.executable, os.path.join(course.ROOT, "course.py"), "lab"]
    assert left.value.code == (sys.executable, program)
    assert os.environ == {"PYTHONUTF8": "1"}
    assert begun == []


def test_another_python_takes_over_or_the_lack_is_one_sentence(begun, monkeypatch, capsys):
    versions = [(3, 90), (3, 91), (3, 92)]
    monkeypatch.setattr(course, "supported_versions", lambda: versions)
    found, started = ["/p/python"], []
    monkeypatch.setattr(course, "find_python", lambda asked: found[0] if asked == versions else 0)
    monkeypatch.setattr(os, "execv", lambda *given: started.append(given))
    program = os.path.join(course.ROOT, "course.py")
    course.main(["lab"])
    assert started == [("/p/python", ["/p/python", program, "lab"])]
    there = SimpleNamespace(name="nt", path=os.path)
    monkeypatch.setattr(course, "os", there)
    monkeypatch.setattr(subprocess, "call", lambda command: started.append(command) or 5)
    assert course.main(["lab"]) == 5
    assert started[1] == ["/p/python", program, "lab"]
    found[0] = None
    assert course.main(["lab"]) == 1
    said = capsys.readouterr().err
    here = sys.version.split()[0]
    start = f"The course needs Python 3.90, 3.91 or 3.92, and this is Python {here} "
    assert said.startswith(f"{start}({sys.executable}): install one of them (Debian, Ubuntu:")
    assert "brew install python@3.92;" in said
    assert begun == []
