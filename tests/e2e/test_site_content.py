"""What stands on the built pages, and above all what must not: nothing of the instructor's side."""

import ast
import importlib
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from grader.authoring.bank import load_bank
from helpers.command.files import assignments, lessons
from tests.e2e.site_pages import ROOT, Text
from tests.support.scripts import load

pytestmark = pytest.mark.e2e

SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
ASSIGNMENTS = assignments(ROOT)
SUBSTANCE = 14  # a shorter line says nothing: "else:", "return result"


def squeezed(text):
    """One line, with straight quotes: how a theme breaks or sets it does not matter."""
    text = text.translate(str.maketrans("“”‘’", "\"\"''"))
    return " ".join(text.split())


# --- nothing of solutions and hidden tests -----------------------------------------------------


def sources(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def bank_code(path):
    """The bodies of the variants of a bank, right and wrong; not the sentences about them."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from text.split("\n")[node.body[0].lineno - 1 : node.end_lineno]


def public_text():
    """Everything that students may read: lessons, student versions, helpers, guides."""
    texts = [text for path in lessons(ROOT) for text in sources(path)]
    texts += [text for path in ASSIGNMENTS for text in sources(path)]
    files = [*(ROOT / "helpers").rglob("*.py"), *ROOT.glob("*.md"), *(ROOT / "site").glob("*.*")]
    files += [*(ROOT / "solutions").glob("*.md"), ROOT / "solutions/known-mistakes.csv"]
    texts += [path.read_text(encoding="utf-8") for path in files]
    return squeezed("\n".join(texts))


def secret_lines():
    """Lines of substance that stand in the instructor's notebooks and banks, and nowhere else."""
    public = public_text()
    lines = [line for path in SOLUTIONS for text in sources(path) for line in text.split("\n")]
    lines += [line for path in (ROOT / "solutions").glob("*/bank/*.py") for line in bank_code(path)]
    lines = {squeezed(line) for line in lines}
    return {line for line in lines if len(line) >= SUBSTANCE and line not in public}


def published(folder):
    """{file: its text} of the whole site: pages as they are read, notebooks cell by cell."""
    texts = {}
    for path in folder.rglob("*"):
        if not path.is_file() or path.suffix in (".png", ".jpg", ".ico", ".woff2"):
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        if path.suffix == ".html":
            text = Text(text).text + text  # also what stands in attributes
        elif path.suffix == ".ipynb":
            text = re.sub(r'"image/png": "[^"]*"', "", text) + "\n".join(sources(path))
        texts[path.relative_to(folder).as_posix()] = squeezed(text)
    return texts


def test_no_line_of_a_solution_a_hidden_test_or_a_bank_is_on_the_site(site):
    secrets = secret_lines()
    # Enough of each kind, or the search would prove nothing.
    hidden = [line for line in secrets if "check.hidden(" in line]
    assert len(hidden) > 100
    assert len(secrets) > 2000
    everything = published(site.folder)
    assert any(name.endswith(".ipynb") for name in everything)
    leaks = [f"{name}: {s}" for name, text in everything.items() for s in secrets if s in text]
    assert leaks == []


def test_no_name_from_solutions_is_in_the_search_index(site):
    word = re.compile(r"[A-Za-z_]\w{7,}")
    secret = {found for line in secret_lines() for found in word.findall(line)}
    secret = {name.lower() for name in secret} - set(word.findall(public_text().lower()))
    assert len(secret) > 50
    for name, word in (("searchindex.js", "convolut"), ("ko/searchindex.js", '"합성곱":')):
        index = (site.folder / name).read_text(encoding="utf-8")
        assert word in index
        terms = set(re.findall(r'"?([\w]+)"?:', index))
        assert secret & terms == set()


def test_only_lessons_are_offered_as_files(site):
    for folder in (site.folder, site.folder / "ko"):
        offered = sorted(path.name for path in (folder / "_downloads").rglob("*.ipynb"))
        assert offered == sorted(path.name for path in lessons(ROOT))
        assert not (folder / "_sources").exists()
    assert len(list(site.folder.rglob("*.ipynb"))) == 2 * len(lessons(ROOT))
    assert not list(site.folder.rglob("*checks.json"))


# --- what stands there -------------------------------------------------------------------------


class Images(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes).get("alt"))


def test_lessons_stand_in_order_with_all_their_cells_and_pictures(site):
    order = re.findall(r'href="(notebooks/(?:\d\d|[A-Z])-[^"#]+)"', site.html("index.html"))
    assert list(dict.fromkeys(order)) == site.lessons
    assert len(site.lessons) == len(lessons(ROOT))
    for page in site.lessons:
        cells = site.notebook(page)["cells"]
        alts = []
        for cell in cells:
            if cell["cell_type"] == "markdown":
                alts += re.findall(r"!\[([^\]]*)\]\(", "".join(cell["source"]))
            for data in (output.get("data", {}) for output in cell.get("outputs", [])):
                alts += [cell["metadata"]["alt"]] if "image/png" in data else []
                # The photos of a piece have their own.
                alts += re.findall(r'<img alt="([^"]*)"', "".join(data.get("text/html", "")))
        assert Images(site.html(page)).found == alts, page
        text = squeezed(site.text(page))
        for cell in cells:
            if cell["cell_type"] == "code":
                assert squeezed("".join(cell["source"])) in text, f"{page}: {cell['id']}"


def test_assignments_are_the_student_versions(site):
    for path in ASSIGNMENTS:
        page = path.relative_to(ROOT).with_suffix(".html").as_posix()
        text = squeezed(site.text(page))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert squeezed("".join(cell["source"])) in text, f"{page}: {cell['id']}"


def test_every_public_name_is_in_the_reference(site):
    missing = []
    stage = load("site/stage.py")
    for name in stage.public_modules():
        module = importlib.import_module(name)
        here = [
            key
            for key, value in vars(module).items()
            if not key.startswith("_")
            and (inspect.isfunction(value) or inspect.isclass(value))
            and value.__module__ == module.__name__
        ]
        html = site.html(f"reference/{stage.page_of(name)}.html")
        for public in getattr(module, "__all__", here):
            if f'id="{name}.{public}"' not in html:
                missing.append(f"{name}.{public}")
    assert missing == []


def test_known_mistakes_stand_by_name_with_their_sentences(site):
    for path in ASSIGNMENTS:
        text = squeezed(site.text(f"known-mistakes/{path.stem}.html"))
        mistakes = [variant for variant in load_bank(path.stem) if variant.is_mistake]
        assert len(mistakes) > 50
        for mistake in mistakes:
            told = f"{mistake.name.replace('_', ' ')} {mistake.sentence}".replace("`", "")
            assert squeezed(told).replace("...", "…") in text, f"{path.stem}: {mistake.name}"


def test_each_page_says_what_it_is(site):
    descriptions = {}
    for page in site.everything:
        html = site.html(page)
        language = "ko" if page in site.korean else "en"
        assert re.match(rf'<!doctype html>\n<html class="no-js" lang="{language}"', html), page
        assert re.search(r"<title>[^<]{5,}</title>", html), page
        assert 'rel="icon"' in html or 'rel="shortcut icon"' in html, page
        found = re.search(r'<meta name="description" content="([^"]{20,})">', html)
        assert found, f"{page} has no description"
        descriptions[page] = found[1]
    lessons = [descriptions[page] for page in site.lessons]
    assert len(set(lessons)) == len(lessons)


def test_no_formula_is_left_in_latex(site):
    for page in site.everything:
        assert not re.search(r"\$\\|\\frac|\\text\{|\\begin\{", site.text(page)), page


def test_the_site_asks_for_javascript_where_a_notebook_is_to_be_run(site):
    asked = 0
    for page in site.everything:
        html = site.html(page)
        for words in (
            "Run this cell in JupyterLab",
            "JupyterLab에서 이 셀을 실행",
            "open and trust",
        ):
            assert words not in html, page
        asked += "Switch on JavaScript" in html or "JavaScript를 켜세요" in html
    assert asked > 20


# --- download, and hosted notebooks ------------------------------------------------------------


def test_each_lesson_offers_its_notebook_and_no_hosted_service(site):
    for page in site.lessons:
        html = site.html(page)
        link = re.search(r'href="([^"]+\.ipynb)"[^>]*>\s*<span>Download this notebook', html)[1]
        offered = (site.folder / page).parent / link
        assert offered.read_bytes() == (ROOT / page).with_suffix(".ipynb").read_bytes()
        # Such services are named in lesson 00; here it is about links and commands.
        for found in ("colab.research", "mybinder", "%pip"):
            assert found not in html.lower(), f"{page} has {found}, without an address"


def test_the_repository_s_address_brings_hosted_services(tmp_path, monkeypatch):
    monkeypatch.setenv("SITE_REPOSITORY", "https://github.com/someone/cnn-course")
    assert load("tools/website.py").build(target=tmp_path / "site") == 0
    for path in [*lessons(ROOT), *ASSIGNMENTS]:
        name = path.relative_to(ROOT).as_posix()
        html = (tmp_path / "site" / name).with_suffix(".html").read_text(encoding="utf-8")
        colab = "https://colab.research.google.com/github/someone/cnn-course/blob/main/"
        assert f'href="{colab}{name}"' in html
        assert f"/gh/someone/cnn-course/main?urlpath=lab/tree/{name}" in html
        assert "%pip install git+https://github.com/someone/cnn-course" in Text(html).text
    not_found = (tmp_path / "site/404.html").read_text(encoding="utf-8")
    assert 'href="/cnn-course/index.html"' in not_found
    start = (tmp_path / "site/ko/index.html").read_text(encoding="utf-8")
    whole = "https://someone.github.io/cnn-course/"
    for language, address in (("en", "index.html"), ("ko", "ko/index.html")):
        assert f'<link rel="alternate" hreflang="{language}" href="{whole}{address}">' in start


# --- faults stop the build ---------------------------------------------------------------------


def test_faults_on_a_page_are_errors_and_keep_the_site_that_was_there(tmp_path):
    root, target = tmp_path / "course", tmp_path / "site"
    # Without lessons, to be quick; that they are missing is another fault.
    for name in ("site", "helpers", "solutions", "notebooks/covers"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assignments").mkdir()
    names = ["README.md", "LICENSE", "CITATION.cff", "pyproject.toml", "notebooks/README.md"]
    for name in [*names, "assignments/README.md"]:
        shutil.copy(ROOT / name, root / name)
    faults = {
        "See [this](nowhere.md).": "nowhere.md",
        "See [that](cite.md#no-such-place).": "no-such-place",
        r"A formula: $\nosuchthing{x}$.": "nosuchthing",
        "```{stepper} conv2d\nx: 3\nweight: 3\n```": "x must have shape",
    }
    with (root / "site/cite.md").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n\n".join(faults) + "\n")
    target.mkdir()
    (target / "old.html").touch()
    done = subprocess.run(
        [load("tools/website.py").prepare(), root / "site/build.py", target],
        capture_output=True,
        text=True,
        env={name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")},
    )
    assert done.returncode != 0
    for told in faults.values():
        assert re.search(rf"cite\.md.*{re.escape(told)}", done.stderr), told
    assert [path.name for path in target.iterdir()] == ["old.html"]


def test_the_reference_takes_no_source_or_example_for_an_exception(site):
    pages = sorted((site.folder / "reference").glob("*.html"))
    assert pages
    for page in pages:
        for fields in re.findall(r'<dl class="field-list.*?</dl>', page.read_text("utf-8"), re.S):
            assert "&gt;&gt;&gt;" not in fields, page.name
            assert "<strong>Source" not in fields, page.name


def test_korean_words_of_lessons_say_their_language(site):
    marked = 0
    for page in sorted((site.folder / "notebooks").glob("*.html")):
        article = page.read_text("utf-8").partition("<article")[2].partition("</article>")[0]
        bare = re.sub(r'<(\w+) lang="ko"[^>]*>.*?</\1>', "", article, flags=re.S)
        marked += len(article) - len(bare)
        assert not re.search(r">[^<]*[가-힣]", bare), page.name
    assert marked
