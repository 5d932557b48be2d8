"""The student's process as the judge uses it: started, asked, copied, and held to its time."""

import base64
from types import SimpleNamespace

import pytest

from grader.judging import notebook as module
from grader.judging.failures import NotJudged
from grader.judging.notebook import Notebook
from grader.judging.policy import Policy
from grader.judging.progress import Progress
from grader.outcomes import SENTENCES
from grader.sandbox.child import ChildEnded, ServerLost

DIED = SENTENCES["died"].in_cell


class Process:
    """Stands for a child: answers with what the test has laid ready, else with nothing."""

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []
        self.seconds, self.is_contended, self.report = 0.0, False, {"cpu": 2.0}

    def ask(self, request, blobs=(), seconds=60.0, grace=None):
        self.asked.append((request, list(blobs), seconds, grace))
        reply = self.replies.pop(0) if self.replies else {}
        if isinstance(reply, Exception):
            raise reply
        return reply, []

    def close(self):
        return self.report

    @property
    def done(self):
        """What was asked: each request's kind, and the code of a cell that was run."""
        return [" ".join([request["do"], request.get("code", "")]).strip()
                for request, *_ in self.asked]  # fmt: skip


class Clock:
    """Of wall time and of the judge's own processor time."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def monotonic(self):
        return self.wall

    def process_time(self):
        return self.cpu


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def made(clock):
    def make(*processes, cells=4, data=None, progress=None, **policy):
        policy = Policy(**{"cell_seconds": 8.0, "total_seconds": 100.0, **policy})
        cells = [{"source": f"cell {n}"} for n in range(cells)]
        given = {"cells": cells, "files": {}, "seed": "s", **(data or {})}
        left = list(processes)
        server = SimpleNamespace(child=lambda rules: rules == policy.to_dict() and left.pop(0))
        progress = Progress([([], None)] * len(cells), **(progress or {}))
        return Notebook(given, policy, server, progress)

    return make


def running(made, process, **more):
    """A notebook whose process has begun already."""
    found = made(**more)
    found.child = process
    return found


CALL = {"do": "call", "name": "f", "code": "", "seconds": 5.0}


# --- started -------------------------------------------------------------------------------------


def test_a_process_begins_with_the_files_and_a_seed_of_its_own(made):
    def coded(text):
        return base64.b64encode(text).decode()

    process = Process()
    data = {
        "files": {"checks.json": "한", "both.csv": "the course's"},
        "beside": {"both.csv": coded(b"no"), "data.csv": coded(b"\xff")},
        "handed_in": {"data.csv": coded(b"theirs"), "own.py": coded(b"x = 1")},
        "language": "ko",
    }
    one = made(process, data=data)
    one.start(0)
    begin, blobs, seconds, _ = process.asked[0]
    assert dict(zip(begin["files"], blobs, strict=True)) == {
        "checks.json": "한".encode(),
        "both.csv": b"the course's",  # nothing takes the place of the course's own
        "data.csv": b"\xff",
        "own.py": b"x = 1",
    }
    assert (begin["do"], begin["language"], seconds) == ("begin", "ko", 60.0)
    assert begin["seed"] != "s"  # the job's seed is the judge's alone
    assert one.progress.restarts == 1
    other = Process()
    made(other, data={"seed": "t"}).start(0)
    assert other.asked[0][0]["seed"] != begin["seed"]
    assert other.asked[0][0]["language"] == "en"


def test_a_process_that_goes_on_runs_again_what_has_worked_before(made):
    process = Process()
    one = made(process, progress={"ran": [0, 2, 3]}, cell_seconds=8.0)
    one.start(3)
    assert process.done == ["begin", "run cell 0", "run cell 2"]
    request, _, seconds, _ = process.asked[1]
    assert (request["output_limit"], seconds) == (2**20, 8.0)
    assert one.position == 3


def test_there_is_an_end_to_starting_again(made):
    one = made(*(Process() for _ in range(3)), restarts=1)
    for _ in range(2):
        one.start(0)
    with pytest.raises(NotJudged, match="started again too often: the rest did not run"):
        one.start(0)
    assert one.progress.restarts == 2


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        *(("memory", "out of memory"), ("cpu", "total timeout"), ("output", "too much output")),
        *(("killed", "died"), ("nonsense", "tampering suspected"), ("timeout", "cell timeout")),
    ],
)
@pytest.mark.parametrize("replies", [[], [{}]], ids=["begins", "runs"])
def test_a_process_that_ends_before_it_answers_is_lost(made, why, outcome, replies):
    one = made(Process(*replies, ChildEnded(why)), progress={"ran": [0]})
    with pytest.raises(NotJudged) as caught:
        one.start(2)
    assert str(caught.value) == DIED
    assert (one.progress.outcome, one.child, one.progress.cpu) == (outcome, None, 2.0)


def test_a_process_that_cannot_begin_is_the_machines_fault(made):
    with pytest.raises(ServerLost, match="by itself"):
        made(Process(ChildEnded("by itself"))).start(0)
    one = made(Process({}, ChildEnded("by itself")), progress={"ran": [0]})
    with pytest.raises(NotJudged):  # after it has begun, it is the student's
        one.start(2)
    assert one.progress.outcome == "died"


# --- asked ---------------------------------------------------------------------------------------


def test_a_request_starts_a_process_where_there_is_none(made):
    process = Process({}, {}, {"value": 1})
    one = made(process, progress={"ran": [0, 1], "steps": 1})
    assert one.ask(CALL, [b"x"], 5.0) == ({"value": 1}, [])
    assert process.done == ["begin", "run cell 0", "call"]
    assert process.asked[-1] == (CALL, [b"x"], 5.0, Policy.grace_seconds)


def test_a_request_has_no_more_time_than_the_whole_has_left(made, clock):
    process = Process()
    one = running(made, process, progress={"seconds": 60.0})
    process.seconds = 30.0
    clock.cpu = 7.0
    one.ask(CALL, [], 5.0)
    assert process.asked[-1][2] == pytest.approx(3.0)
    clock.cpu = 9.95
    one.ask(CALL, [], 5.0)
    assert process.asked[-1][2] == 0.1  # enough to see whether it answers
    clock.cpu = 10.0
    with pytest.raises(NotJudged, match="as a whole took longer than it may"):
        one.ask(CALL, [], 5.0)
    assert len(process.asked) == 2
    assert one.progress.outcome == "total timeout"


def test_a_cell_without_a_limit_has_all_the_time_that_is_left(made):
    process = Process()
    one = running(made, process, disabled_rules=("cell time",))
    one.ask(CALL, [], 5.0)
    assert process.asked[-1][2] == pytest.approx(100.0)


SLOW = [
    {"interrupted": True},
    {"error": {"types": ["TookTooLong"]}},
    ChildEnded("timeout"),
]


@pytest.mark.parametrize("slow", SLOW, ids=["interrupted", "raised", "ended"])
def test_for_a_function_without_end_nobody_waits_long_a_third_time(made, slow):
    is_over = isinstance(slow, Exception)
    processes = [Process({}, slow), Process({}, slow), Process()]
    one = made(*processes) if is_over else made(Process({}, slow, slow))
    for _ in range(2):
        if is_over:
            with pytest.raises(NotJudged, match=SENTENCES["cell timeout"].in_cell):
                one.ask(CALL, [], 5.0)
            assert one.child is None
        else:
            assert one.ask(CALL, [], 5.0)[0] == slow
    asked = [one for process in processes for one in process.asked] if is_over else one.child.asked
    assert [seconds for request, _, seconds, _ in asked if request["do"] == "call"] == [5.0, 5.0]
    for request in (CALL, {**CALL, "name": "g"}, {"do": "run", "code": "f()"}):
        one.ask(request, [], 5.0)
    (of_f, *_, short, _), (_, _, of_g, _), (_, _, of_cell, _) = one.child.asked[-3:]
    assert (short, of_g, of_cell) == pytest.approx((0.5, 5.0, 5.0))
    assert of_f["seconds"] == pytest.approx(0.5)  # it is stopped there as early


def test_errors_of_other_kinds_are_no_sign_of_a_function_without_end(made):
    process = Process(*[{"error": {"types": ["ValueError"], "text": "x" * 300}}] * 3)
    one = running(made, process)
    for _ in range(3):
        one.ask(CALL, [], 5.0)
    assert [seconds for *_, seconds, _ in process.asked] == [5.0] * 3


def test_what_the_process_says_by_itself_is_evidence(made):
    one = running(made, Process(ChildEnded("nonsense")))
    with pytest.raises(NotJudged) as caught:
        one.ask(CALL, [], 5.0)
    assert str(caught.value) == SENTENCES["tampering suspected"].in_cell
    assert one.progress.flags == ["something else than an answer came from the notebook's process"]
    assert (one.child, one.timeouts) == (None, {})


def test_definitions_of_a_test_that_fail_are_its_author_s_fault(made):
    one = running(made, Process(ChildEnded("by itself")))
    with pytest.raises(NotJudged) as caught:
        one.ask({**CALL, "code": "x = 1 / 0"}, [], 5.0)
    assert str(caught.value) == SENTENCES["not judged"].in_cell
    assert one.progress.outcome == "not judged"
    assert one.progress.flags == [
        "what a test of f sends along raises a ZeroDivisionError by itself"
    ]
    one = running(made, Process(ChildEnded("by itself")))
    with pytest.raises(NotJudged, match="Python itself ended here"):
        one.ask({**CALL, "code": "x = 1"}, [], 5.0)
    assert (one.progress.outcome, one.progress.flags) == ("died", [])


def test_what_a_lost_process_has_used_is_added_up(made):
    process = Process()
    process.seconds, process.is_contended = 7.0, True
    one = running(made, process, progress={"cpu": 1.0, "seconds": 3.0})
    one.kept, one.entered = {1: 0}, 0
    assert one.seconds() == 10.0
    one.lose_child()
    assert (one.progress.cpu, one.progress.seconds, one.progress.contended) == (3.0, 10.0, True)
    assert (one.child, one.kept, one.entered, one.seconds()) == (None, {}, None, 10.0)
    one.lose_child()
    assert one.progress.seconds == 10.0
    silent = Process()
    silent.report = None
    one.child = silent
    one.lose_child()
    assert (one.progress.cpu, one.progress.contended) == (3.0, True)


@pytest.mark.parametrize(("steps", "left"), [(0, 90.0), (4, 90.0), (5, 140.0)])
def test_hidden_tests_have_half_of_the_time_besides(made, clock, steps, left):
    one = made(progress={"steps": steps, "seconds": 10.0})
    assert one.left() == pytest.approx(left)
    # Wall time is ten times as long; of it counts what has passed since the judge began.
    clock.wall = 0.95 * 10 * (left + 10)
    assert one.left() == pytest.approx(0.05 * 10 * (left + 10))


def test_time_is_over_for_the_cell_or_for_the_whole(made, clock):
    one = made()
    assert one.timeout() == "cell timeout"
    clock.cpu = 100.0
    assert one.timeout() == "total timeout"
    assert one.outcome_of(ChildEnded("timeout")) == "total timeout"


# --- what is shown -------------------------------------------------------------------------------

SHOWN = {"output_type": "stream", "name": "stdout", "text": "x" * 50}


def test_what_is_shown_has_a_limit_for_the_whole_notebook(made):
    one = made(total_output_bytes=250)
    reply = {"outputs": [SHOWN]}  # 101 to 125 bytes as JSON
    assert one.keep_outputs(reply)[0]["text"] == "x" * 50
    assert one.keep_outputs(reply)
    assert one.progress.outcome == "graded"
    assert one.keep_outputs(reply) == []
    assert one.progress.outcome == "too much output"


def test_a_cell_that_has_shown_too_much_keeps_what_was_taken(made):
    one = made()
    assert one.keep_outputs({"outputs": [SHOWN], "is_full": True})
    assert one.progress.outcome == "too much output"
    free = made(disabled_rules=("output",), total_output_bytes=1)
    assert free.keep_outputs({"outputs": [SHOWN], "is_full": True})
    assert free.progress.outcome == "graded"


# --- copies --------------------------------------------------------------------------------------


def test_one_copy_serves_tests_between_which_nothing_has_run(made):
    process = Process({"kept": 0}, {"kept": 1}, {"kept": 2})
    one = running(made, process, progress={"ran": [0]})
    one.keep_copy(1)
    one.keep_copy(2)
    assert one.kept == {1: 0, 2: 0}
    one.progress.ran += [2]
    one.keep_copy(3)
    one.keep_copy(4)
    assert one.kept == {1: 0, 2: 0, 3: 1, 4: 1}
    assert process.done == ["keep", "keep"]
    assert process.asked[0][2] == 8.0


def test_there_are_sixteen_copies_at_most(made):
    process = Process(*({"kept": n} for n in range(20)))
    one = running(made, process, cells=20, progress={"ran": list(range(20))})
    for number in range(20):
        one.keep_copy(number)
    assert one.kept == {number: number for number in range(16)}


@pytest.mark.parametrize("kept", [None, -1, "0", 0.0, [0]])
def test_a_copy_without_a_number_is_none(made, kept):
    one = running(made, Process({"kept": kept}))
    one.keep_copy(1)
    assert one.kept == {}


def test_without_a_process_or_where_it_ends_there_is_no_copy(made):
    one = made()
    one.keep_copy(1)
    one.child = Process(ChildEnded("memory"))
    one.keep_copy(1)
    assert (one.kept, one.child, one.progress.outcome) == ({}, None, "out of memory")


def test_hidden_tests_go_from_copy_to_copy(made):
    """A copy is left as needed if a later test shares it, and entered once for several tests."""
    process = Process()
    one = running(made, process, cells=8, progress={"deferred": [1, 2, 5, 6], "ran": [0, 3, 4]})
    one.kept, one.position = {1: 0, 2: 0, 5: 1, 6: 0}, 7
    for number in (1, 2, 5):
        one.go_to(number)
    assert [request for request, *_ in process.asked] == [
        {"do": "enter", "copy": 0},
        {"do": "leave", "is_needed": True},
        {"do": "enter", "copy": 1},
    ]
    assert {seconds for *_, seconds, _ in process.asked} == {8.0}
    one.go_to(6)
    assert [request for request, *_ in process.asked[3:]] == [
        {"do": "leave", "is_needed": False},
        {"do": "enter", "copy": 0},
    ]
    assert one.entered == 0


@pytest.mark.parametrize(
    ("ran", "position", "unchanged", "done"),
    [
        ([0, 2], 3, (), ["begin", "run cell 0"]),  # a later cell has run: from the beginning
        ([0, 2], 3, (2,), []),  # what it changed is nothing to this test
        ([0], 3, (), []),
        ([0, 1], 1, (), ["run cell 1"]),  # up to the test
        ([0, 1, 2], 1, (), ["run cell 1"]),
    ],
)
def test_without_a_copy_the_state_is_that_of_the_cells_before(made, ran, position, unchanged, done):
    process, new = Process(), Process()
    one = made(new, progress={"ran": ran})
    one.child, one.position, one.unchanged = process, position, set(unchanged)
    one.go_to(2)
    assert [*process.done, *new.done] == done
    is_new = "begin" in done
    assert one.child is (new if is_new else process)
    assert one.progress.cpu == (2.0 if is_new else 0.0)  # the other one has ended


def test_after_the_loss_of_a_process_its_copies_are_gone(made):
    new = Process()
    one = made(new, progress={"ran": [0]})
    one.go_to(2)
    assert new.done == ["begin", "run cell 0"]
    one.kept = {3: 0}
    one.child = None
    one.server.child = lambda rules: Process()
    one.go_to(3)
    assert (one.entered, one.position) == (None, 3)
