"""Getting out, and leaving something for the next: neither files nor processes nor a network."""

from tests.grader.attacks.trial import REST, Case

# Set by the tests: what there is on this machine to be found or reached.
PLACES = (
    "places = __import__('json').loads(open('/scratch/checks.json').read())['tests']['places']\n"
)


def leave(name, attack, then, **rest):
    """A case in which something is left, and the next student looks for it."""
    return Case(name, attack, then=then, **{"says": "TRIED|LEFT", **rest})


def tried(name, attack, **rest):
    """A case that must say that it was refused."""
    return Case(name, attack, **{"says": "TRIED", **rest})


CASES = [
    # The network.
    tried(
        "a server of this machine",
        PLACES
        + """
for host in ("127.0.0.1", "::1", "0.0.0.0", *places["addresses"]):
    attempt(host, lambda: socket.create_connection((host, places["port"]), 0.2))
""",
    ),
    tried(
        "names and hosts elsewhere",
        """
attempt("name", lambda: socket.getaddrinfo("example.org", 80))
attempt("host", lambda: socket.create_connection(("192.0.2.1", 80), 0.2))
attempt("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x",
    ("192.0.2.1", 53)))
attempt("broadcast", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x",
    ("255.255.255.255", 53)))
routes = open("/proc/self/net/route").read().splitlines()[1:]
escaped("routes " + str(routes), bool(routes))
""",
    ),
    tried(
        "sockets in a folder, and abstract ones",
        PLACES
        + """
for address in (places["socket"], "\\0" + places["abstract"], "/run/docker.sock",
        "/run/dbus/system_bus_socket", "/run/systemd/private"):
    attempt(repr(address), lambda: socket.socket(socket.AF_UNIX).connect(address))
""",
    ),
    tried(
        "families of sockets that no namespace holds back",
        """
for family in (16, 17, 38, 40, 44):
    attempt(family, lambda: socket.socket(family, socket.SOCK_RAW if family < 20 else
        socket.SOCK_STREAM))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
""",
    ),
    # What there is to read.
    tried(
        "the course, solutions, gradebook and home",
        PLACES
        + """
for path in places["secrets"]:
    attempt(path, lambda: os.stat(path))
for path in ("~/.ssh/id_rsa", "/root", "/home", "/var", "/srv", "/mnt", "/sys", "/boot", "/run"):
    attempt(path, lambda: os.listdir(os.path.expanduser(path)))
""",
    ),
    tried(
        "the root of the system",
        """
known = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "opt", "etc", "proc", "dev",
    "tmp", "scratch"}
escaped("the root: " + str(set(os.listdir("/")) - known), set(os.listdir("/")) - known)
known = {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives"}
escaped("etc: " + str(set(os.listdir("/etc")) - known), set(os.listdir("/etc")) - known)
for path in ("/etc/passwd", "/etc/shadow", "/etc/hosts", "/etc/machine-id", "/proc/kcore",
        "/proc/1/root/etc/passwd", "/proc/kmsg"):
    attempt(path, lambda: open(path, "rb").read(10))
attempt("devices", lambda: [n for n in os.listdir("/dev") if n in ("mem", "kvm", "sda", "vda",
    "fuse", "kmsg")][0])
""",
    ),
    tried(
        "the grader's part of the package",
        """
for name in ("judging", "judging/judge.py", "judging/job.py", "__init__.py", "sandbox/client.py"):
    attempt(name, lambda: os.stat("/opt/course/lib/grader/" + name))
import importlib
attempt("module", lambda: importlib.import_module("grader.judging.judge"))
""",
    ),
    tried(
        "other processes",
        """
others = {int(n) for n in os.listdir("/proc") if n.isdigit()} - {os.getpid()}
escaped("processes " + str(others), bool(others))
escaped("my number " + str(os.getpid()), os.getpid() != 1 or os.getppid() != 0)
attempt("parent", lambda: open("/proc/%d/environ" % os.getppid()).read())
""",
    ),
    tried(
        "secrets in the environment",
        """
found = [n for n in os.environ if "SECRET" in n or "TOKEN" in n or n == "USER"]
found += [n for n in open("/proc/self/environ").read().split("\\0") if "SECRET" in n]
escaped("environment " + str(found), bool(found))
""",
    ),
    tried(
        "inherited descriptors",
        """
found = {n: os.readlink("/proc/self/fd/" + n) for n in os.listdir("/proc/self/fd")
    if os.path.exists("/proc/self/fd/" + n)}
others = {n: to for n, to in found.items() if to != "/dev/null" and "/fd" not in to}
escaped("descriptors " + str(others),
    len(others) != 1 or not list(others.values())[0].startswith("socket:"))
""",
    ),
    tried(
        "the grader behind the socket",
        """
mine = grader()
attempt("peer", lambda: open("/proc/%d/environ" % __import__("struct").unpack("3i",
    mine.getsockopt(socket.SOL_SOCKET, 17, 12))[0] if False else "/proc/0/environ"))
attempt("address", lambda: (mine.getpeername() or 1 / 0))
""",
    ),
    # What there is to write.
    leave(
        "files in the system",
        """
for folder in ("/", "/usr", "/usr/bin", "/etc", "/opt", "/opt/course", "/opt/course/lib",
        "/opt/course/lib/inside", "/opt/course/lib/helpers", "/opt/course/site", "/dev",
        "/dev/pts", "/proc", "/var", "/run", "/shared", "/home"):
    attempt(folder, lambda: open(folder + "/left", "w").write("x"))
attempt("python", lambda: open(os.path.realpath(sys.executable), "ab"))
attempt("rename", lambda: os.rename("/opt/course/lib/inside", "/opt/course/lib/outside"))
attempt("remove", lambda: os.unlink("/opt/course/lib/inside/wire.py"))
attempt("link", lambda: os.link("/usr/bin/env", "/scratch/env"))
""",
        """
left = [f for f in ("/left", "/shared/left", "/dev/left") if os.path.exists(f)]
escaped("left " + str(left), bool(left))
""",
    ),
    leave(
        "modes, times and attributes of what is there",
        """
for path in ("/", "/usr", "/dev", "/dev/pts", "/dev/pts/ptmx", "/dev/null", "/opt/course",
        "/etc", "/opt/course/lib/inside/wire.py"):
    attempt("mode of " + path, lambda: os.chmod(path, 0o777))
    attempt("time of " + path, lambda: os.utime(path, (1, 1)))
    attempt("attribute of " + path, lambda: os.setxattr(path, "user.x", b"1"))
""",
        "escaped('mode', os.stat('/dev/pts/ptmx').st_mode & 0o777 == 0)",
    ),
    leave(
        "files for the next",
        """
for folder in ("/tmp", "/scratch", "/dev/shm", "/tmp/deep/er"):
    os.makedirs(folder, exist_ok=True)
    open(folder + "/left", "w").write("answers")
os.symlink("/etc/passwd", "/scratch/notes.txt")
os.symlink("/", "/scratch/.matplotlib")
open("/scratch/sitecustomize.py", "w").write("raise SystemExit")
open("/scratch/numpy.py", "w").write("raise SystemExit")
os.chmod("/scratch/checks.json", 0o644)  # it was given to be read only, but to its owner
open("/scratch/checks.json", "w").write("[]")
os.chmod("/scratch", 0)
print("LEFT")
""",
        """
left = [f for f in ("/tmp/left", "/scratch/left", "/dev/shm/left", "/scratch/numpy.py",
    "/scratch/notes.txt") if os.path.lexists(f)]
left += [n for d in ("/tmp", "/scratch", "/dev/shm") for n in os.listdir(d) if n != "checks.json"]
escaped("left " + str(left), bool(left))
escaped("changed", open("/scratch/checks.json").read() == "[]")
""",
    ),
    leave(
        "a changed interpreter for the next",
        """
import numpy as np, random, builtins, warnings
np.left = builtins.left = sys.left = True
np.set_printoptions(precision=1)
os.environ["LEFT"] = "1"
os.umask(0o777); sys.path.insert(0, "/tmp"); random.seed(1); np.random.seed(1)
warnings.simplefilter("error"); sys.setrecursionlimit(60)
get_ipython().input_transformers_cleanup.append(lambda lines: lines)
print("LEFT")
""",
        """
import numpy as np, builtins
escaped("left", hasattr(np, "left") or hasattr(builtins, "left") or "LEFT" in os.environ
    or sys.path[0] == "/tmp" or sys.getrecursionlimit() < 100 or os.umask(0o22) == 0o777)
""",
        flags="input transformer",
        outcome="tampering suspected",
    ),
    # Processes.
    leave(
        "daemons",
        """
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3, 64):
                try: os.close(fd)
                except OSError: pass
            time.sleep(300)
        os._exit(0)
print("LEFT")
""",
        """
others = {int(n) for n in os.listdir("/proc") if n.isdigit()} - {os.getpid()}
escaped("processes " + str(others), bool(others))
""",
    ),
    leave(
        "children that hold the socket and ignore signals",
        """
import signal
for number in range(3):
    if os.fork() == 0:
        for one in range(1, 32):
            try: signal.signal(one, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(1)
print("LEFT")
""",
        "",
    ),
    leave(
        "a program started in the background",
        """
import subprocess
subprocess.Popen(["/bin/sh", "-c", "trap '' HUP INT TERM; sleep 300 & sleep 300"],
    start_new_session=True)
print("LEFT")
""",
        "",
    ),
    tried(
        "a watch on the files that all can read",
        """
attempt("inotify", lambda: called(libc.inotify_init1, 0))
attempt("inotify", lambda: called(libc.inotify_init))
""",
    ),
    tried(
        "locks on the files that all can read",
        """
import fcntl, struct
path = "/opt/course/lib/inside/wire.py"
if not os.access(path, os.R_OK): path = os.__file__
one, other = open(path), open(path)
def is_seen():
    fcntl.flock(one, fcntl.LOCK_EX)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
lock = lambda kind: struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)
def is_told():
    fcntl.fcntl(one, 37, lock(fcntl.F_RDLCK))
    answer = fcntl.fcntl(other, 36, lock(fcntl.F_WRLCK))
    return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK
escaped("a lock of the whole file", is_seen())
attempt("what the kernel says of others' locks", is_told)
""",
    ),
    tried(
        "packages of another Python than the course's",
        """
import sysconfig
for scheme in ("purelib", "platlib"):
    folder = sysconfig.get_path(scheme)
    escaped(folder, os.path.isdir(folder) and bool(os.listdir(folder)))
for folder in sys.path:
    if folder.endswith("-packages"): escaped(folder, bool(os.listdir(folder)))
""",
    ),
    tried(
        "signals to others",
        """
def hit(number):
    try: os.kill(number, 9)
    except OSError: return False
    return number not in (-1, os.getpid())
hits = [number for number in (-1, *range(1, 2000)) if hit(number)]
escaped("killed " + str(hits), bool(hits))
escaped("parent " + str(os.getppid()), os.getppid() != 0)
""",
    ),
    tried(
        "signals to the grader by number",
        PLACES
        + """
for number in places["processes"]:
    attempt(number, lambda: os.kill(number, 9) if number > 500 else 1 / 0)
""",
    ),
    tried(
        "looking into other processes",
        """
child = os.fork()
if child == 0:
    time.sleep(20); os._exit(0)
libc.ptrace.restype = ctypes.c_long
attempt("ptrace", lambda: called(libc.ptrace, 16, child, None, None))
attempt("traceme", lambda: called(libc.ptrace, 0, 0, None, None))
attempt("vm", lambda: called(libc.process_vm_readv, child, None, 0, None, 0, 0))
attempt("memory", lambda: open("/proc/2/mem", "rb") if not os.path.exists("/proc/2") else 1 / 0)
""",
    ),
    # Privileges.
    tried(
        "a namespace of its own",
        """
for kind in (0x10000000, 0x10020000, 0x30000000, 0x50000000):
    attempt(hex(kind), lambda: called(libc.unshare, kind))
for name in ("user", "pid", "mnt"):
    attempt(name, lambda: called(libc.setns, os.open("/proc/self/ns/" + name, os.O_RDONLY), 0))
def clone():
    # Only the number is looked at: a child of it ends at once.
    pid = libc.syscall(ctypes.c_long(56 if os.uname().machine == "x86_64" else 220),
        ctypes.c_ulong(0x10000000 | 17), None, None, None, None)
    if pid == 0: os._exit(0)
    if pid == -1: raise OSError(ctypes.get_errno(), "clone")
attempt("clone", clone)
import subprocess
attempt("unshare", lambda: subprocess.run(["unshare", "-Ur", "true"], check=True,
    capture_output=True))
attempt("bwrap", lambda: subprocess.run(["bwrap", "--ro-bind", "/", "/", "true"], check=True,
    capture_output=True))
""",
    ),
    tried(
        "mounts",
        """
def mount(kind, at): return called(libc.mount, kind, at, kind, ctypes.c_ulong(0), None)
attempt("tmpfs", lambda: mount(b"tmpfs", b"/tmp"))
attempt("proc", lambda: mount(b"proc", b"/proc"))
attempt("writable", lambda: called(libc.mount, None, b"/", None, ctypes.c_ulong(32), None))
for path in (b"/proc", b"/scratch", b"/usr", b"/"):
    attempt(path, lambda: called(libc.umount2, path, 2))
attempt("chroot", lambda: os.chroot("/tmp"))
""",
    ),
    tried(
        "capabilities and privileges",
        """
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines()
    if ":\\t" in line)
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    escaped(name + status[name], int(status[name], 16) != 0)
escaped("new privileges", status["NoNewPrivs"] != "1")
escaped("no filter", status["Seccomp"] != "2")
escaped("root", os.getuid() == 0 or os.geteuid() == 0 or os.getgid() == 0)
attempt("setuid", lambda: os.setuid(0))
attempt("setgid", lambda: os.setgid(0))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("nice", lambda: os.nice(-5))
attempt("priority", lambda: os.sched_setscheduler(0, 1, os.sched_param(1)))
attempt("memory score", lambda: put("/proc/self/oom_score_adj", "-1000"))
attempt("time", lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
attempt("name", lambda: socket.sethostname("mine"))
attempt("device", lambda: os.mknod("/scratch/sda", 0o60600, os.makedev(8, 0)))
""",
    ),
    tried(
        "programs with the rights of root",
        """
import stat, subprocess
found = 0
for folder in ("/usr/bin", "/usr/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0"):
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        if os.path.exists(path) and os.stat(path).st_mode & stat.S_ISUID: found += 1
print("TRIED, there are", found)
for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount"], ["pkexec", "id"]):
    attempt(command, lambda: 1 / ("uid=0" in subprocess.run(command, capture_output=True,
        text=True, stdin=subprocess.DEVNULL).stdout))
open("/scratch/mine", "w").write("#!/bin/sh\\nid -u\\n")
os.chmod("/scratch/mine", 0o6755)
attempt("mine", lambda: 1 / (subprocess.run(["/scratch/mine"], capture_output=True,
    text=True).stdout.strip() == "0"))
""",
    ),
    tried(
        "settings of the kernel",
        """
for name in ("kernel/hostname", "kernel/core_pattern", "kernel/ns_last_pid", "kernel/shmmax",
        "user/max_user_namespaces", "vm/overcommit_memory", "net/ipv4/ip_forward",
        "kernel/yama/ptrace_scope", "fs/suid_dumpable"):
    path = "/proc/sys/" + name
    attempt(name, lambda: put(path, "1"))
for path in ("/proc/sysrq-trigger", "/proc/acpi", "/proc/irq/0/smp_affinity", "/proc/1/uid_map"):
    attempt(path, lambda: put(path, "b"))
""",
    ),
    tried(
        "limits raised",
        """
import resource
for name in ("NPROC", "NOFILE", "DATA", "AS", "FSIZE", "CPU", "CORE", "MEMLOCK"):
    which = getattr(resource, "RLIMIT_" + name)
    soft, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        attempt(name, lambda: resource.setrlimit(which, (soft, hard + 10**6)))
""",
    ),
    tried(
        "parts of the kernel that nobody needs",
        """
number = 0 if os.uname().machine == "x86_64" else 1
for name, numbers in {"io_uring": (425, 425), "bpf": (321, 280), "perf": (298, 241),
        "userfaultfd": (323, 282), "handle": (304, 265), "fanotify": (300, 262)}.items():
    attempt(name, lambda: syscall(numbers[number], 0, 0, 0, 0, 0))
attempt("memory file", lambda: os.memfd_create("x"))
attempt("log", lambda: called(libc.klogctl, 10, None, 0))
""",
    ),
    tried(
        "calls by the numbers of another machine",
        """
if os.uname().machine == "x86_64":
    attempt("x32", lambda: syscall(0x40000000 | 250, 0, 0, 0))
print("TRIED")
""",
    ),
    # Between submissions.
    leave(
        "keys of the kernel",
        """
add, request = (248, 249) if os.uname().machine == "x86_64" else (217, 218)
for ring in (-1, -2, -3, -4, -5):
    attempt(ring, lambda: syscall(add, b"user", b"course-left", b"answers", ctypes.c_long(7),
        ctypes.c_long(ring)))
""",
        """
request = 249 if os.uname().machine == "x86_64" else 218
attempt("left", lambda: syscall(request, b"user", b"course-left", None, 0))
""",
    ),
    leave(
        "shared memory of System V",
        """
attempt("memory", lambda: called(libc.shmget, 4711, 4096, 0o1666))
attempt("queue", lambda: called(libc.msgget, 4711, 0o1666))
attempt("semaphore", lambda: called(libc.semget, 4711, 1, 0o1666))
""",
        "attempt('left', lambda: called(libc.shmget, 4711, 4096, 0))",
    ),
    leave(
        "a message queue",
        """
queue = libc.mq_open(b"/course-left", os.O_CREAT | os.O_RDWR, 0o666, None)
libc.mq_send(queue, b"answers", 7, 0)
print("LEFT", queue)
""",
        "attempt('left', lambda: called(libc.mq_open, b'/course-left', os.O_RDONLY))",
    ),
    leave(
        "shared memory of POSIX",
        """
from multiprocessing import shared_memory
left = shared_memory.SharedMemory("course_left", create=True, size=100)
print("LEFT")
""",
        """
from multiprocessing import shared_memory
attempt("left", lambda: shared_memory.SharedMemory("course_left"))
""",
    ),
    leave(
        "a listener for the next",
        """
for address in ("\\0course-left", "/tmp/left"):
    listener = socket.socket(socket.AF_UNIX); listener.bind(address); listener.listen()
server = socket.create_server(("127.0.0.1", 45_654)) if False else None
if os.fork() == 0: time.sleep(60)
print("LEFT")
""",
        "attempt('left', lambda: socket.socket(socket.AF_UNIX).connect('\\0course-left'))",
    ),
    # Traps for the grader.
    Case(
        "a core dump",
        """
import resource
attempt("limit", lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
libc.abort()
""",
        earns=REST,
        outcome="died",
        then="escaped('dump', any('core' in n for n in os.listdir('.')))",
    ),
    tried(
        "the terminal",
        """
attempt("terminal", lambda: open("/dev/tty", "w").write("rm"))
import fcntl, termios
attempt("typing", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"))
""",
    ),
    tried(
        "programs have no more rights",
        """
import subprocess
code = '''
import os, socket
try: os.listdir("/home"); escaped("home", True)
except OSError: print("TRIED home")
status = open("/proc/self/status").read()
held = "NoNewPrivs:\\\\t1" in status and "Seccomp:\\\\t2" in status
print("TRIED" if held else "ESCA" "PED: rules")
'''
print(subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True).stdout)
""",
    ),
]
