"""helpers.training: the loop, the history, checkpoints and what can go wrong with them."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers import training
from helpers.checks import assert_same
from helpers.device import seed_everything
from helpers.training import CheckpointError, History, evaluate, fit

SIZE, CLASSES = 60, 3


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")


def make_data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SIZE, 5, generator=generator)
    return TensorDataset(x, x[:, :CLASSES].argmax(dim=1))


def make_net():
    return nn.Sequential(
        nn.Linear(5, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, CLASSES), nn.LogSoftmax(dim=1)
    )


def train(epochs, checkpoint=None, generator=None, **options):
    seed_everything(3)
    net = make_net()
    loader = DataLoader(make_data(), batch_size=8, shuffle=True, generator=generator)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    history = fit(
        net,
        loader,
        optimizer,
        epochs=epochs,
        checkpoint=checkpoint,
        progress=False,
        **{"test_loader": DataLoader(make_data(), batch_size=7), **options},
    )
    return net, history


def assert_same_weights(net, other):
    for name, value in net.state_dict().items():
        assert_same(value, other.state_dict()[name], name=name, rtol=0, atol=0)


def test_fit_is_the_plain_loop():
    seed_everything(3)
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    loader = DataLoader(make_data(), batch_size=8, shuffle=True)
    losses = []
    for _ in range(2):
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    # Without a test: a loader draws a random number each time it starts.
    fitted, history = train(2, log_every=1, test_loader=None)
    assert_same_weights(fitted, net)
    assert history.losses == losses
    assert history.steps == list(range(len(losses)))


def test_history(capsys):
    net, history = train(3, log_every=4)
    assert history.epochs == [1, 2, 3]
    assert history.steps == [0, 4, 8, 12, 16, 20]
    assert len(history.losses) == 6
    assert history.test_losses[-1] < history.test_losses[0]
    result = evaluate(net, DataLoader(make_data(), batch_size=7))
    assert result == (history.test_losses[-1], history.test_accuracies[-1])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("epoch ") == 3
    assert f"epoch 3/3  train loss {history.train_losses[-1]:.2f}" in printed.out


def test_the_loss_of_an_epoch_is_the_mean_over_its_images():
    _, history = train(1, log_every=1)
    sizes = [len(targets) for _, targets in DataLoader(make_data(), batch_size=8)]
    assert len(set(sizes)) == 2  # the last batch is smaller
    (loss,) = history.train_losses
    assert math.isclose(loss, np.average(history.losses, weights=sizes), rel_tol=1e-9)
    assert not math.isclose(loss, np.mean(history.losses), rel_tol=1e-4)


def test_progress_goes_to_stdout(capsys):
    net = make_net()
    fit(net, DataLoader(make_data(), 8), torch.optim.SGD(net.parameters(), lr=0.1), epochs=1)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "epoch 1/1:" in printed.out
    assert f"0/{math.ceil(SIZE / 8)} [" in printed.out  # of all batches


def test_evaluate_weighs_batches_by_their_size_and_keeps_the_mode():
    data, net = make_data(), make_net()
    x, y = data.tensors
    with torch.no_grad():
        scores = net.eval()(x)
    net.train()
    result = evaluate(net, DataLoader(data, batch_size=7))
    assert math.isclose(result.loss, F.nll_loss(scores, y).item(), rel_tol=1e-5)
    assert result.accuracy == (scores.argmax(dim=1) == y).sum().item() / SIZE
    assert net.training
    evaluate(net.eval(), DataLoader(data, batch_size=7))
    assert not net.training


def test_fit_trains_in_train_mode_and_keeps_the_mode():
    seen = []

    class Spy(nn.Linear):
        def forward(self, x):
            seen.append(self.training)
            return super().forward(x).log_softmax(dim=1)

    net = Spy(5, CLASSES).eval()
    fit(net, DataLoader(make_data(), 60), torch.optim.SGD(net.parameters(), lr=0.1), epochs=1)
    assert seen == [True]
    assert not net.training


@pytest.mark.parametrize("own_generator", [False, True])
def test_going_on_equals_never_stopping(tmp_path, capsys, own_generator):
    def generator():
        return torch.Generator().manual_seed(5) if own_generator else None

    path = tmp_path / "deep" / "net.pt"
    train(1, path, generator())
    torch.manual_seed(99)
    resumed, history = train(3, path, generator())
    assert "going on from net.pt: 1 of 3 epochs are done" in capsys.readouterr().out
    unbroken, wanted = train(3, None, generator())
    assert_same_weights(resumed, unbroken)
    assert history == wanted


def test_a_finished_checkpoint_is_not_trained_again(tmp_path):
    path = tmp_path / "net.pt"
    trained, wanted = train(2, path)
    loaded, history = train(2, path)
    assert_same_weights(loaded, trained)
    assert history == wanted


def test_an_interrupted_epoch_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    unbroken, _ = train(3)
    train(1, path)
    real, calls = training._step, []

    def stop_in_the_third_epoch(*arguments):
        calls.append(None)
        if len(calls) > 12:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "_step", stop_in_the_third_epoch)
        with pytest.raises(KeyboardInterrupt):
            train(3, path)
    resumed, history = train(3, path)
    assert history.epochs == [1, 2, 3]
    assert_same_weights(resumed, unbroken)
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt"]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_is_reported(tmp_path, content):
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Delete it to start afresh"):
        train(1, path)
    assert path.read_bytes() == content


def test_a_truncated_checkpoint_is_reported(tmp_path):
    path = tmp_path / "net.pt"
    train(1, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        train(2, path)


def test_a_checkpoint_of_another_model_changes_nothing(tmp_path):
    path = tmp_path / "net.pt"
    train(1, path)
    other = nn.Sequential(nn.Linear(5, 8), nn.Linear(8, 7), nn.LogSoftmax(dim=1))
    before = copy.deepcopy(other)
    with pytest.raises(CheckpointError, match="another model"):
        fit(
            other,
            DataLoader(make_data(), 8),
            torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.5),
            epochs=2,
            checkpoint=path,
        )
    assert_same_weights(other, before)


def test_a_checkpoint_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="could not be written"):
        train(1, tmp_path / "file" / "net.pt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_loss_that_explodes_is_reported(tmp_path):
    path = tmp_path / "net.pt"
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=float("inf"))
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit(net, DataLoader(make_data(), 8), optimizer, epochs=1, checkpoint=path, progress=False)
    assert not path.exists()


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("log_every", 0)])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=f"{name}=0"):
        train(**{"epochs": 1, name: value})


def test_empty_loaders():
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="nothing to train on"):
        fit(net, [], optimizer, epochs=1, progress=False)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate(net, [])


def test_an_empty_history_is_comparable():
    assert History() == History()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA card that torch can use")
def test_fit_on_the_gpu(tmp_path):
    net, history = train(2, tmp_path / "net.pt", device="cuda")
    assert next(net.parameters()).is_cuda
    resumed, _ = train(3, tmp_path / "net.pt", device="cuda")
    assert next(resumed.parameters()).is_cuda
    assert history.test_losses[-1] < history.test_losses[0]
