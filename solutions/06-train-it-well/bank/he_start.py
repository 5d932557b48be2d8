"""Task 4: weights of the right size to start with."""

import math

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


def products(shape):
    return math.prod(shape[1:])


EVENLY = (
    "Your numbers fit weights that are drawn evenly: all numbers between two ends are equally "
    "likely. Asked for is a normal distribution with the mean 0."
)
ALL_EQUAL = "All your weights are equal. Units with equal weights stay equal for ever: draw them."


@correct
def standard_normal_times_spread(shape, rng):
    return rng.standard_normal(shape) * np.sqrt(2.0 / math.prod(shape[1:]))


@correct
def two_cases(shape, rng):
    if len(shape) == 2:
        _, n = shape
    else:
        n = shape[1] * shape[2] * shape[3]
    return rng.normal(loc=0.0, scale=(2 / n) ** 0.5, size=shape)


@correct
def by_a_loop(size, generator):
    n = 1
    for number in size[1:]:
        n *= number
    return generator.normal(0, math.sqrt(2 / n), size)


@correct
def row_by_row(shape, rng):
    spread = (2 / products(shape)) ** 0.5
    return np.stack([rng.normal(0, spread, shape[1:]) for _ in range(shape[0])])


@correct
def in_float32(shape, rng):
    return rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / products(shape)) ** 0.5)


@correct
def with_torch(shape, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    weights = torch.randn(shape, generator=generator)
    return (weights * (2 / weights[0].numel()) ** 0.5).numpy()


@correct
def init_of_torch(shape, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    weights = torch.empty(shape)
    torch.nn.init.kaiming_normal_(weights, nonlinearity="relu", generator=generator)
    return weights.numpy()


@correct
def box_and_muller(shape, rng):
    radius = np.sqrt(-2 * np.log(1 - rng.random(shape)))
    normal = radius * np.cos(2 * np.pi * rng.random(shape))
    return normal / np.sqrt(products(shape) / 2)


@correct
def spread_from_a_table(shape, rng):
    n = {2: shape[-1], 4: math.prod(shape[-3:])}[len(shape)]
    variance = 2 / n
    return math.sqrt(variance) * rng.standard_normal(size=shape)


@correct
def size_of_a_filter(shape, rng):
    weights = rng.normal(size=shape)
    weights *= np.sqrt(2 / weights[0].size)
    return weights


@correct
def empty_and_filled(shape, rng):
    weights = np.empty(shape)
    weights[...] = rng.normal(scale=math.sqrt(2) / math.sqrt(products(shape)), size=shape)
    return weights


@correct
def from_all_divided_by_out(shape, rng):
    n = np.prod(shape) // shape[0]
    return rng.normal(0, np.sqrt(2 / n), math.prod(shape)).reshape(shape)


@mistake(
    "Your spread fits n = the number of outputs. One output adds up products of the inputs, so "
    "count what comes in.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def outputs_counted(shape, rng):
    n = shape[0] * math.prod(shape[2:])
    return rng.normal(0, (2 / n) ** 0.5, shape)


@mistake(
    "Your spread for a convolution fits n = the number of output channels. One output adds up a "
    "whole window of all input channels.",
    fails={"he_start_convolution", "he_start_together"},
)
def output_channels_in_convolutions(shape, rng):
    n = shape[1] if len(shape) == 2 else shape[0]
    return rng.normal(0, (2 / n) ** 0.5, shape)


@mistake(
    "Your variance is 2 / (n_in + n_out). That is Glorot's rule; He's looks at the inputs alone.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def glorot(shape, rng):
    n = (shape[0] + shape[1]) * math.prod(shape[2:])
    return rng.normal(0, (2 / n) ** 0.5, shape)


@mistake(
    "Your variance is 1/(3n), as in PyTorch's own start. He's is 6 times as large.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def own_start_of_torch(shape, rng):
    return rng.normal(0, (1 / (3 * products(shape))) ** 0.5, shape)


@mistake(
    "Your variance is 1/n. ReLU sets the negative half to 0; the 2 in He's rule makes up for that.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def without_the_two(shape, rng):
    return rng.normal(0, (1 / products(shape)) ** 0.5, shape)


@mistake(
    "Your standard deviation is 2/n. That is the variance; the standard deviation is its root.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def variance_as_spread(shape, rng):
    return rng.normal(0, 2 / products(shape), shape)


@mistake(
    "Your standard deviation is 2/√n. In He's rule it is the root of 2/n.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def two_outside_of_the_root(shape, rng):
    return rng.normal(0, 2 / products(shape) ** 0.5, shape)


@mistake(
    "Your standard deviation is 1. By He's rule it depends on n.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def not_scaled(shape, rng):
    return rng.normal(0, 1, shape)


@mistake(
    "Your standard deviation is 0.01, whatever the layer. By He's rule it depends on n.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def always_a_hundredth(shape, rng):
    return rng.normal(0, 0.01, shape)


@mistake(
    "Your spread for a convolution fits n = the number of input channels. Each of them brings a "
    "whole window of products.",
    fails={"he_start_convolution", "he_start_together"},
)
def window_forgotten(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


@mistake(
    "Your spread for a convolution fits one input channel alone: n = K_h · K_w. One output adds up "
    "the windows of all input channels.",
    fails={"he_start_convolution", "he_start_together"},
)
def channels_forgotten(shape, rng):
    n = shape[1] if len(shape) == 2 else shape[2] * shape[3]
    return rng.normal(0, (2 / n) ** 0.5, shape)


@mistake(
    "Your spread for a convolution fits a square window as high as it is. K_w can differ from K_h.",
    fails={"he_start_convolution", "he_start_together"},
)
def square_windows_only(shape, rng):
    n = shape[1] if len(shape) == 2 else shape[1] * shape[2] ** 2
    return rng.normal(0, (2 / n) ** 0.5, shape)


@mistake(
    "Your spread fits n = the count of all weights. n is the number of products of one output.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def all_weights_counted(shape, rng):
    return rng.normal(0, (2 / math.prod(shape)) ** 0.5, shape)


@mistake(
    EVENLY,
    fails={"he_start_normal"},
)
def even_with_the_right_spread(shape, rng):
    end = (6 / products(shape)) ** 0.5
    return rng.uniform(-end, end, shape)


@mistake(
    EVENLY,
    fails={"he_start_connected", "he_start_convolution", "he_start_normal", "he_start_together"},
)
def even_up_to_the_spread(shape, rng):
    end = (2 / products(shape)) ** 0.5
    return rng.uniform(-end, end, shape)


@mistake(
    EVENLY,
    fails={
        "he_start_connected",
        "he_start_convolution",
        "he_start_mean",
        "he_start_normal",
        "he_start_together",
    },
)
def from_zero_to_one(shape, rng):
    return rng.random(shape) * (2 / products(shape)) ** 0.5


@mistake(
    "Your numbers fit weights whose signs were dropped. Half of a normal distribution with "
    "the mean 0 is negative.",
    fails={"he_start_connected", "he_start_convolution", "he_start_mean", "he_start_together"},
)
def without_signs(shape, rng):
    return np.abs(rng.normal(0, (2 / products(shape)) ** 0.5, shape))


@mistake(
    "The mean of your weights is not 0: it is as large as their standard deviation.",
    fails={"he_start_mean", "he_start_together"},
)
def spread_as_mean(shape, rng):
    spread = (2 / products(shape)) ** 0.5
    return rng.normal(spread, spread, shape)


@mistake(
    ALL_EQUAL,
    fails={
        "he_start_connected",
        "he_start_convolution",
        "he_start_generator",
        "he_start_mean",
        "he_start_normal",
        "he_start_together",
    },
)
def all_equal(shape, rng):
    return np.full(shape, (2 / products(shape)) ** 0.5)


@mistake(
    ALL_EQUAL,
    fails={
        "he_start_connected",
        "he_start_convolution",
        "he_start_generator",
        "he_start_mean",
        "he_start_normal",
        "he_start_together",
    },
)
def zeros(shape, rng):
    return np.zeros(shape)


@mistake(
    "Your weights are only +√(2/n) and −√(2/n). The spread is right, but a normal distribution has "
    "all numbers in between.",
    fails={"he_start_generator", "he_start_normal"},
)
def two_values(shape, rng):
    return rng.choice([-1, 1], shape) * (2 / products(shape)) ** 0.5


@mistake(
    "The spread of your weights, or how many lie near the mean, is as in a normal "
    "distribution that is cut off at twice √(2/n). Asked for is one without a cut.",
    fails={"he_start_connected", "he_start_convolution", "he_start_normal", "he_start_together"},
)
def cut_off(shape, rng):
    spread = (2 / products(shape)) ** 0.5
    weights = rng.normal(0, spread, shape)
    while (far := np.abs(weights) > 2 * spread).any():
        weights[far] = rng.normal(0, spread, far.sum())
    return weights


@mistake(
    "Your weights fit the sum of two numbers that are drawn evenly. Asked for is a normal "
    "distribution.",
    fails={"he_start_normal"},
    undiagnosed="as many weights lie near the mean where a normal distribution is cut off",
)
def sum_of_two_draws(shape, rng):
    spread = (2 / products(shape)) ** 0.5
    return (rng.random(shape) + rng.random(shape) - 1) * spread * 6**0.5


@mistake(
    "Each call gives the same weights again, as where a generator with a fixed seed begins "
    "anew inside the function. Draw from `rng` itself.",
    fails={"he_start_generator"},
)
def seed_inside(shape, rng):
    rng = np.random.default_rng(1)
    return rng.normal(0, (2 / products(shape)) ** 0.5, shape)


# Goes on from call to call, as np.random does, but draws the same in each run of the tests.
ANOTHER = np.random.default_rng(3)


@mistake(
    "The same seed gave other weights, as where random numbers do not come from `rng`.",
    fails={"he_start_generator"},
)
def other_generator(shape, rng):
    return ANOTHER.normal(0, (2 / products(shape)) ** 0.5, shape)


@mistake(
    "All outputs of your layer have the same weights: one row or filter is drawn and repeated. "
    "Each weight is drawn on its own.",
    fails={
        "he_start_connected",
        "he_start_generator",
        "he_start_mean",
        "he_start_normal",
        "he_start_together",
    },
)
def one_filter_for_all(shape, rng):
    one = rng.normal(0, (2 / products(shape)) ** 0.5, (1, *shape[1:]))
    return one.repeat(shape[0], axis=0)


@mistake(
    "Your array has its first two sizes exchanged.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def inputs_first(shape, rng):
    turned = (shape[1], shape[0], *shape[2:])
    return rng.normal(0, (2 / products(shape)) ** 0.5, turned)


@mistake(
    "You give back a flat array. Asked for is one of the shape that was given.",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def flat(shape, rng):
    return rng.normal(0, (2 / products(shape)) ** 0.5, math.prod(shape))


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={
        "he_start_connected",
        "he_start_convolution",
        "he_start_generator",
        "he_start_mean",
        "he_start_normal",
        "he_start_together",
    },
)
def printed(shape, rng):
    print(rng.normal(0, (2 / products(shape)) ** 0.5, shape))


@mistake(
    "Your standard deviation is √2/n. In He's rule n stands under the root, too: it is √(2/n).",
    fails={"he_start_connected", "he_start_convolution", "he_start_together"},
)
def only_the_two_under_the_root(shape, rng):
    return rng.normal(0, math.sqrt(2) / products(shape), shape)


@mistake(
    "Your weights were moved and stretched together, until their mean was exactly 0 and their "
    "spread exactly √(2/n). Each weight is drawn on its own; chance decides how near they come to "
    "that.",
    fails={"he_start_generator"},
)
def standardised(shape, rng):
    weights = rng.normal(size=shape)
    return (weights - weights.mean()) / weights.std() * (2 / products(shape)) ** 0.5


@mistake(
    "All places of a window have the same weight: one number is drawn for each pair of channels. "
    "Each weight is drawn on its own.",
    fails={"he_start_generator", "he_start_together"},
)
def one_number_for_a_window(shape, rng):
    numbers = rng.normal(0, (2 / products(shape)) ** 0.5, shape[:2])
    return numbers.reshape(*shape[:2], *[1] * (len(shape) - 2)) * np.ones(shape)


@mistake(
    "The spread is about 0.96 of what it should be, and some weights are equal, as where those far "
    "from 0 are cut off. A normal distribution has no end.",
    fails={
        "he_start_connected",
        "he_start_convolution",
        "he_start_generator",
        "he_start_normal",
    },
)
def cut_off_at_two(shape, rng):
    spread = (2 / np.prod(shape[1:])) ** 0.5
    return np.clip(rng.normal(0, spread, shape), -2 * spread, 2 * spread)
