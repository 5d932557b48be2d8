"""Task 6: a new head on a frozen body."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake


@correct
def features_once(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    with torch.no_grad():
        features = body(images)
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@correct
def parameter_by_parameter(body, head, images, labels, make_optimizer, steps):
    for weights in body.parameters():
        weights.requires_grad = False
    body.eval()
    head.train()
    optimizer = make_optimizer(list(head.parameters()))
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses


@correct
def as_one_network(body, head, images, labels, make_optimizer, steps):
    net = nn.Sequential(body, head).train()
    body.eval()
    for p in body.parameters():
        p.requires_grad_(False)
    optimizer = make_optimizer([p for p in net.parameters() if p.requires_grad])
    criterion, losses = nn.CrossEntropyLoss(), []
    for _ in range(steps):
        loss = criterion(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@correct
def modes_in_each_step(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False)
    optimizer = make_optimizer(head.parameters())
    losses = []
    for _ in range(steps):
        body.eval()
        head.train()
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@correct
def log_softmax_and_nll(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).train(False)
    head.train(True)
    optimizer = make_optimizer(head.parameters())
    history = []
    for _ in range(steps):
        with torch.no_grad():
            x = body(images)
        loss = F.nll_loss(head(x).log_softmax(dim=1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history += [loss.item()]
    return history


@correct
def loss_by_hand(body, head, images, labels, make_optimizer, steps):
    for module in body.modules():
        module.eval()
        for weights in module.parameters(recurse=False):
            weights.requires_grad_(False)
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        scores = head(body(images))
        right = scores[torch.arange(len(labels)), labels]
        loss = (scores.logsumexp(dim=1) - right).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@correct
def inner_function(body, head, images, labels, make_optimizer, steps):
    body.eval().requires_grad_(False)
    head.train()
    optimizer = make_optimizer(head.parameters())

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [step() for _ in range(steps)]


@correct
def gradients_by_autograd(body, head, images, labels, make_optimizer, steps):
    body.eval().requires_grad_(False)
    head.train()
    weights = list(head.parameters())
    optimizer, losses = make_optimizer(weights), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        for p, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            p.grad = gradient
        optimizer.step()
        losses.append(loss.item())
    return losses


@correct
def zero_grad_at_the_end(body, head, images, labels, make_optimizer, steps):
    body.eval().requires_grad_(False)
    head.train().zero_grad()
    optimizer, losses = make_optimizer(head.parameters()), []
    while len(losses) < steps:
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@correct
def with_closure(body, head, images, labels, make_optimizer, steps):
    body.eval().requires_grad_(False)
    head.train()
    optimizer = make_optimizer(head.parameters())

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        return loss

    return [float(optimizer.step(closure)) for _ in range(steps)]


@correct
def features_detached(body, head, images, labels, make_optimizer, steps):
    body.eval()
    for p in body.parameters():
        p.requires_grad = False
        p.grad = None
    head.train()
    optimizer = make_optimizer(p for p in head.parameters())
    losses = np.zeros(steps)
    for step in range(steps):
        loss = F.cross_entropy(head(body(images).detach()), labels, reduction="mean")
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        losses[step] = loss.item()
    return losses.tolist()


@correct
def summed_and_divided(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False)
    body.eval()
    head.train()
    optimizer = make_optimizer(list(head.parameters()))
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels, reduction="sum") / len(images)
        head.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().numpy().item())
    return losses


# The body.

NOT_FROZEN = (
    "All parameters of the body ask for gradients at the end, and hold some, though they have not "
    "moved. (An attribute `requires_grad` of the module itself is not that of its parameters.)"
)
STILL_ASKED = (
    "All parameters of the body ask for gradients at the end, though none of them holds one. They "
    "should not be asking any more."
)


@mistake(
    NOT_FROZEN,
    fails={"train_head_frozen"},
)
def not_frozen(body, head, images, labels, make_optimizer, steps):
    body.eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The weights of the body have moved with the training, as those of the head have.",
    fails={
        "train_head_frozen",
        "train_head_modes",
        "train_head_optimizer",
        "train_head_together",
        "train_head_unchanged",
    },
)
def everything_trained(body, head, images, labels, make_optimizer, steps):
    net = nn.Sequential(body.eval(), head.train())
    optimizer, losses = make_optimizer(net.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The optimizer gets the parameters of the body, too. They are frozen, so nothing moves them, "
    "but it should get those of the head alone.",
    fails={"train_head_optimizer"},
)
def optimizer_gets_all(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer = make_optimizer([*body.parameters(), *head.parameters()])
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The body works in train mode, in which running means and variances follow the images.",
    fails={"train_head_modes", "train_head_together", "train_head_unchanged"},
)
def body_not_in_eval_mode(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False)
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The body is called in train mode, also if it comes in evaluation mode. (Train mode of a whole "
    "network is that of its body, too.)",
    fails={"train_head_modes", "train_head_together", "train_head_unchanged"},
)
def whole_network_in_train_mode(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    net = nn.Sequential(body, head).train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    NOT_FROZEN,
    fails={"train_head_frozen"},
)
def attribute_of_the_module(body, head, images, labels, make_optimizer, steps):
    body.requires_grad = False
    body.eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    STILL_ASKED,
    fails={"train_head_frozen"},
)
def no_grad_only(body, head, images, labels, make_optimizer, steps):
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(images)
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Some parameters of the body ask for gradients at the end: its biases, and the numbers of the "
    "normalisation. All parameters should be frozen.",
    fails={"train_head_frozen"},
)
def only_matrices_frozen(body, head, images, labels, make_optimizer, steps):
    for p in body.parameters():
        p.requires_grad_(p.dim() < 2)
    body.eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Some parameters of the body ask for gradients at the end: those of the normalisation. All "
    "parameters should be frozen.",
    fails={"train_head_frozen"},
)
def normalisation_not_frozen(body, head, images, labels, make_optimizer, steps):
    body.eval()
    for layer in body.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.requires_grad_(False)
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    STILL_ASKED,
    fails={"train_head_frozen"},
)
def thawed_afterwards(body, head, images, labels, make_optimizer, steps):
    losses = features_once(body, head, images, labels, make_optimizer, steps)
    body.requires_grad_(True)
    return losses


@mistake(
    "At the end the body is in train mode. It should stay in evaluation mode.",
    fails={"train_head_modes"},
)
def train_mode_afterwards(body, head, images, labels, make_optimizer, steps):
    losses = features_once(body, head, images, labels, make_optimizer, steps)
    body.train()
    return losses


@mistake(
    STILL_ASKED,
    fails={"train_head_frozen", "train_head_modes"},
)
def copy_of_the_body(body, head, images, labels, make_optimizer, steps):
    return features_once(copy.deepcopy(body), head, images, labels, make_optimizer, steps)


@mistake(
    "The body works in train mode: each image's numbers depend on the others and on chance. It is "
    "put back afterwards, but its results were not those of a frozen body.",
    undiagnosed="a body that works in train mode gives the same numbers, or the same modes",
    fails={"train_head_modes", "train_head_together"},
)
def state_put_back(body, head, images, labels, make_optimizer, steps):
    state = copy.deepcopy(body.state_dict())
    body.train().requires_grad_(False)
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    body.load_state_dict(state)
    body.eval()
    return losses


@mistake(
    "The running means and variances of the body stay, but the body is called in train mode: its "
    "dropout still switches numbers off.",
    fails={"train_head_modes", "train_head_together"},
)
def normalisation_in_eval_mode_only(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).train()
    for layer in body.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    body.eval()
    return losses


@mistake(
    "The images go through the body in train mode once, before it is frozen: its running means and "
    "variances have moved.",
    fails={"train_head_modes", "train_head_together", "train_head_unchanged"},
)
def shown_before_frozen(body, head, images, labels, make_optimizer, steps):
    body.train()(images)
    return features_once(body, head, images, labels, make_optimizer, steps)


# The head.


@mistake(
    "The head is called in evaluation mode. It learns, so it works in train mode.",
    fails={"train_head_modes"},
)
def head_in_eval_mode(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False)
    net = nn.Sequential(body, head).eval()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The head is called in the mode in which it comes. It should be put into train mode.",
    fails={"train_head_modes"},
)
def mode_of_the_head_forgotten(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The head that is given is never called: a copy of it or another layer works in its "
    "place, or only its weights are used.",
    fails={
        "train_head_frozen",
        "train_head_learns",
        "train_head_modes",
        "train_head_optimizer",
        "train_head_together",
        "train_head_unchanged",
    },
)
def copy_of_the_head(body, head, images, labels, make_optimizer, steps):
    return features_once(body, copy.deepcopy(head), images, labels, make_optimizer, steps)


@mistake(
    "The second step equals what comes out when the gradient of the first one is still added. "
    "Gradients of earlier steps have no part in it.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def gradients_add_up(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "The weights of the head equal what comes out when the optimizer moves them before the "
    "gradient of the step is worked out.",
    fails={
        "train_head_frozen",
        "train_head_learns",
        "train_head_losses",
        "train_head_optimizer",
        "train_head_together",
    },
)
def step_before_backward(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return losses


@mistake(
    "The head does not move at all: its weights are what they were.",
    fails={
        "train_head_frozen",
        "train_head_learns",
        "train_head_losses",
        "train_head_together",
        "train_head_unchanged",
    },
)
def cleared_before_the_step(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "An optimizer is made for each step. It is made once: momentum and Adam remember what earlier "
    "steps were like.",
    fails={"train_head_learns", "train_head_optimizer", "train_head_together"},
)
def optimizer_in_each_step(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    losses = []
    for _ in range(steps):
        optimizer = make_optimizer(head.parameters())
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "`make_optimizer` is not called: an optimizer of your own is used.",
    fails={"train_head_learns", "train_head_losses", "train_head_optimizer", "train_head_together"},
)
def own_optimizer(body, head, images, labels, make_optimizer, steps):
    def own(parameters):
        return torch.optim.SGD(parameters, lr=0.01)

    return features_once(body, head, images, labels, own, steps)


@mistake(
    "Only the weights of the head are given to the optimizer. Its biases learn, too.",
    fails={"train_head_optimizer", "train_head_together", "train_head_unchanged"},
)
def head_without_biases(body, head, images, labels, make_optimizer, steps):
    def without_biases(parameters):
        return make_optimizer([p for p in parameters if p.dim() > 1])

    return features_once(body, head, images, labels, without_biases, steps)


# The losses.


@mistake(
    "Your losses, or the steps that you make, equal those of the sum over the images. The "
    "mean is asked for.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def sum_of_the_losses(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Your numbers equal what comes out when the scores go through a softmax before the "
    "cross-entropy. It makes its own.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def softmax_twice(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)).softmax(dim=1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Your losses equal the negative scores of the right classes: the logarithm of the softmax is "
    "missing before `nll_loss`.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def nll_of_scores(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.nll_loss(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Your losses equal mean squared differences of the scores and the right answers. The "
    "cross-entropy is asked for.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def squared_differences(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        scores = head(body(images))
        loss = F.mse_loss(scores, F.one_hot(labels, scores.shape[1]).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Your losses equal those after each step. The loss before the weights move is asked for.",
    fails={"train_head_losses", "train_head_together"},
)
def losses_after_the_steps(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(F.cross_entropy(head(body(images)), labels).item())
    return losses


@mistake(
    "One number comes back, the loss of the last step. A list of all losses is asked for.",
    undiagnosed="the message itself says that a float came back",
    fails={"train_head_losses", "train_head_together"},
)
def last_loss_only(body, head, images, labels, make_optimizer, steps):
    return features_once(body, head, images, labels, make_optimizer, steps)[-1]


@mistake(
    "There is a step more than asked for, and a loss more.",
    fails={"train_head_learns", "train_head_losses", "train_head_together"},
)
def one_step_too_many(body, head, images, labels, make_optimizer, steps):
    return features_once(body, head, images, labels, make_optimizer, steps + 1)


@mistake(
    "There is a step less than asked for, and a loss less.",
    fails={"train_head_frozen", "train_head_learns", "train_head_losses", "train_head_together"},
)
def one_step_too_few(body, head, images, labels, make_optimizer, steps):
    return features_once(body, head, images, labels, make_optimizer, steps - 1)


@mistake(
    "Your losses stand in the opposite order: that of the last step comes first.",
    fails={"train_head_losses", "train_head_together"},
)
def opposite_order(body, head, images, labels, make_optimizer, steps):
    return features_once(body, head, images, labels, make_optimizer, steps)[::-1]


@mistake(
    "Each of your losses equals the mean of all losses so far.",
    fails={"train_head_losses", "train_head_together"},
)
def running_means(body, head, images, labels, make_optimizer, steps):
    losses = features_once(body, head, images, labels, make_optimizer, steps)
    return [sum(losses[: n + 1]) / (n + 1) for n in range(len(losses))]


@mistake(
    "Your list holds tensors, which keep what their gradients need. Asked for are plain numbers.",
    fails={"train_head_losses"},
)
def tensors_for_numbers(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(body(images)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


@mistake(
    "Your losses hold only two digits after the point.",
    fails={"train_head_losses", "train_head_together"},
)
def rounded(body, head, images, labels, make_optimizer, steps):
    losses = features_once(body, head, images, labels, make_optimizer, steps)
    return [round(loss, 2) for loss in losses]


@mistake(
    "Nothing is returned. The list of the losses is asked for; `print` does not hand it back.",
    fails={
        "train_head_frozen",
        "train_head_learns",
        "train_head_losses",
        "train_head_modes",
        "train_head_optimizer",
        "train_head_together",
        "train_head_unchanged",
    },
)
def losses_printed(body, head, images, labels, make_optimizer, steps):
    print(features_once(body, head, images, labels, make_optimizer, steps))


@mistake(
    "The head gets the images themselves. It should get what the body makes of them.",
    undiagnosed="PyTorch stops with an error, unless images and features have the same size",
    fails={
        "train_head_frozen",
        "train_head_modes",
        "train_head_optimizer",
        "train_head_together",
        "train_head_unchanged",
    },
)
def body_left_out(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        loss = F.cross_entropy(head(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "More than 32 images go through the network in parts of 32, and the weights move after each "
    "part. A step shows all images, and moves the weights once.",
    fails={"train_head_learns", "train_head_losses"},
)
def in_batches_of_32(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for _ in range(steps):
        for x, y in zip(images.split(32), labels.split(32), strict=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(head(body(x)), y)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Each step sees one image, the next one in turn. All images belong into each step.",
    fails={
        "train_head_learns",
        "train_head_losses",
        "train_head_modes",
        "train_head_optimizer",
        "train_head_together",
    },
)
def one_image_a_step(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for step in range(steps):
        at = step % len(images)
        loss = F.cross_entropy(head(body(images[at : at + 1])), labels[at : at + 1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@mistake(
    "Your losses after the first equal those of a part of the images, as in batches. Each step "
    "goes through all images.",
    fails={"train_head_losses", "train_head_learns", "train_head_together"},
)
def batches_of_32(body, head, images, labels, make_optimizer, steps):
    body.requires_grad_(False).eval()
    head.train()
    optimizer, losses = make_optimizer(head.parameters()), []
    for step in range(steps):
        start = step * 32 % len(images)
        batch = slice(start, start + 32)
        loss = F.cross_entropy(head(body(images[batch])), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
