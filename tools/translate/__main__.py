"""The command line: `course translate`."""

import argparse
import sys
from pathlib import Path

from helpers.command.files import ROOT
from helpers.language import languages
from tools.translate import catalogue
from tools.translate.compare import problems
from tools.translate.sources import catalogues


def main(arguments=None, root=ROOT):
    parser = argparse.ArgumentParser(
        prog="course translate",
        description="Bring the catalogues of the translations up to date with the English texts: "
        "new texts come in empty, changed ones keep their translation, marked as fuzzy, and what "
        "is gone is left out. Then say what is open.",
    )
    parser.add_argument("names", nargs="*", metavar="CATALOGUE", help="such as notebooks/01")
    parser.add_argument("--language", help="such as ko; by default every one that there is")
    parser.add_argument("--problems", action="store_true", help="name what is wrong or missing")
    options = parser.parse_args(arguments)
    folder = root / "translations"
    chosen = [options.language] if options.language else languages(root)[1:]
    open_ones = 0
    for language in chosen:
        open_ones += bring_up_to_date(folder / language, options.names, options.problems, root)
    return int(open_ones > 0 and options.problems)


def bring_up_to_date(folder: Path, names, show, root):
    """Update the catalogues of a language; returns how many messages are not right."""
    texts = catalogues(root)
    paths = {name: folder / f"{name}.po" for name in texts}
    old = {name: catalogue.read(path) for name, path in paths.items()}
    memory = {e.msgid: e for po in old.values() for e in po if e.msgstr and not e.fuzzy}
    wrong = total = 0
    for name, messages in texts.items():
        new = catalogue.update(old[name], messages, folder.name, memory)
        catalogue.write(paths[name], new)
        if names and not any(name.startswith(given) for given in names):
            continue
        found = [(entry, list(problems(entry))) for entry in new]
        bad = [(entry, each) for entry, each in found if each]
        fuzzy, missing = (
            sum(any(kind == what for kind, _ in each) for _, each in bad)
            for what in ("stale", "missing")
        )
        wrong += len(bad)
        total += len(new)
        others = len(bad) - fuzzy - missing
        if bad or names:
            print(
                f"{folder.name}/{name}: {len(new)} texts, {missing} missing, {fuzzy} stale, "
                f"{others} to look at"
            )
        if show:
            for entry, each in bad:
                for kind, sentence in each:
                    if kind != "missing":
                        print(f"  {entry.msgctxt or ''}: {entry.msgid[:60]!r}: {sentence}")
    for path in sorted(folder.rglob("*.po")):
        if path not in paths.values():
            print(f"{path.relative_to(folder)}: there is no such text any more; delete it")
    print(f"{folder.name}: {total - wrong} of {total} texts are translated")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
