"""tools/browser.py: in which order browsers are looked for, and what is installed without one."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.scripts import load

browser = load("tools/browser.py")


@pytest.fixture
def commands(monkeypatch):
    """What is run, instead of running it; each ends as `ends` says, by its first word."""
    calls, ends = [], {}

    def run(command, **rest):
        calls.append(list(map(str, command)))
        end = ends.get(calls[-1][0], 0)
        if isinstance(end, Exception):
            raise end
        return SimpleNamespace(returncode=end)

    monkeypatch.setattr(browser.subprocess, "run", run)
    return SimpleNamespace(calls=calls, ends=ends)


@pytest.mark.skipif(os.name == "nt", reason="there, a browser is not started to be tried")
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (0, True),
        (1, False),
        (OSError(), False),
        (subprocess.TimeoutExpired("x", 1), False),
    ],
)
def test_a_browser_is_one_that_tells_its_version(tmp_path, commands, end, expected):
    path = tmp_path / "chromium"
    path.write_bytes(b"#!/bin/sh\n")
    commands.ends[str(path)] = end
    assert browser.runs(str(path)) is expected
    assert commands.calls == [[str(path), "--version"]]


def test_what_is_not_there_or_from_a_snap_is_not_started(tmp_path, commands):
    assert not browser.runs(str(tmp_path / "nowhere"))
    (tmp_path / "snap").mkdir()
    for name in ("snap/chromium", "script"):
        (tmp_path / name).write_bytes(b"#!/bin/sh\nexec /snap/bin/chromium\n")
        assert not browser.runs(str(tmp_path / name))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/snap").touch()
    (tmp_path / "chromium").symlink_to(tmp_path / "bin/snap")
    assert not browser.runs(str(tmp_path / "chromium"))
    assert commands.calls == []
    (tmp_path / "large").write_bytes(b"/snap/" + bytes(10_000))  # a program that has the word in it
    assert browser.runs(str(tmp_path / "large"))


def test_browsers_are_looked_for_in_their_order(monkeypatch):
    there = {"google-chrome": "/b/google-chrome", "chromium": "/a/chromium"}
    monkeypatch.setattr(shutil, "which", there.get)
    monkeypatch.setattr(browser, "playwrights_own", lambda: "/own")
    chrome, chromium = browser.MAC_APPS
    apps = [chrome, f"{Path.home()}{chrome}", chromium, f"{Path.home()}{chromium}"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "playwright")
    assert list(browser.candidates()) == ["/a/chromium", "/b/google-chrome", *apps, "/own"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert list(browser.candidates()) == ["/a/chromium", "/b/google-chrome", *apps]
    monkeypatch.setattr(shutil, "which", lambda name: name)
    assert list(browser.candidates())[:4] == [
        *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    ]


def test_the_first_that_runs_is_taken_and_a_named_one_before_all(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "candidates", lambda: iter(["/broken", "/one", "/two"]))
    monkeypatch.setattr(browser, "runs", lambda path: path != "/broken")
    assert browser.find() == "/one"
    monkeypatch.setenv("CHROMIUM", "/named")
    assert browser.find() == "/named"
    monkeypatch.setenv("CHROMIUM", "/broken")
    with pytest.raises(SystemExit, match=r"^CHROMIUM=/broken is not a Chromium that runs"):
        browser.find()
    monkeypatch.setenv("CHROMIUM", "")
    monkeypatch.setattr(browser, "candidates", lambda: iter(["/broken"]))
    assert browser.find() is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("NAME=x\nID=debian\nID_LIKE=y\n\n", "debian"), ('ID="ubuntu"\n', "ubuntu"), ("", "")],
)
def test_the_distribution_is_its_id(monkeypatch, text, name):
    monkeypatch.setattr(browser.Path, "read_text", lambda path, encoding: text)
    assert browser.distribution() == name


def test_elsewhere_there_is_no_distribution(monkeypatch):
    def missing(path, encoding):
        raise FileNotFoundError

    monkeypatch.setattr(browser.Path, "read_text", missing)
    assert browser.distribution() == ""


@pytest.mark.skipif(os.name == "nt", reason="no apt there")
@pytest.mark.parametrize(
    ("programs", "user", "sudo_ends", "expected"),
    [
        ({"apt-get", "sudo"}, 0, 0, []),
        ({"apt-get", "sudo"}, 1000, 0, ["sudo", "-n"]),
        ({"apt-get", "sudo"}, 1000, 1, None),
        ({"apt-get"}, 1000, 0, None),
        ({"sudo"}, 0, 0, None),
    ],
)
def test_root_is_had_without_a_password_or_not(
    monkeypatch, commands, programs, user, sudo_ends, expected
):
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    commands.ends["sudo"] = sudo_ends
    assert browser.as_root() == expected
    asked = user != 0 and programs == {"apt-get", "sudo"}
    assert commands.calls == ([["sudo", "-n", "true"]] if asked else [])


@pytest.mark.parametrize(
    ("root", "distribution", "expected"),
    [
        (
            ["sudo", "-n"],
            "debian",
            [
                "sudo -n apt-get update",
                "sudo -n apt-get install -y --no-install-recommends chromium",
                "playwright install --with-deps chromium",
                "playwright install chromium",
            ],
        ),
        (
            [],
            "ubuntu",
            ["playwright install --with-deps chromium", "playwright install chromium"],
        ),
        (None, "debian", ["playwright install chromium"]),
    ],
)
def test_what_is_tried_to_install_one(monkeypatch, root, distribution, expected):
    monkeypatch.setattr(browser, "as_root", lambda: root)
    monkeypatch.setattr(browser, "distribution", lambda: distribution)
    start = f"{browser.sys.executable} -m "
    tried = [" ".join(command).removeprefix(start) for command in browser.install_commands()]
    assert tried == expected


def test_installing_ends_with_the_first_browser_that_runs(monkeypatch, commands, capsys):
    monkeypatch.setattr(browser, "install_commands", lambda: [["a"], ["b", "x"], ["c"]])
    monkeypatch.setattr(browser, "find", lambda: "/found" if len(commands.calls) == 2 else None)
    commands.ends["a"] = OSError("no a")
    assert browser.install() == "/found"
    assert commands.calls == [["a"], ["b", "x"]]
    assert capsys.readouterr() == (
        "",
        "Looking for a browser: a\nno a\nLooking for a browser: b x\n",
    )
    monkeypatch.setattr(browser, "find", lambda: None)
    assert browser.install() is None


@pytest.mark.parametrize(
    ("words", "found", "installed", "status"),
    [
        ([], "/a", pytest.fail, 0),
        (["--find"], "/a", pytest.fail, 0),
        ([], None, lambda: "/a", 0),
        ([], None, lambda: None, 1),
        (["--find"], None, pytest.fail, 1),
    ],
)
def test_only_the_path_is_printed(monkeypatch, capsys, words, found, installed, status):
    monkeypatch.setattr(browser, "find", lambda: found)
    monkeypatch.setattr(browser, "install", installed)
    assert browser.main(words) == status
    said = capsys.readouterr()
    assert said.out == ("/a\n" if status == 0 else "")
    assert said.err.startswith("No Chromium was found that runs: install") is (status == 1)
