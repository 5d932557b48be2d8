"""Task 2: randomised leaky ReLU, and its slopes."""

from typing import NamedTuple

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

TRAINING = {"rrelu_own_slope", "rrelu_range", "rrelu_generator"}


class Activation(NamedTuple):
    out: np.ndarray
    slopes: np.ndarray


def apply(x, slope):
    """The result and the slopes, where `slope` is for the numbers that are not positive."""
    slopes = np.where(x > 0, 1.0, slope)
    return slopes * x, slopes


@correct
def number_by_number(x, lower, upper, training, rng):
    out, slopes = np.zeros(x.shape), np.ones(x.shape)
    for place in np.ndindex(x.shape):
        if x[place] <= 0:
            slopes[place] = rng.uniform(lower, upper) if training else (lower + upper) / 2
        out[place] = slopes[place] * x[place]
    return out, slopes


@correct
def only_where_needed(values, lower, upper, training, rng):
    slopes = np.ones_like(values, dtype=float)
    low = values <= 0
    if training:
        slopes[low] = lower + (upper - lower) * rng.random(low.sum())
    else:
        slopes[low] = 0.5 * (lower + upper)
    return values * slopes, slopes


@correct
def mean_as_narrow_range(x, lower, upper, training, rng):
    if not training:
        lower = upper = lower + (upper - lower) / 2
    slopes = rng.uniform(low=lower, high=upper, size=x.size).reshape(x.shape)
    slopes[x > 0] = 1
    return [np.where(x > 0, x, slopes * x), slopes]


@correct
def with_torch(x, lower, upper, training, rng):
    t = torch.tensor(x, dtype=torch.float64)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    slopes = torch.full_like(t, (lower + upper) / 2)
    if training:
        slopes = lower + (upper - lower) * torch.rand(t.shape, generator=generator).double()
    slopes = torch.where(t > 0, torch.ones_like(t), slopes)
    return slopes * t, slopes


@correct
def in_float32(x, lower, upper, training, rng):
    x = x.astype(np.float32)
    draw = rng.random(x.shape, dtype=np.float32) if training else np.float32(0.5)
    slopes = np.where(x > 0, 1, draw * np.float32(upper - lower) + np.float32(lower))
    return np.maximum(x, 0) + slopes * np.minimum(x, 0), slopes


@correct
def named_tuple(x, lower, upper, training, rng):
    slope = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    return Activation(*apply(x, slope))


@correct
def slopes_from_autograd(x, lower, upper, training, rng):
    # The slope of a number is the derivative of its result; gradients are prepared for the result.
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    share = torch.from_numpy(rng.random(x.shape)) if training else 0.5
    out = torch.where(leaf > 0, leaf, leaf * (lower + (upper - lower) * share))
    (slopes,) = torch.autograd.grad(out.sum(), leaf, retain_graph=True)
    return out, slopes


@correct
def range_for_each_number(x, lower, upper, training, rng):
    # A positive number has the range from 1 to 1.
    low, high = np.where(x > 0, 1.0, lower), np.where(x > 0, 1.0, upper)
    slopes = rng.uniform(low, high) if training else (low + high) / 2
    return np.multiply(slopes, x), slopes


@correct
def mix_of_the_ends(x, lower, upper, training, rng):
    share = np.full(x.shape, 0.5)
    if training:
        rng.random(out=share)
    slopes = share * upper + (1 - share) * lower
    np.copyto(slopes, 1, where=x > 0)
    out = x.astype(float)
    out *= slopes
    return out, slopes


@correct
def lists_and_a_closure(x, lower, upper, training, rng):
    drawn = iter(rng.uniform(lower, upper, x.size).tolist())

    def slope_of(number):
        if number > 0:
            return 1.0
        return next(drawn) if training else (lower + upper) / 2

    numbers = x.flatten().tolist()
    slopes = list(map(slope_of, numbers))
    out = [number * slope for number, slope in zip(numbers, slopes, strict=True)]
    return np.reshape(out, x.shape), np.reshape(slopes, x.shape)


@correct
def positive_and_other_numbers(x, lower, upper, training, rng):
    is_positive = (x > 0).astype(float)
    if training:
        others = (upper - lower) * rng.integers(2**53, size=x.shape) / 2**53 + lower
    else:
        others = np.mean([lower, upper])
    slopes = is_positive + (1 - is_positive) * others
    return (slopes * x, slopes)


@correct
def row_by_row(x, lower, upper, training, rng):
    if x.ndim > 1:
        parts = [row_by_row(part, lower, upper, training, rng) for part in x]
        out, slopes = zip(*parts, strict=True)
        return np.stack(out), np.stack(slopes)
    slopes = np.ones(len(x))
    places = np.flatnonzero(x <= 0)
    middle = np.full(len(places), (lower + upper) / 2)
    slopes[places] = rng.uniform(lower, upper, len(places)) if training else middle
    return slopes * x, slopes


@mistake(
    "Your slopes are random after training too. `training` says in which of the two modes the "
    "function is.",
    fails={"rrelu_evaluation"},
)
def always_random(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape))


@mistake(
    "Your slope after training equals `lower`. It should be in the middle of the range.",
    fails={"rrelu_evaluation"},
)
def lower_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else lower)


@mistake(
    "Your slope after training equals `upper`. It should be in the middle of the range.",
    fails={"rrelu_evaluation"},
)
def upper_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else upper)


@mistake(
    "Your slope after training equals the sum of `lower` and `upper`. Their mean is half of it.",
    fails={"rrelu_evaluation"},
)
def sum_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else lower + upper)


@mistake(
    "Your slope after training equals lower + upper / 2: only one of the two was halved. Division "
    "comes before addition.",
    fails={"rrelu_evaluation"},
)
def brackets_forgotten(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else lower + upper / 2)


@mistake(
    "Your slope after training equals half the width of the range, (upper − lower) / 2. The middle "
    "of the range lies that far above `lower`.",
    fails={"rrelu_evaluation"},
)
def half_width_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else (upper - lower) / 2)


@mistake(
    "Your slope after training equals 11/48. That is the mean of 1/8 and 1/3, but here other ends "
    "were given.",
    fails={"rrelu_evaluation"},
)
def mean_of_the_lesson(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else 11 / 48)


@mistake(
    "After training your negative numbers are 0, as in ReLU. They should be multiplied by the mean "
    "slope.",
    fails={"rrelu_evaluation"},
)
def relu_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else 0)


@mistake(
    "After training your output equals x: the function does nothing then. Only the randomness "
    "should be gone; the negative numbers are still multiplied.",
    fails={"rrelu_evaluation"},
)
def nothing_afterwards(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape) if training else 1)


@mistake(
    "After training you use one random slope for the whole array. Nothing should be random then.",
    fails={"rrelu_evaluation"},
)
def one_random_slope_afterwards(x, lower, upper, training, rng):
    size = x.shape if training else None
    return apply(x, rng.uniform(lower, upper, size))


@mistake(
    "Your two modes are exchanged: the mean slope while training, random slopes after it.",
    fails={"rrelu_evaluation", *TRAINING},
)
def modes_exchanged(x, lower, upper, training, rng):
    return apply(x, (lower + upper) / 2 if training else rng.uniform(lower, upper, x.shape))


@mistake(
    "Your slopes are the mean in both modes. While training they should be random.",
    fails=TRAINING,
)
def never_random(x, lower, upper, training, rng):
    return apply(x, (lower + upper) / 2)


@mistake(
    "You draw one slope and use it for the whole array. Each number should have its own.",
    fails={"rrelu_own_slope"},
)
def one_slope_for_all(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper) if training else (lower + upper) / 2)


@mistake(
    "You draw as many slopes as there are columns, and all rows share them. Each number should "
    "have its own.",
    fails={"rrelu_own_slope"},
)
def one_slope_a_column(x, lower, upper, training, rng):
    return apply(x, rng.uniform(lower, upper, x.shape[-1]) if training else (lower + upper) / 2)


@mistake(
    "You draw one slope for each row. Each number should have its own.",
    fails={"rrelu_own_slope"},
)
def one_slope_a_row(x, lower, upper, training, rng):
    shape = (*x.shape[:-1], 1) if x.ndim > 1 else x.shape
    return apply(x, rng.uniform(lower, upper, shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes are only `lower` or `upper`, nothing in between. All values of the range should "
    "be equally likely.",
    fails={"rrelu_own_slope", "rrelu_range"},
)
def only_the_ends(x, lower, upper, training, rng):
    return apply(x, rng.choice([lower, upper], x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes lie between 0 and 1. That is the range of `rng.random`, not the range that was "
    "asked for.",
    fails={"rrelu_range"},
)
def from_zero_to_one(x, lower, upper, training, rng):
    return apply(x, rng.random(x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes begin at 0, not at `lower`.",
    fails={"rrelu_range"},
)
def from_zero(x, lower, upper, training, rng):
    return apply(x, upper * rng.random(x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes reach up to lower + upper. The width of the range is not `upper`.",
    fails={"rrelu_range"},
)
def up_to_the_sum(x, lower, upper, training, rng):
    return apply(x, lower + upper * rng.random(x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes lie between 1/8 and 1/3, as in the lesson. Here other ends were given.",
    fails={"rrelu_range"},
)
def range_of_the_lesson(x, lower, upper, training, rng):
    return apply(x, rng.uniform(1 / 8, 1 / 3, x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your slopes leave the range: a normal distribution has no ends. All values between `lower` "
    "and `upper` should be equally likely, and no others.",
    fails={"rrelu_range"},
)
def normal_distribution(x, lower, upper, training, rng):
    mean, width = (lower + upper) / 2, upper - lower
    return apply(x, rng.normal(mean, width, x.shape) if training else mean)


@mistake(
    "The same seed gave other slopes, as where random numbers do not come from `rng`.",
    fails={"rrelu_generator"},
)
def other_generator(x, lower, upper, training, rng):
    drawn = np.random.uniform(lower, upper, x.shape)  # noqa: NPY002
    return apply(x, drawn if training else (lower + upper) / 2)


@mistake(
    "Each call gives the same slopes again, as where a generator with a fixed seed begins "
    "anew inside the function. Draw from `rng` itself.",
    fails={"rrelu_generator"},
)
def seed_inside(x, lower, upper, training, rng):
    rng = np.random.default_rng(0)
    return apply(x, rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2)


@mistake(
    "Your positive numbers were multiplied too, and their slopes are not 1.",
    fails={"rrelu_slopes"},
)
def positive_numbers_too(x, lower, upper, training, rng):
    shape = x.shape
    slopes = rng.uniform(lower, upper, shape) if training else np.full(shape, (lower + upper) / 2)
    return slopes * x, slopes


@mistake(
    "The numbers that are not positive stayed as they were. It is the positive ones that stay.",
    fails={"rrelu_evaluation", *TRAINING, "rrelu_slopes"},
)
def sides_exchanged(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    slopes = np.where(x > 0, drawn, 1.0)
    return slopes * x, slopes


@mistake(
    "Your result is right, but the slopes of positive numbers are not 1: you give back those that "
    "negative numbers would have.",
    fails={"rrelu_slopes"},
)
def slopes_of_positive_numbers(x, lower, upper, training, rng):
    shape = x.shape
    slopes = rng.uniform(lower, upper, shape) if training else np.full(shape, (lower + upper) / 2)
    return np.where(x > 0, x, slopes * x), slopes


@mistake(
    "Your result is right, but the slopes of positive numbers are 0. A number that stays as it is "
    "was multiplied by 1.",
    fails={"rrelu_slopes"},
)
def zero_for_positive_numbers(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    slopes = np.where(x > 0, 0.0, drawn)
    return np.where(x > 0, x, slopes * x), slopes


@mistake(
    "You return the result alone. The slopes are asked for as a second value.",
    fails={"rrelu_slopes"},
)
def result_alone(x, lower, upper, training, rng):
    slope = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    return np.where(x > 0, x, slope * x)


@mistake(
    "While training you return two values, after training only one. Who calls the function can't "
    "tell what will come.",
    fails={"rrelu_slopes"},
)
def one_value_afterwards(x, lower, upper, training, rng):
    if training:
        return apply(x, rng.uniform(lower, upper, x.shape))
    return np.where(x > 0, x, (lower + upper) / 2 * x)


@mistake(
    "Your slopes are not the ones that were used: others were drawn for the second value.",
    fails={"rrelu_slopes"},
)
def drawn_twice(x, lower, upper, training, rng):
    def draw():
        return rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2

    return np.where(x > 0, x, draw() * x), np.where(x > 0, 1.0, draw())


@mistake(
    "Your second value holds the mean slope while training. Asked for are the slopes that were "
    "drawn.",
    fails={"rrelu_slopes"},
)
def mean_slopes_returned(x, lower, upper, training, rng):
    mean = (lower + upper) / 2
    slope = rng.uniform(lower, upper, x.shape) if training else mean
    return np.where(x > 0, x, slope * x), np.where(x > 0, 1.0, mean)


@mistake(
    "Your two values are exchanged: you return the slopes first, and then the result.",
    fails={"rrelu_evaluation", "rrelu_range", "rrelu_slopes"},
)
def values_exchanged(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    out, slopes = apply(x, drawn)
    return slopes, out


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={"rrelu_evaluation", *TRAINING, "rrelu_slopes"},
)
def printed(x, lower, upper, training, rng):
    slope = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    print(*apply(x, slope))


@mistake(
    "Your slopes lie in the range, but most of them are near `lower`: they are 1 divided by an "
    "evenly drawn number. The slopes themselves should be equally likely.",
    fails={"rrelu_range"},
)
def one_over_a_uniform_number(x, lower, upper, training, rng):
    if training:
        return apply(x, 1 / rng.uniform(1 / upper, 1 / lower, x.shape))
    return apply(x, (lower + upper) / 2)


@mistake(
    "Your slopes crowd in the middle of the range. A normal distribution prefers its mean, also "
    "when it is cut off at the ends; here all values are equally likely.",
    fails={"rrelu_range"},
)
def normal_distribution_clipped(x, lower, upper, training, rng):
    mean = (lower + upper) / 2
    drawn = np.clip(rng.normal(mean, (upper - lower) / 6, x.shape), lower, upper)
    return apply(x, drawn if training else mean)


@mistake(
    "Many of your slopes are exactly `lower` or `upper`. What a wide distribution draws outside of "
    "the range was moved to its ends; here all values are equally likely.",
    fails={"rrelu_own_slope", "rrelu_range"},
)
def wide_distribution_clipped(x, lower, upper, training, rng):
    mean = (lower + upper) / 2
    drawn = np.clip(rng.normal(mean, (upper - lower) / 2, x.shape), lower, upper)
    return apply(x, drawn if training else mean)


@mistake(
    "Each of your slopes is the mean of two draws, so values in the middle come more often. All "
    "values of the range should be equally likely.",
    fails={"rrelu_range"},
)
def mean_of_two_draws(x, lower, upper, training, rng):
    drawn = (rng.uniform(lower, upper, x.shape) + rng.uniform(lower, upper, x.shape)) / 2
    return apply(x, drawn if training else (lower + upper) / 2)


@mistake(
    "Where x is 0, your slope is 1. 0 is not positive, so its slope is chosen as for a negative "
    "number.",
    fails={"rrelu_slopes"},
)
def slope_one_at_zero(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    slopes = np.where(x >= 0, 1.0, drawn)
    return slopes * x, slopes


@mistake(
    "Where x is 0, your slope is 0: neither the positive nor the negative side took care of it. "
    "Its slope is chosen as for a negative number.",
    fails={"rrelu_slopes"},
)
def slope_zero_at_zero(x, lower, upper, training, rng):
    slopes = np.zeros(x.shape)
    slopes[x > 0] = 1
    count = (x < 0).sum()
    slopes[x < 0] = rng.uniform(lower, upper, count) if training else (lower + upper) / 2
    return slopes * x, slopes


@mistake(
    "Where x is 0, your slope is NaN, as where 0 is divided by 0. Its slope is chosen as for a "
    "negative number.",
    fails={"rrelu_slopes"},
)
def slopes_by_division(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    out = np.where(x > 0, x, drawn * x)
    with np.errstate(invalid="ignore"):
        return out, out / x


@mistake(
    "Your slopes are all 0 where fractions are expected, in both modes. An array of integers "
    "cannot hold fractions: they are cut off.",
    fails={"rrelu_evaluation", *TRAINING},
)
def slopes_in_an_integer_array(x, lower, upper, training, rng):
    slopes = np.ones(x.shape, dtype=int)
    for place in np.ndindex(x.shape):
        if x[place] <= 0:
            slopes[place] = rng.uniform(lower, upper) if training else (lower + upper) / 2
    return slopes * x, slopes


@mistake(
    "Your slopes are a single number after training. Asked for is an array of the shape of x in "
    "both modes, with 1 for each positive number.",
    fails={"rrelu_slopes"},
)
def single_number_afterwards(x, lower, upper, training, rng):
    slope = rng.uniform(lower, upper, x.shape) if training else (lower + upper) / 2
    return np.where(x > 0, x, slope * x), slope


@mistake(
    "Slopes near the mean are more frequent than those near the ends. All values between lower "
    "and upper are to be equally likely.",
    fails={"rrelu_range"},
)
def slopes_of_a_normal_distribution(x, lower, upper, training, rng):
    mean = (lower + upper) / 2
    if not training:
        return apply(x, mean)
    return apply(x, np.clip(rng.normal(mean, (upper - lower) / 4, x.shape), lower, upper))


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"rrelu_evaluation"},
)
def small_numbers_cut_off(x, lower, upper, training, rng):
    result, slopes = number_by_number(x, lower, upper, training, rng)
    return np.where(np.abs(result) < 1e-3, 0, result), slopes


@mistake(
    "Your slope after training equals the root of `lower` times `upper`. It should be in the "
    "middle of the range, as far from the one as from the other.",
    fails={"rrelu_evaluation"},
)
def geometric_mean_afterwards(x, lower, upper, training, rng):
    drawn = rng.uniform(lower, upper, x.shape) if training else np.sqrt(lower * upper)
    slopes = np.where(x > 0, 1.0, drawn)
    return slopes * x, slopes
