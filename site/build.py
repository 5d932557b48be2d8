"""Build the site: gather its pages, run Sphinx on them, check the links of what came out.

The English pages stand at its root, those of another language in a folder with its code, by the
same names. Each language is built by a process of its own, side by side.

Called by tools/website.py, with the Python of the site's own environment.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The extensions beside this file, and the course's helpers.
sys.path[:0] = [str(HERE), str(HERE.parent)]


def build(target):
    """Write the site into the folder `target`; returns the exit status, 0 for no fault.

    What was there before is replaced only by a site without fault.
    """
    # The setting is read in one place.
    from conf import course_repository
    from hosted import site_prefix
    from links import broken_links

    from helpers.command.variables import LANGUAGE
    from helpers.language import ENGLISH, languages

    work = target.with_name(f"{target.name}-work")
    shutil.rmtree(work, ignore_errors=True)
    known = languages()
    programs = []
    for language in known:
        command = [sys.executable, HERE / "build.py", "--pages", work / language]
        programs.append(subprocess.Popen(command, env=os.environ | {LANGUAGE: language}))
    if max(program.wait() for program in programs):
        print("The site has faults; they are named above.", file=sys.stderr)
        return 1
    result = work / ENGLISH / "html"
    for language in known[1:]:
        (work / language / "html").rename(result / language)
        share_pictures(result, language)
    broken = broken_links(result, site_prefix(course_repository))
    if broken:
        print("\n".join(["Links that lead nowhere:", *broken]), file=sys.stderr)
        return 1
    (result / ".nojekyll").touch()  # the code host would leave out folders that begin with _
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(result, target)
    shutil.rmtree(work)
    return 0


def share_pictures(site, language):
    """Take away the pictures that the English pages have, too, and lead to those."""
    pictures, own = site / "_images", site / language / "_images"
    shared = set()
    for path in sorted(own.iterdir()):
        twin = pictures / path.name
        if twin.is_file() and twin.read_bytes() == path.read_bytes():
            shared.add(path.name)
            path.unlink()

    def turn(match):
        return f"../{match[0]}" if match[1] in shared else match[0]

    for path in (site / language).rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'(?<=["/])_images/([^"]+)', turn, html), encoding="utf-8")


def build_pages(work):
    """Build the pages in the language of `helpers.language.current` in a folder of their own.

    Returns Sphinx's exit status.
    """
    from conf import course_repository
    from sphinx.cmd.build import build_main
    from stage import stage
    from words import write_theme_words

    sources, result = work / "sources", work / "html"
    sources.mkdir(parents=True)
    stage(sources, course_repository)
    write_theme_words(work / "locale")
    # -W --keep-going: every warning is shown, and any of them is an error in the end.
    options = ["-b", "html", "-q", "-W", "--keep-going", "-c", HERE, "-d", work / "doctrees"]
    status = build_main([str(option) for option in [*options, sources, result]])
    if status == 0:
        (result / ".buildinfo").unlink(missing_ok=True)
        (result / "_sources").rmdir()  # empty: the pages' sources are not published
    return status


if __name__ == "__main__":
    *option, folder = sys.argv[1:]
    sys.exit((build_pages if option == ["--pages"] else build)(Path(folder).resolve()))
