"""How long a child has taken, whatever else the machine does meanwhile.

Wall time depends on the load: beside ten others a training takes ten times as long. Processor time
does not, but it does not see a sleep. So what counts here is the time in which a child was not kept
from running: its processor time, or the wall time without that for which its threads were ready
and waited for a processor, whichever is more. The kernel counts both (see `inside.watch`).
"""

from __future__ import annotations

from grader.sandbox.inside.messages import Usage

# The share of the wall time that others may take before a child was hindered by them.
SHARE_OF_DELAY = 0.25


class Clock:
    """The time of a child in one request.

    Parameters
    ----------
    usage : Usage
        At the beginning.
    """

    def __init__(self, usage: Usage) -> None:
        self.first = self.last = usage
        self.delay = 0.0

    def add(self, usage: Usage) -> None:
        """Take in what has been used up to a later time."""
        before, self.last = self.last, usage
        if usage["delay"] is None or before["delay"] is None:
            self.delay = self.wall - self.cpu  # unknown: leave it to the limit in wall time
        else:
            # Many threads that wait at once do not make up for a sleep later on.
            self.delay = min(self.delay + usage["delay"] - before["delay"], self.wall)

    @property
    def wall(self) -> float:
        """Wall time, in seconds."""
        return self.last["at"] - self.first["at"]

    @property
    def cpu(self) -> float:
        """Processor time of the child and all that it has started, in seconds."""
        return self.last["cpu"] - self.first["cpu"]

    @property
    def seconds(self) -> float:
        """What counts."""
        return max(self.cpu, self.wall - self.delay)

    @property
    def is_contended(self) -> bool:
        """Whether others took so much of the processor that the result may depend on it."""
        return self.delay > SHARE_OF_DELAY * self.wall
