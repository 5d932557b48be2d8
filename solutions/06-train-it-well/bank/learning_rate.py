"""Task 3: a schedule with a warm-up."""

import math

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


def wave(part):
    return (1 + np.cos(np.pi * part)) / 2


@correct
def with_math(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return (epoch + 1) / (warm_up + 1) * rate
    if epoch < epochs:
        return rate / 2 * (1 + math.cos(math.pi * (epoch - warm_up) / (epochs - warm_up)))
    return 0


@correct
def end_as_part_of_the_wave(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    part = min(1, (epoch - warm_up) / (epochs - warm_up))
    return rate * 0.5 * (1 + np.cos(part * np.pi))


@correct
def square_of_a_cosine(t, T, rate, W=0):
    if t < W:
        return rate * (t + 1) / (W + 1)
    return rate * math.cos(math.pi / 2 * min(t - W, T - W) / (T - W)) ** 2


@correct
def wave_from_a_sine(epoch, epochs, rate, warm_up=0):
    if epoch >= epochs:
        return 0.0
    if epoch >= warm_up:
        part = (epoch - warm_up) / (epochs - warm_up)
        return rate * (1 - math.sin(math.pi * (part - 0.5))) / 2
    return rate * (epoch + 1) / (warm_up + 1)


@correct
def whole_table(epoch, epochs, rate, warm_up=0):
    first = np.arange(1, warm_up + 1) / (warm_up + 1)
    later = wave(np.arange(epochs - warm_up) / (epochs - warm_up))
    table = rate * np.concatenate([first, later, [0]])
    return table[min(epoch, epochs)]


@correct
def in_one_expression(epoch, epochs, rate, warm_up=0):
    return rate * (
        (epoch + 1) / (warm_up + 1)
        if epoch < warm_up
        else (epoch < epochs) * wave((epoch - warm_up) / (epochs - warm_up))
    )


@correct
def with_torch(epoch, epochs, rate, warm_up=0):
    t = torch.tensor(float(epoch), dtype=torch.float64)
    growing = (t + 1) / (warm_up + 1)
    falling = (1 + torch.cos(torch.pi * (t - warm_up) / (epochs - warm_up))) / 2
    factor = torch.where(t < warm_up, growing, torch.where(t < epochs, falling, 0 * t))
    return float(rate * factor)


@correct
def with_select(epoch, epochs, rate, warm_up=0):
    cases = [epoch < warm_up, epoch < epochs]
    choices = [(epoch + 1) / (warm_up + 1), wave((epoch - warm_up) / (epochs - warm_up))]
    return rate * np.select(cases, choices, default=0.0)


@correct
def step_by_step(epoch, epochs, rate, warm_up=0):
    step = rate / (warm_up + 1)
    value = step
    for number in range(1, epoch + 1):
        if number <= warm_up:
            value += step
        elif number < epochs:
            value = rate * wave((number - warm_up) / (epochs - warm_up))
        else:
            value = 0.0
    return value


@correct
def with_interp(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return np.interp(epoch + 1, [0, warm_up + 1], [0, rate])
    angle = np.interp(epoch, [warm_up, epochs], [0, np.pi])
    return rate * (1 + np.cos(angle)) / 2


@correct
def as_match(epoch, epochs, rate, warm_up=0):
    match (epoch < warm_up, epoch < epochs):
        case (True, _):
            return rate * (epoch + 1) / (warm_up + 1)
        case (False, True):
            return rate * wave((epoch - warm_up) / (epochs - warm_up))
        case _:
            return 0


@correct
def with_the_real_part(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate - rate * (warm_up - epoch) / (warm_up + 1)
    left = max(epochs - epoch, 0) / (epochs - warm_up)
    return rate * (1 - np.exp(1j * np.pi * left).real) / 2


@mistake(
    "Your rate falls along a straight line. The wave falls slowly at first, fastest in the middle, "
    "and slowly at the end.",
    fails={"learning_rate_cosine", "learning_rate_together"},
)
def straight_line(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    return rate * max(0, 1 - (epoch - warm_up) / (epochs - warm_up))


@mistake(
    "Your rate begins at twice the full rate: 1 + cos goes from 2 down to 0.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def not_halved(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return 2 * rate * wave((epoch - warm_up) / (epochs - warm_up))


@mistake(
    "Your rate equals the cosine itself, times the full rate. That goes down to −1; asked for "
    "is half of 1 + cos, which stays above 0.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def cosine_alone(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * np.cos(np.pi * (epoch - warm_up) / (epochs - warm_up))


@mistake(
    "Your rate follows a quarter of a cosine wave, which is steepest at its end. Half a wave is "
    "asked for.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def quarter_wave(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * np.cos(np.pi / 2 * (epoch - warm_up) / (epochs - warm_up))


@mistake(
    "Your wave takes degrees: NumPy's cosine takes an angle for which half a turn is π, not 180.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def degrees(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * (1 + np.cos(180 * (epoch - warm_up) / (epochs - warm_up))) / 2


@mistake(
    "Your rate equals that of a wave through a whole turn, which falls to 0 in the middle and "
    "rises again. Half a turn is asked for.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def whole_wave(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave(2 * (epoch - warm_up) / (epochs - warm_up))


@mistake(
    "In the middle of the wave your rate is still the full one. That is so where the part of "
    "the wave loses its fraction, as with `//`.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def whole_division(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave((epoch - warm_up) // (epochs - warm_up))


@mistake(
    "Your numbers equal those of a wave that makes half a turn in each epoch. Half a turn takes "
    "all the epochs that are left after the warm-up.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def half_a_turn_in_each_epoch(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave(epoch - warm_up)


@mistake(
    "Your rate has been divided by 10, once or more often, as in a schedule with steps. Here "
    "a cosine wave is asked for.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def in_steps(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * 0.1 ** (4 * (epoch - warm_up) // (epochs - warm_up))


@mistake(
    "Your wave is one epoch ahead: the first epoch has the rate of the second. The epochs count "
    "from 0.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def one_epoch_ahead(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave((epoch - warm_up + 1) / (epochs - warm_up))


@mistake(
    "Your wave is one epoch late: the full rate comes twice. The epochs count from 0.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def one_epoch_late(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave(max(epoch - warm_up - 1, 0) / (epochs - warm_up))


@mistake(
    "Your rate is 0 one epoch too early, in epoch T − 1. The wave ends in epoch T.",
    fails={"learning_rate_cosine", "learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def ends_one_epoch_early(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave((epoch - warm_up) / max(epochs - warm_up - 1, 1))


@mistake(
    "After epoch T your rate rises again, as a cosine does. It should stay 0.",
    fails={"learning_rate_after", "learning_rate_together"},
)
def rises_again(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    return rate * wave((epoch - warm_up) / (epochs - warm_up))


@mistake(
    "After epoch T your rate is the full one again. It should stay 0.",
    fails={"learning_rate_after", "learning_rate_together"},
)
def full_rate_afterwards(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return rate
    return rate * wave((epoch - warm_up) / (epochs - warm_up))


@mistake(
    "From epoch T on your rate stays at that of the last epoch before. It should be 0.",
    fails={"learning_rate_after", "learning_rate_together"},
)
def last_rate_stays(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    return rate * wave((min(epoch, epochs - 1) - warm_up) / (epochs - warm_up))


@mistake(
    "From epoch T on your function gives None: no case is left for these epochs.",
    fails={"learning_rate_after", "learning_rate_together"},
)
def nothing_after_the_end(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch < epochs:
        return rate * wave((epoch - warm_up) / (epochs - warm_up))


@mistake(
    "The first epoch of your warm-up has the rate 0, so nothing is learned in it.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def warm_up_from_zero(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * epoch / warm_up
    return rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "The last epoch of your warm-up has the full rate already. The full rate comes in the epoch "
    "after it.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def warm_up_too_steep(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / warm_up
    return rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "Your warm-up begins with 0 and is one step behind: its epochs have the rates of the epochs "
    "before them.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def warm_up_one_step_behind(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * epoch / (warm_up + 1)
    return rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "Your rate has no warm-up: the wave begins in epoch 0.",
    fails={"learning_rate_together", "learning_rate_warm_up", "learning_rate_wave_after_warm_up"},
)
def no_warm_up(epoch, epochs, rate, warm_up=0):
    return rate * wave(min(1, epoch / epochs))


@mistake(
    "After your warm-up the rate does not begin in full: the wave has been going on since epoch 0.",
    fails={"learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def wave_since_the_beginning(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    return rate * wave(min(1, epoch / epochs))


@mistake(
    "After your warm-up the wave begins in full, but it has not come down at its end: it is as "
    "long as without a warm-up.",
    fails={"learning_rate_together", "learning_rate_wave_after_warm_up"},
)
def wave_too_long(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) / (warm_up + 1)
    if epoch >= epochs:
        return 0.0
    return rate * wave((epoch - warm_up) / epochs)


@mistake(
    "All epochs of your warm-up have the same small rate. It should grow in equal steps.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def warm_up_without_growing(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate / (warm_up + 1)
    return rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "Your warm-up doubles the rate in each epoch. It should grow in equal steps.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def warm_up_by_doubling(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate / 2 ** (warm_up - epoch)
    return rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "Your numbers equal the part of the full rate, from 0 to 1, and not the rate itself.",
    fails={
        "learning_rate_cosine",
        "learning_rate_together",
        "learning_rate_warm_up",
        "learning_rate_wave_after_warm_up",
    },
)
def part_of_the_rate(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return (epoch + 1) / (warm_up + 1)
    return wave(min(1, (epoch - warm_up) / (epochs - warm_up)))


@mistake(
    "Your rates are rounded to three decimals. Small rates lose most of their digits by that.",
    fails={"learning_rate_together"},
)
def rounded(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return round(rate * (epoch + 1) / (warm_up + 1), 3)
    return round(rate * wave(min(1, (epoch - warm_up) / (epochs - warm_up))), 3)


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={
        "learning_rate_after",
        "learning_rate_cosine",
        "learning_rate_together",
        "learning_rate_warm_up",
        "learning_rate_wave_after_warm_up",
    },
)
def printed(epoch, epochs, rate, warm_up=0):
    print(rate * wave(epoch / epochs))


@mistake(
    "The rates of your warm-up are rounded down to whole numbers, as `//` does.",
    fails={"learning_rate_together", "learning_rate_warm_up"},
)
def floor_division(epoch, epochs, rate, warm_up=0):
    if epoch < warm_up:
        return rate * (epoch + 1) // (warm_up + 1)
    if epoch >= epochs:
        return 0
    return rate * (1 + math.cos(math.pi * (epoch - warm_up) / (epochs - warm_up))) / 2
