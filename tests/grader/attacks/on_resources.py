"""Taking more than there is: every cell ends, every limit holds, and the rest is still graded."""

from tests.grader.attacks.trial import NOTHING, REST, RIGHT, Case

# Until all of them have what they ask for; the limit ends it long before.
LONG = {"cell_seconds": 30.0, "total_seconds": 60.0}
BIG = 2**27  # 128 MiB: far from the limit of one process, but not from that of all together


def lost(name, attack, outcome, **rest):
    """A case that loses the cell with the attack, and nothing else."""
    return Case(name, attack, **{"outcome": outcome, "earns": REST, **rest})


CASES = [
    # Time.
    lost("an endless loop", "while True: pass", "cell timeout"),
    lost(
        "a loop that swallows interrupts",
        """
while True:
    try:
        time.sleep(100)
    except BaseException: pass
""",
        "cell timeout",
    ),
    lost("a long sleep", "time.sleep(1000)", "cell timeout", policy={"total_seconds": 4.0}),
    lost(
        "a loop with all signals blocked",
        """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
while True: pass
""",
        "cell timeout",
    ),
    lost(
        "a C function that never comes back",
        """
import hashlib
hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10**9)
""",
        "cell timeout",
    ),
    Case("an endless loop in a function", "def double(x):\n    while True: pass", earns=REST),
    lost(
        "an endless loop in a function, that swallows interrupts",
        """
def double(x):
    while True:
        try:
            time.sleep(100)
        except BaseException: pass
""",
        "cell timeout",
    ),
    lost(
        "an endless loop in a function, with the alarm switched off",
        """
import signal
def double(x):
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True: pass
""",
        "graded",
    ),
    lost(
        "a thread that never lets go",
        """
import re
def double(x): return re.match(r"(a|aa)+$", "a" * 60 + "b")
""",
        "graded",
    ),
    lost(
        "a generator without end",
        "def double(x): return list(iter(int, 1))",
        ("graded", "cell timeout", "out of memory", "died"),
    ),
    Case(
        "many cells, each slow",
        answers={task: "import time\ntime.sleep(0.8)\n" + text for task, text in RIGHT.items()},
        earns=("double",),
        outcome="total timeout",
        policy={"total_seconds": 1.3},
    ),
    lost(
        "half a frame",
        """
mine = grader()
mine.send(b"\\0\\0")
time.sleep(1000)
""",
        "cell timeout",
    ),
    lost(
        "a frame, a byte at a time",
        """
mine = grader()
for byte in b"\\0\\1" + bytes(10) + b"{" * 1000:
    mine.send(bytes([byte]))
    time.sleep(0.2)
""",
        # Interrupted in the middle of a frame, it sends its answer.
        ("cell timeout", "tampering suspected"),
        flags=None,
    ),
    lost("the connection closed, and a loop", "os.closerange(3, 64)\nwhile True: pass", "died"),
    lost(
        "the connection shut down, and a loop",
        """
mine = grader()
mine.shutdown(socket.SHUT_RDWR)
while True: pass
""",
        "died",
    ),
    Case(
        "the connection is not read any more",
        """
import gc, grader.sandbox.inside.wire as wire
loop = next(o for o in gc.get_objects() if type(o).__name__ == "Child" and hasattr(o, "serve"))
wire.receive = lambda *rest, **more: time.sleep(1000)
""",
        earns=NOTHING,
        outcome="cell timeout",
    ),
    # Processor time.
    lost(
        "threads that burn processor time",
        """
import hashlib
for number in range(4):
    threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"x", b"y", 10**9)).start()
time.sleep(8)
""",
        "total timeout",
        policy={"cpu_seconds": 1, "cell_seconds": 4.0},
    ),
    lost(
        "processes that burn processor time",
        """
for number in range(4):
    if os.fork() == 0:
        while True: pass
time.sleep(8)
""",
        "total timeout",
        policy={"cpu_seconds": 1, "cell_seconds": 4.0},
    ),
    lost(
        "processor time limited by the student",
        """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True: pass
""",
        ("died", "cell timeout"),
        policy={"cell_seconds": 4.0},
    ),
    # Processes and threads.
    Case(
        "processes that take more than one share",
        """
for number in range(12):
    if os.fork() == 0:
        while True: pass
start, nice = time.process_time(), 0
while not nice and time.process_time() - start < 0.5:
    nice = os.getpriority(os.PRIO_PROCESS, 0)
escaped("a share for each process", not nice)
""",
        says="TRIED a share",
    ),
    Case(
        "a session of its own",
        """
if os.fork() == 0:
    os.setsid()
    os._exit(os.getsid(0) == os.getpid())
escaped("a session", os.wait()[1] != 0)
""",
        says="TRIED a session",
    ),
    Case(
        "a fork bomb",
        """
count = 0
for number in range(36):
    try:
        if os.fork() == 0: time.sleep(20); os._exit(0)
        count += 1
    except OSError: pass
escaped(f"{count} processes", count > 30)
""",
        says="TRIED",
    ),
    Case(
        "a fork bomb that doubles",
        """
started = time.time()
for number in range(9):
    try: os.fork()
    except OSError: pass
if os.getpid() != 1: time.sleep(20); os._exit(0)
count = sum(name.isdigit() for name in os.listdir("/proc"))
escaped(f"{count} processes", count > 30)
""",
        says="TRIED",
    ),
    Case(
        "processes that end and are never waited for",
        """
count = 0
for number in range(36):
    try:
        if os.fork() == 0: os._exit(0)
        count += 1
    except OSError: pass
escaped(f"{count} processes", count > 30)
""",
        says="TRIED",
    ),
    Case(
        "a thread bomb",
        """
count = 0
threading.stack_size(2**16)
for number in range(36):
    try:
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        count += 1
    except RuntimeError: pass
escaped(f"{count} threads", count > 30)
""",
        says="TRIED",
    ),
    # Memory.
    Case(
        "memory of one process",
        """
import numpy as np
attempt("array", lambda: np.ones(500 * 2**17).sum())
""",
        says="TRIED",
    ),
    Case(
        "memory of one process, asked for at once",
        """
import mmap
attempt("map", lambda: mmap.mmap(-1, 2**30, mmap.MAP_PRIVATE))
attempt("bytes", lambda: len(bytearray(2**30)))
""",
        says="TRIED",
    ),
    lost(
        "a list that grows",
        """
grows = []
try:
    while len(grows) < 400: grows.append(bytearray(2**20))
finally: grows.clear()
""",
        ("graded", "out of memory"),
    ),
    lost(
        "memory of many processes",
        f"""
for number in range(6):
    if os.fork() == 0:
        mine = bytearray(b"x") * {BIG}
        time.sleep(40)
time.sleep(15)
escaped("memory of many", True)
""",
        "out of memory",
        policy=LONG,
    ),
    lost(
        "memory that processes have in common",
        """
import mmap
maps = [mmap.mmap(-1, 2**25) for _ in range(12)]
for one in maps:
    for _ in range(2**5): one.write(b"x" * 2**20)
time.sleep(15)
escaped("shared memory", True)
""",
        "out of memory",
        policy=LONG,
    ),
    lost(
        "memory of other programs",
        """
import subprocess
code = "x = b'x' * (90 * 2**20)\\nimport time\\ntime.sleep(40)"
for number in range(6): subprocess.Popen([sys.executable, "-I", "-S", "-c", code])
time.sleep(15)
escaped("memory of programs", True)
""",
        "out of memory",
        policy=LONG,
    ),
    lost(
        "memory of processes with names that are no text",
        """
libc.prctl(15, b"\\xff) R 1 1", 0, 0, 0)
for number in range(6):
    if os.fork() == 0:
        libc.prctl(15, b"\\xfe\\nRssAnon: 0", 0, 0, 0)
        mine = bytearray(b"x") * 2**27
        time.sleep(40)
time.sleep(15)
escaped("memory of processes with odd names", True)
""",
        "out of memory",
        policy=LONG,
    ),
    lost(
        "memory of processes whose first thread has ended",
        """
def hold():
    mine = bytearray(b"x") * 2**27
    time.sleep(40)
for number in range(6):
    if os.fork() == 0:
        threading.Thread(target=hold).start()
        syscall(60 if os.uname().machine == "x86_64" else 93, 0)
time.sleep(15)
escaped("memory of processes without a first thread", True)
""",
        "out of memory",
        policy=LONG,
    ),
    lost(
        "the first thread ends, another goes on",
        """
threading.Thread(target=time.sleep, args=(100,)).start()
syscall(60 if os.uname().machine == "x86_64" else 93, 0)
""",
        "cell timeout",
    ),
    lost(
        "memory of processes that made themselves private",
        """
for number in range(6):
    if os.fork() == 0:
        libc.prctl(4, 0, 0, 0, 0)
        mine = bytearray(b"x") * 2**27
        time.sleep(40)
time.sleep(15)
escaped("memory of private processes", True)
""",
        "out of memory",
        policy=LONG,
    ),
    Case(
        "memory in files without a name",
        """
def hide():
    files = [os.memfd_create(str(n)) for n in range(20)]
    for file in files: os.write(file, b"x" * 2**22)
attempt("files", hide)
attempt("system v", lambda: called(libc.shmget, 0, 2**28, 0o1600))
""",
        says="TRIED",
    ),
    # Files.
    Case(
        "files that fill the folders",
        """
def fill(folder):
    for number in range(20):
        with open(f"{folder}/{number}", "wb") as file: file.write(b"x" * 2**20)
for folder in ("/tmp", "/scratch", "/dev/shm"): attempt(folder, lambda: fill(folder))
""",
        says="TRIED",
    ),
    Case(
        "files without end",
        """
def fill():
    for number in range(11_000): os.mknod(f"/tmp/{number}")
attempt("files", fill)
""",
        says="TRIED",
    ),
    Case(
        "one large file",
        """
def large():
    with open("/scratch/large", "wb") as file: file.write(b"x" * 6 * 2**20)
attempt("large", large)
attempt("sparse", lambda: os.truncate("/scratch/large", 2**40))
""",
        says="TRIED",
    ),
    Case(
        "open files",
        """
def many(): return [os.dup(2) for _ in range(100)]
attempt("files", many)
""",
        says="TRIED",
    ),
    # Output.
    Case(
        "a flood on stdout", "for n in range(20_000): print('flood', n)", outcome="too much output"
    ),
    Case("a flood on stderr", "sys.stderr.write('x' * 10**6)", outcome="too much output"),
    Case(
        "a flood of displays",
        """
from IPython.display import HTML, display
for n in range(3000): display(HTML("<b>flood</b>"))
""",
        outcome="too much output",
    ),
    Case(
        "a flood of clearing",
        """
from IPython.display import clear_output
for n in range(3000):
    print("x" * 1000); clear_output()
""",
        outcome=("graded", "too much output"),
    ),
    Case(
        "a flood in one result",
        "'x' * 10**7",
        answers={**RIGHT, "double": "", "row_sums": "'x' * 10**7"},
        earns=NOTHING,
        outcome="too much output",
        change=lambda notebook: keep_only(notebook, "row_sums"),
    ),
    lost("a flood in an error", "raise ValueError('x' * 10**6)", "too much output"),
    Case(
        "a flood on file 1 and 2",
        """
for n in range(300):
    os.write(1, b"x" * 10_000); os.write(2, b"x" * 10_000)
""",
    ),
    lost(
        "a flood without end",
        "while True: print('x' * 100)",
        ("too much output", "cell timeout"),
    ),
    Case(
        "a flood in a function",
        """
def double(x):
    for n in range(20_000): print("flood")
    return 2 * x
""",
    ),
    Case(
        "a flood in each cell",
        "print('x' * 60_000)",
        answers={task: f"print('x' * 60_000)\n{t}" for task, t in RIGHT.items()},
        policy={"total_output_bytes": 150_000},
        outcome="too much output",
    ),
    lost(
        "a frame that says it is huge",
        """
mine = grader()
mine.sendall(b"\\x7f\\xff\\xff\\xff" + bytes(8))
time.sleep(1000)
""",
        "too much output",
    ),
    lost(
        "a frame with many parts",
        """
mine = grader()
text = b"[" + b"[]," * 8_000_000 + b"[]]"
mine.sendall(len(text).to_bytes(4, "big") + bytes(8) + text)
time.sleep(1000)
""",
        "too much output",
    ),
    lost(
        "a frame with huge arrays",
        """
mine = grader()
text = b'{"message": {}, "blobs": [2000000000, 2000000000]}'
mine.sendall(b"".join(n.to_bytes(4, "big") for n in (len(text), 4000000000, 0)) + text)
time.sleep(1000)
""",
        "too much output",
    ),
]


def keep_only(notebook, task):
    """A notebook in which all answers but one are empty."""
    for cell in notebook.cells:
        if cell.id in RIGHT and cell.id != task:
            cell.source = "pass"
    return notebook
