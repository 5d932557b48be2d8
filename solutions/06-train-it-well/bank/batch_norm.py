"""Task 5: batch normalisation, in training and after it."""

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

AXES = (0, 2, 3)


def tall(numbers):
    return np.asarray(numbers).reshape(1, -1, 1, 1)


def moved_on(x, running_mean, running_var):
    """The running numbers after a batch in training."""
    return (
        0.9 * running_mean + 0.1 * x.mean(axis=AXES),
        0.9 * running_var + 0.1 * x.var(axis=AXES, ddof=1),
    )


def normalised(x, mean, var, gamma, beta):
    return tall(gamma) * (x - tall(mean)) / np.sqrt(tall(var) + 1e-5) + tall(beta)


@correct
def channel_by_channel(x, gamma, beta, running_mean, running_var, training):
    out, means, variances = np.zeros(x.shape), running_mean.copy(), running_var.copy()
    for c in range(x.shape[1]):
        channel = x[:, c]
        mean, var = running_mean[c], running_var[c]
        if training:
            mean = channel.mean()
            squares = ((channel - mean) ** 2).sum()
            var = squares / channel.size
            means[c] = 0.9 * running_mean[c] + 0.1 * mean
            variances[c] = 0.9 * running_var[c] + 0.1 * squares / (channel.size - 1)
        out[:, c] = gamma[c] * (channel - mean) / (var + 1e-5) ** 0.5 + beta[c]
    return out, means, variances


@correct
def channels_last(x, gamma, beta, running_mean, running_var, training):
    rows = np.moveaxis(x, 1, -1)
    flat = rows.reshape(-1, x.shape[1])
    mean, var = running_mean, running_var
    if training:
        mean, var = flat.mean(axis=0), flat.var(axis=0)
        running_mean = running_mean + 0.1 * (mean - running_mean)
        running_var = running_var + 0.1 * (var * len(flat) / (len(flat) - 1) - running_var)
    out = (rows - mean) / np.sqrt(var + 1e-5) * gamma + beta
    return np.moveaxis(out, -1, 1), running_mean, running_var


@correct
def running_numbers_in_place(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean.copy(), running_var.copy()
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean *= 0.9
        running_mean += 0.1 * mean
        running_var *= 0.9
        running_var += 0.1 * x.var(axis=AXES, ddof=1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@correct
def two_branches(x, gamma, beta, running_mean, running_var, training):
    if not training:
        return normalised(x, running_mean, running_var, gamma, beta), running_mean, running_var
    out = normalised(x, x.mean(axis=AXES), x.var(axis=AXES), gamma, beta)
    return out, *moved_on(x, running_mean, running_var)


@correct
def with_torch(x, gamma, beta, running_mean, running_var, training):
    mean, var = torch.tensor(running_mean), torch.tensor(running_var)
    out = torch.nn.functional.batch_norm(
        torch.tensor(x), mean, var, torch.tensor(gamma), torch.tensor(beta), training
    )
    return out.numpy(), mean.numpy(), var.numpy()


@correct
def layer_of_torch(x, gamma, beta, running_mean, running_var, training):
    layer = torch.nn.BatchNorm2d(len(gamma)).train(training)
    values = {
        "weight": torch.tensor(gamma),
        "bias": torch.tensor(beta),
        "running_mean": torch.tensor(running_mean),
        "running_var": torch.tensor(running_var),
        "num_batches_tracked": torch.tensor(0),
    }
    layer.load_state_dict(values)
    with torch.no_grad():
        out = layer(torch.tensor(x, dtype=torch.float32))
    return out.numpy(), layer.running_mean.numpy(), layer.running_var.numpy()


@correct
def factor_and_summand_first(x, gamma, beta, running_mean, running_var, training):
    mean, var, new = running_mean, running_var, (running_mean, running_var)
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        new = moved_on(x, running_mean, running_var)
    factor = gamma / np.sqrt(var + 1e-5)
    return x * tall(factor) + tall(beta - factor * mean), new[0], new[1]


@correct
def with_einsum(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        count = x.size // x.shape[1]
        mean = np.einsum("nchw->c", x) / count
        away = x - mean[None, :, None, None]
        squares = np.einsum("nchw,nchw->c", away, away)
        var = squares / count
        running_mean = 0.1 * mean + running_mean * 0.9
        running_var = 0.1 * squares / (count - 1) + running_var * 0.9
    scaled = np.einsum("nchw,c->nchw", x - tall(mean), gamma / np.sqrt(var + 1e-5))
    return [scaled + tall(beta), running_mean, running_var]


@correct
def turned(x, gamma, beta, running_mean, running_var, training):
    channels = x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1)
    if training:
        mean, var = channels.mean(1), channels.var(1)
        after = (
            running_mean * 9 / 10 + mean / 10,
            running_var * 9 / 10 + np.var(channels, axis=1, ddof=1) / 10,
        )
    else:
        mean, var = after = running_mean, running_var
    out = (channels.T - mean) * gamma / np.sqrt(var + 1e-5) + beta
    n, c, h, w = x.shape
    return out.T.reshape(c, n, h, w).transpose(1, 0, 2, 3), *after


@correct
def mean_of_squares(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        count = x.shape[0] * x.shape[2] * x.shape[3]
        mean = x.sum(axis=AXES) / count
        var = np.maximum((x**2).sum(axis=AXES) / count - mean**2, 0)
        running_mean = 0.9 * running_mean + 0.1 * mean
        running_var = 0.9 * running_var + 0.1 * var * count / (count - 1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@correct
def keepdims_all_the_way(x, gamma, beta, running_mean, running_var, training):
    mean, var = tall(running_mean), tall(running_var)
    if training:
        mean = np.mean(x, axis=AXES, keepdims=True)
        var = np.mean((x - mean) ** 2, axis=AXES, keepdims=True)
        spread = np.std(x, axis=AXES, ddof=1)
        running_mean = 0.9 * running_mean + 0.1 * mean[0, :, 0, 0]
        running_var = 0.9 * running_var + 0.1 * spread**2
    out = tall(gamma) * ((x - mean) * (var + 1e-5) ** -0.5) + tall(beta)
    return out, running_mean, running_var


@correct
def by_swapped_axes(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.std(axis=AXES) ** 2
        running_mean, running_var = moved_on(x, running_mean, running_var)
    last = x.swapaxes(1, 3)
    out = ((last - mean) / np.sqrt(var + 0.00001)) * gamma + beta
    return out.swapaxes(1, 3), running_mean, running_var


# Mistakes: which numbers are normalised together.


@mistake(
    "Your numbers are normalised place by place: each place of the map has a mean and a spread of "
    "its own. All places of a channel share one.",
    fails={"batch_norm_channels", "batch_norm_together"},
)
def place_by_place(x, gamma, beta, running_mean, running_var, training):
    mean, var = tall(running_mean), tall(running_var)
    if training:
        mean, var = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - mean) / np.sqrt(var + 1e-5) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "All channels of your batch are normalised together, with one mean and one spread. Each "
    "channel has its own.",
    fails={"batch_norm_channels", "batch_norm_together"},
)
def all_channels_together(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = np.full(len(gamma), x.mean()), np.full(len(gamma), x.var())
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Each image of your batch is normalised on its own. In training the mean and the spread are "
    "those of the whole batch.",
    fails={"batch_norm_channels", "batch_norm_together", "batch_norm_variance"},
)
def image_by_image(x, gamma, beta, running_mean, running_var, training):
    mean, var = tall(running_mean), tall(running_var)
    if training:
        mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - mean) / np.sqrt(var + 1e-5) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "Your numbers are normalised over the channels of each image. That mixes channels and keeps "
    "images apart; batch normalisation does it the other way round.",
    fails={"batch_norm_channels", "batch_norm_together", "batch_norm_variance"},
)
def over_the_channels(x, gamma, beta, running_mean, running_var, training):
    mean, var = tall(running_mean), tall(running_var)
    if training:
        mean, var = x.mean(axis=(1, 2, 3), keepdims=True), x.var(axis=(1, 2, 3), keepdims=True)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - mean) / np.sqrt(var + 1e-5) + tall(beta)
    return out, running_mean, running_var


# Mistakes: the numbers in training.


@mistake(
    "Your normalised numbers are a bit too small: their variance was divided by one less than the "
    "count. That one is for the running variance only.",
    fails={"batch_norm_together", "batch_norm_variance"},
)
def one_less_in_normalising(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES, ddof=1)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Your numbers are divided by the variance. The standard deviation is its root.",
    fails={
        "batch_norm_epsilon",
        "batch_norm_evaluation",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def divided_by_variance(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - tall(mean)) / (tall(var) + 1e-5) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "Your numbers have the mean 0, but they are not divided by the standard deviation.",
    fails={
        "batch_norm_epsilon",
        "batch_norm_evaluation",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def mean_subtracted_only(x, gamma, beta, running_mean, running_var, training):
    mean = running_mean
    if training:
        mean = x.mean(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return tall(gamma) * (x - tall(mean)) + tall(beta), running_mean, running_var


@mistake(
    "Your numbers are divided by the standard deviation, but the mean is not subtracted.",
    fails={
        "batch_norm_channels",
        "batch_norm_epsilon",
        "batch_norm_evaluation",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def mean_not_subtracted(x, gamma, beta, running_mean, running_var, training):
    var = running_var
    if training:
        var = x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, 0 * var, var, gamma, beta), running_mean, running_var


@mistake(
    "Where all numbers are equal, yours become NaN, as where 0 is divided by 0. The small "
    "number in the formula guards against that.",
    fails={"batch_norm_epsilon"},
)
def without_epsilon(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    with np.errstate(all="ignore"):
        out = tall(gamma) * (x - tall(mean)) / np.sqrt(tall(var)) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "Numbers with a tiny spread come out too large: the 0.00001 is added to the standard "
    "deviation. It belongs to the variance, under the root.",
    fails={"batch_norm_epsilon"},
)
def epsilon_outside_of_the_root(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - tall(mean)) / (np.sqrt(tall(var)) + 1e-5) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "Numbers with a tiny spread come out too small: as if 0.001 had been added to the variance. "
    "The task says 0.00001.",
    fails={"batch_norm_epsilon"},
)
def large_epsilon(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = tall(gamma) * (x - tall(mean)) / np.sqrt(tall(var) + 1e-3) + tall(beta)
    return out, running_mean, running_var


@mistake(
    "In training your numbers are normalised with the running mean and variance. Those are for "
    "after it.",
    fails={
        "batch_norm_channels",
        "batch_norm_epsilon",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def running_numbers_in_training(x, gamma, beta, running_mean, running_var, training):
    out = normalised(x, running_mean, running_var, gamma, beta)
    if training:
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return out, running_mean, running_var


@mistake(
    "In training your numbers are normalised with the new running mean and variance, not with "
    "those of the batch.",
    fails={
        "batch_norm_channels",
        "batch_norm_epsilon",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def new_running_numbers_in_training(x, gamma, beta, running_mean, running_var, training):
    if training:
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, running_mean, running_var, gamma, beta), running_mean, running_var


@mistake(
    "A batch of one image is normalised with the running numbers in training, too. Its places are "
    "enough for a mean and a variance of its own.",
    fails={"batch_norm_channels"},
    undiagnosed="the batches that a student sees have several images",
)
def batch_of_one_by_running_numbers(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training and len(x) > 1:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


# Mistakes: gamma and beta.


@mistake(
    "Your numbers equal what comes out when beta multiplies and gamma is added.",
    fails={
        "batch_norm_channels",
        "batch_norm_epsilon",
        "batch_norm_evaluation",
        "batch_norm_gamma_beta",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def gamma_and_beta_exchanged(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, beta, gamma), running_mean, running_var


@mistake(
    "Your numbers do not change with gamma and beta.",
    fails={"batch_norm_gamma_beta", "batch_norm_together"},
)
def without_gamma_and_beta(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, 1 + 0 * gamma, 0 * beta), running_mean, running_var


@mistake(
    "Your numbers are multiplied by gamma, but beta is not added.",
    fails={"batch_norm_gamma_beta", "batch_norm_together"},
)
def without_beta(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, 0 * beta), running_mean, running_var


@mistake(
    "Beta is added before gamma multiplies, so it is multiplied too.",
    fails={"batch_norm_gamma_beta", "batch_norm_together"},
)
def beta_first(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, gamma * beta), running_mean, running_var


@mistake(
    "All your channels use the gamma and beta of the first channel.",
    fails={"batch_norm_gamma_beta", "batch_norm_together"},
)
def first_gamma_for_all(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    first = np.full((2, len(gamma)), [[gamma[0]], [beta[0]]])
    return normalised(x, mean, var, *first), running_mean, running_var


@mistake(
    "After training your numbers do not change with gamma and beta. They are there in both modes.",
    fails={"batch_norm_gamma_beta", "batch_norm_together"},
)
def gamma_and_beta_in_training_only(x, gamma, beta, running_mean, running_var, training):
    if not training:
        one = np.ones(len(gamma))
        return normalised(x, running_mean, running_var, one, 0 * one), running_mean, running_var
    out = normalised(x, x.mean(axis=AXES), x.var(axis=AXES), gamma, beta)
    return out, *moved_on(x, running_mean, running_var)


# Mistakes: the running numbers.


@mistake(
    "Your running mean and variance take 0.9 of the batch and 0.1 of the old ones. It should be "
    "the other way round.",
    fails={"batch_norm_running_mean", "batch_norm_running_var", "batch_norm_together"},
)
def parts_exchanged(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean = 0.1 * running_mean + 0.9 * mean
        running_var = 0.1 * running_var + 0.9 * x.var(axis=AXES, ddof=1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "In training your running mean and variance stay as they were.",
    fails={"batch_norm_running_mean", "batch_norm_running_var", "batch_norm_together"},
)
def running_numbers_stay(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Your running mean and variance are those of the last batch. 0.9 of the old ones should stay.",
    fails={"batch_norm_running_mean", "batch_norm_running_var", "batch_norm_together"},
)
def last_batch_kept(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = mean, x.var(axis=AXES, ddof=1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "A tenth of the batch's number is added, but all of the old one stays. So what you keep "
    "grows and grows.",
    fails={"batch_norm_running_mean", "batch_norm_running_var", "batch_norm_together"},
)
def old_numbers_in_full(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean = running_mean + 0.1 * mean
        running_var = running_var + 0.1 * x.var(axis=AXES, ddof=1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Your running variance took the variance that is divided by the count. Here one less than the "
    "count divides.",
    fails={"batch_norm_running_var", "batch_norm_together"},
)
def count_in_running_variance(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean = 0.9 * running_mean + 0.1 * mean
        running_var = 0.9 * running_var + 0.1 * var
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Your running variance took the standard deviation of the batch, not its variance.",
    fails={"batch_norm_running_var", "batch_norm_together"},
)
def spread_in_running_variance(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean = 0.9 * running_mean + 0.1 * mean
        running_var = 0.9 * running_var + 0.1 * x.std(axis=AXES, ddof=1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "Your running variance fits one less than the number of images. All places count: N · H · "
    "W numbers, less one.",
    fails={"batch_norm_running_var", "batch_norm_together"},
)
def images_counted_only(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean = 0.9 * running_mean + 0.1 * mean
        running_var = 0.9 * running_var + 0.1 * var * len(x) / max(len(x) - 1, 1)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


# Mistakes: after training.


@mistake(
    "After training your numbers are still normalised with their own mean and variance. So the "
    "answer for an image depends on the others.",
    fails={"batch_norm_evaluation", "batch_norm_together"},
)
def own_numbers_after_training(x, gamma, beta, running_mean, running_var, training):
    out = normalised(x, x.mean(axis=AXES), x.var(axis=AXES), gamma, beta)
    if training:
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return out, running_mean, running_var


@mistake(
    "After training your running mean and variance still move. They should stay as they are.",
    fails={"batch_norm_evaluation", "batch_norm_together"},
)
def running_numbers_always_move(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
    out = normalised(x, mean, var, gamma, beta)
    if x.size > x.shape[1]:
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return out, running_mean, running_var


@mistake(
    "Your two modes are exchanged: the batch's own numbers after training, the running ones in it.",
    fails={
        "batch_norm_channels",
        "batch_norm_epsilon",
        "batch_norm_evaluation",
        "batch_norm_running_mean",
        "batch_norm_running_var",
        "batch_norm_together",
        "batch_norm_variance",
    },
)
def modes_exchanged(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if not training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, beta), running_mean, running_var


@mistake(
    "After training your function gives x back as it is.",
    fails={"batch_norm_evaluation", "batch_norm_gamma_beta", "batch_norm_together"},
)
def nothing_after_training(x, gamma, beta, running_mean, running_var, training):
    if not training:
        return x, running_mean, running_var
    out = normalised(x, x.mean(axis=AXES), x.var(axis=AXES), gamma, beta)
    return out, *moved_on(x, running_mean, running_var)


@mistake(
    "After training your numbers are divided by the running variance. Its root divides.",
    fails={"batch_norm_evaluation", "batch_norm_together"},
)
def running_variance_as_spread(x, gamma, beta, running_mean, running_var, training):
    if not training:
        out = tall(gamma) * (x - tall(running_mean)) / (tall(running_var) + 1e-5) + tall(beta)
        return out, running_mean, running_var
    out = normalised(x, x.mean(axis=AXES), x.var(axis=AXES), gamma, beta)
    return out, *moved_on(x, running_mean, running_var)


# Mistakes: what comes back.


@mistake(
    "You give back only what comes out. The running mean and the running variance are asked for, "
    "too.",
    fails={
        "batch_norm_evaluation",
        "batch_norm_running_mean",
        "batch_norm_running_var",
        "batch_norm_together",
    },
)
def out_alone(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
    return normalised(x, mean, var, gamma, beta)


@mistake(
    "Your running mean and your running variance are exchanged in the result.",
    fails={
        "batch_norm_evaluation",
        "batch_norm_running_mean",
        "batch_norm_running_var",
        "batch_norm_together",
    },
)
def running_numbers_exchanged(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    return normalised(x, mean, var, gamma, beta), running_var, running_mean


@mistake(
    "You give back the mean and the variance of the batch itself. Asked for are the running ones.",
    fails={"batch_norm_running_mean", "batch_norm_running_var", "batch_norm_together"},
)
def numbers_of_the_batch(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
    return normalised(x, mean, var, gamma, beta), mean, var


@mistake(
    "Your gamma and beta are laid along the last axis, the width.",
    fails={
        "batch_norm_channels",
        "batch_norm_evaluation",
        "batch_norm_gamma_beta",
        "batch_norm_running_mean",
        "batch_norm_together",
    },
)
def along_the_width(x, gamma, beta, running_mean, running_var, training):
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(axis=AXES), x.var(axis=AXES)
        running_mean, running_var = moved_on(x, running_mean, running_var)
    out = gamma * (x - tall(mean)) / np.sqrt(tall(var) + 1e-5) + beta
    return out, running_mean, running_var
