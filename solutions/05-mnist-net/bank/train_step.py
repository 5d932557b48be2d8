"""Task 2: one training step."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake


@mistake(
    "The gradients of earlier steps are still there, and the new one is added to them: after "
    "three calls you have the sum of all three.",
    fails={"train_step_zero_grad"},
)
def not_cleared(model, optimizer, images, labels):
    model.train()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "Only the gradient of the model's first weights is cleared. In the others, the biases for "
    "instance, the gradients of earlier steps add up.",
    fails={"train_step_zero_grad"},
)
def only_the_first_cleared(model, optimizer, images, labels):
    model.train()
    next(model.parameters()).grad = None
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The weights do not move: the gradients are cleared between the backward pass and the step, "
    "so nothing is left for the step.",
    fails={"train_step_update"},
)
def cleared_too_late(model, optimizer, images, labels):
    model.train()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@mistake(
    "The weights do not move: the step comes before the backward pass, when there is no "
    "gradient yet.",
    fails={"train_step_update"},
)
def step_before_backward(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    optimizer.step()
    loss.backward()
    return loss.item()


@mistake(
    "The weights do not move: the gradient is computed, but the optimizer is never told to make "
    "its step.",
    fails={"train_step_update"},
)
def no_step(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    return loss.item()


@mistake(
    "The weights do not move: the optimizer makes a step, but no gradient was ever computed.",
    fails={"train_step_update"},
)
def no_backward(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    optimizer.step()
    return loss.item()


@mistake(
    "The weights do not move: you compute the loss and nothing else. That is measuring, not "
    "learning.",
    fails={"train_step_update"},
)
def only_measures(model, optimizer, images, labels):
    model.train()
    with torch.no_grad():
        loss = F.nll_loss(model(images), labels)
    return loss.item()


@mistake(
    "The weights move away from the right answer: you go along the gradient, not against it, so "
    "the loss grows.",
    fails={"train_step_update"},
)
def uphill(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    (-loss).backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The weights move twice in one call. One batch makes one step.",
    fails={"train_step_update"},
)
def two_steps(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@mistake(
    "Each image makes a step of its own. The batch should make one step, along the mean gradient.",
    fails={"train_step_update"},
)
def a_step_for_each_image(model, optimizer, images, labels):
    model.train()
    total = 0.0
    for i in range(len(images)):
        optimizer.zero_grad()
        loss = F.nll_loss(model(images[i : i + 1]), labels[i : i + 1])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(images)


@mistake(
    "Ten steps are made in one call, with the same batch. Asked for is one.",
    fails={"train_step_update", "train_step_loss"},
)
def ten_steps(model, optimizer, images, labels):
    model.train()
    for _ in range(10):
        optimizer.zero_grad()
        loss = F.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
    return loss.item()


@mistake(
    "The weights move by a hundredth of what is expected, and the optimizer that is given "
    "makes no step: an optimizer or code of your own moves them.",
    fails={"train_step_update"},
)
def own_optimizer(model, optimizer, images, labels):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The weights move, but the optimizer that is given makes no step. It knows how far to go, "
    "and whether there is momentum.",
    fails={"train_step_update"},
)
def own_update(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    with torch.no_grad():
        for weights in model.parameters():
            weights -= 0.03 * weights.grad
    return loss.item()


@mistake(
    "You move the weights yourself, by learning rate times gradient. That is right only for an "
    "optimizer without momentum; leave the move to the optimizer.",
    fails={"train_step_update"},
    undiagnosed="for plain SGD, as in the visible tests, the weights are right",
)
def own_update_with_its_learning_rate(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    with torch.no_grad():
        for weights in model.parameters():
            weights -= optimizer.param_groups[0]["lr"] * weights.grad
    return loss.item()


@mistake(
    "Only the first image of the batch is looked at, for the loss and for the gradient.",
    fails={"train_step_loss", "train_step_update"},
)
def first_image_only(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images[:1]), labels[:1])
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "Your loss holds the log-probabilities of several classes for each image. Each image has one "
    "label, its own.",
    fails={"train_step_loss", "train_step_update"},
)
def every_label_for_every_image(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = -model(images)[:, labels].mean()
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "Your step is shorter than it should be: it equals one along a gradient that was cut to the "
    "length 1.",
    fails={"train_step_update"},
)
def gradient_clipped(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


@mistake(
    "The losses of the images are added up. With their mean, a step has the same length for "
    "small and for large batches.",
    fails={"train_step_loss", "train_step_update"},
)
def sum_of_losses(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels, reduction="sum")
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The number that you return is the mean loss, but the step goes against the sum of the losses: "
    "it is as many times too long as there are images.",
    fails={"train_step_update"},
)
def step_with_the_sum(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels, reduction="sum")
    loss.backward()
    optimizer.step()
    return loss.item() / len(labels)


@mistake(
    "What you return is the mean loss times the number of images.",
    fails={"train_step_loss"},
)
def loss_times_batch(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item() * len(labels)


@mistake(
    "What you return is the mean divided by the number of images once more. The mean is taken "
    "in the loss function already.",
    fails={"train_step_loss"},
)
def loss_divided_twice(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item() / len(labels)


@mistake(
    "You return the loss after the step, from a second pass. Asked for is the loss before it.",
    fails={"train_step_loss"},
)
def loss_after_the_step(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    F.nll_loss(model(images), labels).backward()
    optimizer.step()
    with torch.no_grad():
        return F.nll_loss(model(images), labels).item()


@mistake(
    "You return the part of right answers. Asked for is the loss.",
    fails={"train_step_loss"},
)
def returns_accuracy(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    answers = model(images)
    F.nll_loss(answers, labels).backward()
    optimizer.step()
    return (answers.argmax(dim=1) == labels).float().mean().item()


@mistake(
    "Softmax is applied twice: the model's log-probabilities become probabilities again, and "
    "these go into a loss that contains a softmax itself.",
    fails={"train_step_loss", "train_step_update"},
)
def softmax_twice(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images).exp(), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The loss is minus the probability of the right class, not minus its logarithm: the "
    "logarithm is undone before the loss.",
    fails={"train_step_loss", "train_step_update"},
)
def no_log(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(torch.softmax(model(images), dim=1), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "A second minus sign turns the loss round: yours is negative, and smaller the worse the "
    "answers are.",
    fails={"train_step_loss", "train_step_update"},
)
def minus_too_many(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = -F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "Your loss is the mean squared distance between probabilities and ones and zeros. Asked for "
    "is the negative log-likelihood.",
    fails={"train_step_loss", "train_step_update"},
)
def squared_error(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    answers = model(images).exp()
    loss = F.mse_loss(answers, F.one_hot(labels, answers.shape[1]).float())
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "You return a tensor that is still tied to the whole computation. Whoever keeps the losses "
    "of all steps keeps all that memory, too.",
    fails={"train_step_float"},
)
def returns_the_graph(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


@mistake(
    "You return a tensor without gradients. That keeps no memory, but it is not yet a Python "
    "number.",
    fails={"train_step_float"},
)
def returns_a_tensor(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


@mistake(
    "The loss comes back as text. It is needed as a number, to draw a curve for instance.",
    fails={"train_step_float", "train_step_loss"},
)
def returns_text(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return f"{loss.item():.4f}"


@mistake(
    "Your function returns nothing. The loss is asked for; `print` does not hand it back.",
    fails={"train_step_float", "train_step_loss"},
)
def prints_the_loss(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    print(loss.item())


@mistake(
    "The loss is rounded. Small changes from step to step get lost.",
    fails={"train_step_loss"},
)
def rounded(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return round(loss.item(), 2)


@mistake(
    "A model that comes in eval mode stays in it, so its dropout does not work while it learns.",
    fails={"train_step_mode"},
)
def mode_left_as_it_is(model, optimizer, images, labels):
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "A model that comes in eval mode stays in it, so its dropout does not work while it learns.",
    fails={"train_step_mode"},
)
def in_eval_mode_afterwards(model, optimizer, images, labels):
    loss = mode_left_as_it_is(model, optimizer, images, labels)
    model.eval()
    return loss


@mistake(
    "You put the model into eval mode for the step. That mode is for measuring.",
    fails={"train_step_mode"},
)
def step_in_eval_mode(model, optimizer, images, labels):
    model.eval()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The model is put into train mode only after it has answered. That is too late for this step.",
    fails={"train_step_mode"},
)
def train_mode_too_late(model, optimizer, images, labels):
    answers = model(images)
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(answers, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "Only the outermost module is put into train mode. The layers inside it, its dropout for "
    "instance, stay in eval mode.",
    fails={"train_step_mode"},
)
def train_mode_outside_only(model, optimizer, images, labels):
    model.training = True
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "The loss is made into a plain number before the backward pass, and a plain number has no "
    "gradient.",
    fails={
        "train_step_loss",
        "train_step_float",
        "train_step_update",
        "train_step_zero_grad",
        "train_step_mode",
    },
    undiagnosed="Python itself stops with an error: a float has no backward pass",
)
def number_too_early(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels).item()
    loss.backward()
    optimizer.step()
    return loss


@correct
def cleared_at_the_end(net, sgd, x, y):
    net.train()
    loss = nn.NLLLoss()(net(x), y)
    loss.backward()
    sgd.step()
    sgd.zero_grad()
    return float(loss)


@correct
def cleared_by_the_model(model, optimizer, images, labels):
    loss = F.nll_loss(model.train()(images), labels, reduction="sum") / len(labels)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach().item()


@correct
def with_cross_entropy(model, optimizer, images, labels):
    """Log-probabilities are their own log-softmax, so this loss is the same."""
    model.train(True)
    optimizer.zero_grad(set_to_none=False)
    loss = nn.CrossEntropyLoss()(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@correct
def formula_by_hand(model, optimizer, images, labels):
    model.train()
    answers = model(images)
    loss = -sum(answers[n, labels[n]] for n in range(len(labels))) / len(labels)
    for weights in model.parameters():
        weights.grad = None
    loss.backward()
    optimizer.step()
    return loss.tolist()


@correct
def with_a_closure(model, optimizer, images, labels):
    model.train()

    def closure():
        optimizer.zero_grad()
        loss = -model(images).gather(1, labels[:, None]).mean()
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@correct
def gradients_from_autograd(model, optimizer, images, labels):
    was_training = model.training
    model.train()
    weights = list(model.parameters())
    loss = F.nll_loss(model(images), labels)
    for one, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        one.grad = gradient
    optimizer.step()
    model.train(was_training)
    return loss.item()


@correct
def picked_by_index(model, optimizer, images, labels):
    loss = -model.train()(images)[range(len(labels)), labels].mean()
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()
    return float(loss.detach().numpy())


@correct
def gradient_of_the_loss_by_hand(model, optimizer, images, labels):
    # The derivative of the loss is −1 / N for the right class and 0 for the others.
    model.train()
    optimizer.zero_grad()
    answers = model(images)
    gradient = torch.zeros_like(answers)
    gradient[torch.arange(len(labels)), labels] = -1 / len(labels)
    answers.backward(gradient)
    optimizer.step()
    # A number of NumPy's type float64, which is a kind of float.
    return np.mean([-row[label] for row, label in zip(answers.tolist(), labels, strict=True)])


@correct
def divergence_from_the_labels(model, optimizer, images, labels):
    # Of a distribution that is sure of the right class the divergence is this loss.
    model.train()
    for group in optimizer.param_groups:
        for weights in group["params"]:
            if weights.grad is not None:
                weights.grad.zero_()
    answers = model(images)
    sure = F.one_hot(labels, answers.shape[1]).to(answers.dtype)
    loss = F.kl_div(answers, sure, reduction="batchmean")
    loss.backward()
    optimizer.step()
    return loss.item()


@correct
def trace_of_the_answers(model, optimizer, images, labels):
    with torch.enable_grad():
        model.train()
        # Column n belongs to the right class of image n.
        loss = -torch.trace(model(images)[:, labels]) / labels.numel()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    (loss,) = loss.detach().reshape(1).tolist()
    return loss


class Step:
    def __init__(self, model, optimizer, criterion):
        self.model, self.optimizer, self.criterion = model, optimizer, criterion

    def __call__(self, images, labels):
        self.model.train()
        loss = self.criterion(self.model(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.cpu().item()


@correct
def object_that_steps(model, optimizer, images, labels):
    return Step(model, optimizer, nn.NLLLoss(reduction="mean"))(images, labels)


@correct
def list_of_losses(model, optimizer, images, labels):
    for layer in model.modules():
        layer.training = True
    losses = []
    for answer, label in zip(model(images), labels, strict=True):
        losses.append(-answer[label])
    optimizer.zero_grad()
    torch.stack(losses).mean().backward()
    optimizer.step()
    return sum(loss.item() for loss in losses) / len(losses)


@correct
def gradient_of_a_function(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    weights = dict(model.named_parameters())

    def loss_of(weights):
        return F.nll_loss(torch.func.functional_call(model, weights, (images,)), labels)

    gradients, loss = torch.func.grad_and_value(loss_of)(weights)
    for name, weight in weights.items():
        weight.grad = gradients[name]
    optimizer.step()
    return loss.item()


@correct
def two_parts_of_a_generator(model, optimizer, images, labels):
    def step():
        log_p = model.train()(images)
        right = F.one_hot(labels, log_p.shape[1]).to(log_p)
        loss = -torch.einsum("nc,nc->", log_p, right) / len(labels)
        yield loss.detach().numpy().item()
        for group in optimizer.param_groups:
            for weight in group["params"]:
                weight.grad = None
        loss.backward()
        yield optimizer.step()

    loss, _ = step()
    return loss


@mistake(
    "The gradients of earlier steps are still there if the model comes in eval mode. They are "
    "cleared in every step.",
    fails={"train_step_zero_grad"},
)
def cleared_only_in_train_mode(model, optimizer, images, labels):
    if model.training:
        optimizer.zero_grad()
    model.train()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()
