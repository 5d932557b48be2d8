"""What the tests cost: ``course test --cpu`` ends with the CPU seconds that each file took.

Counted is what the tests took themselves and what their children took, kernels and graders among
them, once these have ended. Seconds of the clock depend on what else the machine does; these hardly
do. Windows does not tell what children took.
"""

import os
from collections import Counter

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--cpu", action="store_true", help="show the CPU seconds of each file at the end"
    )


def pytest_configure(config):
    if config.getoption("--cpu"):
        config.pluginmanager.register(Cost(), "cpu_seconds")


class Cost:
    """Notes the CPU seconds in the reports, which come from the workers, and adds them up."""

    def __init__(self):
        self.before = 0.0
        self.by_file, self.collecting = Counter(), Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self):
        self.collected = self.before = seconds_so_far()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        report = yield
        now = seconds_so_far()
        report.cpu_seconds, self.before = now - self.before, now
        report.cpu_collecting = self.collected
        return report

    def pytest_runtest_logreport(self, report):
        self.by_file[report.nodeid.partition("::")[0]] += report.cpu_seconds
        self.collecting[getattr(report, "worker_id", "")] = report.cpu_collecting

    def pytest_terminal_summary(self, terminalreporter):
        if not self.by_file:
            return
        terminalreporter.section("CPU seconds")
        rows = [("importing and collecting", self.collecting.total()), *self.by_file.most_common()]
        for name, seconds in [*rows, ("all", sum(seconds for _, seconds in rows))]:
            terminalreporter.line(f"{seconds:8.1f}  {name}")


def seconds_so_far():
    """CPU seconds of this process, and of its children that have ended."""
    return sum(os.times()[:4])
