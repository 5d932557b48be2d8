"""Train and evaluate a classifier, with a progress bar, a history and checkpoints.

The loop itself is taught in lesson 05; this module is the same loop with what long runs need.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from tqdm import tqdm

from helpers.command.files import replacing
from helpers.device import get_device
from helpers.language import gettext


class Evaluation(NamedTuple):
    """Result of `evaluate`: mean loss a sample, and the fraction of right answers, 0 to 1."""

    loss: float
    accuracy: float


@dataclass
class History:
    """What was measured during training.

    ``steps`` and ``losses``: number of the batch, counted from the start over all epochs, and the
    training loss of that batch. ``epochs``, ``train_losses``, ``test_losses``,
    ``test_accuracies``: one entry for each finished epoch; the test lists stay empty without
    test data. Accuracies are fractions from 0 to 1.
    """

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    test_losses: list[float] = field(default_factory=list)
    test_accuracies: list[float] = field(default_factory=list)


class CheckpointError(RuntimeError):
    """A checkpoint file that can't be used: damaged, or made by another model."""


def evaluate(
    model: nn.Module,
    loader: Iterable,
    loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = nn.functional.nll_loss,
    device: str | torch.device | None = None,
) -> Evaluation:
    """Mean loss and accuracy of a classifier over all batches of a loader.

    The model is put into eval mode for the measurement and then back into the mode it was in; no
    gradients are computed.

    Parameters
    ----------
    model : torch.nn.Module
        Maps (N, …) to scores (N, classes).
    loader : iterable of (inputs, targets)
        Targets are class numbers, shape (N,).
    loss_fn : callable
        ``loss_fn(scores, targets)``, the mean over the batch (torch's default).
    device : str or torch.device, optional
        Default: `helpers.device.get_device()`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If the loader is empty.
    """
    device = get_device() if device is None else torch.device(device)
    model.to(device)
    loss, right, count = 0.0, 0, 0
    with _mode(model, train=False), torch.no_grad():
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            scores = model(inputs)
            loss += loss_fn(scores, targets).item() * len(targets)
            right += (scores.argmax(dim=1) == targets).sum().item()
            count += len(targets)
    if not count:
        raise ValueError(gettext("there is nothing to evaluate: the loader gave no batch"))
    return Evaluation(loss / count, right / count)


def fit(
    model: nn.Module,
    train_loader: Iterable,
    optimizer: torch.optim.Optimizer,
    loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = nn.functional.nll_loss,
    *,
    epochs: int,
    test_loader: Iterable | None = None,
    device: str | torch.device | None = None,
    log_every: int = 10,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train a classifier; after each epoch print one line, and save a checkpoint if asked.

    Parameters
    ----------
    model : torch.nn.Module
        Maps (N, …) to scores (N, classes). Trained in place.
    train_loader, test_loader : iterable of (inputs, targets)
        Targets are class numbers, shape (N,). Without `test_loader` nothing is evaluated.
    optimizer : torch.optim.Optimizer
        Over the model's parameters.
    loss_fn : callable
        ``loss_fn(scores, targets)``, the mean over the batch (torch's default).
    epochs : int
        How many epochs the training has in all, those in the checkpoint included.
    device : str or torch.device, optional
        Default: `helpers.device.get_device()`.
    log_every : int
        Every how many batches the loss goes into the history.
    checkpoint : path, optional
        File that is written after each epoch. If it exists, training goes on from there, with
        the same random numbers as if it had never stopped; delete it to start afresh.
    progress : bool
        Show the progress bar.

    Returns
    -------
    History

    Raises
    ------
    CheckpointError
        If the checkpoint is damaged or belongs to another model or optimizer.
    FloatingPointError
        If the loss becomes NaN or infinite; nothing is saved of that epoch.
    ValueError
        If `epochs` or `log_every` is below 1, or the loader is empty.
    """
    for name, value in {"epochs": epochs, "log_every": log_every}.items():
        if value < 1:
            raise ValueError(
                gettext("{name}={value}: must be at least 1").format(name=name, value=value)
            )
    device = get_device() if device is None else torch.device(device)
    model.to(device)
    history = History()
    step = 0
    if checkpoint is not None and Path(checkpoint).exists():
        history, step = _load(checkpoint, model, optimizer, train_loader)
        done = len(history.epochs)
        print(
            gettext("going on from {file}: {done} of {epochs} epochs are done").format(
                file=Path(checkpoint).name, done=done, epochs=epochs
            )
        )
    with _mode(model, train=True):
        for epoch in range(len(history.epochs) + 1, epochs + 1):
            total = count = 0
            with tqdm(
                train_loader,
                desc=gettext("epoch {epoch}/{epochs}").format(epoch=epoch, epochs=epochs),
                unit=gettext("batch"),
                file=sys.stdout,
                leave=False,
                mininterval=0.5,
                disable=not progress,
            ) as bar:
                for inputs, targets in bar:
                    loss = _step(model, inputs.to(device), targets.to(device), optimizer, loss_fn)
                    if not math.isfinite(loss):
                        raise FloatingPointError(
                            gettext(
                                "the loss is {loss} at batch {batch} (epoch {epoch}). Try a "
                                "smaller learning rate, and check that the inputs have no NaN"
                            ).format(loss=loss, batch=step + 1, epoch=epoch)
                        )
                    if step % log_every == 0:
                        history.steps.append(step)
                        history.losses.append(loss)
                        bar.set_postfix_str(
                            gettext("loss={loss:.2f}").format(loss=loss), refresh=False
                        )
                    total += loss * len(targets)
                    count += len(targets)
                    step += 1
            if not count:
                raise ValueError(gettext("there is nothing to train on: the loader gave no batch"))
            history.epochs.append(epoch)
            history.train_losses.append(total / count)
            said = gettext("epoch {epoch}/{epochs}  train loss {train_loss:.2f}")
            measured = {"train_loss": total / count}
            if test_loader is not None:
                result = evaluate(model, test_loader, loss_fn, device)
                history.test_losses.append(result.loss)
                history.test_accuracies.append(result.accuracy)
                said = gettext(
                    "epoch {epoch}/{epochs}  train loss {train_loss:.2f}  test loss "
                    "{test_loss:.2f}  test accuracy {accuracy:.1%}"
                )
                measured |= {"test_loss": result.loss, "accuracy": result.accuracy}
            print(said.format(epoch=epoch, epochs=epochs, **measured))
            if checkpoint is not None:
                _save(checkpoint, model, optimizer, train_loader, history, step)
    return history


def _step(model, inputs, targets, optimizer, loss_fn):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


@contextmanager
def _mode(model, train):
    before = model.training
    model.train(train)
    try:
        yield
    finally:
        model.train(before)


def _random_state(loader):
    generator = getattr(loader, "generator", None)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "loader": generator.get_state() if generator is not None else None,
    }


def _set_random_state(state, loader):
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    generator = getattr(loader, "generator", None)
    if generator is not None and state["loader"] is not None:
        generator.set_state(state["loader"])


def _save(path, model, optimizer, loader, history, step):
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "history": asdict(history),
        "step": step,
        "random": _random_state(loader),
    }
    try:
        with replacing(Path(path)) as part:
            torch.save(state, part)
    # torch reports a write that fails as RuntimeError.
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            gettext(
                "the checkpoint could not be written to {path}: {error}. The model in memory "
                "is trained up to here; give another path, or make room"
            ).format(path=path, error=error)
        ) from error


def _load(path, model, optimizer, loader):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        history = History(**state["history"])
        step, random = state["step"], state["random"]
        weights, moments = state["model"], state["optimizer"]
    except Exception as error:
        raise CheckpointError(
            gettext("{path} is not a whole checkpoint ({type}). Delete it to start afresh").format(
                path=path, type=type(error).__name__
            )
        ) from error
    before = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        model.load_state_dict(weights)
        optimizer.load_state_dict(moments)
    except (RuntimeError, ValueError, KeyError) as error:
        # A model half loaded would be worse than none.
        model.load_state_dict(before)
        raise CheckpointError(
            gettext(
                "{path} was made by another model or optimizer. Delete it to start afresh, "
                "or give another path. torch says: {error}"
            ).format(path=path, error=str(error).splitlines()[0])
        ) from error
    _set_random_state(random, loader)
    return history, step
