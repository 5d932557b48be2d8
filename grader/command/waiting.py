"""How far a batch is, for whoever waits: a bar on a terminal, a few lines in a file."""

from __future__ import annotations

import sys

from tqdm import tqdm

SHARES = 10  # so many lines at most say how much is done


class Waiting:
    """Shows what is done, and who is waited for, on stderr; each finished notebook on stdout.

    On a terminal a bar is drawn over and over, which would be a line each time in a file: there, a
    line is written when another tenth is done, and when others are waited for than before.
    """

    def __init__(self) -> None:
        self.total = self.count = 0
        self.waited_for = ""
        self.bar = tqdm(unit="notebook") if sys.stderr.isatty() else None

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def begin(self, total: int) -> None:
        """Say how many notebooks there are."""
        self.total = total
        if self.bar is not None:
            self.bar.total = total
            self.bar.refresh()

    def step(self, line: str | None = None) -> None:
        """One more is done; the line says what came of it."""
        self.count += 1
        if self.bar is not None:
            self.bar.update()
            self.bar.set_postfix_str("")
        if line is not None:
            tqdm.write(line)
        if self.bar is None and self._tenths(self.count) > self._tenths(self.count - 1):
            self._tell(f"{self.count} of {self.total} notebooks done")

    def wait_for(self, names: str) -> None:
        """Nothing has come for a while: say whose notebooks run."""
        if self.bar is not None:
            self.bar.set_postfix_str("waiting for " + names)
        elif names != self.waited_for:
            self._tell("waiting for " + names)
        self.waited_for = names

    def _tenths(self, count: int) -> int:
        return SHARES * count // self.total

    def _tell(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)
