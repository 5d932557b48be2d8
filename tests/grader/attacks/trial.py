"""A small assignment, and how an attack on it is run and looked at."""

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from unittest import mock

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.gradebook.graded import executed_notebook
from grader.intake.collect import Unreadable
from grader.intake.parse import parse
from grader.intake.rebuild import Skeleton
from grader.judging import job
from grader.judging.policy import MEBIBYTE, Limits, Policy
from grader.sandbox.client import Server

NAME = "90-trial"
ASSIGNMENT = [
    # kind, grade id, points, source
    ("text", "title", 0, "# 90 Four small tasks"),
    (
        "setup",
        "setup",
        0,
        "import numpy as np\n\nfrom helpers.assignment import Checker\n\n"
        f'check = Checker("{NAME}", seconds=0.7)',
    ),
    ("solution", "double", 0, "def double(x):\n    return 2 * np.array(x)"),
    (
        "test",
        "double_values",
        2,
        '# Every number is doubled.\ncheck("double", np.array([1, 2, 3])).gives([2, 4, 6])\n'
        "### BEGIN HIDDEN TESTS\n"
        'check.hidden("double", np.array([[5, -7], [0, 9]])).gives([[10, -14], [0, 18]])\n'
        "### END HIDDEN TESTS",
    ),
    ("solution", "row_sums", 0, "def row_sums(x):\n    return np.array(x).sum(axis=1)"),
    (
        "test",
        "row_sums_values",
        3,
        '# One sum a row.\ncheck("row_sums", np.array([[1, 2], [3, 4]])).gives([3, 7])\n'
        "### BEGIN HIDDEN TESTS\n"
        'check.hidden("row_sums", np.array([[1, 5, 2]])).gives([8])\n'
        "### END HIDDEN TESTS",
    ),
    ("solution", "total", 0, "def total(numbers):\n    return sum(numbers, 0)"),
    (
        "test",
        "total_values",
        1,
        "# A test without a checker, of a function.\nassert total([1, 2, 3]) == 6\n"
        "### BEGIN HIDDEN TESTS\nassert total([40, 1]) == 41\n### END HIDDEN TESTS",
    ),
    (
        "solution",
        "counter",
        0,
        "class Counter:\n    value = 0\n\n    def add(self, number):\n        self.value += number",
    ),
    (
        "test",
        "counter_counts",
        1,
        "# A test without a checker, of a class: it runs beside the student's code.\n"
        "counter = Counter()\ncounter.add(2)\nassert counter.value == 2\n"
        "### BEGIN HIDDEN TESTS\ncounter.add(5)\nassert counter.value == 7\n"
        "### END HIDDEN TESTS",
    ),
]
TASKS = [grade_id for kind, grade_id, _, _ in ASSIGNMENT if kind == "solution"]
RIGHT = {grade_id: text for kind, grade_id, _, text in ASSIGNMENT if kind == "solution"}
WRONG = {
    "double": "def double(x):\n    return x",
    "row_sums": "def row_sums(x):\n    return x",
    "total": "def total(numbers):\n    return numbers",
    "counter": "class Counter:\n    value = 0\n\n    def add(self, number):\n        pass",
}
POINTS = {grade_id: points for kind, grade_id, points, _ in ASSIGNMENT if kind == "test"}
TEST_OF = dict(zip(TASKS, POINTS, strict=True))
ALL, NOTHING, REST = tuple(TASKS), (), tuple(TASKS[1:])

POLICY = Policy(
    cell_seconds=1.5,
    total_seconds=12.0,
    grace_seconds=0.3,
    cpu_seconds=8,
    memory_bytes=300 * MEBIBYTE,
    processes=24,
    open_files=64,
    file_bytes=4 * MEBIBYTE,
    scratch_bytes=8 * MEBIBYTE,
    output_bytes=64 * 1024,
    total_output_bytes=256 * 1024,
    restarts=2,
)

LIMITS = Limits(notebook_bytes=3 * MEBIBYTE, cells=200)

# What there is to be found on this machine: filled by the tests, and told to every attack.
PLACES = {}

# What an attack begins with. It says TRIED for what was refused and ESCAPED for what was not.
PRELUDE = '''
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def attempt(what, act):
    try:
        result = act()
    except BaseException as error:
        print("TRIED", what, type(error).__name__, error)
    else:
        escaped(f"{what} {result!r:.200}", True)

def escaped(what, did):
    print("ESCA" "PED:" if did else "TRIED", what)

def grader():
    """The connection to the grader."""
    for name in os.listdir("/proc/self/fd"):
        try:
            link = os.readlink("/proc/self/fd/" + name)
        except FileNotFoundError:  # that of the list itself
            continue
        if link.startswith("socket:"):
            return socket.socket(fileno=os.dup(int(name)))

def called(function, *arguments):
    """The result of a function of the C library, or an error."""
    result = function(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

def put(path, text):
    """Write at once, so that a refusal is heard."""
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())

def syscall(number, *arguments):
    return called(libc.syscall, ctypes.c_long(number), *arguments)
'''


@dataclass(frozen=True)
class Case:
    """An attack, or an honest submission that looks like one.

    Attributes
    ----------
    name : str
    attack : str
        Python, at the beginning of the first answer.
    answers : dict
        The answers, by task.
    earns : tuple of str
        The tasks whose test must be passed; all others must fail.
    outcome : str or tuple of str
        One of these must be recorded.
    flags : str or None
        A pattern that must be found among what is shown to a person; "" for nothing at all, None
        for whatever there is.
    says : str
        A pattern that must be found in what the notebook shows: that the attack did run.
    change : callable, optional
        Makes of the notebook another, or bytes.
    then : str
        Python that the next student's first answer begins with.
    policy : dict
        Limits that differ from `POLICY`.
    seconds : float
        In which all of it must have ended, also on a machine that does much else.
    torch : bool
        Whether it needs a server that has imported torch.
    """

    name: str
    attack: str = ""
    answers: dict = field(default_factory=lambda: RIGHT)
    earns: tuple = ALL
    outcome: str | tuple = "graded"
    flags: str | None = ""
    says: str = ""
    change: object = None
    then: str = ""
    policy: dict = field(default_factory=dict)
    seconds: float = 120.0
    torch: bool = False


def gain(name, attack, **rest):
    """A case in which all answers are wrong, and marks are to be had in another way."""
    return Case(name, attack, **{"answers": WRONG, "earns": NOTHING, "flags": None, **rest})


def _source(release=False):
    cells = []
    for kind, grade_id, points, text in ASSIGNMENT:
        if release and kind == "solution":
            text = text.splitlines()[0] + "\n    raise NotImplementedError"
        if release:
            text = re.sub(r"### BEGIN HIDDEN.*?### END HIDDEN TESTS", "", text, flags=re.S).strip()
        cell = (new_markdown_cell if kind == "text" else new_code_cell)(text, id=grade_id)
        cell.metadata["nbgrader"] = {
            "grade": kind == "test",
            "grade_id": grade_id,
            "locked": kind != "solution",
            "schema_version": 3,
            "solution": kind == "solution",
            "task": False,
            **({"points": points} if kind == "test" else {}),
        }
        cells.append(cell)
    return new_notebook(cells=cells)


SKELETON = Skeleton(_source(), _source(release=True))


def light_server(disabled_rules=()):
    """A server that starts quickly, for what has nothing to do with torch."""
    return Server(
        disabled_rules, modules=("numpy", "numpy.testing", "IPython", "helpers.assignment")
    )


def notebook(answers):
    """The student version with these answers."""
    made = _source(release=True)
    for cell in made.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return made


def with_attack(attack, answers):
    """The answers, of which the first begins with the attack, or is it."""
    if not attack:
        return answers
    first = PRELUDE + attack.strip("\n")
    if "def double" not in attack:
        first += "\n\n" + answers["double"]
    return {**answers, "double": first}


def execute(case, server, disabled_rules=()):
    """The results of a case, as `job.execute` gives them; of the next student's job, too.

    Parameters
    ----------
    case : Case
    server : Server
        In which it runs.
    disabled_rules : tuple of str
        Rules that the child does not keep.
    """
    made = notebook(with_attack(case.attack, case.answers))
    content = made if case.change is None else case.change(made)
    results = [run(content, server, disabled_rules, **case.policy)]
    if case.then:
        results.append(run(notebook(with_attack(case.then, RIGHT)), server, disabled_rules))
    return results


def run(content, server, disabled_rules=(), **policy):
    """The result of a submission: a notebook, or the bytes of one."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    try:
        cells, notes = SKELETON.rebuild(nbformat.from_dict(parse(content, LIMITS)[0]))
    except Unreadable as error:
        return {"outcome": "unreadable", "outputs": [], "tests": {}, "flags": [str(error)]}
    policy = dataclasses.replace(POLICY, disabled_rules=tuple(disabled_rules), **policy)
    data = {
        "assignment": NAME,
        "cells": [cell.for_job() for cell in cells],
        "policy": policy.to_dict(),
        "class_seed": "trial",
        "seed": "trial",
        "files": {"checks.json": json.dumps({"tests": {"places": PLACES}})},
    }
    with mock.patch.object(job, "server", return_value=server):
        result = json.loads(job.execute(json.dumps(data)))
    # What is kept of it must be a notebook that can be written, whatever the student wrote.
    kept = nbformat.from_dict(executed_notebook(cells, SKELETON, result["outputs"]))
    nbformat.validate(kept)
    nbformat.writes(kept).encode("utf-8")
    json.dumps(result, ensure_ascii=False).encode("utf-8")
    return {**result, "notes": notes}


def text_of(result):
    """All that a notebook shows, as text."""
    return json.dumps([outputs for outputs, _ in result["outputs"]], ensure_ascii=False)


def earned(result):
    """The tasks whose test is passed."""
    tests = result["tests"]
    return tuple(task for task in TASKS if tests.get(TEST_OF[task], {}).get("score"))


def lasting(result):
    """What of a result must be the same every time."""
    kept = {key: result[key] for key in ("outcome", "outputs", "tests", "flags")}
    return {**kept, "earned": list(earned(result))} if result["tests"] else kept


def problems(case, results, seconds):
    """What is not as it must be: a list of sentences.

    Parameters
    ----------
    case : Case
    results : list of dict
        As `execute` gives them.
    seconds : float
        How long that took.
    """
    first, found = results[0], []
    allowed = (case.outcome,) if isinstance(case.outcome, str) else case.outcome
    if first["outcome"] not in allowed:
        found.append(f"the outcome is {first['outcome']!r}, not one of {allowed}")
    if earned(first) != case.earns:
        found.append(f"it earns {earned(first)}, not {case.earns}")
    for result in results:
        for task in earned(result):
            test = result["tests"][TEST_OF[task]]
            if test["score"] != POINTS[TEST_OF[task]] or test["max_score"] != test["score"]:
                found.append(f"the points of {task} are not the instructor's")
        found += re.findall(r"ESCAPED:[^\\\"]*", text_of(result))
    flags = "; ".join(first["flags"])
    if case.flags == "" and flags:
        found.append(f"it is flagged: {flags}")
    elif case.flags and not re.search(case.flags, flags):
        found.append(f"{case.flags!r} is not among the flags: {flags!r}")
    if case.says and not re.search(case.says, text_of(first)):
        found.append(f"the attack did not run: {text_of(first)[:1500]}")
    for later in results[1:]:
        if earned(later) != ALL or later["outcome"] != "graded" or later["flags"]:
            found.append(
                f"the next one has {earned(later)}, {later['outcome']}, {later['flags']}, "
                f"{text_of(later)[:1000]}"
            )
    if seconds > case.seconds:
        found.append(f"it took {seconds:.1f} s")
    return found


def processes_of(root):
    """The processes that a process has started, and those that they have, but no ended ones."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state != b"Z":
                parents.setdefault(int(parent), []).append(int(name))
    found, waiting = set(), [root]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found.update(children)
        waiting += children
    return found
