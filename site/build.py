"""Build the site: gather its pages, run Sphinx on them, check the links of what came out.

Called by tools/website.py, with the Python of the site's own environment.
"""

import shutil
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
    from sphinx.cmd.build import build_main
    from stage import stage

    work = target.with_name(f"{target.name}-work")
    shutil.rmtree(work, ignore_errors=True)
    sources, result = work / "sources", work / "html"
    sources.mkdir(parents=True)
    stage(sources, course_repository)
    # -W --keep-going: every warning is shown, and any of them is an error in the end.
    options = ["-b", "html", "-q", "-W", "--keep-going", "-c", HERE, "-d", work / "doctrees"]
    status = build_main([str(option) for option in [*options, sources, result]])
    if status:
        print("The site has faults; they are named above.", file=sys.stderr)
        return status
    broken = broken_links(result, site_prefix(course_repository))
    if broken:
        print("\n".join(["Links that lead nowhere:", *broken]), file=sys.stderr)
        return 1
    (result / ".buildinfo").unlink(missing_ok=True)
    (result / "_sources").rmdir()  # empty: the pages' sources are not published
    (result / ".nojekyll").touch()  # the code host would leave out folders that begin with _
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(result, target)
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]).resolve()))
