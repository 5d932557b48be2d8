"""Begin an assignment: a small one that is right, to be written over.

python -m grader.authoring.new 09-topic     (course new 09-topic)
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.authoring.release import ROOT, make_assignments
from grader.authoring.source import assignments, notebook_path, read_cells
from helpers.command.files import lessons

NAME = re.compile(r"\d\d(-[a-z0-9]+)+")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SETUP = """\
import numpy as np

from helpers.assignment import Checker

check = Checker("{name}")"""
TASK = """\
## Task 1: turn an image into its negative (3 points)

Black becomes white, and white becomes black: write `invert(image)`, in which 0 becomes 255, 255 \
becomes 0, and 100 becomes 155.

| | shape |
|---|---|
| `image` | (H, W), whole numbers from 0 to 255 |
| result | (H, W) |

The image itself stays as it is."""
SOLUTION = '''\
def invert(image):
    """The negative of a grey image.

    image: array of shape (H, W), whole numbers from 0 to 255.
    Returns a new array of the same shape.
    """
    ### BEGIN SOLUTION
    return 255 - image
    ### END SOLUTION'''
TRY = "invert(np.array([[0, 100], [155, 255]]))"
SEE = "You should see 255 and 155 in the first row, 100 and 0 in the second."
VALUES = """\
# Black becomes white, and every other number goes the same way.
image = np.array([[0, 100, 255], [30, 7, 200]])
check("invert", image).gives([[255, 155, 0], [225, 248, 55]])
### BEGIN HIDDEN TESTS
image = check.hidden.rng(1).integers(0, 256, (4, 5))
check.hidden("invert", image).gives(255 - image)
### END HIDDEN TESTS"""
INPUTS = """\
# The image is left as it was, and the result is a new array.
check("invert", np.array([[1, 2], [3, 4]])).keeps_inputs().is_new()
### BEGIN HIDDEN TESTS
check.hidden("invert", check.hidden.rng(2).integers(0, 256, (3, 6))).keeps_inputs().is_new()
### END HIDDEN TESTS"""
BANK = '''\
"""Task 1: the negative of an image."""

import numpy as np

from grader.authoring.bank import correct, mistake

VALUES, INPUTS = "invert_values", "invert_inputs"


@mistake("The image comes back as it went in: its negative is asked for.", fails={VALUES})
def unchanged(image):
    return image.copy()


@mistake(
    "Your numbers are those of the image with a minus sign. Black, which is 0, has to become 255.",
    fails={VALUES},
)
def below_zero(image):
    return -image


@mistake("Your numbers are one too large: white, which is 255, has to become 0.", fails={VALUES})
def counted_from_256(image):
    return 256 - image


@mistake("The negative is written into the image that came in.", fails={INPUTS})
def in_place(image):
    image[...] = 255 - image
    return image


@correct
def with_subtract(image):
    return np.subtract(255, image)


@correct
def number_by_number(image):
    return np.array([[255 - number for number in row] for row in image])
'''
NEXT = """
Next:
  1. Open it in JupyterLab (course lab), and write your own task where the example is:
     {source}
  2. Make the student version again: course assignments {number}
  3. Look at it as a student does: course check {number}
  4. See whether it is in form: course test
CONTRIBUTING.md says more: A new assignment in ten minutes."""


def begin(name, root=ROOT, *, title="", bank=False, lesson=False, show=print):
    """Write a small assignment, and make its student version.

    Parameters
    ----------
    name : str
        Its number and topic, for instance "09-topic".
    root : path
        The course's folder.
    title : str
        By default the words of the topic.
    bank : bool
        Begin a bank of known mistakes, too.
    lesson : bool
        Put a link to it into the lesson of its number; one of its own name always gets it.
    show : callable
        Gets each line of the report.

    Raises
    ------
    SystemExit
        If there cannot be such an assignment; with what to do. Nothing has been written then.
    """
    root = Path(root)
    refuse_bad_name(name, root)
    number, _, topic = name.partition("-")
    title = title.strip() or topic.replace("-", " ").capitalize()
    found = [path for path in lessons(root) if path.name.startswith(f"{number}-")]
    if lesson and not found:
        raise SystemExit(f"There is no lesson {number} to put a link into: leave out --lesson.")
    source = notebook_path(name, root / "solutions")
    notebook = notebook_of(name, title, found, root)
    source.parent.mkdir(parents=True)
    nbformat.write(notebook, source)
    if bank:
        path = source.parent / "bank" / "invert.py"
        path.parent.mkdir()
        path.write_text(BANK, encoding="utf-8")
    list_it(name, title, bool(found), root)
    for path in found:
        if lesson or path.stem == name:
            link_from(path, name, title)
            show(f"{path.relative_to(root).as_posix()} leads to it.")
    show("assignments/README.md lists it.")
    make_assignments([name], root, show)
    where = source.relative_to(root).as_posix()
    show(NEXT.format(source=where, number=number))


def refuse_bad_name(name, root):
    """Raise SystemExit if an assignment cannot have this name."""
    if not NAME.fullmatch(name):
        raise SystemExit(
            f"{name!r} cannot be an assignment's name. It begins with a number of two digits, and "
            "small letters, digits and hyphens follow, for instance 09-topic."
        )
    for folder in ("solutions", "assignments"):
        if (root / folder / name).exists():
            raise SystemExit(f"There is a {folder}/{name} already. Choose another name.")
    same = [one for one in assignments(root / "solutions") if one[:2] == name[:2]]
    if same:
        raise SystemExit(
            f"{same[0]} has the number {name[:2]} already, by which students name it. Choose "
            "another number."
        )


def notebook_of(name, title, found, root):
    """The source's notebook; `found` holds the lesson of its number, if there is one."""
    first = assignments(root / "solutions")[0]
    texts = {
        cell.grade_id: cell.source for cell in read_cells(notebook_path(first, root / "solutions"))
    }
    rules = "\n\n".join(texts["rules"].split("\n\n")[:2])  # what follows is that assignment's own
    finish = texts["finish"].replace(f"course check {first[:2]}", f"course check {name[:2]}")
    head = f"# {name[:2]} {title}\n\nYou write one small function, which gives 3 points."
    for path in found:
        called = nbformat.read(path, as_version=4).cells[0].source.split("\n")[0].removeprefix("# ")
        head += f"\n\n**What you need:** lesson [{called}](../../notebooks/{path.name})."
    made = [
        about(new_markdown_cell(head), "title"),
        about(new_markdown_cell(rules), "rules"),
        about(new_code_cell(SETUP.format(name=name)), "setup"),
        about(new_markdown_cell(TASK), "invert_task"),
        about(new_code_cell(SOLUTION), "invert", solution=True),
        new_code_cell(TRY, id="invert_try"),
        new_markdown_cell(SEE, id="invert_see"),
        about(new_code_cell(VALUES), "invert_values", points=2),
        about(new_code_cell(INPUTS), "invert_inputs", points=1),
        about(new_markdown_cell(finish), "finish"),
    ]
    return new_notebook(cells=made, metadata=METADATA)


def about(cell, grade_id, *, solution=False, points=None):
    """The cell with what nbgrader writes about it."""
    cell["id"] = grade_id
    cell.metadata["nbgrader"] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        **({} if points is None else {"points": points}),
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return cell


def list_it(name, title, has_lesson, root):
    """Put a row for it into the table of assignments/README.md, in the order of the numbers."""
    path = root / "assignments" / "README.md"
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = [n for n, line in enumerate(lines) if re.match(r"\| \d\d \[", line)]
    before = [n for n in rows if lines[n][2:4] < name[:2]]
    row = f"| {name[:2]} [{title}]({name}/{name}.ipynb) | {name[:2] if has_lesson else '–'} |"
    lines.insert(before[-1] + 1 if before else rows[0], row)
    path.write_text("\n".join(lines), encoding="utf-8")


def link_from(path, name, title):
    """Put a link to it into the last cell of a lesson, before the links to other lessons."""
    notebook = nbformat.read(path, as_version=4)
    cell = notebook.cells[-1]
    link = f"**Do the assignment:** [{name[:2]} {title}](../assignments/{name}/{name}.ipynb)."
    parts = cell.source.split("\n\n")
    place = next((n for n, part in enumerate(parts) if "**Back:**" in part), len(parts))
    cell.source = "\n\n".join([*parts[:place], link, *parts[place:]])
    nbformat.write(notebook, path)


def main():
    parser = argparse.ArgumentParser(
        prog="course new", description="Begin an assignment: a small one that is right."
    )
    parser.add_argument("name", help="its number and topic, for instance 09-topic")
    parser.add_argument("--title", default="", help="by default the words of the topic")
    parser.add_argument("--bank", action="store_true", help="begin a bank of known mistakes, too")
    parser.add_argument(
        "--lesson", action="store_true", help="put a link to it into the lesson of its number"
    )
    given = parser.parse_args()
    begin(given.name, title=given.title, bank=given.bank, lesson=given.lesson)
    return 0


if __name__ == "__main__":
    sys.exit(main())
