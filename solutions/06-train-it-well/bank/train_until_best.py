"""Task 2: stop early, and keep the best weights."""

import copy
import io

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


@correct
def with_counter(net, train_epoch, validation_loss, patience, most):
    best_loss, best_weights, waited, losses = float("inf"), None, 0, []
    for _ in range(most):
        train_epoch(net)
        loss = validation_loss(net)
        losses.append(loss)
        if loss < best_loss:
            best_loss, waited = loss, 0
            best_weights = copy.deepcopy(net.state_dict())
        else:
            waited += 1
            if waited == patience:
                break
    net.load_state_dict(best_weights)
    return losses


@correct
def all_weights_kept(net, train_epoch, validation_loss, patience, most):
    losses, weights = [], []
    for epoch in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        weights.append(copy.deepcopy(net.state_dict()))
        if epoch - np.argmin(losses) >= patience:
            break
    net.load_state_dict(weights[int(np.argmin(losses))])
    return losses


@correct
def tensors_cloned(net, train_epoch, validation_loss, patience, most):
    losses, best = [], -1
    while True:
        train_epoch(net)
        losses.append(float(validation_loss(net)))
        epoch = len(losses) - 1
        if best < 0 or losses[epoch] < losses[best]:
            best = epoch
            kept = {name: value.detach().clone() for name, value in net.state_dict().items()}
        if epoch - best == patience or len(losses) == most:
            break
    net.load_state_dict(kept)
    return losses


@correct
def copy_of_the_whole_network(net, train_epoch, validation_loss, patience, most):
    losses, best = [], None
    for epoch in range(1, most + 1):
        train_epoch(net)
        loss = validation_loss(net)
        losses += [loss]
        if best is None or loss < best[0]:
            best = loss, epoch, copy.deepcopy(net)
        if epoch - best[1] >= patience:
            break
    net.load_state_dict(best[2].state_dict())
    return losses


@correct
def saved_in_memory(net, train_epoch, validation_loss, patience, most):
    file, losses, since = io.BytesIO(), [], 0
    while len(losses) < most and since < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if all(losses[-1] < loss for loss in losses[:-1]):
            file, since = io.BytesIO(), 0
            torch.save(net.state_dict(), file)
        else:
            since += 1
    file.seek(0)
    net.load_state_dict(torch.load(file))
    return losses


@correct
def patience_counts_down(model, run_epoch, measure, patience, most):
    left, lowest, history = patience, np.inf, []
    while left and len(history) < most:
        run_epoch(model)
        history.append(measure(model))
        left -= 1
        if history[-1] < lowest:
            left, lowest = patience, history[-1]
            state = copy.deepcopy(model.state_dict())
    model.load_state_dict(state)
    return history


@correct
def recent_losses(net, train_epoch, validation_loss, patience, most):
    losses, weights = [], {}
    for epoch in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if losses.index(min(losses)) == epoch:
            weights = copy.deepcopy(net.state_dict())
        older, newer = losses[:-patience], losses[-patience:]
        if older and min(newer) >= min(older):
            break
    net.load_state_dict(weights)
    return losses


@correct
def tensors_copied_into_place(net, train_epoch, validation_loss, patience, most):
    losses, best, kept = [], 0, []
    for epoch in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if epoch == 0 or losses[epoch] < losses[best]:
            best = epoch
            kept = [value.clone() for value in [*net.parameters(), *net.buffers()]]
        if epoch >= best + patience:
            break
    with torch.no_grad():
        for value, old in zip([*net.parameters(), *net.buffers()], kept, strict=True):
            value.copy_(old)
    return losses


@correct
def losses_as_array(net, train_epoch, validation_loss, patience, most):
    losses, best = np.full(most, np.inf), 0
    for epoch in range(most):
        train_epoch(net)
        losses[epoch] = validation_loss(net)
        if epoch == np.argmin(losses):
            best, state = epoch, copy.deepcopy(net.state_dict())
        if epoch - best >= patience:
            break
    net.load_state_dict(state)
    return losses[: epoch + 1]


@correct
def with_inner_function(net, train_epoch, validation_loss, patience, most):
    losses = []

    def epoch_of_best():
        return min(range(len(losses)), key=losses.__getitem__)

    for epoch in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if epoch_of_best() == epoch:
            weights = copy.deepcopy(net.state_dict())
        elif epoch - epoch_of_best() == patience:
            break
    net.load_state_dict(weights)
    return losses


@correct
def recursive(net, train_epoch, validation_loss, patience, most):
    def go_on(losses, best, state):
        if len(losses) == most or (losses and len(losses) - 1 - best >= patience):
            net.load_state_dict(state)
            return losses
        train_epoch(net)
        loss = validation_loss(net)
        if not losses or loss < losses[best]:
            best, state = len(losses), copy.deepcopy(net.state_dict())
        return go_on([*losses, loss], best, state)

    return go_on([], 0, None)


@correct
def tuple_of_losses(net, train_epoch, validation_loss, patience, most):
    losses, states = (), ()
    while len(losses) < most and (
        not losses or len(losses) - 1 - losses.index(min(losses)) < patience
    ):
        train_epoch(net)
        losses += (validation_loss(net),)
        states += (copy.deepcopy(net.state_dict()),)
    net.load_state_dict(states[losses.index(min(losses))])
    return losses


LAST_WEIGHTS = (
    "At the end your network has the weights of the last epoch, not those of the best one. Two of "
    "the ways that lead there: a state_dict that is only given another name goes on changing with "
    "the network; or the best weights come back only where training stops early."
)


LOWER_THAN_THE_ONE_BEFORE = (
    "An epoch that is lower than the one before it counts as better in your training, though it is "
    "not lower than the best one. Only a new best epoch counts."
)


@mistake(
    LAST_WEIGHTS,
    fails={"train_until_best_ties", "train_until_best_together", "train_until_best_weights"},
)
def not_copied(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), net.state_dict()
    net.load_state_dict(weights)
    return losses


@mistake(
    LAST_WEIGHTS,
    fails={"train_until_best_ties", "train_until_best_together", "train_until_best_weights"},
)
def not_put_back(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best = len(losses)
    return losses


@mistake(
    LAST_WEIGHTS,
    fails={"train_until_best_together", "train_until_best_weights"},
)
def put_back_only_after_an_early_stop(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    for epoch in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if epoch == 0 or losses[epoch] < losses[best]:
            best, weights = epoch, copy.deepcopy(net.state_dict())
        elif epoch - best == patience:
            net.load_state_dict(weights)
            break
    return losses


@mistake(
    "The weights are those of the best epoch, but the running means are those of the last one. "
    "`parameters()` does not list what batch normalisation keeps.",
    fails={"train_until_best_together", "train_until_best_weights"},
)
def parameters_only(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, kept = len(losses), copy.deepcopy(list(net.parameters()))
    for parameter, old in zip(net.parameters(), kept, strict=True):
        parameter.data = old.data
    return losses


@mistake(
    "An epoch that only equals the best one counts as better in your training. It has to be lower.",
    fails={"train_until_best_ties", "train_until_best_together"},
)
def ties_are_better(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] <= losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Training stops although a better epoch came in between: your patience runs out over the "
    "whole training. It begins anew with each better epoch.",
    fails={"train_until_best_restarts", "train_until_best_together"},
)
def patience_in_total(net, train_epoch, validation_loss, patience, most):
    losses, best, worse = [], 0, 0
    while len(losses) < most and worse < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
        else:
            worse += 1
    net.load_state_dict(weights)
    return losses


@mistake(
    LOWER_THAN_THE_ONE_BEFORE,
    fails={"train_until_best_restarts", "train_until_best_together", "train_until_best_weights"},
)
def compared_with_the_epoch_before(net, train_epoch, validation_loss, patience, most):
    losses, waited = [], 0
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if len(losses) == 1 or losses[-1] < losses[-2]:
            waited, weights = 0, copy.deepcopy(net.state_dict())
        else:
            waited += 1
    net.load_state_dict(weights)
    return losses


@mistake(
    LOWER_THAN_THE_ONE_BEFORE,
    fails={"train_until_best_restarts", "train_until_best_together"},
)
def patience_by_the_epoch_before(net, train_epoch, validation_loss, patience, most):
    losses, waited = [], 0
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if len(losses) == 1 or losses[-1] < min(losses[:-1]):
            weights = copy.deepcopy(net.state_dict())
        waited = waited + 1 if len(losses) > 1 and losses[-1] >= losses[-2] else 0
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training goes on for one epoch too long. It should stop when `patience` epochs in a "
    "row were not better.",
    fails={
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
    },
)
def one_epoch_too_long(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best <= patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training stops one epoch too early. It should go on until `patience` epochs in a "
    "row were not better.",
    fails={
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
    },
)
def one_epoch_too_early(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    for _ in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
        if len(losses) - best >= patience - 1:
            break
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training stops at the first epoch that is not better, whatever the patience.",
    fails={
        "train_until_best_losses",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
        "train_until_best_weights",
    },
)
def no_patience(net, train_epoch, validation_loss, patience, most):
    losses = []
    for _ in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if losses[-1] > min(losses) or losses[-1] in losses[:-1]:
            break
        weights = copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training never stops early: it always goes on to the last epoch, whatever the patience.",
    fails={
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
    },
)
def never_early(net, train_epoch, validation_loss, patience, most):
    losses = []
    for _ in range(most):
        train_epoch(net)
        losses.append(validation_loss(net))
        if len(losses) == 1 or losses[-1] < min(losses[:-1]):
            weights = copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training does not end after `most` epochs.",
    fails={"train_until_best_losses", "train_until_best_most", "train_until_best_together"},
)
def without_most(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your training lasts one epoch longer than `most`.",
    fails={"train_until_best_losses", "train_until_best_most", "train_until_best_together"},
)
def one_more_than_most(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) <= most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Later epochs with lower losses do not count as better than your first one. The best "
    "epoch is the one with the lowest loss.",
    fails={
        "train_until_best_most",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
        "train_until_best_weights",
    },
)
def highest_loss(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] > losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "At the end your network has the weights of the epoch before the best one.",
    fails={"train_until_best_ties", "train_until_best_together", "train_until_best_weights"},
)
def copied_before_the_epoch(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        before = copy.deepcopy(net.state_dict())
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), before
    net.load_state_dict(weights)
    return losses


@mistake(
    "At the end your network has the weights of the epoch after the best one.",
    fails={"train_until_best_ties", "train_until_best_together", "train_until_best_weights"},
)
def copied_an_epoch_late(net, train_epoch, validation_loss, patience, most):
    losses, best, weights = [], 0, []
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        weights.append(copy.deepcopy(net.state_dict()))
        if best == 0 or losses[-1] < losses[best - 1]:
            best = len(losses)
    net.load_state_dict(weights[min(best, len(weights) - 1)])
    return losses


@mistake(
    "You measure before the first epoch, too: your list begins with a loss of the untrained "
    "network.",
    fails={
        "train_until_best_losses",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
    },
)
def measured_before_the_first_epoch(net, train_epoch, validation_loss, patience, most):
    losses, best, weights = [validation_loss(net)], 0, copy.deepcopy(net.state_dict())
    for epoch in range(1, most + 1):
        train_epoch(net)
        losses.append(validation_loss(net))
        if losses[-1] < losses[best]:
            best, weights = epoch, copy.deepcopy(net.state_dict())
        if epoch - best >= patience:
            break
    net.load_state_dict(weights)
    return losses


@mistake(
    "Your list holds only the epochs up to the best one. Asked for are all that were trained.",
    fails={"train_until_best_losses", "train_until_best_together"},
)
def losses_up_to_the_best(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses[:best]


@mistake(
    "Your list holds only the losses of the epochs that were better than all before. Asked for is "
    "the loss of each epoch.",
    fails={"train_until_best_losses", "train_until_best_together"},
)
def only_better_losses(net, train_epoch, validation_loss, patience, most):
    losses, waited, epoch = [], 0, 0
    while epoch < most and waited < patience:
        train_epoch(net)
        loss, epoch, waited = validation_loss(net), epoch + 1, waited + 1
        if not losses or loss < losses[-1]:
            losses.append(loss)
            waited, weights = 0, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "You give back one number. Asked for is the list of the losses of all epochs.",
    fails={
        "train_until_best_losses",
        "train_until_best_most",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
        "train_until_best_weights",
    },
)
def lowest_loss_alone(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return min(losses)


@mistake(
    "Your function gives nothing back. Asked for is the list of the losses.",
    fails={
        "train_until_best_losses",
        "train_until_best_most",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
        "train_until_best_weights",
    },
)
def nothing_back(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)


@mistake(
    "None of your epochs counts as better, although the loss falls. The first epoch is the "
    "best so far, whatever its loss.",
    fails={
        "train_until_best_most",
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
        "train_until_best_weights",
    },
)
def best_begins_at_one(net, train_epoch, validation_loss, patience, most):
    losses, best, waited = [], 1.0, 0
    weights = copy.deepcopy(net.state_dict())
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        waited += 1
        if losses[-1] < best:
            best, waited, weights = losses[-1], 0, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "After an epoch that was not better, your training goes on from the best weights. It should go "
    "on from where it is; the best weights come back only at the end.",
    fails={"train_until_best_together"},
)
def put_back_after_each_worse_epoch(net, train_epoch, validation_loss, patience, most):
    losses, best = [], 0
    while len(losses) < most and len(losses) - best < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        if best == 0 or losses[-1] < losses[best - 1]:
            best, weights = len(losses), copy.deepcopy(net.state_dict())
        net.load_state_dict(weights)
    return losses


@mistake(
    "None of your losses counts as better while they are large: training stops after its first "
    "`patience` epochs. The first epoch is the best so far, whatever its loss.",
    fails={
        "train_until_best_restarts",
        "train_until_best_weights",
    },
)
def best_begins_at_a_hundred(net, train_epoch, validation_loss, patience, most):
    losses, best, waited = [], 100, 0
    weights = copy.deepcopy(net.state_dict())
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        waited += 1
        if losses[-1] < best:
            best, waited, weights = losses[-1], 0, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "An epoch that is better by very little does not count as better in your training. Each lower "
    "loss counts.",
    fails={"train_until_best_restarts"},
)
def better_by_a_thousandth(net, train_epoch, validation_loss, patience, most):
    losses, best, waited = [], float("inf"), 0
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        waited += 1
        if losses[-1] < best - 0.001:
            best, waited, weights = losses[-1], 0, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "The loss before the first epoch counts as the best one so far. Only epochs that were trained "
    "are compared.",
    fails={
        "train_until_best_restarts",
        "train_until_best_stops",
        "train_until_best_ties",
        "train_until_best_together",
    },
    undiagnosed="in the visible tests the loss of the first epoch is there before it, too",
)
def start_counts_as_best(net, train_epoch, validation_loss, patience, most):
    losses, best, waited = [], validation_loss(net), 0
    weights = copy.deepcopy(net.state_dict())
    while len(losses) < most and waited < patience:
        train_epoch(net)
        losses.append(validation_loss(net))
        waited += 1
        if losses[-1] < best:
            best, waited, weights = losses[-1], 0, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return losses


@mistake(
    "Where the patience runs out, the loss of the last epoch is missing in your list. It was "
    "trained and measured, too.",
    fails={"train_until_best_losses", "train_until_best_together"},
)
def last_loss_missing(net, train_epoch, validation_loss, patience, most):
    losses, best, waited = [], float("inf"), 0
    for _ in range(most):
        train_epoch(net)
        loss = validation_loss(net)
        waited += 1
        if loss < best:
            best, waited, weights = loss, 0, copy.deepcopy(net.state_dict())
        if waited == patience:
            break
        losses.append(loss)
    net.load_state_dict(weights)
    return losses
