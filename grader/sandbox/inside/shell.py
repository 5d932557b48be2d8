"""An IPython shell that hands over what a cell shows, as a notebook file holds it."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

DEEP_TRACEBACK = 60
INSTALLERS = ("conda", "mamba", "micromamba", "pip", "uv")


class Collector:
    """The outputs of the running cell, up to a size."""

    def __init__(self) -> None:
        self.begin(2**20)

    def begin(self, limit: float) -> None:
        """Forget what was collected; from now on this many bytes are kept."""
        self.outputs: list[dict[str, Any]] = []
        self.size, self.limit, self.is_full = 0, limit, False

    def add(self, output: dict[str, Any]) -> None:
        """Append an output; consecutive texts of one stream become one."""
        self.size += _size(output)
        if self.size > self.limit:
            if not self.is_full:
                self.is_full = True
                self.outputs.append(
                    {"output_type": "stream", "name": "stderr", "text": "... too much output\n"}
                )
            return
        last = self.outputs[-1] if self.outputs else None
        if (
            output["output_type"] == "stream"
            and last is not None
            and last["output_type"] == "stream"
            and last["name"] == output["name"]
        ):
            last["text"] += output["text"]
        else:
            self.outputs.append(output)


def _size(thing: Any) -> int:
    if isinstance(thing, dict):
        return sum(map(_size, thing.values())) + 8
    if isinstance(thing, list | tuple):
        return sum(map(_size, thing)) + 8
    return len(thing) if isinstance(thing, str | bytes) else 8


collector = Collector()


class Stream(io.TextIOBase):
    """stdout or stderr of a cell."""

    encoding = "utf-8"

    def __init__(self, name: str) -> None:
        self.stream_name = name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        collector.add({"output_type": "stream", "name": self.stream_name, "text": text})
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class Publisher(DisplayPublisher):
    """What a cell displays."""

    def publish(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        source: Any = None,
        **rest: Any,
    ) -> None:
        collector.add(
            {
                "output_type": "display_data",
                "data": _plain(data),
                "metadata": _plain(metadata or {}),
            }
        )

    def clear_output(self, wait: bool = False) -> None:
        collector.begin(collector.limit)


class Hook(DisplayHook):
    """The value of a cell's last line."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        if format_dict:
            collector.add(
                {
                    "output_type": "execute_result",
                    "execution_count": self.prompt_count,
                    "data": _plain(format_dict),
                    "metadata": _plain(md_dict or {}),
                }
            )

    def finish_displayhook(self) -> None:
        sys.stdout.flush()


class Shell(InteractiveShell):
    """The shell of a child; made once in the server, before the fork."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        collector.add(
            {
                "output_type": "error",
                "ename": str(etype.__name__),
                "evalue": _text(evalue),
                "traceback": [str(line) for line in stb],
            }
        )

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **options: Any) -> None:
        try:
            etype, value, frames = self._get_exc_info(exc_tuple)
        except ValueError:
            return
        # Formatting a deep recursion takes many seconds when large packages are loaded.
        if sum(1 for _ in traceback.walk_tb(frames)) > DEEP_TRACEBACK:
            lines = traceback.format_exception(etype, value, frames, limit=-10)
            self._showtraceback(etype, value, ["".join(lines)])
            return
        super().showtraceback(exc_tuple, *args, **options)

    def system(self, command: str) -> None:
        print("Programs cannot be started here.", file=sys.stderr)

    system_piped = system_raw = system

    def enable_gui(self, gui: Any = None) -> None:
        pass

    def enable_matplotlib(self, gui=None):
        # Windows and widgets cannot be shown here; pictures can.
        return super().enable_matplotlib("inline")

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        # What cannot work here must not cost the lines below it.
        if magic_name in INSTALLERS:
            return self.system(line)
        try:
            return super().run_line_magic(magic_name, line, _stack_depth + 1)
        except (ImportError, UsageError) as error:
            if isinstance(error, ImportError) and magic_name not in ("load_ext", "reload_ext"):
                raise
            print(f"%{magic_name} cannot be used here: {error}", file=sys.stderr)
            return None


def make_shell() -> Shell:
    """The one shell of this process, without history or files."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    # As it is by default, but packed with less care: photographs hardly grow.
    config.InlineBackend.print_figure_kwargs = {
        "bbox_inches": "tight",
        "pil_kwargs": {"compress_level": 1},
    }
    shell = Shell.instance(config=config)
    shell.colors = "nocolor"
    return shell


def warm_figures(shell: Shell) -> None:
    """Draw a picture and throw it away: fonts and the drawing's own caches are there afterwards.

    Photographs, too: what the first ones took of the memory, later ones find.
    """
    data = sys.modules.get("helpers.data")
    if data is not None:
        data.photos()
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        return
    for layout in ("constrained", None):
        figure, axes = plt.subplots(1, 2, layout=layout)
        axes[0].imshow([[0, 1], [2, 3]], cmap="gray")
        axes[1].plot([0, 1], label="0123456789 abc ABC")
        axes[1].set(title="0123456789 abc ABC", xticks=[])
        figure.savefig(io.BytesIO(), bbox_inches="tight")
        plt.close(figure)
    # First show a cell's pictures and close them: what is open afterwards is drawn once more.
    hooks = shell.events.callbacks["post_execute"]
    hooks.sort(key=lambda hook: getattr(hook, "__name__", "") != "flush_figures")


def warm_errors(shell: Shell) -> None:
    """Show an error and throw it away: Python has then noted which module lies in which file.

    With all that torch brings along, that is most of what a first error costs.
    """
    with collecting(2**20):
        try:
            raise ValueError
        except ValueError:
            shell.showtraceback()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    collector.begin(2**20)


@contextlib.contextmanager
def collecting(limit: int) -> Iterator[None]:
    """What is written in the block goes to `collector`."""
    collector.begin(limit)
    with contextlib.redirect_stdout(Stream("stdout")), contextlib.redirect_stderr(Stream("stderr")):
        yield


def run_cell(shell: Shell, code: str, limit: int) -> tuple[list[dict[str, Any]], bool, int]:
    """Run a cell; returns its outputs, whether it raised, and the execution count."""
    with collecting(limit):
        try:
            result = shell.run_cell(code, store_history=True, silent=False)
            failed = not result.success
        except KeyboardInterrupt:
            shell.showtraceback()
            failed = True
        except SystemExit:
            failed = True
    if failed and not any(o["output_type"] == "error" for o in collector.outputs):
        collector.limit = float("inf")
        collector.add(
            {"output_type": "error", "ename": "Stopped", "evalue": "", "traceback": ["Stopped"]}
        )
    return collector.outputs, failed, shell.execution_count - 1


def _plain(data: Any) -> dict[str, Any]:
    """Display data as JSON can hold it: pictures in base64."""
    plain = {}
    for key, value in dict(data).items():
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        elif isinstance(value, dict | list):
            try:
                value = json.loads(json.dumps(value))
            except (TypeError, ValueError):
                continue
        elif not isinstance(value, str | int | float | bool | type(None)):
            value = str(value)
        plain[str(key)] = value
    return plain


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return ""
