"""helpers.device: choosing a device, the machine report, timing, memory, seeds."""

import dataclasses
import os
import random
import stat
import subprocess
import sys
import time
import types
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import device
from helpers.device import _nvidia_smi, _report

posix = pytest.mark.skipif(os.name != "posix", reason="the fake nvidia-smi is a shell script")


def set_mps(monkeypatch, available):
    """Let torch find an Apple GPU, or none."""

    def is_available():
        return available

    is_available.__wrapped__ = is_available  # the real one is cached, and torch looks through it
    monkeypatch.setattr(torch.backends.mps, "is_available", is_available)


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch, tmp_path):
    """No variable set, no nvidia-smi, no GPU, whatever the machine has."""
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    set_mps(monkeypatch, False)
    monkeypatch.setattr(torch.version, "cuda", "12.8")


@pytest.fixture
def two_cards(monkeypatch):
    """Two NVIDIA cards that torch can use."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    real_ones = torch.ones
    monkeypatch.setattr(torch, "ones", lambda *size, device=None: real_ones(*size))
    facts = types.SimpleNamespace(name="Test Card", major=8, minor=6)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: facts)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (6 * 2**30, 8 * 2**30))


@pytest.fixture
def fake_smi(tmp_path):
    """A function that puts a program ``nvidia-smi`` with the given shell lines on the path."""

    def write(body):
        program = tmp_path / "bin" / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    return write


# get_device


def test_cpu_where_there_is_nothing_else():
    assert device.get_device() == torch.device("cpu")


def test_mps_before_cpu(monkeypatch):
    set_mps(monkeypatch, True)
    assert device.get_device() == torch.device("mps")
    assert device.get_device("mps") == torch.device("mps")


def test_cuda_before_mps(monkeypatch, two_cards):
    set_mps(monkeypatch, True)
    assert device.get_device() == torch.device("cuda")


def test_prefer_is_kept(two_cards):
    assert device.get_device("cpu") == torch.device("cpu")
    assert device.get_device(torch.device("cuda:1")) == torch.device("cuda:1")


def test_variable_wins_over_prefer(monkeypatch, two_cards):
    monkeypatch.setenv("COURSE_DEVICE", " CPU ")
    assert device.get_device() == torch.device("cpu")
    assert device.get_device("cuda") == torch.device("cpu")


def test_empty_variable_counts_as_unset(monkeypatch, two_cards):
    monkeypatch.setenv("COURSE_DEVICE", "")
    assert device.get_device() == torch.device("cuda")


@pytest.mark.parametrize("name", ["gpu", "xpu", "cuda:x", "cuda:-1", "meta", "cpu:1", "mps:3"])
def test_unknown_name(monkeypatch, name):
    with pytest.raises(ValueError, match=f"prefer='{name}'.*'cpu', 'cuda'.*'mps'"):
        device.get_device(name)
    monkeypatch.setenv("COURSE_DEVICE", name)
    with pytest.raises(ValueError, match=f"COURSE_DEVICE is '{name}'.*'cpu', 'cuda'.*'mps'"):
        device.get_device()


def told(error, *given):
    """What `get_device` says when it refuses."""
    with pytest.raises(error) as refused:
        device.get_device(*given)
    return str(refused.value)


def test_a_refusal_says_what_was_given_and_the_way_out(monkeypatch):
    names = "'cpu', 'cuda', 'cuda:N' (card number N, from 0) or 'mps'"
    assert told(ValueError, 0) == f"prefer='0': give a name as a str ({names}) or a torch.device"
    assert told(ValueError, "gpu") == f"prefer='gpu': no such device name; use {names}"
    apple = "but torch finds no Apple GPU (mps) on this machine. To run on the CPU"
    assert told(RuntimeError, "mps") == (
        f"prefer='mps', {apple}, use prefer='cpu', or leave it out."
    )
    nvidia = "but torch finds no NVIDIA GPU that it can use. To run on the CPU"
    shows = "print(helpers.device.describe()) shows what this machine has."
    assert told(RuntimeError, "cuda") == (
        f"prefer='cuda', {nvidia}, use prefer='cpu', or leave it out. {shows}"
    )
    monkeypatch.setenv("COURSE_DEVICE", "CUDA")
    assert told(RuntimeError) == (
        f"the variable COURSE_DEVICE is 'CUDA', {nvidia}, set COURSE_DEVICE=cpu, or unset it. "
        f"{shows}"
    )
    with pytest.raises(RuntimeError, match=r"To run on the CPU, use device='cpu'\. print"):
        device.time_on("cuda", abs, 1)


@pytest.mark.parametrize("name", ["cpu:0", "CPU", torch.device("cpu")])
def test_the_one_processor_has_a_number_too(name):
    assert device.get_device(name).type == "cpu"


def test_the_last_card_can_be_named(two_cards):
    assert device.get_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_absent_device_is_an_error(monkeypatch, name):
    with pytest.raises(RuntimeError, match=f"prefer='{name}', but.*use prefer='cpu'"):
        device.get_device(name)
    monkeypatch.setenv("COURSE_DEVICE", name)
    with pytest.raises(RuntimeError, match=f"COURSE_DEVICE is '{name}', but.*COURSE_DEVICE=cpu"):
        device.get_device("cpu")


def test_card_number_too_high(two_cards):
    with pytest.raises(
        RuntimeError, match=r"no card cuda:2: torch finds 2 cards, cuda:0 to cuda:1\."
    ):
        device.get_device("cuda:2")


def test_card_number_too_high_with_one_card(monkeypatch, two_cards):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(RuntimeError, match=r"no card cuda:1: torch finds 1 card, cuda:0"):
        device.get_device("cuda:1")


def test_torch_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(RuntimeError, match=r"built without CUDA.*pytorch\.org"):
        device.get_device("cuda")


def test_card_that_cannot_compute(monkeypatch, two_cards):
    def too_old(*size, device):
        raise RuntimeError("CUDA error: no kernel image is available\nmore lines")

    monkeypatch.setattr(torch, "ones", too_old)
    with pytest.raises(
        RuntimeError, match=r"cannot compute on cuda:0: CUDA error: no kernel image"
    ):
        device.get_device("cuda")
    said = r"^There is an NVIDIA GPU, but it is not used: torch cannot .*: no kernel image is avail"
    with pytest.warns(UserWarning, match=said) as warned:
        assert device.get_device() == torch.device("cpu")
    assert warned[0].filename == __file__  # the student's line, and not one of the course's
    set_mps(monkeypatch, True)
    with pytest.warns(UserWarning, match=said):
        assert device.get_device() == torch.device("mps")


def driver_too_old():
    warnings.warn("The NVIDIA driver on your system is too old.\nMore lines", stacklevel=1)
    return False


def test_driver_too_old(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", driver_too_old)
    with pytest.raises(RuntimeError, match="driver on your system is too old"):
        device.get_device("cuda")


# read_nvidia_smi

CARDS = """\
GPU-aa, 0, NVIDIA GeForce RTX 3060, 550.54.14, 412, 12288
GPU-bb, 1, NVIDIA T4, G, 550.54.14, [N/A], [Not Supported]
"""
PROCESSES = """\
GPU-aa, 4242, /usr/bin/python3, 300
GPU-aa, 77, C:\\odd, name.exe, [N/A]
"""


def test_cards_and_processes():
    first, second = _nvidia_smi.read_nvidia_smi(CARDS, PROCESSES)
    assert (first.index, first.name, first.driver) == (0, "NVIDIA GeForce RTX 3060", "550.54.14")
    assert (first.used, first.total) == (412, 12288)
    assert first.processes == (
        _nvidia_smi.Process(4242, "/usr/bin/python3", 300),
        _nvidia_smi.Process(77, "C:\\odd, name.exe", None),
    )
    assert (second.name, second.used, second.total) == ("NVIDIA T4, G", None, None)
    assert second.processes == ()


def test_a_card_as_text():
    first, second = _nvidia_smi.read_nvidia_smi(CARDS, PROCESSES)
    assert str(first) == (
        "GPU 0 NVIDIA GeForce RTX 3060, driver 550.54.14, memory 412 MiB used of 12,288 MiB, "
        "processes: 4242 /usr/bin/python3, 300 MiB; 77 C:\\odd, name.exe, unknown"
    )
    assert str(second).endswith("memory unknown used of unknown, processes: none")


def test_no_cards():
    assert _nvidia_smi.read_nvidia_smi("", "") == []


@pytest.mark.parametrize(
    "text",
    [
        "No devices were found",
        "a, b, c, d, e, f",
        "GPU-a, 0, x, 1.2, lots, 5",
        "GPU-a, 0, x, 1.2, 5",
        "GPU-a, 0, x, 1.2, [N/A, 5",
        '"',
    ],
)
def test_garbage(text):
    with pytest.raises(_nvidia_smi.NvidiaSmiError, match="cannot read"):
        _nvidia_smi.read_nvidia_smi(text)


@pytest.mark.parametrize(
    "text", ["GPU-aa, x, python3, 300", "GPU-aa, 4242, 300", "GPU-aa, 1, a, b"]
)
def test_garbage_among_the_programs(text):
    with pytest.raises(_nvidia_smi.NvidiaSmiError, match="cannot read"):
        _nvidia_smi.read_nvidia_smi(CARDS, text)


def test_a_long_answer_is_cut():
    with pytest.raises(_nvidia_smi.NvidiaSmiError) as refused:
        _nvidia_smi.read_nvidia_smi("x" * 500)
    assert str(refused.value) == (f"it gave an answer that the course cannot read: '{'x' * 80}'")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(text=st.text(alphabet=st.sampled_from('aG0-, \n\r\0"[]é'), max_size=60))
def test_any_text_is_read_or_refused(text):
    refusal = None
    try:
        cards = _nvidia_smi.read_nvidia_smi(text, "")
    except _nvidia_smi.NvidiaSmiError as error:
        refusal = str(error)
    if refusal is None:
        assert all(isinstance(card.index, int) for card in cards)
    else:
        assert len(refusal.splitlines()) == 1


# describe


def test_report_without_gpu():
    report = device.describe()
    lines = str(report).splitlines()
    assert lines[-1] == f"no GPU, running on CPU, {torch.get_num_threads()} threads"
    assert lines[0].startswith(f"Python {sys.version.split()[0]}, torch {torch.__version__}"[:18])
    assert "nvidia-smi: not found, so there is no NVIDIA driver on this machine" in lines
    assert repr(report) == str(report)  # so that a notebook shows the text
    assert report.memory is None or report.memory > 2**28
    assert report.disk > 0


def test_report_does_not_import_torchvision():
    code = "import sys, helpers.device as d; d.describe(); print('torchvision' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stderr


def test_report_names_memory_in_gib():
    """2³⁰ bytes are 1 GiB."""
    report = dataclasses.replace(device.describe(), memory=3 * 2**30, disk=2**29)
    assert "memory: 3.0 GiB, free disk space here: 0.5 GiB" in str(report)


@posix
def test_report_with_cards(fake_smi, two_cards):
    fake_smi(
        'case "$1" in\n'
        f"--query-gpu=*) printf '{CARDS.splitlines()[0]}\\n';;\n"
        "--query-compute-apps=*) printf 'GPU-aa, 4242, python3, 300\\n';;\n"
        "esac"
    )
    text = str(device.describe())
    assert "nvidia-smi: GPU 0 NVIDIA GeForce RTX 3060, driver 550.54.14, memory 412 MiB" in text
    assert "4242 python3, 300 MiB" in text
    cards = [line for line in text.splitlines() if line.startswith("torch.cuda: ")]
    facts = "Test Card, compute capability 8.6, memory 2,048 MiB used of 8,192 MiB, CUDA 12.8"
    assert cards == [f"torch.cuda: cuda:0 {facts}", f"torch.cuda: cuda:1 {facts}"]
    assert text.splitlines()[-1] == "running on cuda"
    assert "no GPU" not in text


# What `nvidia-smi --help-query-gpu` and `--help-query-compute-apps` call the facts of a machine.
FACTS = {
    "--query-gpu": [
        {
            "name": "Card",
            "index": "3",
            "uuid": "GPU-aa",
            "driver_version": "550.54",
            "memory.total": "12288 MiB",
            "memory.used": "412 MiB",
            "memory.free": "11876 MiB",
            "temperature.gpu": "41",
        }
    ],
    "--query-compute-apps": [
        {
            "pid": "4242",
            "process_name": "python3",
            "used_memory": "300 MiB",
            "gpu_name": "Card",
            "gpu_uuid": "GPU-aa",
        }
    ],
}


@pytest.fixture
def card_in_use(monkeypatch):
    """A machine whose nvidia-smi answers the facts that it is asked for, in that order."""
    asked = []

    class Program:
        returncode = 0

        def __init__(self, command, **options):
            name, query, how = command
            assert name == "nvidia-smi"
            assert options["stdin"] == subprocess.DEVNULL
            kind, _, fields = query.partition("=")
            asked.append(kind)
            form = how.removeprefix("--format=").split(",")
            assert form[0] == "csv"
            rows = [[facts[field] for field in fields.split(",")] for facts in FACTS[kind]]
            if "nounits" in form:
                rows = [[cell.removesuffix(" MiB") for cell in row] for row in rows]
            head = [] if "noheader" in form else [fields.split(",")]
            self.output = "".join(", ".join(row) + "\n" for row in [*head, *rows])

        def communicate(self, timeout):
            assert timeout == _nvidia_smi.SMI_SECONDS
            return self.output, None

    monkeypatch.setattr(_nvidia_smi.subprocess, "Popen", Program)
    return asked


def test_the_facts_of_a_card_in_use_stand_where_they_belong(card_in_use):
    (card,) = _nvidia_smi.read_nvidia_smi()
    assert str(card) == (
        "GPU 3 Card, driver 550.54, memory 412 MiB used of 12,288 MiB, "
        "processes: 4242 python3, 300 MiB"
    )
    assert card_in_use == ["--query-gpu", "--query-compute-apps"]


def test_without_a_card_nobody_asks_for_programs(card_in_use, monkeypatch):
    monkeypatch.setitem(FACTS, "--query-gpu", [])
    assert _nvidia_smi.read_nvidia_smi() == []
    assert card_in_use == ["--query-gpu"]


@posix
@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            "echo 'NVIDIA-SMI has failed because it could not reach the driver.'; echo x; exit 9",
            "nvidia-smi: it failed with status 9: "
            "NVIDIA-SMI has failed because it could not reach the driver.",
        ),
        ("exit 3", "nvidia-smi: it failed with status 3: it said nothing"),
        ("echo '<html>'", "nvidia-smi: it gave an answer that the course cannot read: '<html>'"),
        ("printf '\\377\\376'", "nvidia-smi: it gave an answer that the course cannot read: '��'"),
    ],
)
def test_report_when_nvidia_smi_fails(fake_smi, body, line):
    fake_smi(body)
    lines = str(device.describe()).splitlines()
    assert line in lines
    assert lines[-1].startswith("no GPU, running on CPU")


@posix
def test_report_when_nvidia_smi_hangs(fake_smi, monkeypatch):
    monkeypatch.setattr(_nvidia_smi, "SMI_SECONDS", 0.3)
    fake_smi("exec /bin/sleep 1000")
    start = time.monotonic()
    assert "nvidia-smi: it did not answer within 0.3 seconds" in str(device.describe())
    assert time.monotonic() - start < 900  # it was not waited for


@posix
def test_report_when_nvidia_smi_cannot_start(fake_smi, tmp_path):
    (tmp_path / "bin" / "nvidia-smi").write_bytes(b"no program")
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    assert "nvidia-smi: it could not be started" in str(device.describe())


@posix
def test_report_when_torch_cannot_use_the_card(fake_smi, monkeypatch):
    fake_smi(f"""[ "${{1#--query-gpu}}" = "$1" ] || echo '{CARDS.splitlines()[0]}'""")
    monkeypatch.setattr(torch.cuda, "is_available", driver_too_old)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    lines = str(device.describe()).splitlines()
    assert any("torch.cuda: torch finds no NVIDIA" in x and "too old" in x for x in lines)
    assert "the variable CUDA_VISIBLE_DEVICES is '7': it may hide the cards" in lines
    assert lines[-1] == f"running on CPU, {torch.get_num_threads()} threads"


def test_the_lines_of_a_report_stand_in_their_order():
    card = _nvidia_smi.Gpu(0, "Card", "1.2", 3, 4)
    report = device.MachineReport(
        versions={"Python": "3.12", "torch": "2.9"},
        processor="Some, 4 logical cores",
        threads=2,
        memory=2**30,
        disk=None,
        nvidia_smi=(card,),
        torch_cuda=("one", "two"),
        mps=True,
        notes=("a note", "another"),
        runs_on=torch.device("cuda:1"),
    )
    lines = [
        "Python 3.12, torch 2.9",
        "processor: Some, 4 logical cores",
        "memory: 1.0 GiB, free disk space here: unknown",
        "nvidia-smi: GPU 0 Card, driver 1.2, memory 3 MiB used of 4 MiB, processes: none",
        *("torch.cuda: one", "torch.cuda: two", "Apple GPU: torch can use it (mps)"),
        *("a note", "another", "running on cuda:1"),
    ]
    assert str(report).splitlines() == lines
    assert str(dataclasses.replace(report, runs_on=None)).splitlines() == lines[:-1]
    cpu = torch.device("cpu")
    alone = dataclasses.replace(report, runs_on=cpu, nvidia_smi=(), torch_cuda=(), mps=False)
    assert str(alone).splitlines()[-1] == "no GPU, running on CPU, 2 threads"
    for seen in ({"mps": True}, {"torch_cuda": ("one",)}, {"nvidia_smi": (card,)}):
        some = dataclasses.replace(alone, **seen)
        assert str(some).splitlines()[-1] == "running on CPU, 2 threads"


@pytest.mark.parametrize(
    ("system", "name"), [("linux", "Some 3000"), ("darwin", "Apple M9"), ("win32", "Other")]
)
def test_the_processor_is_called_as_the_system_calls_it(monkeypatch, system, name):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(
        _report.Path,
        "read_text",
        lambda path, errors: "model\t: 1\nmodel name\t: Some 3000\nmodel name\t: Next\n",
    )
    asked = types.SimpleNamespace(stdout="Apple M9\n")
    monkeypatch.setattr(_report.subprocess, "run", lambda command, **rest: asked)
    monkeypatch.setattr(_report.platform, "processor", lambda: "Other")
    assert _report._processor() == name


def test_a_processor_without_a_name_is_called_by_its_kind(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(_report.Path, "read_text", broken_os)
    monkeypatch.setattr(_report.platform, "processor", lambda: "")
    monkeypatch.setattr(_report.platform, "machine", lambda: "riscv64")
    assert _report._processor() == "riscv64"
    monkeypatch.setattr(_report.platform, "machine", lambda: "")
    assert _report._processor() == "unknown"


def test_a_card_that_cannot_compute_is_a_note_and_the_other_a_line(monkeypatch, two_cards):
    def one_too_old(*size, device):
        if device == "cuda:0":
            raise RuntimeError("too old\nmore")
        return torch.zeros(*size)

    monkeypatch.setattr(torch, "ones", one_too_old)
    lines, notes = _report._read_torch_cuda(driver_sees_cards=True)
    assert [line[:16] for line in lines] == ["cuda:1 Test Card"]
    assert notes == ["torch.cuda: torch cannot compute on cuda:0: too old"]


def test_a_hip_build_is_no_torch_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", "6.0")
    assert _report.cuda_problem() == "torch finds no NVIDIA GPU that it can use"


def test_without_a_driver_torch_is_not_blamed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert _report._read_torch_cuda(driver_sees_cards=False) == ((), [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    lines, notes = _report._read_torch_cuda(driver_sees_cards=True)
    assert (lines, notes) == ((), ["torch.cuda: torch finds no NVIDIA GPU that it can use"])


def test_report_with_apple_gpu(monkeypatch):
    set_mps(monkeypatch, True)
    lines = str(device.describe()).splitlines()
    assert "Apple GPU: torch can use it (mps)" in lines
    assert lines[-1] == "running on mps"


def test_report_survives_everything(monkeypatch, two_cards):
    def broken(*args):
        raise RuntimeError("driver lost\nmore")

    monkeypatch.setattr(torch.cuda, "mem_get_info", broken)
    monkeypatch.setattr(_report.os, "sysconf", broken_os, raising=False)
    monkeypatch.setattr(_report.shutil, "disk_usage", broken_os)
    monkeypatch.setattr(_report.Path, "read_text", broken_os)
    monkeypatch.setattr(_report.importlib.metadata, "version", no_package)
    monkeypatch.setenv("COURSE_DEVICE", "toaster")
    text = str(device.describe())
    assert "torch.cuda: cuda:0 gives no facts: driver lost" in text
    assert "no device chosen: the variable COURSE_DEVICE is 'toaster'" in text
    assert "memory: unknown, free disk space here: unknown" in text
    assert "torchvision not installed" in text


def broken_os(*args, **kwargs):
    raise OSError("broken")


def no_package(name):
    raise _report.importlib.metadata.PackageNotFoundError(name)


# time_on


def test_median_of_the_runs(monkeypatch):
    ticks = iter([0.0, 5.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr(device.time, "perf_counter", lambda: next(ticks))
    calls = []
    assert device.time_on("cpu", calls.append, 1, repeat=3, warmup=2) == 2.0
    assert len(calls) == 5


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_clock_is_read_after_the_device_has_finished(monkeypatch, kind, two_cards):
    events = []
    set_mps(monkeypatch, True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda d=None: events.append("cuda done"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: events.append("mps done"))
    monkeypatch.setattr(device.time, "perf_counter", lambda: events.append("clock") or 0.0)
    device.time_on(kind, lambda: events.append("run"), repeat=1, warmup=1)
    assert events == ["run", f"{kind} done", "clock", "run", f"{kind} done", "clock"]


def test_tensors_and_modules_are_copied_to_the_device(monkeypatch):
    # "meta" stands for the other device: it is always there, but get_device would not give it.
    meta = torch.device("meta")
    monkeypatch.setattr(device, "_named_device", lambda *given: meta)
    seen = []
    layer, x, y = nn.Linear(3, 2), torch.ones(4, 3), torch.ones(1)
    device.time_on(
        "meta", lambda *a, **k: seen.append((a, k)), layer, x, 7, repeat=1, warmup=1, y=y
    )
    warm, ((moved_layer, moved_x, seven), named) = seen
    assert warm[1].keys() == named.keys()
    assert moved_layer.weight.device == moved_x.device == named["y"].device == meta
    assert seven == 7
    assert layer.weight.device == x.device == torch.device("cpu")
    device.time_on("meta", layer, x, repeat=1)  # the function itself may be a module
    assert layer.weight.device == torch.device("cpu")


@pytest.mark.parametrize("bad", [{"repeat": 0}, {"repeat": 1.5}, {"warmup": -1}])
def test_bad_counts(bad):
    ((name, value),) = bad.items()
    least = {"repeat": 1, "warmup": 0}[name]
    said = f"^{name}={value}: give a whole number, {least} or more$"
    with pytest.raises(ValueError, match=said):
        device.time_on("cpu", abs, 1, **bad)


def test_once_after_one_that_is_not_timed_is_enough(monkeypatch):
    calls = []
    monkeypatch.setattr(device.time, "perf_counter", lambda: len(calls))
    assert device.time_on("cpu", calls.append, 1) == 1
    assert len(calls) == 6  # five that count, and one before


def test_time_on_absent_device():
    with pytest.raises(RuntimeError, match="device='cuda', but"):
        device.time_on("cuda", abs, 1)


# estimate_memory


def mnist_net():
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 5), nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(320, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, 10), nn.LogSoftmax(dim=1)),
    )


@pytest.mark.parametrize(("optimizer", "copies"), [("sgd", 0), ("sgd-momentum", 1), ("adam", 2)])
def test_parameters_and_optimizer(optimizer, copies):
    estimate = device.estimate_memory(mnist_net(), (1, 28, 28), 64, optimizer)
    assert estimate.parameters == estimate.gradients == 21_840 * 4
    assert estimate.optimizer_state == copies * 21_840 * 4
    assert estimate.total == (2 + copies) * 21_840 * 4 + estimate.activations


def test_activations_counted_by_hand():
    # Kept: the input (3 numbers), the ReLU's output (5), which the ReLU and the second layer
    # both save, once. Not the first layer's output, not the weights.
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    assert device.estimate_memory(net, (3,), 7).activations == 7 * (3 + 5) * 4
    # The batch itself is there, even if no layer saves it: this ReLU has nothing to learn.
    net = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))
    assert device.estimate_memory(net, (3,), 7).activations == 7 * (3 + 3) * 4
    # A convolution keeps its input, max pooling its input and int64 indices.
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2))
    assert device.estimate_memory(net, (1, 6, 6), 1).activations == 36 * 4 + 32 * 4 + 8 * 8


def test_half_precision_halves():
    whole = device.estimate_memory(nn.Linear(6, 4), (6,), 3, "adam")
    half = device.estimate_memory(nn.Linear(6, 4), (6,), 3, "adam", torch.float16)
    assert 2 * half.total == whole.total


def test_frozen_and_shared_parameters():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    first.requires_grad_(False)
    second.weight = first.weight
    estimate = device.estimate_memory(nn.Sequential(first, second), (4,), 1, "adam")
    assert estimate.parameters == (16 + 4 + 4) * 4
    assert estimate.gradients == 4 * 4  # only the second bias is trained
    assert estimate.optimizer_state == 2 * 4 * 4


def test_estimate_leaves_model_and_generator_alone():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    net[2].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    device.estimate_memory(net, (1, 8, 8), 4)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net] == [True, True, False]
    assert all(p.grad is None and p.device.type == "cpu" for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), state)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(batch_size=st.integers(1, 300), size=st.integers(24, 40), channels=st.integers(1, 3))
def test_activations_grow_with_the_batch(batch_size, size, channels):
    net = nn.Sequential(nn.Conv2d(channels, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout())
    one = device.estimate_memory(net, (channels, size, size), 1).activations
    many = device.estimate_memory(net, (channels, size, size), batch_size).activations
    assert many == batch_size * one


def test_estimate_as_text():
    text = str(device.estimate_memory(nn.Linear(1024, 1023), (1024,), 256, "sgd-momentum"))
    assert text == (
        "parameters                       4.0 MiB\n"
        "gradients                        4.0 MiB\n"
        "optimizer state                  4.0 MiB\n"
        "activations, batch of 256        1.0 MiB\n"
        "total                           13.0 MiB"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "rmsprop"}, "optimizer='rmsprop'.*'sgd', 'sgd-momentum', 'adam'"),
        ({"batch_size": 0}, "^batch_size=0: give a whole number, 1 or more$"),
        ({"batch_size": 2.0}, "^batch_size=2.0: give a whole number, 1 or more$"),
        ({"dtype": torch.int64}, "dtype=torch.int64.*floating"),
        (
            {"input_shape": (3, 27, 28)},
            r"^the model does not take an input of shape \(2, 3, 27, 28\) "
            r"\(the batch comes first\): .*channel[^\n]*$",
        ),
    ],
)
def test_estimate_refuses(change, message):
    given = {"input_shape": (1, 28, 28), "batch_size": 2, **change}
    with pytest.raises(ValueError, match=message):
        device.estimate_memory(mnist_net(), **given)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(mib=st.integers(1, 200))
def test_largest_batch_fits_and_one_more_does_not(mib):
    net = mnist_net()
    best = device.largest_batch(net, (1, 28, 28), mib * 2**20, "adam")
    assert best > 0
    assert device.estimate_memory(net, (1, 28, 28), best, "adam").total <= mib * 2**20
    assert device.estimate_memory(net, (1, 28, 28), best + 1, "adam").total > mib * 2**20


def test_largest_batch_at_the_ends():
    net = mnist_net()
    assert device.largest_batch(net, (1, 28, 28), 1000) == 0
    one = device.estimate_memory(net, (1, 28, 28), 1).total
    assert device.largest_batch(net, (1, 28, 28), one) == 1
    assert device.largest_batch(net, (1, 28, 28), 2**40, limit=1) == 1
    assert device.largest_batch(net, (1, 28, 28), 2**40, limit=100) == 100
    # Batch norm over single numbers refuses a batch of one, which need not be tried.
    normed = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert device.largest_batch(normed, (3,), 2**20) > 1
    with pytest.raises(ValueError, match="limit=0"):
        device.largest_batch(net, (1, 28, 28), 1000, limit=0)


# seed_everything


@pytest.fixture
def keep_settings(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "x")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.use_deterministic_algorithms(False)


def draws():
    return random.random(), np.random.uniform(), float(torch.rand(1))  # noqa: NPY002


def test_same_seed_same_numbers(keep_settings):
    assert device.seed_everything(7) is None  # so that a cell ending with it shows nothing
    first = draws()
    other = draws()
    device.seed_everything(7)
    assert draws() == first
    assert all(a != b for a, b in zip(first, other, strict=True))
    device.seed_everything(8)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_deterministic_settings(keep_settings):
    device.seed_everything(1)
    assert torch.backends.cudnn.benchmark
    assert not torch.are_deterministic_algorithms_enabled()
    enabled = torch.backends.cudnn.enabled
    device.seed_everything(1, deterministic=True)
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert torch.backends.cudnn.enabled == enabled


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", True])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r"seed=.*whole number from 0"):
        device.seed_everything(seed)


# with a real card

HAS_CARD = torch.cuda.is_available()


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CARD, reason="torch finds no NVIDIA card on this machine")
def test_on_a_real_card(monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    card = device.get_device()
    assert card.type == "cuda"
    text = str(device.describe())
    assert torch.cuda.get_device_name(0) in text
    assert text.splitlines()[-1] == "running on cuda"
    x = torch.rand(64, 16, 64, 64)
    assert 0 < device.time_on("cuda", nn.Conv2d(16, 16, 3), x) < 5

    # What one step really holds is at least the estimate, and not several times as much.
    net, batch = mnist_net().to(card), torch.rand(2048, 1, 28, 28, device=card)
    torch.cuda.reset_peak_memory_stats()
    net(batch).sum().backward()
    estimate = device.estimate_memory(net, (1, 28, 28), 2048)
    assert 0.8 * estimate.total < torch.cuda.max_memory_allocated() < 4 * estimate.total
