"""helpers._downloads: what ends a transfer, beside what tests/helpers/test_data.py sees of it."""

import hashlib
import http.server
import queue
import subprocess
import sys
import threading
import time

import pytest

from helpers import _downloads
from tests.support.file_server import endless, serve, silent_halfway

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def server():
    with serve({"file": CONTENT}) as httpd:
        yield httpd


def fetch(httpd, path, seconds=60.0, max_bytes=10**6):
    _downloads.fetch(httpd.url + "file", path, _downloads.Limit(seconds), max_bytes)


def test_a_file_arrives_with_its_progress_on_stdout(server, tmp_path, capsys):
    fetch(server, tmp_path / "photos")
    assert (tmp_path / "photos").read_bytes() == CONTENT
    out, err = capsys.readouterr()
    assert "\rphotos: 100%" in out
    assert "512k/512k" in out
    assert err == ""


def test_a_file_without_a_length_arrives(server, tmp_path):
    def answer(handler, content):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)

    server.answer = answer
    fetch(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_redirect_is_followed(server, tmp_path):
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", server.url + "file")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as httpd:
        threading.Thread(target=httpd.handle_request, daemon=True).start()
        httpd.url = f"http://127.0.0.1:{httpd.server_port}/"
        fetch(httpd, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_never_ends_is_left(server, tmp_path):
    server.answer = endless
    with pytest.raises(_downloads.TransferError, match=r"too large \(file, more than 1 MB\)"):
        fetch(server, tmp_path / "file")
    assert server.ended.wait(30)


def test_nothing_is_taken_after_the_time_although_something_is_there():
    pieces = queue.Queue()
    pieces.put(b"a fast server")
    with pytest.raises(_downloads.TransferError, match="took longer than 0 seconds"):
        _downloads._next(pieces, _downloads.Limit(0), "why")


def test_a_connection_ends_although_its_pieces_were_not_taken(server, tmp_path, monkeypatch):
    class Stopped(_downloads.tqdm):
        def update(self, count):
            time.sleep(1)  # so that as much as can wait has arrived
            raise KeyboardInterrupt

    monkeypatch.setattr(_downloads, "tqdm", Stopped)
    server.answer = endless
    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path / "file")
    assert server.ended.wait(30)


def test_what_cannot_be_written(server, tmp_path):
    with pytest.raises(_downloads.TransferError, match=r"folder cannot be written \(.*nowhere"):
        fetch(server, tmp_path / "nowhere" / "file")


def test_an_address_that_is_none(tmp_path):
    with pytest.raises(_downloads.TransferError, match=r"cannot be reached \(.*unknown url type"):
        _downloads.fetch("nonsense", tmp_path / "file", _downloads.Limit(60), 10)


def test_a_hanging_download_does_not_hold_the_program(server):
    server.answer = silent_halfway
    code = (
        "import pathlib, sys, tempfile; from helpers import _downloads\n"
        "_downloads.SILENCE_SECONDS = 0.5\n"
        "path = pathlib.Path(tempfile.mkdtemp(), 'file')\n"
        "try: _downloads.fetch(sys.argv[1], path, _downloads.Limit(60), 10**6)\n"
        "except _downloads.TransferError as error: print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, server.url + "file"], capture_output=True, text=True
    )
    assert not server.released.is_set()
    assert "broke off (nothing came for 0.5 seconds)" in answer.stdout, answer.stderr


def test_limits_are_spoken_as_people_speak():
    assert [str(_downloads.Limit(s)) for s in (0.5, 10, 300, 1800)] == [
        "0.5 seconds",
        "10 seconds",
        "5 minutes",
        "30 minutes",
    ]


def test_no_download_lasts_until_its_folder_counts_as_left_over():
    from helpers import pretrained
    from helpers.data import _mnist

    longest = max(_mnist.DOWNLOAD_SECONDS, pretrained.DOWNLOAD_SECONDS)
    assert 2 * longest <= _downloads.LEFTOVER_SECONDS


def test_partial_folder_is_gone_whatever_happens(tmp_path):
    @_downloads.partial_folder(tmp_path / "new", 1, "THAT")
    def stopped_by_hand():
        (folder,) = (tmp_path / "new").iterdir()
        (folder / "file").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_by_hand()
    assert list((tmp_path / "new").iterdir()) == []


def test_partial_folder_says_which_variable_moves_it(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for parent, needed in ((tmp_path / "file" / "in", 1), (tmp_path, 10**18)):
        with (
            pytest.raises(_downloads.TransferError, match="; THAT moves it"),
            _downloads.partial_folder(parent, needed, "THAT"),
        ):
            pytest.fail("the folder was given")


def test_fault(tmp_path):
    digest = hashlib.sha256(CONTENT).hexdigest()
    path = tmp_path / "file"
    assert _downloads.fault(path, digest) == "missing"
    path.write_bytes(CONTENT)
    assert _downloads.fault(path, digest) is None
    assert _downloads.fault(path, digest[:8]) is None
    path.write_bytes(CONTENT + b"x")
    assert _downloads.fault(path, digest[:8]) == "wrong checksum"
    assert _downloads.fault(tmp_path, digest).startswith("cannot be read, ")
