"""Open JupyterLab on the lessons, in the course's own settings: `course lab`.

The list of lessons (notebooks/README.md) comes up as a page, the file browser stands in
notebooks/, and JupyterLab asks and fetches nothing. The settings are in settings/overrides.json
beside this file; they are defaults, so what readers chose in their own JupyterLab still comes
first. The open tabs are remembered apart from other projects'. labextensions/ holds what is added
to JupyterLab: screen readers get the alternative texts of the pictures.

`course lab --language ko` opens the course in Korean, and remembers it. So does the variable
COURSE_LANGUAGE, for one call.

The options are described in JupyterLab's documentation, "Advanced Usage" (the application and
settings directories, overrides.json) and "JupyterLab URLs" (/lab/tree/...).
"""

import contextlib
import locale
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.command.editions import make_edition
from helpers.command.files import Problem
from helpers.command.variables import LANGUAGE, LANGUAGE_FILE, chosen_language, own_folder
from helpers.language import ENGLISH, gettext, languages

START_PAGE = "notebooks/README.md"
OPTION = "--language"
QUESTIONS = {
    "ko": "이 과정은 한국어로도 볼 수 있습니다. 한국어로 볼까요? [Y/n] "
    "(Later: course lab --language en, or ko) "
}
SETTINGS = Path(__file__).resolve().parent / "settings"
EXTENSIONS = Path(__file__).resolve().parent / "labextensions"


def lab_options(
    root: Path, workspaces: Path, given: Sequence[str] = (), language: str = ENGLISH
) -> list[str]:
    """The course's options for `jupyter lab`, without those that are among the given ones.

    The server's root is the repository's, not notebooks/: links from a lesson to its assignment
    would otherwise lead out of what the server shows. What reads and writes the files is named, as
    a configuration of the whole machine may name another program.
    """
    from jupyterlab.labapp import LabApp

    server = LabApp.serverapp_class
    edition = "" if language == ENGLISH else f"{language}/"
    manager = server.class_traits()["contents_manager_class"].default_value
    options = [
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.contents_manager_class={manager.__module__}.{manager.__qualname__}",
        f"--FileContentsManager.root_dir={root}",
        f"--FileContentsManager.preferred_dir={root / f'{edition}notebooks'}",
        f"--LabApp.default_url=/lab/tree/{edition}{START_PAGE}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        f"--LabApp.workspaces_dir={workspaces}",
        f"--LabApp.extra_labextensions_path={EXTENSIONS}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # root is the usual user of a container
    # An option that comes twice is an error to JupyterLab.
    names = {option.partition("=")[0] for option in given}
    return [option for option in options if option.partition("=")[0] not in names]


def open_lab(root: Path, given: Sequence[str]) -> None:
    """Become a JupyterLab server until it is stopped (Ctrl-C, twice).

    `--language` among the given options says in which language the lessons are to be.

    Raises
    ------
    Problem
        If the course is not translated into that language.
    """
    from jupyterlab.labapp import LabApp

    asked, given = take_language(given)
    language = choose_language(root, asked)
    os.environ[LANGUAGE] = language  # of the messages below, of kernels and of terminals
    if language != ENGLISH:
        kept = make_edition(language, root)
        if kept:
            print(gettext("You have changed these, and there is a newer version of them:"))
            print("\n".join(f"  {name}    course reset {name}" for name in kept))
    workspaces = Path(os.environ["JUPYTER_DATA_DIR"]) / "course-workspaces"
    options = lab_options(root, workspaces, given, language)
    sys.exit(LabApp.launch_instance([*options, *given]))


def take_language(given: Sequence[str]) -> tuple[str, list[str]]:
    """The language that is asked for, "" if none is, and the other options."""
    rest, language = list(given), ""
    for index, option in enumerate(given):
        name, equals, value = option.partition("=")
        if name == OPTION:
            if not equals and index + 1 == len(given):
                raise Problem(
                    gettext("Say which language: course lab {option} ko").format(option=OPTION)
                )
            language = value if equals else given[index + 1]
            del rest[index : index + 1 + (not equals)]
            break
    return language, rest


def choose_language(root: Path, asked: str) -> str:
    """The language of the lessons: as asked for, chosen before, or answered now.

    Somebody whose system speaks a language that the course has, too, is asked once. The choice is
    kept in the course's own folder for programs' files.
    """
    known = languages(root)
    chosen = asked or chosen_language(os.environ, root)
    if not chosen:
        chosen = ask_language([code for code in known if code == system_language()])
    if asked and asked not in known:
        raise Problem(
            gettext("The course is not translated into {language!r}. There is: {known}.").format(
                language=asked, known=", ".join(known)
            )
        )
    if asked or (chosen and not os.environ.get(LANGUAGE)):
        with contextlib.suppress(OSError):
            (own_folder(root) / LANGUAGE_FILE).write_text(chosen + "\n", encoding="utf-8")
    return chosen if chosen in known else ENGLISH


def system_language() -> str:
    """The code of the language in which the system speaks, such as ko; "" if it says none."""
    if os.name == "nt":
        import ctypes

        code = ctypes.windll.kernel32.GetUserDefaultUILanguage()  # type: ignore[attr-defined]
        return (locale.windows_locale.get(code) or "").partition("_")[0]
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return next(filter(None, names), "").partition("_")[0].lower()


def ask_language(codes: Sequence[str]) -> str:
    """Ask whether to take the one language in `codes`; "" where nobody can answer."""
    if not codes or codes[0] == ENGLISH or not sys.stdin.isatty():
        return ""
    answer = input(QUESTIONS[codes[0]]).strip().lower()
    return ENGLISH if answer in ("n", "no", "아니요", "아니오", "ㅜ") else codes[0]
