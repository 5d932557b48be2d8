"""The command line: `course mutate`."""

import argparse
import sys
import tempfile
from collections import Counter, defaultdict

from grader.authoring.source import assignments, full_name
from helpers.command.files import ROOT, Problem
from helpers.command.venv_folder import venv_python
from tools.mutate.cases import show_cases
from tools.mutate.checks import TRANSLATIONS, Checks
from tools.mutate.kinds import KINDS, choose, every_fault
from tools.mutate.references import show_references
from tools.mutate.workplace import NOT_JUDGED, NOT_NOTICED, NOTICED, Workplace, files


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(
        prog="course mutate",
        description="Seed faults into a copy of the course, one at a time, and see which the tests "
        "notice. The course itself is only read. Ctrl-C ends it with the figures so far.",
        epilog="Kinds: " + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()) + ".",
    )
    parser.add_argument(
        "--number",
        type=positive,
        metavar="N",
        help="of faults (16); with --references of mutants for an exercise (100)",
    )
    parser.add_argument("--seed", type=int, default=1, help="another one gives other faults (1)")
    parser.add_argument(
        "--kind",
        choices=KINDS,
        action="append",
        metavar="KIND",
        help="only faults of this kind; can be given more than once",
    )
    parser.add_argument(
        "--cases",
        nargs="*",
        metavar="ASSIGNMENT",
        help="seed nothing: name the cases of hidden tests that no known mistake needs",
    )
    parser.add_argument(
        "--references",
        nargs="*",
        metavar="ASSIGNMENT",
        help="seed nothing: try the graded tests on mutants of right solutions, name those that "
        "survive, and count",
    )
    parser.add_argument(
        "--exercise",
        action="append",
        metavar="NAME",
        help="with --references: only this exercise; can be given more than once",
    )
    parser.add_argument(
        "--sentences",
        action="store_true",
        help="with --references: show also which sentences of the bank the mutants are told",
    )
    options = parser.parse_args(arguments)
    if options.references is not None:
        every = assignments()
        names = [full_name(name, every) for name in options.references] or every
        number = options.number or 100
        given = names, number, options.seed, options.sentences, options.exercise
        return int(not show_references(*given))
    if options.cases is not None:
        every = assignments()
        show_cases([full_name(name, every) for name in options.cases] or every)
        return 0
    try:
        paths = files(root)
    except Problem as problem:
        parser.error(str(problem))
    kinds = options.kind or KINDS
    faults = [fault for fault in every_fault(root, paths) if fault.kind in kinds]
    try:
        try_out(root, paths, choose(faults, options.seed, options.number or 16))
    except KeyboardInterrupt:
        return 130
    return 0


def positive(text):
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"give a whole number above 0, not {text}")
    return int(text)


def try_out(root, paths, faults):
    """Make one fault after the other, say what became of it, and count."""
    verdicts = defaultdict(Counter)
    site_python = venv_python(root / ".venv-site")
    if not site_python.exists():
        print("The site is not built: its environment is missing. `course site` makes it.\n")
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            workplace = Workplace(root, paths, folder)
            checks = Checks(workplace.root, paths, sys.executable, site_python)
            for number, fault in enumerate(faults, 1):
                print(f"{number} of {len(faults)}, {fault}")
                text = (root / fault.path).read_bytes().decode()
                print(*fault.diff(text), sep="\n", flush=True)
                verdict, why = workplace.judge(fault, list(checks.of(fault)))
                verdicts[fault.kind][verdict] += 1
                verdicts[fault.kind][TRANSLATIONS] += TRANSLATIONS in why
                print(f"{verdict} {why}\n", flush=True)
    finally:
        print(*table(verdicts), sep="\n")


def table(verdicts):
    """The share noticed, by kind, as lines; `verdicts` are {kind: Counter of verdicts}."""
    rows = {kind: verdicts[kind] for kind in KINDS if kind in verdicts}
    lines = ["kind      noticed  seeded  share"]
    for kind, found in (*rows.items(), ("all", sum(rows.values(), Counter()))):
        judged = found[NOTICED] + found[NOT_NOTICED]
        share = f"{found[NOTICED] / judged:.0%}" if judged else "–"
        line = f"{kind:<10}{found[NOTICED]:>7}{judged:>8}{share:>7}"
        notes = [f"{found[NOT_JUDGED]} not judged"] if found[NOT_JUDGED] else []
        if found[TRANSLATIONS]:
            notes.append(f"{found[TRANSLATIONS]} only since a translation has to be read again")
        lines.append(line + (f"  ({', '.join(notes)})" if notes else ""))
    return lines


if __name__ == "__main__":
    sys.exit(main())
