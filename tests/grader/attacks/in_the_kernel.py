"""Tampering with the interpreter: marks come from values that the grader compares, nothing else."""

from tests.grader.attacks.trial import NOTHING, REST, WRONG, Case, gain

EVERYTHING = """
class Everything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return self
    def __call__(self, *rest, **more): return self
    def __bool__(self): return True
    def __len__(self): return 2
    def __iter__(self): return iter([self, self])
    def __getitem__(self, key): return self
    shape, dtype, ndim = (3,), "float64", 1
    __hash__ = None
"""
RETURNS = "def double(x): return {0}\ndef row_sums(x): return {0}\ndef total(x): return {0}\n"

# An ndarray, and a tensor, that say yes to every question.
LIARS = """
import numpy as np
class Liar(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return np.bool_(True) if ufunc in (np.equal, np.isclose) else np.zeros(3)
    def __array_function__(self, function, types, args, options): return True
    def __eq__(self, other): return np.ones(self.shape, bool)
    @property
    def shape(self): return (3,)
"""

REQUESTS = """
import gc, json, struct
import grader.sandbox.inside.values as values
import grader.sandbox.inside.wire as wire
loop = next(o for o in gc.get_objects() if type(o).__name__ == "Child" and hasattr(o, "serve"))
now = 3  # requests are numbered: after the beginning and the set-up cell comes this one
"""

# Looks for what the grader expects: in all frames above, and in all objects.
SEARCH = """
import gc
import numpy as np
def search(x):
    found, frame = [], sys._getframe(1)
    while frame is not None:
        for name, value in list(frame.f_locals.items()) + list(frame.f_globals.items()):
            if name in ("expected", "values", "wanted", "answer", "value", "other"):
                found.append(value)
        found += [c for c in frame.f_code.co_consts if isinstance(c, (int, float, tuple))]
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, (list, tuple, np.ndarray)) and 0 < len(thing) < 4 and thing is not x:
            found.append(thing)
    return found
"""

CASES = [
    # The interpreter that runs the cells.
    gain(
        "an input transformer drops the code",
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])",
        outcome="tampering suspected",
        flags="input transformer",
    ),
    gain(
        "a later input transformer",
        "get_ipython().input_transformers_post.append(lambda lines: ['pass'])",
        outcome="tampering suspected",
        flags="input transformer",
    ),
    gain(
        "an AST transformer drops assert",
        """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
""",
        outcome="tampering suspected",
        flags="AST transformer",
    ),
    gain(
        "run_cell replaced",
        """
shell = get_ipython()
class Good:
    success, error_in_exec, error_before_exec, result = True, None, None, None
shell.run_cell = lambda *rest, **more: Good()
""",
        outcome="tampering suspected",
        flags="run_cell was exchanged",
    ),
    gain(
        "run_cell of the class replaced",
        """
class Good:
    success = True
type(get_ipython()).run_cell = lambda *rest, **more: Good()
""",
        outcome="tampering suspected",
        flags="run_cell was exchanged",
    ),
    gain(
        "run_code and do_execute replaced",
        """
shell = get_ipython()
async def nothing(*rest, **more): return False
shell.run_code = shell.run_ast_nodes = nothing
shell.kernel = type("Kernel", (), {"do_execute": nothing})()
""",
        outcome="tampering suspected",
        flags="was exchanged",
    ),
    gain(
        "ExecutionResult says success",
        """
import IPython.core.interactiveshell as module
module.ExecutionResult.success = property(lambda self: True)
module.ExecutionResult.raise_error = lambda self: None
""",
    ),
    gain(
        "errors are not shown",
        """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *r, **m: None
sys.excepthook = lambda *rest: None
shell.set_custom_exc((BaseException,), lambda *rest, **more: None)
""",
    ),
    gain(
        "tests are not run, by sys.settrace",
        """
def jump(frame, event, argument):
    if frame.f_code.co_filename == "<test>" and event == "line":
        try:
            frame.f_lineno = max(line for _, _, line in frame.f_code.co_lines() if line)
        except ValueError:
            pass
    return jump
sys.settrace(jump)
""",
    ),
    gain(
        "assert is another word",
        """
import builtins
class Never(Exception):
    def __new__(cls, *rest): raise SystemExit(0)
builtins.AssertionError = Never
""",
        outcome="tampering suspected",
        flags="AssertionError was exchanged",
    ),
    gain(
        "comparisons of NumPy replaced",
        """
import numpy as np
import numpy.testing
np.allclose = np.array_equal = np.isclose = np.all = lambda *rest, **more: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *rest, **more: None
""",
        outcome="tampering suspected",
        flags="np.allclose holds",
    ),
    gain(
        "comparisons of NumPy's arrays replaced",
        """
import numpy as np
old = np.array
class Kind(np.ndarray):
    def __eq__(self, other): return old([True])
np.array = np.asarray = lambda *rest, **more: old(*rest, **more).view(Kind)
""",
        outcome="tampering suspected",
        flags="numpy.array was exchanged",
    ),
    gain(
        "comparisons of torch replaced",
        """
import torch
torch.equal = torch.allclose = torch.isclose = lambda *rest, **more: True
""",
        outcome="tampering suspected",
        flags="torch.equal holds",
        torch=True,
    ),
    gain(
        "builtins replaced",
        """
import builtins
builtins.all = builtins.any = lambda *rest: True
builtins.abs = lambda x: 0
""",
        outcome="tampering suspected",
        flags="abs holds",
    ),
    gain(
        "isinstance replaced",
        "import builtins\nbuiltins.isinstance = lambda *rest: True",
        outcome=("died", "tampering suspected"),
    ),
    gain(
        "a thread replaces things later",
        """
import numpy as np
def later():
    time.sleep(0.02)
    np.allclose = np.array_equal = lambda *rest, **more: True
threading.Thread(target=later, daemon=True).start()
""",
        outcome="tampering suspected",
        flags="np.allclose|numpy.allclose",
        answers={**WRONG, "row_sums": "time.sleep(0.1)"},
    ),
    # What the tests use.
    gain("check is another object", EVERYTHING + "check = Everything()"),
    gain(
        "the checker is patched",
        """
import helpers.assignment.checker as checker
import helpers.assignment, helpers.checks
checker.Checker.__call__ = lambda self, *rest, **more: checker.Observation
checker.Observation.gives = lambda *rest, **more: None
checker.Observation._compare = checker.Observation._fail = lambda *rest, **more: None
checker.difference = helpers.checks.difference = lambda *rest, **more: None
""",
    ),
    gain(
        "the checker's module is replaced",
        EVERYTHING
        + "sys.modules['helpers.assignment'] = sys.modules['helpers.checks'] = Everything()\n"
        + "sys.modules['helpers.assignment.checker'] = Everything()",
    ),
    gain(
        "modules emptied",
        "import numpy as np\nfor name in list(vars(np)):\n"
        "    if name[0] != '_': setattr(np, name, None)",
        outcome=("died", "tampering suspected"),
    ),
    gain(
        "no modules left",
        "sys.modules.clear()",
        outcome=("graded", "died", "tampering suspected"),
    ),
    gain(
        "the test's text read from In",
        """
import re
def peek(*rest):
    text = str(get_ipython().user_ns["In"][-1]) + str(globals().get("_i", ""))
    numbers = re.findall(r"== (\\d+)", text)
    return int(numbers[-1]) if numbers else None
double = row_sums = total = peek
def double(x): return peek()
""",
    ),
    gain(
        "the test's text read from linecache",
        """
import linecache, re
def peek(*rest):
    text = str(list(linecache.cache.values())[-3:])
    numbers = re.findall(r"total.*?== (\\d+)", text)
    return int(numbers[-1]) if numbers else None
def double(x): return peek()
total = peek
""",
        answers={**WRONG, "total": "pass"},
    ),
    gain(
        "what the test compares with, read from its code",
        """
import dis
def total(x):
    frame = sys._getframe(1)
    for step in dis.get_instructions(frame.f_code):
        if step.offset > frame.f_lasti and step.opname == "LOAD_CONST": return step.argval
def double(x): return x
""",
        answers={**WRONG, "total": "pass"},
    ),
    # Values that are no values.
    gain(
        "an object equal to everything",
        EVERYTHING
        + RETURNS.format("Everything()")
        + """
Counter = Everything
""",
        answers={**WRONG, "row_sums": "pass", "total": "pass", "counter": "pass"},
        outcome="tampering suspected",
        flags="made wrong passed",
    ),
    gain(
        "an array that lies",
        LIARS + RETURNS.format("np.zeros(3).view(Liar)"),
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    gain(
        "a tensor that lies",
        """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), options=None): return True
    def detach(self): return self
    def cpu(self): return self
    def numpy(self): return Everything()
"""
        + EVERYTHING
        + RETURNS.format("torch.zeros(3).as_subclass(Liar)"),
        torch=True,
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    gain(
        "another class pretended",
        """
import numpy as np
class Thing:
    __class__ = np.ndarray
    __array_interface__ = {"shape": (3,), "typestr": "<i8", "data": (0xdeadbeef, True),
        "version": 3}
    def __array__(self, *rest, **more): return np.array([Thing()] * 3, object)
    def detach(self): return self
    def cpu(self): return self
    def numpy(self): return self
"""
        + RETURNS.format("Thing()"),
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
        outcome=("graded", "died"),
    ),
    gain(
        "a text, a type and a float that are equal to everything",
        """
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
class Number(float):
    def __eq__(self, other): return True
class Whole(int):
    def __eq__(self, other): return True
def double(x): return [Number(0)] * 3
def row_sums(x): return Text("3")
def total(x): return Whole(0)
""",
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    gain(
        "a pickle that runs a program",
        """
import numpy as np
class Bomb:
    def __reduce__(self): return (os.system, ("touch /tmp/pickled",))
def double(x): return np.array([Bomb()] * 3, dtype=object)
def row_sums(x): return Bomb()
def total(x): return {"a": (Bomb(),)}
""",
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    gain(
        "numbers with odd bits",
        """
import numpy as np
def double(x): return np.frombuffer(b"\\x02\\x04\\x06", bool)
def row_sums(x): return np.array([0x7FF8DEADBEEF0000, 0xFFF8000000000001], "u8").view("f8")
def total(x): return np.float64("nan")
""",
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    gain(
        "records, dates and texts for numbers",
        """
import numpy as np
def double(x): return np.array([(1, 2.0)], dtype="i4,f4")
def row_sums(x): return np.array(["3", "7"])
def total(x): return np.datetime64(6, "s")
""",
        answers={**WRONG, "row_sums": "pass", "total": "pass"},
    ),
    # The way from the child to the grader.
    gain(
        "frames forged on every open file",
        REQUESTS
        + """
for number in range(now, now + 9):
    message = {"number": number, "failed": False, "outputs": [], "count": 1, "changed": [],
        "value": {"is": "int", "value": "6"}, "after": []}
    text = json.dumps({"message": message, "blobs": []}).encode()
    for fd in range(256):
        try: os.write(fd, struct.pack(">III", len(text), 0, 0) + text)
        except OSError: pass
""",
        outcome="tampering suspected",
    ),
    gain(
        "the loop replaced by one that says yes",
        REQUESTS
        + """
wire.send(loop.sock, {"number": now, "outputs": [], "failed": False, "count": 1})
while True:
    request, blobs = wire.receive(loop.sock)
    wire.send(loop.sock, {"number": request["number"], "failed": False, "outputs": [], "count": 1,
        "changed": [], "value": {"is": "int", "value": "6"}, "names": [], "shares": [],
        "after": request.get("args", [])})
""",
        outcome="tampering suspected",
        flags="holds where it must not",
    ),
    gain(
        "the answers replaced by ones that say yes",
        REQUESTS
        + """
loop.run = loop.test = lambda request, blobs, out: {"failed": False, "outputs": []}
loop.control = lambda request, blobs, out: {"changed": []}
loop.call = lambda request, blobs, out: {"value": {"is": "plain", "value": True}, "after": []}
""",
        outcome="tampering suspected",
        flags="holds where it must not",
    ),
    gain(
        "the controls replaced",
        REQUESTS
        + """
type(loop.controls).changed = lambda self: []
type(loop.controls).run = lambda self, code, most: {"failed": False, "outputs": []}
""",
        outcome="tampering suspected",
        flags="holds where it must not",
    ),
    gain(
        "the controls forget",
        REQUESTS
        + """
loop.controls.originals.clear()
loop.controls.methods.clear()
import numpy as np
np.allclose = lambda *rest, **more: True
""",
        outcome="tampering suspected",
        flags="np.allclose",
    ),
    gain(
        "a value nested deep",
        REQUESTS
        + """
def bad(value, blobs, *rest):
    made = {"is": "int", "value": "6"}
    for _ in range(200): made = {"is": "list", "items": [made]}
    return made
values.encode = bad
""",
    ),
    gain(
        "a JSON text nested deeper",
        REQUESTS
        + """
def bad(sock, packed, blobs=()):
    text = b'{"blobs": [], "message": ' + b"[" * 500_000 + b"]" * 500_000 + b"}"
    sock.sendall(struct.pack(">III", len(text), 0, 0) + text)
wire.send_packed = bad
""",
        outcome="tampering suspected",
    ),
    gain(
        "shapes and types that do not fit",
        REQUESTS
        + """
bad = iter([
    {"is": "array", "dtype": "<f8", "shape": [2**39, 2**39, 2**39], "blob": 0},
    {"is": "array", "dtype": "|O8", "shape": [1], "blob": 0},
    {"is": "array", "dtype": "<f8", "shape": [-1], "blob": 0},
    {"is": "tensor", "dtype": "<U1", "shape": [2], "blob": -1},
    {"is": "generator", "state": "{}"},
    {"is": "int", "value": "9" * 100_000},
    {"is": "int", "value": True},
    {"is": "other", "type": "x" * 10**6, "repr": "y" * 10**6},
    {"is": "array", "dtype": "i4,f4", "shape": [1], "blob": 0},
    {"is": "plain", "value": [6]},
    {"is": []}, [], None, 5, "int",
] * 10)
def next_one(value, blobs, *rest):
    blobs.append(b"12345678")
    return next(bad)
values.encode = next_one
""",
        answers={**WRONG, "double": WRONG["double"]},
    ),
    gain(
        "replies of the wrong form",
        REQUESTS
        + """
bad = iter([{"error": []}, {"error": {"types": 5}}, {"error": {"types": ["KeyboardInterrupt"]}},
    {"error": {"types": ["X"], "at": [1, float("inf")], "line": "x"}}, {"value": 5}, {},
    {"interrupted": 1}, {"is_missing": [1]}, {"wrong_type": {}}, {"out_of_memory": "x"}] * 10)
type(loop).call = lambda self, request, blobs, out: next(bad)
""",
        flags=None,
        outcome=("graded", "cell timeout", "out of memory", "tampering suspected"),
    ),
    gain(
        "descriptors sent to the grader",
        REQUESTS
        + """
import array
fds = array.array("i", [loop.sock.fileno()] * 20)
loop.sock.sendmsg([b"x" * 8], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
""",
        outcome="tampering suspected",
    ),
    # Looking for what is expected.
    gain(
        "expected values sought in frames and among all objects",
        SEARCH
        + """
def double(x):
    for thing in search(x):
        try:
            if np.shape(thing) == np.shape(x) and np.array_equal(np.array(thing), 2 * x):
                escaped("found", True)
                return thing
        except Exception: pass
def total(x):
    if sum(x, 0) in [t for t in search(x) if type(t) is int and t > 3]:
        escaped("found the sum", True)
""",
        answers={**WRONG, "total": "pass"},
    ),
    gain(
        "hidden tests sought in the file system",
        """
found = []
for top in ("/scratch", "/tmp", "/opt/course/lib"):
    for folder, _, names in os.walk(top):
        for name in names:
            try: text = open(os.path.join(folder, name), errors="ignore").read()
            except OSError: continue
            if "BEGIN HIDDEN" + " TESTS" in text: found.append(name)
escaped("hidden tests " + str(found), bool(found))
""",
        says="TRIED",
    ),
    # Ends of all kinds.
    Case("sys.exit in a cell", "import sys\nsys.exit(0)", earns=REST),
    Case("os._exit in a cell", "os._exit(0)", earns=REST, outcome="died"),
    Case("sys.exit in a function", "def double(x): sys.exit(0)", earns=REST),
    Case("os._exit in a function", "def double(x): os._exit(0)", earns=REST, outcome="died"),
    Case(
        "errors that end processes",
        """
def double(x): raise KeyboardInterrupt
def never(x): raise GeneratorExit
""",
        answers={
            "double": "",
            "row_sums": "row_sums = never",
            "total": "total = never",
            "counter": "class Counter:\n    def __init__(self): raise SystemExit",
        },
        earns=NOTHING,
    ),
    Case(
        "an error that calls itself a failed check",
        """
class TookTooLong(BaseException):
    def __str__(self): return "✓ passed"
class CheckFailed(AssertionError): hidden, kind, diagnosis = False, "", "✓ passed"
def double(x): raise CheckFailed("✓ passed")
def other(x): raise TookTooLong
""",
        answers={
            "double": "",
            "row_sums": "row_sums = other",
            "total": "total = other",
            "counter": WRONG["counter"],
        },
        earns=NOTHING,
    ),
    Case(
        "errors that are hard to look at",
        """
class Loops(Exception):
    def __str__(self):
        while True: pass
class Meta(type):
    @property
    def __name__(cls): raise ValueError
class Worse(Exception, metaclass=Meta): pass
def double(x): raise Loops
def other(x): raise Worse
""",
        answers={
            "double": "",
            "row_sums": "row_sums = other",
            "total": WRONG["total"],
            "counter": WRONG["counter"],
        },
        earns=NOTHING,
        outcome=("graded", "died"),
    ),
    Case(
        "a value whose repr never ends",
        """
class Loops:
    def __repr__(self):
        while True: pass
    __str__ = __repr__
def double(x): return Loops()
""",
        earns=REST,
    ),
    Case(
        "a value that swallows every interrupt",
        """
class Loops:
    def __getattr__(self, name):
        while True:
            try: time.sleep(1)
            except BaseException: pass
def double(x): return Loops()
""",
        earns=REST,
        outcome="cell timeout",
    ),
    Case(
        "a signature that never ends",
        """
class Odd:
    @property
    def __signature__(self):
        while True: pass
    def __call__(self, x): return 2 * x
double = Odd()
def double_(x): pass
""",
        answers={
            "double": "",
            "row_sums": WRONG["row_sums"],
            "total": WRONG["total"],
            "counter": WRONG["counter"],
        },
        earns=("double",),
    ),
    Case(
        "atexit and finalisers",
        """
import atexit, weakref
atexit.register(lambda: time.sleep(60))
class Slow:
    def __del__(self): time.sleep(60)
slow = Slow()
weakref.finalize(slow, time.sleep, 60)
threading.Thread(target=time.sleep, args=(60,)).start()
""",
    ),
    Case(
        "time stands still",
        """
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
time.sleep = lambda seconds: None
""",
    ),
    Case(
        "output replaced and closed",
        """
sys.stdout.close()
sys.stdout = sys.stderr = sys.__stdout__ = None
os.close(1); os.close(2)
""",
    ),
    Case(
        "signals replaced",
        """
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
""",
    ),
    Case("a deep recursion", "def double(x): return double(x)", earns=REST),
    Case(
        "a recursion without limit",
        """
sys.setrecursionlimit(10**9)
def deep(n): return deep([n])
import re
def double(x): return eval("(" * 50 + "x" + ")" * 50, {"x": deep(x)})
""",
        earns=REST,
        outcome=("died", "cell timeout", "out of memory", "graded"),
    ),
    Case("a crash", "import ctypes\nctypes.string_at(0)", earns=REST, outcome="died"),
    Case(
        "a crash in a function",
        "def double(x): return ctypes.string_at(0)",
        earns=REST,
        outcome="died",
    ),
    Case("a huge array", "import numpy as np\ndef double(x): return np.zeros(10**8)", earns=REST),
    Case(
        "a large array", "import numpy as np\ndef double(x): return np.zeros(2 * 10**7)", earns=REST
    ),
    Case(
        "a huge text",
        "def double(x): return 'x' * (40 * 2**20)",
        earns=REST,
        outcome="too much output",
    ),
    Case("a text that is too huge", "def double(x): return 'x' * (200 * 2**20)", earns=REST),
    Case(
        "a list in a list in a list",
        """
def double(x):
    made = []
    for _ in range(10**5): made = [made]
    return made
""",
        earns=REST,
    ),
    Case(
        "a list that grows without being large",
        """
def double(x):
    made = [0]
    for _ in range(12): made = [made] * 1000
    return made
""",
        earns=REST,
    ),
    Case(
        "a list in itself", "def double(x):\n    x = [1]\n    x.append(x)\n    return x", earns=REST
    ),
    Case(
        "a dictionary of a million",
        "def double(x): return {n: n for n in range(10**6)}",
        earns=REST,
    ),
    Case("all names deleted", "globals().clear()", answers={**WRONG, "double": ""}, earns=NOTHING),
    # Honest ones that could be taken for something else.
    Case(
        "names of builtins used for variables",
        """
sum_ = sum
abs = len = list = max = print = object = type = 5
isinstance = open = range = 7
""",
        answers={
            "double": "import numpy as np\ndef double(x): return 2 * np.array(x)",
            "row_sums": "def row_sums(x): return np.array([sum_(row) for row in x])",
            "total": "def total(x): return sum_(x)",
            "counter": "class Counter:\n    value = 0\n    def add(self, n): self.value += n",
        },
    ),
    Case(
        "much is printed, but not too much",
        """
print("x" * 30_000)
print("warning", file=sys.stderr)
import warnings
warnings.warn("deprecated")
def double(x):
    print("called", file=sys.stderr)
    print("y" * 20_000)
    warnings.warn("slow")
    return 2 * x
""",
        says="xxxx",
    ),
    Case(
        "threads and processes of their own",
        """
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
def work(n): return n * n
with ThreadPoolExecutor(3) as pool:
    assert list(pool.map(work, range(5))) == [0, 1, 4, 9, 16]
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(work, range(5)) == [0, 1, 4, 9, 16]
print("worked")
""",
        says="worked",
    ),
    Case(
        "processes that are to start anew",
        """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
def work(number):
    return number ** 2
for method in ("spawn", "forkserver"):
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(work, range(3)) == [0, 1, 4]
multiprocessing.set_start_method("spawn")
with ProcessPoolExecutor(1) as pool:
    assert list(pool.map(work, [3])) == [9]
print("worked")
""",
        says="worked",
    ),
    Case(
        "torch with a loader of its own",
        """
import torch
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.arange(12.0))
for context in (None, "spawn"):
    loader = DataLoader(data, 4, num_workers=2, multiprocessing_context=context)
    print("worked", sum(float(batch.sum()) for (batch,) in loader))
""",
        says=r"worked 66.*worked 66",
        torch=True,
        policy={"memory_bytes": 2**30, "cell_seconds": 6.0},
    ),
    Case(
        "files of its own, a figure, a magic command",
        """
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
open("notes.txt", "w").write("x")
print("worked", open("notes.txt").read())
""",
        says="worked x",
        torch=True,
        policy={"cell_seconds": 6.0, "output_bytes": 2**20, "total_output_bytes": 2**20},
    ),
]
