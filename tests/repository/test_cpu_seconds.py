"""`course test --cpu`: what the tests cost, with what their children take."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.lessons import ROOT

BUSY = """
import subprocess, sys
CODE = "import os\\nwhile sum(os.times()[:2]) < 1: pass"
def test_busy():
    subprocess.run([sys.executable, "-c", CODE])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell what children took")
def test_the_time_of_children_is_their_file_s(tmp_path):
    (tmp_path / "test_busy.py").write_text(BUSY)
    (tmp_path / "test_idle.py").write_text("def test_idle(): pass")
    plugins = ("-p", "xdist", "-p", "tests.support.cpu_seconds")  # others take long to import
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--cpu", "-n", "1", "--dist", "loadfile"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    rows = re.findall(r"^ +([\d.]+)  (\S.*)$", done.stdout, re.MULTILINE)
    seconds = {name: float(number) for number, name in rows}
    assert seconds["test_busy.py"] >= 1
    assert seconds["test_idle.py"] < 0.5
    assert abs(sum(seconds.values()) - 2 * seconds["all"]) < 0.3
