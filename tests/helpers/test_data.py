"""helpers.data: where MNIST comes from, what an item is, the bundled sample, the photographs.

Nothing here asks a server outside this machine or touches the user's cache: the download runs
against a server on 127.0.0.1 that holds a tiny MNIST made here.
"""

import errno
import gzip
import hashlib
import os
import pickle
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import Normalize

from helpers import _downloads, data
from helpers.data import _mnist
from tests.support.file_server import (
    changed,
    closed_port,
    cut_off,
    refused,
    serve,
    silent,
    silent_halfway,
    trickle,
    trickle_headers,
    web_page,
    whole,
)
from tests.support.scripts import load

REAL_ROOT = os.environ.get("MNIST_ROOT") and os.path.abspath(os.environ["MNIST_ROOT"])
REAL_SHA256 = dict(_mnist.SHA256)
no_full = pytest.mark.skipif(
    not REAL_ROOT, reason="MNIST_ROOT is not set, so no full MNIST is here"
)
SAMPLE_SHA256 = "61f7920eaa6dd0e89d449d2ec0a0ffa562f24512d65c15061bbfea5345dcc57f"
TINY_TRAIN, TINY_TEST = 30, 20


def tiny_mnist():
    """Return the four files of a MNIST of 30 + 20 random images, name -> bytes."""
    rng = np.random.default_rng(0)
    files = {}
    for part, count in (("train", TINY_TRAIN), ("t10k", TINY_TEST)):
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = (
            struct.pack(">4i", 0x803, count, 28, 28) + pixels.tobytes()
        )
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2i", 0x801, count) + labels.tobytes()
    return files


FILES = tiny_mnist()
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}


@pytest.fixture(autouse=True)
def closed_world(monkeypatch, tmp_path):
    """Empty home, no variable set, servers that do not answer, and the tiny MNIST's digests."""
    import torchvision

    for name in ("MNIST_ROOT", "MNIST_SOURCE", "http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(data, "_last_failure", None)  # what another test has left
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(_mnist, "SHA256", digests)
    monkeypatch.setattr(
        torchvision.datasets.MNIST, "mirrors", [f"http://127.0.0.1:{closed_port()}/"]
    )
    real_lookup = socket.getaddrinfo

    def local_only(host, *args, **kwargs):
        assert host in ("127.0.0.1", "localhost"), f"a test asked for {host}"
        return real_lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)


@pytest.fixture
def server(monkeypatch):
    """A server with the tiny MNIST, see `serve`."""
    import torchvision

    with serve(PACKED) as httpd:
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [httpd.url])
        yield httpd


def put_mnist(root, files=FILES, suffix=""):
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        (raw / f"{name}{suffix}").write_bytes(content)
    return raw


def cache():
    return Path(os.environ["XDG_CACHE_HOME"]) / "cnn-course"


def assert_is_tiny_mnist(loaded, train=True):
    name = "train" if train else "t10k"
    pixels = np.frombuffer(FILES[f"{name}-images-idx3-ubyte"][16:], np.uint8)
    labels = np.frombuffer(FILES[f"{name}-labels-idx1-ubyte"][8:], np.uint8)
    assert loaded.source == "full"
    assert torch.equal(loaded.images, torch.from_numpy(pixels.reshape(-1, 28, 28).copy()))
    assert loaded.targets.tolist() == labels.tolist()


# what an item is


def test_item():
    digits = data.load_mnist(source="sample")
    image, label = digits[3]
    assert image.shape == (1, 28, 28)
    assert image.dtype == torch.float32
    assert type(label) is int
    assert label == digits.targets[3]
    assert torch.equal(image[0], digits.images[3] / 255)
    assert digits.images.dtype == torch.uint8
    assert digits.targets.dtype == torch.int64
    assert 0.9 < max(float(digits[i][0].max()) for i in range(5)) <= 1
    assert torch.equal(digits[-1][0], digits[len(digits) - 1][0])


def test_indices_that_are_none():
    digits = data.load_mnist(train=False, source="sample")
    with pytest.raises(IndexError):
        digits[1000]
    with pytest.raises(TypeError):
        digits[0:3]
    assert len(list(digits)) == len(digits) == 1000


@pytest.mark.parametrize(
    "transform", [None, lambda image: (image - 0.5) * 2, Normalize(0.1307, 0.3081)]
)
def test_a_batch_is_its_items(transform):
    digits = data.load_mnist(source="sample", transform=transform)
    images, labels = next(iter(DataLoader(digits, batch_size=64)))
    assert images.shape == (64, 1, 28, 28)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert torch.equal(images, torch.stack([digits[i][0] for i in range(64)]))
    assert labels.tolist() == [digits[i][1] for i in range(64)]
    chosen = Subset(digits, [7, 5])
    images, labels = next(iter(DataLoader(chosen, batch_size=2)))
    assert torch.equal(images[1], digits[5][0])
    assert labels.tolist() == [digits[7][1], digits[5][1]]


def test_transform_gets_each_image_alone():
    shapes = []

    def note(image):
        shapes.append((tuple(image.shape), image.dtype))
        return image.mean()

    digits = data.load_mnist(source="sample", transform=note)
    assert digits[0][0].ndim == 0
    next(iter(DataLoader(digits, batch_size=3)))
    assert shapes == [((1, 28, 28), torch.float32)] * 4


def test_normalising_takes_a_batch_as_a_whole(monkeypatch):
    calls = []
    forward = Normalize.forward
    monkeypatch.setattr(
        Normalize, "forward", lambda self, x: calls.append(x.shape) or forward(self, x)
    )
    digits = data.load_mnist(source="sample", transform=Normalize(0.1307, 0.3081))
    next(iter(DataLoader(digits, batch_size=3)))
    assert calls == [(3, 1, 28, 28)]


def test_items_do_not_change_the_images():
    digits = data.load_mnist(source="sample", transform=lambda image: image.zero_())
    next(iter(DataLoader(digits, batch_size=4)))
    assert digits[0][0].sum() == 0
    assert digits.images[:4].sum() > 0


def test_dataset_can_be_sent_to_a_worker():
    digits = data.load_mnist(train=False, source="sample")
    assert torch.equal(pickle.loads(pickle.dumps(digits)).images, digits.images)


# the sample


def test_sample_file_is_the_known_one():
    content = (data.SAMPLES / "mnist-sample.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SAMPLE_SHA256


@pytest.mark.parametrize(("train", "each"), [(True, 400), (False, 100)])
def test_sample_has_as_many_of_each_digit(train, each):
    digits = data.load_mnist(train, source="sample")
    assert digits.targets.bincount().tolist() == [each] * 10
    assert digits.images.shape == (10 * each, 28, 28)
    # Mixed: no stretch of the order misses a digit.
    assert all(part.unique().numel() == 10 for part in digits.targets.split(100))


def test_sample_parts_share_no_image():
    train, test = (data.load_mnist(part, source="sample").images for part in (True, False))
    images = [image.numpy().tobytes() for image in torch.cat([train, test])]
    assert len(set(images)) == len(images) == 5000


def test_sample_says_what_it_is():
    train, test = (data.load_mnist(part, source="sample") for part in (True, False))
    assert train.source == test.source == "sample"
    assert train.description == (
        "The training part of the MNIST sample that comes with the course, 4,000 images."
    )
    assert test.description == (
        "The test part of the MNIST sample that comes with the course, 1,000 images."
    )
    assert test.description in repr(test)


def test_sample_never_touches_the_network(server, capsys):
    data.load_mnist(source="sample")
    assert server.asked == []
    assert not cache().exists()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "other"])
def test_damaged_sample(monkeypatch, tmp_path, damage):
    content = bytearray((data.SAMPLES / "mnist-sample.npz").read_bytes())
    monkeypatch.setattr(data, "SAMPLES", tmp_path)
    path = tmp_path / "mnist-sample.npz"
    if damage == "cut":
        path.write_bytes(content[:5000])
    elif damage == "flipped":
        content[3000] ^= 1
        path.write_bytes(content)
    elif damage == "other":
        np.savez(path, something=np.zeros(3))
    with pytest.raises(data.DataUnavailableError, match=r"mnist-sample\.npz.*git checkout"):
        data.load_mnist(source="sample")


@pytest.fixture
def sample_tool(monkeypatch):
    """The program tools/make_mnist_sample.py, reading the real full MNIST."""
    monkeypatch.setattr(_mnist, "SHA256", REAL_SHA256)
    return load("tools/make_mnist_sample.py")


def test_the_sample_has_the_first_images_of_each_digit(sample_tool):
    """400 train and the next 100 test, in an order of their own."""
    labels = np.tile(np.arange(10), 600)
    labels[0] = 1  # so that digits do not stand in turn all the way
    chosen = sample_tool.choose_indices(labels)
    assert list(chosen) == ["train", "test"]
    for digit in range(10):
        where = np.flatnonzero(labels == digit)
        for part, first, last in (("train", 0, 400), ("test", 400, 500)):
            one = chosen[part][labels[chosen[part]] == digit]
            assert sorted(one) == where[first:last].tolist()
            assert one.tolist() != sorted(one)
    again = sample_tool.choose_indices(labels)
    assert all((again[part] == chosen[part]).all() for part in chosen)


@pytest.mark.full
@no_full
def test_sample_is_made_again(monkeypatch, tmp_path, sample_tool, capsys):
    monkeypatch.setenv("MNIST_ROOT", REAL_ROOT)
    assert sample_tool.main(["--check"]) == 0
    assert "as it should be" in capsys.readouterr().out
    other = tmp_path / "other.npz"
    with np.load(sample_tool.DEFAULT_PATH) as arrays:
        np.savez(other, **{**arrays, "test_labels": arrays["train_labels"]})
    assert sample_tool.main(["--check", "--output", str(other)]) == 1
    assert sample_tool.main(["--output", str(other)]) == 0
    assert sample_tool.main(["--check", "--output", str(other)]) == 0


@pytest.mark.full
@no_full
def test_sample_images_are_in_the_full_set(monkeypatch):
    monkeypatch.setattr(_mnist, "SHA256", REAL_SHA256)
    monkeypatch.setenv("MNIST_ROOT", REAL_ROOT)
    full = data.load_mnist(source="full")
    assert (len(full), len(data.load_mnist(False, "full"))) == (60_000, 10_000)
    labels = {
        image.numpy().tobytes(): label
        for image, label in zip(full.images, full.targets.tolist(), strict=True)
    }
    for train in (True, False):
        sample = data.load_mnist(train, "sample")
        found = [labels.get(image.numpy().tobytes()) for image in sample.images]
        assert found == sample.targets.tolist()


def test_sample_tool_without_the_full_set(sample_tool, tmp_path, capsys):
    assert sample_tool.main(["--output", str(tmp_path / "x.npz")]) == 1
    assert "could not be downloaded" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()


# arguments and variables


@pytest.mark.parametrize("bad", ["ful", "", "FULL", 3])
def test_unknown_source(bad):
    with pytest.raises(ValueError, match=r"source=.*'auto', 'full', 'sample'"):
        data.load_mnist(source=bad)


def test_unknown_source_in_the_variable(monkeypatch):
    monkeypatch.setenv("MNIST_SOURCE", "internet")
    with pytest.raises(ValueError, match=r"MNIST_SOURCE is 'internet'.*'auto', 'full', 'sample'"):
        data.load_mnist()
    assert data.load_mnist(source="sample").source == "sample"  # the argument wins


def test_source_variable_is_the_default(monkeypatch, tmp_path):
    put_mnist(tmp_path / "root")
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    assert data.load_mnist().source == "full"
    monkeypatch.setenv("MNIST_SOURCE", "sample")
    assert data.load_mnist().source == "sample"
    monkeypatch.setenv("MNIST_SOURCE", "")
    assert data.load_mnist().source == "full"


def test_train_is_true_or_false():
    with pytest.raises(ValueError, match="train='test'"):
        data.load_mnist("test", source="sample")


# MNIST_ROOT


@pytest.mark.parametrize("source", ["auto", "full"])
@pytest.mark.parametrize("train", [True, False])
def test_named_folder(monkeypatch, tmp_path, capsys, source, train):
    put_mnist(tmp_path / "root")
    put_mnist(cache(), dict.fromkeys(FILES, b"x"))  # not looked at
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    before = sorted(tmp_path.rglob("*"))
    digits = data.load_mnist(train, source)
    assert_is_tiny_mnist(digits, train)
    part, count = ("training", 30) if train else ("test", 20)
    assert digits.description == f"The {part} part of the full MNIST, {count} images."
    assert sorted(tmp_path.rglob("*")) == before  # it may be read-only
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("source", ["auto", "full"])
def test_named_folder_without_mnist(monkeypatch, tmp_path, source):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(data.DataUnavailableError, match=r"MNIST_ROOT='.*nowhere': no folder"):
        data.load_mnist(source=source)


def test_named_folder_relative(monkeypatch, tmp_path):
    put_mnist(tmp_path / "root")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_ROOT", "root")
    assert_is_tiny_mnist(data.load_mnist())
    monkeypatch.setenv("MNIST_ROOT", "toor")
    with pytest.raises(data.DataUnavailableError) as caught:
        data.load_mnist()
    assert str(tmp_path / "toor") in str(caught.value)


@pytest.mark.parametrize("inner", ["MNIST", "MNIST/raw"])
def test_named_folder_too_deep(monkeypatch, tmp_path, inner):
    put_mnist(tmp_path / "root")
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root" / inner))
    with pytest.raises(data.DataUnavailableError) as caught:
        data.load_mnist()
    assert f"You probably mean MNIST_ROOT={str(tmp_path / 'root')!r}" in str(caught.value)


@pytest.mark.parametrize("source", ["auto", "full"])
@pytest.mark.parametrize("name", FILES)
def test_named_folder_damaged(monkeypatch, tmp_path, source, name):
    raw = put_mnist(tmp_path / "root")
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    content = bytearray(FILES[name])
    content[-1] ^= 1
    (raw / name).write_bytes(content)
    with pytest.raises(data.DataUnavailableError, match=rf"{name} \(wrong checksum\)\. Put intact"):
        data.load_mnist(source=source)
    (raw / name).unlink()
    with pytest.raises(data.DataUnavailableError, match=rf"{name} \(missing\)"):
        data.load_mnist(source=source)


def test_named_folder_with_a_folder_for_a_file(monkeypatch, tmp_path):
    raw = put_mnist(tmp_path / "root")
    (raw / "train-labels-idx1-ubyte").unlink()
    (raw / "train-labels-idx1-ubyte").mkdir()
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    with pytest.raises(
        data.DataUnavailableError, match=r"train-labels-idx1-ubyte \(cannot be read"
    ):
        data.load_mnist()


def test_named_folder_still_packed(monkeypatch, tmp_path):
    raw = put_mnist(tmp_path / "root", PACKED)
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    with pytest.raises(data.DataUnavailableError, match="still packed") as caught:
        data.load_mnist()
    # What the message says to do is what helps.
    command = str(caught.value).partition("python ")[2].split()
    subprocess.run([sys.executable, *command], cwd=raw, check=True)
    assert_is_tiny_mnist(data.load_mnist())


def test_old_processed_folder_is_not_used(monkeypatch, tmp_path):
    put_mnist(tmp_path / "root")
    processed = tmp_path / "root" / "MNIST" / "processed"
    processed.mkdir()
    wrong = (torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64))
    for name in ("training.pt", "test.pt"):
        torch.save(wrong, processed / name)
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "root"))
    assert_is_tiny_mnist(data.load_mnist())


# the cache and the download


def test_cache_folder(monkeypatch, tmp_path):
    assert data.cache_folder() == tmp_path / "cache" / "cnn-course"
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert data.cache_folder() == tmp_path / "home" / ".cache" / "cnn-course"


@pytest.mark.parametrize("source", ["auto", "full"])
def test_download_once(server, capsys, source):
    assert_is_tiny_mnist(data.load_mnist(True, source))
    out, err = capsys.readouterr()
    assert out.startswith(
        "Downloading MNIST (12 MB), once for all lessons; 5 minutes at most ...\n"
    )
    assert re.findall(r"\r(\S+)\.gz: 100%", out) == list(FILES)
    assert err == ""  # which would be red in a notebook
    asked = len(server.asked)
    assert sorted(p.name for p in cache().iterdir()) == ["MNIST"]
    assert sorted(p.name for p in (cache() / "MNIST" / "raw").iterdir()) == sorted(FILES)
    assert_is_tiny_mnist(data.load_mnist(False, source), train=False)
    assert len(server.asked) == asked
    assert capsys.readouterr() == ("", "")


def test_what_another_notebook_has_downloaded_meanwhile_is_checked_too(tmp_path):
    here, there = tmp_path / "partial" / "MNIST", tmp_path / "MNIST"
    for folder in (here / "raw", there / "raw"):
        folder.mkdir(parents=True)
        (folder / "train-images-idx3-ubyte").write_bytes(b"cut off")
    with pytest.raises(data.DataUnavailableError, match="copy of MNIST is damaged"):
        _mnist._move_into_place(here, there)


def test_dead_server_is_passed_over(server, monkeypatch):
    import torchvision

    dead = f"http://127.0.0.1:{closed_port()}/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [dead, server.url])
    assert_is_tiny_mnist(data.load_mnist())


def test_no_network_full():
    with pytest.raises(
        data.DownloadError, match=r"cannot be reached \(.*refused.*MNIST_ROOT.*source='sample'"
    ) as caught:
        data.load_mnist(source="full")
    assert isinstance(caught.value, data.DataUnavailableError)
    assert isinstance(caught.value, RuntimeError)
    assert list(cache().iterdir()) == []


def test_no_network_auto(capsys):
    digits = data.load_mnist()
    assert digits.source == "sample"
    first, sentence = capsys.readouterr().out.splitlines()
    assert first.startswith("Downloading")
    assert sentence == (
        "The full MNIST could not be downloaded, because the download servers cannot be reached, "
        "so these are 4,000 real images from the sample that comes with the course."
    )


def test_auto_does_not_wait_twice(server, capsys, monkeypatch):
    working = server.answer
    server.answer = refused
    assert data.load_mnist(True).source == "sample"
    asked = len(server.asked)
    capsys.readouterr()
    assert data.load_mnist(False).source == "sample"
    assert len(server.asked) == asked
    out = capsys.readouterr().out
    assert "because the server does not give the file" in out
    assert "1,000 real images" in out
    assert len(out.splitlines()) == 1
    # After a minute, or when the full set is asked for, it tries again.
    now = time.monotonic()
    server.answer = working
    for seconds, source in ((45, "sample"), (61, "full")):
        monkeypatch.setattr(data.time, "monotonic", lambda later=now + seconds: later)
        assert data.load_mnist(False).source == source


def test_what_the_message_advises_helps_at_once(server, tmp_path, monkeypatch):
    server.answer = refused
    assert data.load_mnist().source == "sample"
    put_mnist(tmp_path / "own")
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path / "own"))
    assert_is_tiny_mnist(data.load_mnist())


def test_full_tries_again_at_once(server, monkeypatch):
    working = server.answer
    server.answer = refused
    with pytest.raises(data.DownloadError, match="does not give the file"):
        data.load_mnist(source="full")
    server.answer = working
    assert data.load_mnist(source="full").source == "full"
    assert data.load_mnist().source == "full"


@pytest.mark.parametrize(
    ("answer", "silence", "why"),
    [
        (cut_off, 10, r"the download broke off \(train-labels-idx1-ubyte.gz, 0 MB of 0 MB"),
        (changed, 10, r"what arrived is not MNIST \(train-labels-idx1-ubyte"),
        (web_page, 10, r"what arrived is not MNIST \(train-labels-idx1-ubyte"),
        (silent, 0.5, r"the server cannot be reached \(nothing came for 0\.5 seconds"),
        (silent_halfway, 0.5, r"the download broke off \(nothing came for 0\.5 seconds"),
        (trickle_headers, 0.5, r"the server cannot be reached \(nothing came for 0\.5 seconds"),
    ],
)
def test_broken_download_leaves_nothing(server, monkeypatch, answer, silence, why):
    real_fetch = _downloads.fetch

    def break_the_second(url, *rest, **more):
        is_second = list(FILES)[1] in url
        server.answer = answer if is_second else whole
        monkeypatch.setattr(_downloads, "SILENCE_SECONDS", silence if is_second else 10)
        real_fetch(url, *rest, **more)

    monkeypatch.setattr(_downloads, "fetch", break_the_second)
    with pytest.raises(data.DownloadError, match=why):
        data.load_mnist(source="full")
    assert list(cache().iterdir()) == []
    monkeypatch.setattr(_downloads, "fetch", real_fetch)
    monkeypatch.setattr(_downloads, "SILENCE_SECONDS", 10)
    server.answer = whole
    assert_is_tiny_mnist(data.load_mnist(source="full"))


def test_server_that_trickles_is_given_up_for_the_sample(server, monkeypatch, capsys):
    monkeypatch.setattr(_mnist, "DOWNLOAD_SECONDS", 0.5)
    server.answer = trickle
    assert data.load_mnist().source == "sample"
    assert capsys.readouterr().out.splitlines()[-1] == (
        "The full MNIST could not be downloaded, because the download took longer than 0.5 "
        "seconds, so these are 4,000 real images from the sample that comes with the course."
    )
    assert list(cache().iterdir()) == []
    assert server.ended.wait(30)  # nothing goes on in the background


def test_server_that_trickles_is_an_error_where_the_full_set_is_asked_for(server, monkeypatch):
    monkeypatch.setattr(_mnist, "DOWNLOAD_SECONDS", 0.5)
    server.answer = trickle
    with pytest.raises(data.DownloadError) as caught:
        data.load_mnist(source="full")
    assert str(caught.value).startswith(
        "The full MNIST could not be downloaded: the download took longer than 0.5 seconds"
    )
    assert list(cache().iterdir()) == []


def test_all_files_share_one_time_limit(server, monkeypatch):
    """Each file takes less than the limit, all four more."""
    monkeypatch.setattr(_mnist, "DOWNLOAD_SECONDS", 3)

    def slowly(handler, content):
        server.released.wait(1)
        whole(handler, content)

    server.answer = slowly
    with pytest.raises(data.DownloadError, match="took longer than 3 seconds"):
        data.load_mnist(source="full")


def test_server_that_trickles_its_first_answer(server, monkeypatch, capsys):
    monkeypatch.setattr(_downloads, "SILENCE_SECONDS", 0.5)
    server.answer_head = trickle_headers
    with pytest.raises(data.DownloadError, match=r"no answer within 0\.5 seconds"):
        data.load_mnist(source="full")
    assert data.load_mnist().source == "sample"
    assert "because the download servers cannot be reached" in capsys.readouterr().out
    assert list(cache().iterdir()) == []
    assert server.asked == []


def test_a_server_that_answers_but_has_not_the_files_is_passed_over(server, monkeypatch):
    import torchvision

    with serve(dict.fromkeys(PACKED, b"")) as other:
        other.answer = refused
        mirrors = [other.url, server.url]
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", mirrors)
        assert_is_tiny_mnist(data.load_mnist(source="full"))
        assert other.asked == server.asked == list(PACKED)


def test_servers_that_keep_silent_cost_one_time_limit(monkeypatch):
    import torchvision

    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(100)]
    mirrors = [f"http://127.0.0.1:{s.getsockname()[1]}/" for s in listening]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", mirrors)
    monkeypatch.setattr(_downloads, "SILENCE_SECONDS", 1.0)
    start = time.monotonic()
    with pytest.raises(data.DownloadError, match="cannot be reached"):
        data.load_mnist(source="full")
    assert time.monotonic() - start < 90  # one after the other they would cost 100 seconds
    for one in listening:
        one.close()


def test_name_lookup_that_hangs(monkeypatch):
    released = threading.Event()

    def hang(*args, **kwargs):
        released.wait(20)
        raise socket.gaierror("no name server")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(_downloads, "SILENCE_SECONDS", 0.5)
    with pytest.raises(data.DownloadError, match=r"no answer within 0\.5 seconds"):
        data.load_mnist(source="full")
    released.set()


def test_killed_download_does_not_trip_the_next(server):
    # What a process leaves that was killed while the second file came in.
    young, old = (cache() / f"{_downloads.PARTIAL_PREFIX}{name}" for name in ("young", "old"))
    for folder in (young, old):
        put_mnist(folder, {"train-images-idx3-ubyte": b"half"})
    make_older(old)
    make_older(young, -60)  # as old as the folder of a download that goes on may be
    assert_is_tiny_mnist(data.load_mnist(source="full"))
    assert sorted(p.name for p in cache().iterdir()) == ["MNIST", young.name]
    # The young one goes when it is old, although nothing is downloaded any more.
    make_older(young)
    assert_is_tiny_mnist(data.load_mnist(source="full"))
    assert [p.name for p in cache().iterdir()] == ["MNIST"]


def make_older(folder, beyond=60):
    """As if last changed so many seconds before what is left over; negative if after that."""
    then = time.time() - _downloads.LEFTOVER_SECONDS - beyond
    os.utime(folder, (then, then))


def test_stopped_by_hand(server, monkeypatch):
    class Stopped(_downloads.tqdm):  # the progress bar, at a piece of the second file
        def update(self, count):
            if self.desc.startswith(list(FILES)[1]):
                raise KeyboardInterrupt

    monkeypatch.setattr(_downloads, "tqdm", Stopped)
    with pytest.raises(KeyboardInterrupt):
        data.load_mnist()
    assert list(cache().iterdir()) == []


def test_another_notebook_was_first(server, monkeypatch):
    def answer_slowly(handler, content):
        if handler.command == "GET" and not (cache() / "MNIST").exists():
            put_mnist(cache())
        whole(handler, content)

    server.answer = answer_slowly
    assert_is_tiny_mnist(data.load_mnist(source="full"))
    assert [p.name for p in cache().iterdir()] == ["MNIST"]


def test_what_arrives_is_checked_against_our_digests(server, monkeypatch):
    wrong = {**_mnist.SHA256, "t10k-labels-idx1-ubyte": "0" * 64}
    monkeypatch.setattr(_mnist, "SHA256", wrong)
    with pytest.raises(data.DownloadError, match=r"not MNIST \(t10k-labels-idx1-ubyte"):
        data.load_mnist(source="full")
    assert list(cache().iterdir()) == []


@pytest.mark.parametrize("source", ["auto", "full"])
def test_damaged_cache(server, source):
    raw = put_mnist(cache())
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"half")
    with pytest.raises(
        data.DataUnavailableError, match=r"t10k-images-idx3-ubyte \(wrong checksum\)\. Delete"
    ) as caught:
        data.load_mnist(source=source)
    assert not isinstance(caught.value, data.DownloadError)
    assert f"Delete the folder {cache() / 'MNIST'} " in str(caught.value)
    assert server.asked == []


def test_unwritable_cache(server, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file where the folder would be")
    with pytest.raises(data.DownloadError, match=r"folder cannot be written \(.*cnn-course"):
        data.load_mnist(source="full")
    assert data.load_mnist().source == "sample"
    out = capsys.readouterr().out
    assert "because its folder cannot be written" in out
    assert len(out.splitlines()) == 1
    assert server.asked == []


def test_disk_that_fills_up_while_unpacking(server, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(data.DownloadError, match=r"cannot be written \(.*No space left"):
        data.load_mnist(source="full")
    assert list(cache().iterdir()) == []


def test_full_disk(server, monkeypatch, capsys):
    usage = _downloads.shutil.disk_usage("/")._replace(free=5_000_000)
    monkeypatch.setattr(_downloads.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(data.DownloadError, match=r"disk is full \(100 MB needed, 5 MB free"):
        data.load_mnist(source="full")
    assert list(cache().iterdir()) == []
    assert server.asked == []
    assert data.load_mnist().source == "sample"
    assert "because the disk is full" in capsys.readouterr().out


@pytest.mark.full
@no_full
def test_real_digests_are_of_the_real_files():
    for name, digest in REAL_SHA256.items():
        content = (Path(REAL_ROOT) / "MNIST" / "raw" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


# photographs


def test_photos():
    pictures = data.photos()
    assert tuple(pictures) == data.PHOTO_NAMES
    assert [picture.shape[1] for picture in pictures.values()] == [256, 385, 384, 384]
    for name, picture in pictures.items():
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert min(picture.shape[:2]) == 256
        assert picture.std() > 20  # a real photograph, not a flat area
        assert picture.flags.writeable
        assert np.array_equal(picture, data.photo(name))
    # Red before blue: the cup's saucer is red, the sky behind the rocket is blue.
    assert pictures["coffee"][..., 0].mean() > pictures["coffee"][..., 2].mean() + 50
    assert pictures["rocket"][..., 2].mean() > pictures["rocket"][..., 0].mean() + 20


def test_unknown_photo():
    with pytest.raises(ValueError, match=r"name='dog'.*'astronaut', 'cat', 'coffee', 'rocket'"):
        data.photo("dog")


def test_damaged_photo(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "SAMPLES", tmp_path)
    (tmp_path / "cat.jpg").write_bytes(b"no picture")
    with pytest.raises(data.DataUnavailableError, match=r"'cat' cannot be read.*git checkout"):
        data.photo("cat")


def test_every_sample_file_has_its_source_and_licence():
    text = (data.SAMPLES / "README.md").read_text()
    files = {path.name for path in data.SAMPLES.iterdir()} - {"README.md"}
    emoji = {"emoji.png", "emoji.json", "emoji-LICENSE.txt"}
    assert files == {"mnist-sample.npz", *emoji, *(f"{name}.jpg" for name in data.PHOTO_NAMES)}
    for name in files:
        assert name in text
    assert "CC BY-SA 3.0" in text
    terms = (data.SAMPLES / "emoji-LICENSE.txt").read_text("utf-8")
    assert "Apache License\n                           Version 2.0" in terms
    assert "The MIT License" in terms
    assert all("CC0" in row or "public domain" in row for row in text.splitlines() if ".jpg" in row)
    assert sum(path.stat().st_size for path in data.SAMPLES.iterdir()) < 1_700_000


def test_import_is_light():
    code = (
        "import sys, helpers.data as d; d.load_mnist(source='sample'); "
        "print([m for m in ('torchvision', 'PIL', 'matplotlib') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
