"""A small class, graded without a sandbox: what its notebooks come to is made up.

A test gives its points if the answer before it holds the word RIGHT. All else is real: the
command, the gradebook, the pages and the tables.
"""

import contextlib
import csv
import json
import shutil
from concurrent.futures import Future

import nbformat
from nbgrader.api import Gradebook

from grader.batch import coordinator
from grader.command import grade as command
from grader.gradebook.master import load_config, master_notebook
from tests.support.lessons import ROOT

NAME, OTHER = "01-small", "02-more"
TESTS = {"double_two": 2.0, "double_zero": 1.0, "triple_one": 4.0}
AUTOMATIC, WHOLE = sum(TESTS.values()), sum(TESTS.values()) + 3
DIAGNOSIS = "The number is squared: n * n is not 2 * n."


def cell(kind, text, grade_id, points=None, **flags):
    """A cell with nbgrader's metadata."""
    meta = {"grade_id": grade_id, "schema_version": 3, "grade": False, "solution": False}
    meta |= {"locked": True, "task": False, **flags}
    if points is not None:
        meta["points"] = points
    made = getattr(nbformat.v4, f"new_{kind}_cell")(text, metadata={"nbgrader": meta})
    made.id = grade_id
    return made


def source():
    """Two tasks with three tests, and a question that a person marks."""
    answer = {"solution": True, "locked": False}
    cells = [
        cell("markdown", "# 01 Double, $2n$, and triple", "title"),
        cell("code", "from helpers.assignment import Checker", "setup"),
        cell("markdown", "## Task 1: double\\n\\n$$f(n) = 2n$$".replace("\\n", "\n"), "task_1"),
        cell("code", "### BEGIN SOLUTION\n# RIGHT\n### END SOLUTION", "double", **answer),
        cell("code", "# Two is doubled.\nassert double(2) == 4", "double_two", 2, grade=True),
        cell("code", "# Zero stays.\nassert double(0) == 0", "double_zero", 1, grade=True),
        cell("markdown", "## Task 2: triple", "task_2"),
        cell("code", "### BEGIN SOLUTION\n# RIGHT\n### END SOLUTION", "triple", **answer),
        cell("code", "# One.\nassert triple(1) == 3", "triple_one", 4, grade=True),
        cell("markdown", "Why?", "why", 3, grade=True, **answer),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def judge(text):
    """What `grader.judging.job.execute` says of a job, without running it."""
    data = json.loads(text)
    tests, code = {}, ""
    for one in data["cells"]:
        if one["cell_type"] == "code" and one["kind"] != "test":
            code = one["source"]
        if one["kind"] == "test":
            points, is_right = TESTS[one["grade_id"]], "RIGHT" in code
            tests[one["grade_id"]] = {"score": points if is_right else 0.0, "max_score": points}
            if not is_right:
                tests[one["grade_id"]]["failure"] = {
                    "kind": "values",
                    "message": "It gives something else.",
                    "hidden": False,
                    "diagnosis": DIAGNOSIS if "SQUARED" in code else None,
                }
    flags = ["it answered in the place of a test"] if "CHEAT" in text else []
    outputs = [[[], None] for _ in data["cells"]]
    return json.dumps(
        {
            "outcome": "graded",
            "outputs": outputs,
            "tests": tests,
            "flags": flags,
            "class_seed": "",
            "seconds": 0.5,
            "cpu": 0.4,
        }
    )


class Here:
    """An executor without processes."""

    def submit(self, function, text):
        future = Future()
        future.set_result(function(text))
        return future

    def shutdown(self, **options):
        pass


class SmallClass:
    """A course folder with one or two assignments, and a folder of what was handed in.

    A folder that is there already is taken as it is.
    """

    def __init__(self, root, monkeypatch, names=(NAME,)):
        self.root, self.batch, self.jobs = root, root / "batch", []
        if not root.exists():
            self.batch.mkdir(parents=True)
            shutil.copy(ROOT / "nbgrader_config.py", root)
            for name in names:
                self.write_source(source(), name)
        monkeypatch.setattr(coordinator.job, "execute", self._judge)
        monkeypatch.setattr(command, "check_means", lambda: None)
        monkeypatch.setattr(command, "executors", lambda options, stack: (Here, 1))

    def _judge(self, text):
        self.jobs.append(text)
        return judge(text)

    def write_source(self, notebook, name=NAME):
        """Write an assignment's source, and the student version as nbgrader would."""
        released = master_notebook(notebook, load_config(self.root))
        for folder, made in (("solutions", notebook), ("assignments", released)):
            (self.root / folder / name).mkdir(parents=True, exist_ok=True)
            nbformat.write(made, self.root / folder / name / f"{name}.ipynb")

    def hand_in(self, path, name=NAME, **answers):
        """A notebook with these answers at a path of the batch; an ending is added."""
        file = self.root / "assignments" / name / f"{name}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        for one in notebook.cells:
            one.source = answers.get(one.id, one.source)
        place = self.batch / f"{path}.ipynb"
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, place)
        return place

    def grade(self, *more, name=NAME, batch=None):
        """`course grade`: its exit status."""
        given = [name, str(batch or self.batch), "--root", str(self.root), "--workers", "1"]
        return command.main([*given, *more])

    def give(self, student, cell_name, score=None, comment=None, extra=None, name=NAME):
        """What formgrader does when a person gives a mark or a comment."""
        with self.gradebook() as book:
            if score is not None or extra is not None:
                grade = book.find_grade(cell_name, name, name, student)
                grade.needs_manual_grade = False
                grade.manual_score = score if score is not None else grade.manual_score
                grade.extra_credit = extra
            if comment:
                book.find_comment(cell_name, name, name, student).manual_comment = comment
            book.db.commit()

    @contextlib.contextmanager
    def gradebook(self):
        with Gradebook(f"sqlite:///{self.root}/grading/gradebook.db") as book:
            yield book

    def table(self, path=f"{NAME}/grades.csv"):
        """The rows of a table of grading/, by the first column."""
        with (self.root / "grading" / path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        return {row[next(iter(row))]: row for row in rows}

    def page(self, student, name=NAME):
        path = self.root / "grading" / "feedback" / student / name / f"{name}.html"
        return path.read_text(encoding="utf-8")
