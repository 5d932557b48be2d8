"""Dishonest and careless submissions: marks, other students and the machine stay as they are."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.judging import judge
from grader.judging.policy import OUTER_RULES, RULES, Policy
from grader.sandbox.bwrap import NOBODY, NoSandbox, check_means
from grader.sandbox.inside import wire
from helpers.language import MESSAGES, TESTS, languages
from tests.grader.attacks import batch, trial
from tests.support.lessons import ROOT

pytestmark = [pytest.mark.sandbox]
try:
    check_means()
except NoSandbox as error:
    pytestmark.append(pytest.mark.skip(reason=str(error)))

# For each rule a case that no longer holds when the rule is turned off.
NEEDED_FOR = {
    "network": "sandbox: a server of this machine",
    "read-only system": "sandbox: files in the system",
    "private files": "sandbox: files for the next",
    "private processes": "sandbox: daemons",
    "private ipc": "sandbox: a message queue",
    "namespaces": "sandbox: a namespace of its own",
    "capabilities": "sandbox: mounts",
    "system calls": "sandbox: shared memory of System V",
    "memory": "resources: memory of one process, asked for at once",
    "memory watch": "resources: memory of many processes",
    "processes": "resources: a thread bomb",
    "priority": "resources: processes that take more than one share",
    "scratch size": "resources: files that fill the folders",
    "open files": "resources: open files",
    "file size": "resources: one large file",
    "cpu": "resources: threads that burn processor time",
    "cell time": "resources: a long sleep",
    "output": "resources: a flood on stdout",
}
WATCHED = ("grader/sandbox/inside", "helpers/assignment")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What there is on this machine to be found: a server, a secret file, the grader."""
    folder = tmp_path_factory.mktemp("secrets")
    folder.joinpath("gradebook.db").write_text("secret")
    os.environ["COURSE_SECRET"] = "secret"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        named.bind(str(folder / "socket"))
        abstract.bind(f"\0course-{os.getpid()}")
        named.listen()
        abstract.listen()
        before = snapshot(folder)
        yield {
            "addresses": [],
            "port": listener.getsockname()[1],
            "socket": str(folder / "socket"),
            "abstract": f"course-{os.getpid()}",
            "secrets": [str(folder / "gradebook.db"), str(ROOT), *map(str, ROOT.iterdir())],
            "processes": [os.getpid(), os.getppid()],
        }
        assert snapshot(folder) == before, "an attack changed a file outside of its scratch folder"
    del os.environ["COURSE_SECRET"]


def snapshot(folder):
    """The files that an attack could want to change, with their sizes and times."""
    tops = [folder, *(ROOT / name for name in WATCHED)]
    found = {}
    for top in tops:
        for path in (top, *top.rglob("*")):
            if "__pycache__" not in path.parts:
                about = path.lstat()
                found[str(path)] = (about.st_mode, about.st_size, about.st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def graded(request, places):
    """All chosen cases, run once: (problems by name, results of honest submissions)."""
    items = [item for item in request.session.items if item.path == request.path]
    chosen = [i.callspec.params["name"] for i in items if i.originalname == "test_attack"]
    return batch.run(chosen or list(batch.CASES)[::20], places)


@pytest.fixture(scope="module")
def alone():
    """The result of an honest submission to a server that has seen no other."""
    server = trial.light_server()
    yield trial.lasting(trial.execute(trial.Case("honest"), server)[0])
    server.close()


@pytest.mark.parametrize("name", batch.CASES)
def test_attack(name, graded):
    assert graded[0][name] == []


def test_honest_students_between_the_attacks_get_what_they_get_alone(graded, alone):
    assert alone["earned"] == list(trial.ALL)
    assert alone["outcome"] == "graded"
    assert all(result == alone for result in graded[1])


def test_there_are_cases_of_all_kinds():
    assert len(batch.CASES) == sum(map(len, batch.GROUPS.values())) >= 60
    assert all(len(cases) >= 12 for cases in batch.GROUPS.values())


def test_every_rule_has_a_case():
    assert sorted(NEEDED_FOR) == sorted(RULES)


@pytest.fixture(scope="module")
def weak_servers():
    """Servers without one of the rules that hold for a server as a whole."""
    made = {}

    def get(rule):
        key = rule if rule in OUTER_RULES else None
        if key not in made:
            made[key] = trial.light_server((key,) if key else ())
            made[key].own = trial.processes_of(made[key].process.pid)
        return made[key]

    yield get
    for server in made.values():
        server.close()


@pytest.mark.parametrize("rule", RULES)
def test_turning_off_one_rule_makes_a_case_red(rule, places, weak_servers, monkeypatch):
    monkeypatch.setattr(judge, "SECONDS_ON_TOP", 0.5)
    monkeypatch.setattr(trial, "PLACES", places)
    case, server = batch.CASES[NEEDED_FOR[rule]], weak_servers(rule)
    start = time.monotonic()
    results = trial.execute(case, server, disabled_rules=(rule,))
    problems = trial.problems(case, results, time.monotonic() - start)
    for number in trial.processes_of(server.process.pid) - server.own:
        problems.append(f"it leaves the process {number}")
    assert problems


def in_the_sandbox(server, code):
    """What a cell prints."""
    child = server.child(trial.POLICY.to_dict())
    try:
        child.ask({"do": "begin", "seed": "s", "files": [], "language": "en"}, [])
        reply, _ = child.ask({"do": "run", "code": code, "output_limit": 2**22})
    finally:
        child.close()
    assert not reply["failed"], reply["outputs"]
    return "".join(output.get("text", "") for output in reply["outputs"])


def test_what_can_be_seen_from_inside(weak_servers):
    """Neither solutions nor the grader nor anybody's home; no users; of the course what is used."""
    seen = in_the_sandbox(
        weak_servers(None),
        "import json, os\nfound = []\n"
        "for folder, folders, names in os.walk('/'):\n"
        "    hidden = ('/proc', '/usr', '/opt/course/site', '/opt/course/python', '/lib', '/dev')\n"
        "    folders[:] = [n for n in folders if os.path.join(folder, n) not in hidden]\n"
        "    found += [os.path.join(folder, n) for n in names + folders]\n"
        "print(json.dumps(found))",
    )
    found = json.loads(seen)
    names = {Path(path).name for path in found}
    assert not names & {"solutions", "grading", "tests", "assignments", "home", "root", ".ssh"}
    assert not names & {"passwd", "shadow", "gradebook.db", "judge.py", "nbgrader_config.py"}
    own = {path.name for path in (ROOT / "helpers").iterdir()} - {"__pycache__"}
    shown = {Path(path).name for path in found if Path(path).parent.name == "helpers"}
    assert shown == own
    # Of the translations it holds what its messages say.
    words = {path.partition("/lib/translations/")[2] for path in found if "/translations/" in path}
    said = {f"{code}/{name}.po" for code in languages()[1:] for name in (MESSAGES, TESTS)}
    assert words == said | set(languages()[1:])
    # Of the grader the sandbox holds what runs in it, and nothing else.
    grader = {path.partition("/lib/grader/")[2] for path in found if "/lib/grader/" in path}
    assert {path for path in grader if "/inside/" not in path} == {"sandbox", "sandbox/inside"}
    inside = {Path(path).name for path in grader if "/inside/" in path}
    assert inside == {path.name for path in (ROOT / "grader/sandbox/inside").glob("*.py")}


PROGRAM = """
import json, os, sys
from tests.grader.attacks import batch, trial
trial.PLACES.update(json.loads(sys.argv[1]))
server = trial.light_server()
found = {}
for name in ("honest", *sys.argv[2:]):
    case = trial.Case(name) if name == "honest" else batch.CASES[name]
    found[name] = trial.problems(case, trial.execute(case, server), 0)
print(os.getuid(), json.dumps(found))
server.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_the_same_holds_for_a_grader_who_is_not_root(places):
    """Tests run as root here; the sandbox is another one for those who are not."""
    names = [NEEDED_FOR[rule] for rule in RULES if rule not in ("cpu", "cell time")]
    # A Python in the home of root is shown to the other user, and nothing else that is there.
    prefix, show = Path(sys.base_prefix), []
    if prefix.is_relative_to("/root"):
        *above, top = [path for path in prefix.parents if path != Path("/")]
        show = ["--perms", "0755", "--tmpfs", top]
        for folder in reversed(above):
            show += ["--perms", "0755", "--dir", folder]
        show += ["--ro-bind", prefix, prefix]
    command = [
        *("bwrap", "--dev-bind", "/", "/", *show),
        *("--cap-add", "ALL", "--", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}"),
        *("--clear-groups", "--inh-caps=-all", "--bounding-set=-all"),
    ]
    python = [sys.executable, "-c", PROGRAM, json.dumps(places), *names]
    trial_run = [*command, sys.executable, "-c", "import grader.judging.job"]
    if subprocess.run(trial_run, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this checkout cannot be read by others than root")
    environment = {**os.environ, "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *python], cwd=ROOT, capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    number, _, found = done.stdout.partition(" ")
    assert int(number) == NOBODY
    assert json.loads(found) == {name: [] for name in ("honest", *names)}


def frame(text, blobs=b""):
    return wire.HEAD.pack(len(text), len(blobs), 0) + text + blobs


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", wire.Gone),
        (b"\0\0\0", wire.Gone),
        (b"GET / HTTP/1.1\r\n\r\n", wire.Nonsense),
        (frame(b"nope"), wire.Nonsense),
        (frame(b"[]"), wire.Nonsense),
        (b"\xff\xff\xff\xff" + 8 * b"\0", wire.TooMuch),
        (frame(b'{"message": 0, "blobs": [1001]}', 1001 * b"a"), wire.TooMuch),
        (frame(b'{"message": 0, "blobs": [-1, 1]}'), wire.Nonsense),
        (frame(b'{"message": 0, "blobs": [true]}', b"a"), wire.Nonsense),
        (frame(b'{"message": 0, "blobs": [99999]}'), wire.Nonsense),
        (frame(b'{"message": 0, "blobs": [9]}', b"12345"), wire.Nonsense),
        (frame(b'{"message": 0, "blobs": []}') + b"\0", wire.Nonsense),
    ],
)
def test_what_is_no_frame_is_told_apart(sent, error):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(error):
            wire.receive(ours, byte_limit=1000)


def test_each_part_of_a_frame_is_waited_for_within_the_limit():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(bytes(wire.HEAD.size - 1))
        calls = iter([None])

        def wait():
            if next(calls, "over") == "over":
                raise TimeoutError

        with pytest.raises(TimeoutError):
            wire.receive(ours, wait=wait)
        theirs.sendall(b"\0" + b"{")
        theirs.close()
        with pytest.raises(wire.Gone):
            wire.receive(ours)


@pytest.mark.parametrize("size", [1, wire.HEAD.size, 1000, wire.FIRST_PART, 3 * wire.FIRST_PART])
@pytest.mark.parametrize("first", [0, 5, wire.FIRST_PART])
def test_a_frame_that_comes_in_pieces_is_put_together(size, first):
    blobs = [bytes(first), b"", bytes(range(256)) * 8]
    whole = wire.pack({"number": 1}, blobs) + b"".join(blobs)
    pieces = (whole[start : start + size] for start in range(0, len(whole), size))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        received = wire.receive(ours, wait=lambda: theirs.sendall(next(pieces, b"")))
    assert received == ({"number": 1}, blobs)


def test_a_policy_knows_its_rules():
    with pytest.raises(ValueError, match="there is no rule"):
        Policy(disabled_rules=("no such rule",))
    assert Policy.from_dict(Policy(disabled_rules=("cpu",)).to_dict()) == Policy(
        disabled_rules=("cpu",)
    )
