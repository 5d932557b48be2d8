"""helpers.pretrained: the trained AlexNet is fetched only when asked for, and then within limits.

A server on 127.0.0.1 has a file like the real one, with the shapes of AlexNet's weights, but small:
all numbers of a tensor share one place in memory.
"""

import hashlib
import io
import socket

import pytest
import torch
from torchvision.models import AlexNet_Weights, alexnet

from helpers import _downloads, pretrained
from helpers.pretrained import trained_alexnet
from tests.support.file_server import (
    changed,
    closed_port,
    cut_off,
    refused,
    serve,
    silent,
    trickle,
    web_page,
)

ASK = "trained_alexnet(download=True)"


def made_up_weights():
    """A file of weights in which the i-th tensor is i everywhere, as bytes."""
    with torch.device("meta"):
        shapes = [(name, tensor.shape) for name, tensor in alexnet().state_dict().items()]
    weights = {name: torch.tensor(float(i)).expand(s) for i, (name, s) in enumerate(shapes)}
    file = io.BytesIO()
    torch.save(weights, file)
    return file.getvalue()


CONTENT = made_up_weights()
NAME = f"alexnet-test-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


@pytest.fixture(autouse=True)
def checkpoints(monkeypatch, tmp_path):
    """An empty cache of torch, and an address that does not answer; gives the weights' folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    set_url(monkeypatch, f"http://127.0.0.1:{closed_port()}/")
    real_lookup = socket.getaddrinfo

    def local_only(host, *args, **kwargs):
        assert host in ("127.0.0.1", "localhost"), f"a test asked for {host}"
        return real_lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    return tmp_path / "torch" / "hub" / "checkpoints"


def set_url(monkeypatch, base):
    monkeypatch.setattr(AlexNet_Weights.IMAGENET1K_V1.value, "url", base + NAME)


@pytest.fixture
def server(monkeypatch):
    with serve({NAME: CONTENT}) as httpd:
        set_url(monkeypatch, httpd.url)
        yield httpd


def assert_is_the_network(net):
    for i, tensor in enumerate(net.state_dict().values()):
        assert tensor.device.type == "cpu"
        assert (tensor == i).all()
    assert not net.training


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_fetched_unless_asked(server, checkpoints, capsys):
    assert trained_alexnet() is None
    assert server.asked == []
    assert not checkpoints.exists()
    out, err = capsys.readouterr()
    assert out == (
        "The trained weights (244 MB) are not on this machine. They are downloaded only if you "
        f"ask for them: {ASK}\n"
    )
    assert err == ""


def test_download_when_asked_and_once(server, checkpoints, capsys):
    assert_is_the_network(trained_alexnet(download=True))
    out, err = capsys.readouterr()
    assert out.startswith(
        "Downloading the trained weights (244 MB), once; 30 minutes at most ...\n"
    )
    assert f"\r{NAME}: 100%" in out
    assert err == ""
    assert names(checkpoints) == [NAME]
    assert_is_the_network(trained_alexnet())
    assert_is_the_network(trained_alexnet(download=True))
    assert server.asked == [NAME]
    assert capsys.readouterr() == ("", "")


def test_torchvision_finds_the_file_and_we_find_its(server, checkpoints, monkeypatch, capsys):
    trained_alexnet(download=True)
    set_url(monkeypatch, f"http://127.0.0.1:{closed_port()}/")
    assert_is_the_network(alexnet(weights=AlexNet_Weights.IMAGENET1K_V1).eval())
    set_url(monkeypatch, server.url)
    (checkpoints / NAME).unlink()
    alexnet(weights=AlexNet_Weights.IMAGENET1K_V1)
    capsys.readouterr()
    assert_is_the_network(trained_alexnet())
    assert capsys.readouterr() == ("", "")


def test_random_numbers_go_on_as_before(server):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    trained_alexnet(download=True)
    assert torch.equal(torch.rand(3), expected)


def test_the_network_can_be_used_and_trained(server):
    net = trained_alexnet(download=True)
    scores = net(torch.zeros(2, 3, 224, 224))
    assert scores.shape == (2, 1000)
    scores.sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT + b"x"])
def test_damaged_file(server, checkpoints, capsys, damage):
    checkpoints.mkdir(parents=True)
    (checkpoints / NAME).write_bytes(damage)
    assert trained_alexnet() is None
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"The file with the trained weights is damaged: {checkpoints / NAME} (")
    assert line.endswith(ASK)
    assert server.asked == []
    assert (checkpoints / NAME).read_bytes() == damage
    # What the sentence says to do is what helps.
    assert_is_the_network(trained_alexnet(download=True))
    assert names(checkpoints) == [NAME]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (cut_off, "the download broke off ("),
        (changed, "what arrived is something else (wrong checksum)"),
        (web_page, "what arrived is something else (wrong checksum)"),
        (refused, "the server does not give the file (HTTP Error 503"),
        (silent, "the server cannot be reached (nothing came for 0.5 seconds)"),
        (trickle, "the download took longer than 0.5 seconds ("),
    ],
)
def test_failed_download(server, checkpoints, monkeypatch, capsys, answer, why):
    checkpoints.mkdir(parents=True)
    (checkpoints / NAME).write_bytes(b"damaged")
    server.answer = answer
    if answer is silent:
        monkeypatch.setattr(_downloads, "SILENCE_SECONDS", 0.5)
    if answer is trickle:
        monkeypatch.setattr(pretrained, "DOWNLOAD_SECONDS", 0.5)
    assert trained_alexnet(download=True) is None
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith(
        f"The trained weights could not be downloaded, because {why}"
    )
    assert err == ""
    # Nothing half-downloaded, and what was there is as it was.
    assert names(checkpoints) == [NAME]
    assert (checkpoints / NAME).read_bytes() == b"damaged"


def test_no_network(checkpoints, capsys):
    assert trained_alexnet(download=True) is None
    sentence = capsys.readouterr().out.splitlines()[-1]
    assert sentence.startswith(
        "The trained weights could not be downloaded, because the server cannot be reached ("
    )
    assert sentence.endswith("). To try again, run this once more.")
    assert names(checkpoints) == []


def test_full_disk(server, monkeypatch, capsys):
    usage = _downloads.shutil.disk_usage("/")._replace(free=250_000_000)
    monkeypatch.setattr(_downloads.shutil, "disk_usage", lambda path: usage)
    assert trained_alexnet(download=True) is None
    assert "the disk is full (300 MB needed, 250 MB free in " in capsys.readouterr().out
    assert server.asked == []


def test_stopped_by_hand(server, checkpoints, monkeypatch):
    def stop(url, path, limit, max_bytes):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(_downloads, "fetch", stop)
    with pytest.raises(KeyboardInterrupt):
        trained_alexnet(download=True)
    assert names(checkpoints) == []


@pytest.mark.parametrize("other", [CONTENT, b"damaged"])
def test_file_that_cannot_be_replaced(server, checkpoints, monkeypatch, capsys, other):
    """As on Windows, where another notebook has it open: its copy will do if it is intact."""

    def refuse(path, target):
        target.write_bytes(other)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(checkpoints), "replace", refuse)
    net = trained_alexnet(download=True)
    if other == CONTENT:
        assert_is_the_network(net)
    else:
        assert net is None
        assert "the file cannot be replaced (" in capsys.readouterr().out
    assert names(checkpoints) == [NAME]


def test_the_size_that_is_told_is_torchvisions():
    size = AlexNet_Weights.IMAGENET1K_V1.meta["_file_size"] * 2**20
    assert round(size / 1e6) == 244
    assert size < pretrained.DISK_BYTES_NEEDED
