"""The namespace in which what a test sends along works."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import numpy as np


def test_space(code: str) -> dict[str, Any]:
    """What the test brings along: a namespace of its own, without the student's names."""
    space: dict[str, Any] = {"np": np, "__name__": "__main__"}
    torch = sys.modules.get("torch")
    if torch is not None:
        space.update(torch=torch, nn=torch.nn)
    space["__builtins__"] = builtins
    if code:
        exec(compile(code, "<test>", "exec"), space)
    return space
