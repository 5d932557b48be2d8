"""Task 3: the accuracy."""

import copy
import itertools
from contextlib import contextmanager
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from grader.authoring.bank import correct, mistake


@mistake(
    "Your number says how many answers are right. Asked for is their part of all answers.",
    fails={"accuracy_fraction"},
)
def a_count(model, loader):
    before = model.training
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
    model.train(before)
    return right


@mistake(
    "Your counter begins again at 0 after 255 right answers. That is how far uint8 goes.",
    fails={"accuracy_fraction"},
)
def counter_in_uint8(model, loader):
    before = model.training
    model.eval()
    right, count = torch.tensor(0, dtype=torch.uint8), 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().to(torch.uint8)
            count += len(labels)
    model.train(before)
    return right.item() / count


@mistake(
    "Your number is the accuracy in percent, a hundred times the part of right answers.",
    fails={"accuracy_fraction"},
)
def in_percent(model, loader):
    return 100 * plain(model, loader)


@mistake(
    "Your number equals the part of wrong answers, the error rate. Asked for is the part of "
    "right ones.",
    fails={"accuracy_fraction"},
)
def error_rate(model, loader):
    before = model.training
    model.eval()
    wrong = total = 0
    with torch.no_grad():
        for images, labels in loader:
            wrong += (model(images).argmax(dim=1) != labels).sum().item()
            total += len(labels)
    model.train(before)
    return wrong / total


@mistake(
    "Your result is 0 though some answers are right, as where a division drops everything "
    "after the decimal point.",
    fails={"accuracy_fraction"},
)
def whole_number_division(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right // total


@mistake(
    "Your result is a whole number. The digits after the decimal point are needed.",
    fails={"accuracy_fraction"},
)
def rounded(model, loader):
    return round(plain(model, loader))


@mistake(
    "Your number equals what comes out with the largest number of each column. That is the "
    "image with the highest score for a class; asked for is the class with the highest score "
    "for an image.",
    fails={"accuracy_fraction", "accuracy_batches"},
)
def argmax_over_images(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=0) == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your number equals what comes out when the labels are compared with the largest score, "
    "and not with the place where it stands: that is the digit.",
    fails={"accuracy_fraction"},
)
def score_instead_of_place(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            best, _ = model(images).max(dim=1)
            right += (best == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your number equals what comes out when the class with the smallest score is the answer.",
    fails={"accuracy_fraction"},
)
def smallest_score(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmin(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Each answer is compared with the labels of all images, not only with that of its own: one "
    "of the two has an axis too many.",
    fails={"accuracy_fraction", "accuracy_batches"},
)
def every_answer_with_every_label(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            answers = model(images).argmax(dim=1, keepdim=True)
            right += (answers == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your number equals the right answers divided by the number of all scores. Divide by the "
    "number of images.",
    fails={"accuracy_fraction"},
)
def divided_by_scores(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            scores = model(images)
            right += (scores.argmax(dim=1) == labels).sum().item()
            total += scores.numel()
    model.train(before)
    return right / total


@mistake(
    "You return the mean probability of the right digit. Asked for is how often it has the "
    "largest score.",
    fails={"accuracy_fraction"},
)
def mean_probability(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            probabilities = torch.softmax(model(images), dim=1)
            right += probabilities[torch.arange(len(labels)), labels].sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your number is the mean of the accuracies of the batches. The images of a small last batch "
    "then count more than the others.",
    fails={"accuracy_batches"},
)
def mean_of_batches(model, loader):
    before = model.training
    model.eval()
    parts = []
    with torch.no_grad():
        for images, labels in loader:
            parts.append((model(images).argmax(dim=1) == labels).float().mean().item())
    model.train(before)
    return sum(parts) / len(parts)


@mistake(
    "Your number equals the accuracy of the last batch alone, as where what was counted "
    "before is lost with each new batch.",
    fails={"accuracy_batches"},
)
def last_batch_only(model, loader):
    before = model.training
    model.eval()
    with torch.no_grad():
        for images, labels in loader:
            right = (model(images).argmax(dim=1) == labels).sum().item()
            total = len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your number equals the accuracy of the first batch alone, as where the function returns "
    "before the loop has seen the others.",
    fails={"accuracy_batches"},
)
def first_batch_only(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
            model.train(before)
            return right / total


@mistake(
    "You count as if all batches were as large as the first. The last one can be smaller.",
    fails={"accuracy_batches"},
)
def all_batches_as_large(model, loader):
    before = model.training
    model.eval()
    right = batches = size = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            batches += 1
            size = max(size, len(labels))
    model.train(before)
    return right / (batches * size)


@mistake(
    "The accuracies of the batches are added up, so your number can be larger than 1.",
    fails={"accuracy_batches"},
)
def sum_of_batches(model, loader):
    before = model.training
    model.eval()
    result = 0
    with torch.no_grad():
        for images, labels in loader:
            result += (model(images).argmax(dim=1) == labels).float().mean().item()
    model.train(before)
    return result


@mistake(
    "The right answers of all batches are divided by the number of images in the last batch.",
    fails={"accuracy_batches"},
)
def divided_by_the_last_batch(model, loader):
    before = model.training
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
    model.train(before)
    return right / len(labels)


@mistake(
    "The right answers of the last batch are divided by the number of all images: the counter "
    "of right answers starts again with each batch.",
    fails={"accuracy_batches"},
)
def counter_starts_again(model, loader):
    before = model.training
    model.eval()
    total = 0
    with torch.no_grad():
        for images, labels in loader:
            right = 0
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "You divide by the number of batches. Divide by the number of images.",
    fails={"accuracy_fraction", "accuracy_batches"},
)
def divided_by_batches(model, loader):
    before = model.training
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
    model.train(before)
    return right / len(loader)


@mistake(
    "The model is measured in the mode in which it comes. In train mode its dropout makes the "
    "answers worse, and different each time.",
    fails={"accuracy_eval"},
)
def mode_left_as_it_is(model, loader):
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    return right / total


@mistake(
    "You put the model into train mode for the measurement. That mode is for learning.",
    fails={"accuracy_eval"},
)
def measured_in_train_mode(model, loader):
    before = model.training
    model.train()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Only the first batch is measured in eval mode: inside the loop the model goes back to its "
    "old mode too early.",
    fails={"accuracy_eval"},
)
def eval_for_one_batch(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
            model.train(before)
    return right / total


@mistake(
    "With `no_grad` alone the dropout still works: it stops the gradients, not the train mode. "
    "And afterwards the model is always in eval mode.",
    fails={"accuracy_eval", "accuracy_mode_after"},
)
def eval_after_the_loop(model, loader):
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.eval()
    return right / total


@mistake(
    "A model that comes in train mode is left in eval mode. The training that goes on afterwards "
    "has lost its dropout.",
    fails={"accuracy_mode_after"},
)
def left_in_eval_mode(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    return right / total


@mistake(
    "Afterwards the model is always in train mode, also if it came in eval mode.",
    fails={"accuracy_mode_after"},
)
def always_train_mode_after(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    model.train()
    return right / total


@mistake(
    "Afterwards the model is in the other mode: what came in train mode goes in eval mode, and "
    "the other way round.",
    fails={"accuracy_mode_after"},
)
def mode_exchanged(model, loader):
    before = model.training
    result = plain(model, loader)
    model.train(not before)
    return result


@mistake(
    "The mode is given back to the outermost module only: the layers inside stay in eval mode.",
    fails={"accuracy_mode_after"},
)
def mode_given_back_outside_only(model, loader):
    before = model.training
    result = plain(model.eval(), loader)
    model.training = before
    return result


@mistake(
    "While you measure, torch prepares gradients that nobody needs. That costs memory and time; "
    "eval mode does not stop it.",
    fails={"accuracy_no_grad"},
)
def gradients_prepared(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    for images, labels in loader:
        right += (model(images).argmax(dim=1) == labels).sum().item()
        total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Gradients are switched off for the whole program, and stay off: after the first measurement "
    "no model can learn any more.",
    fails={"accuracy_no_grad"},
)
def gradients_off_for_ever(model, loader):
    before = model.training
    model.eval()
    torch.set_grad_enabled(False)
    right = total = 0
    for images, labels in loader:
        right += (model(images).argmax(dim=1) == labels).sum().item()
        total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "You freeze the weights of the model, and they stay frozen: after the first measurement this "
    "model cannot learn any more.",
    fails={"accuracy_no_grad"},
)
def weights_frozen(model, loader):
    before = model.training
    model.eval()
    for weights in model.parameters():
        weights.requires_grad_(False)
    right = total = 0
    for images, labels in loader:
        right += (model(images).argmax(dim=1) == labels).sum().item()
        total += len(labels)
    model.train(before)
    return right / total


@mistake(
    "Your function returns nothing. The accuracy is asked for; `print` does not hand it back.",
    fails={"accuracy_fraction", "accuracy_batches"},
)
def prints_it(model, loader):
    print(plain(model, loader))


@correct
def plain(model, loader):
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            for scores, label in zip(model(images), labels, strict=True):
                right += int(scores.argmax()) == int(label)
                total += 1
    model.train(before)
    return right / total


@correct
@torch.no_grad()
def decorated(net, batches):
    was_training = net.training
    net.eval()
    right = sum((net(x).argmax(1) == y).sum() for x, y in batches)
    result = right / len(batches.dataset) if hasattr(batches, "dataset") else None
    if result is None:
        result = right / sum(len(y) for _, y in batches)
    net.train(was_training)
    return result


@correct
def all_at_the_end(model, loader):
    before = model.training
    try:
        with torch.inference_mode():
            pairs = [(model.eval()(images), labels) for images, labels in loader]
    finally:
        model.train(before)
    answers = torch.cat([scores.max(dim=1).indices for scores, _ in pairs])
    labels = torch.cat([labels for _, labels in pairs])
    return (answers == labels).double().mean().item()


@correct
def weighted_mean_of_batches(model, loader):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    result, seen = 0.0, 0
    with torch.no_grad():
        for images, labels in loader:
            size = labels.size(0)
            part = torch.eq(model(images).topk(1, dim=1).indices.squeeze(1), labels)
            result = (result * seen + part.sum().item()) / (seen + size)
            seen += size
    for module, mode in modes.items():
        module.training = mode
    return result


@correct
def with_numpy(model, loader):
    was_training = model.training
    model.eval()
    wrong, total = 0, 0
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    for images, labels in loader:
        answers = model(images).numpy().argmax(axis=-1)
        wrong += int((answers != labels.numpy()).sum())
        total += images.shape[0]
    torch.set_grad_enabled(before)
    if was_training:
        model.train()
    return 1 - wrong / total


@correct
def divided_by_the_data_set(model, loader):
    mode = model.training
    model.eval()
    correct_answers = 0
    with torch.no_grad():
        for x, y in loader:
            correct_answers += (model(x).argmax(1) == y).type(torch.float).sum().item()
    model.train(mode)
    return correct_answers / len(loader.dataset)


class Tally(NamedTuple):
    right: int = 0
    total: int = 0

    def plus(self, answers, labels):
        return Tally(self.right + int((answers == labels).sum()), self.total + len(labels))


@correct
def tally_of_batches(model, loader):
    before, tally = model.training, Tally()
    model.train(False)
    with torch.set_grad_enabled(False):
        for images, labels in loader:
            tally = tally.plus(model(images).argmax(-1), labels)
    model.train(mode=before)
    return tally.right / tally.total


@contextmanager
def measuring(model):
    before = model.training
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        model.train(before)


@correct
def list_of_rights(model, loader):
    with measuring(model) as answer:
        return fmean(
            scores.index(max(scores)) == label
            for images, labels in loader
            for scores, label in zip(answer(images).tolist(), labels.tolist(), strict=True)
        )


@correct
def one_large_batch(model, loader):
    images, labels = map(torch.cat, zip(*loader, strict=True))
    was_training = model.training
    model.eval()
    with torch.no_grad():
        order = model(images).argsort(dim=1)
    model.train(was_training)
    return float(np.mean(order[:, -1].numpy() == labels.numpy()))


@correct
def trace_of_a_table(model, loader):
    # Rows are labels, columns are answers: the right ones stand on the diagonal.
    table = 0
    with measuring(model):
        for images, labels in loader:
            scores = model(images)
            classes = scores.shape[1]
            pairs = labels * classes + scores.argmax(dim=1)
            table = table + torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return (table.trace() / table.sum()).item()


@correct
def functions_one_after_the_other(model, loader):
    @torch.no_grad()
    def count(batch):
        images, labels = batch
        scores = model(images)
        answers = F.one_hot(scores.argmax(dim=1), scores.shape[1])
        return answers.gather(1, labels.unsqueeze(1)).sum().item(), labels.numel()

    before = model.training
    model.eval()
    counts = np.array(list(map(count, loader)))
    if before:
        model.train()
    right, total = counts.sum(axis=0)
    return right / total


@correct
def number_in_a_tensor(model, loader):
    before = model.training
    model.eval()
    right, total = torch.zeros(()), torch.zeros(())
    with torch.inference_mode():
        for images, labels in loader:
            right = right + torch.eq(torch.max(model(images), 1)[1], labels).sum()
            total = total + labels.shape[0]
    model.train(before)
    return right / total


@correct
def on_a_copy(model, loader):
    net = copy.deepcopy(model).eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (net(images).argmax(dim=1) == labels).sum().item()
            total += len(labels)
    return right / total


@correct
def frozen_copy(model, loader):
    net = copy.deepcopy(model).requires_grad_(False).eval()
    found = [(net(images).argmax(1) == labels).tolist() for images, labels in loader]
    rights = list(itertools.chain.from_iterable(found))
    return sum(rights) / len(rights)


@correct
def weights_from_a_dictionary(model, loader):
    named = itertools.chain(model.named_parameters(), model.named_buffers())
    state = {name: numbers.detach() for name, numbers in named}
    before = model.training
    model.eval()
    scores = [(torch.func.functional_call(model, state, (x,)), labels) for x, labels in loader]
    model.train(before)
    return np.concatenate([(s.argmax(1) == labels).numpy() for s, labels in scores]).mean()


A_FIXED_NUMBER = (
    "Your number equals what comes out when an answer counts as right where the score of its label "
    "is above a fixed number, such as 0 or 0.5. It is right where no other score is higher."
)


def share_of(model, loader, is_right):
    """The share of the images for which is_right(scores, labels) holds."""
    before = model.training
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += is_right(model(images), labels).sum().item()
            total += len(labels)
    model.train(before)
    return right / total


def of_labels(numbers, labels):
    return numbers[torch.arange(len(labels)), labels]


@mistake(A_FIXED_NUMBER, fails={"accuracy_fraction"})
def score_above_one_half(model, loader):
    return share_of(model, loader, lambda scores, labels: of_labels(scores, labels) > 0.5)


@mistake(A_FIXED_NUMBER, fails={"accuracy_fraction"})
def score_above_zero(model, loader):
    return share_of(model, loader, lambda scores, labels: of_labels(scores, labels) > 0)


@mistake(
    "Your number equals what comes out when an answer counts as right only where its probability "
    "is above one half. It is right where no other digit is more probable.",
    fails={"accuracy_fraction"},
)
def probability_above_one_half(model, loader):
    def is_right(scores, labels):
        return of_labels(scores.softmax(dim=1), labels) > 0.5

    return share_of(model, loader, is_right)


@mistake(
    "Your number equals what comes out when the right digit may also have the second-highest "
    "score. Only the digit with the highest score is the model's answer.",
    fails={"accuracy_fraction"},
)
def one_of_the_two_highest(model, loader):
    def is_right(scores, labels):
        return (scores.topk(2, dim=1).indices == labels[:, None]).any(dim=1)

    return share_of(model, loader, is_right)
