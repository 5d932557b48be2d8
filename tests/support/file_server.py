"""A web server on 127.0.0.1 for the tests of downloads, and the ways in which it may misbehave."""

import contextlib
import http.server
import socket
import threading


def closed_port():
    """A port on which nothing answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(files):
    """Serve ``files``, name -> bytes, from ``.url``.

    ``.answer`` and ``.answer_head`` may be replaced, ``.asked`` lists the files asked for, and
    ``.ended`` is set once an answer has been broken off because the client was gone.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            with contextlib.suppress(OSError):
                httpd.answer_head(self, b"")

        def do_GET(self):
            name = self.path.strip("/")
            httpd.asked.append(name)
            try:
                httpd.answer(self, files[name])
            except OSError:
                httpd.ended.set()

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.released, httpd.ended = threading.Event(), threading.Event()
    httpd.asked, httpd.answer, httpd.answer_head = [], whole, whole
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/"
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield httpd
    finally:
        httpd.released.set()
        httpd.shutdown()
        httpd.server_close()


def whole(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def cut_off(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])


def changed(handler, content):
    whole(handler, content[:-9] + b"?" + content[-8:])


def web_page(handler, content):
    """As the log-in page of a hotel's network."""
    whole(handler, b"<html>Please log in.</html>")


def refused(handler, content):
    handler.send_error(503)


def endless(handler, content):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.released.is_set():
        handler.wfile.write(bytes(1 << 16))


def silent(handler, content):
    """Say nothing. A client that never gives up gets the whole in the end: its test fails."""
    handler.server.released.wait(40)
    whole(handler, content)


def silent_halfway(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    half = len(content) // 2
    handler.wfile.write(content[:half])
    handler.server.released.wait(40)
    handler.wfile.write(content[half:])


def trickle(handler, content):
    """A byte now and then while the client stays; the whole to one that never gives up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    drip(handler, content[:1000])
    handler.wfile.write(content[1000:])


def trickle_headers(handler, content):
    """As `trickle`, but before the first byte of the file."""
    drip(handler, b"HTTP/1.0 200 OK\r\nX-Slow: " + b"x" * 1000 + b"\r\n")
    handler.wfile.write(f"Content-Length: {len(content)}\r\n\r\n".encode() + content)


def drip(handler, content):
    for position in range(len(content)):
        handler.wfile.write(content[position : position + 1])
        if handler.server.released.wait(0.04):
            break
