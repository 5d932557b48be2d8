"""Task 1: a training set and a validation set."""

import random

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


@correct
def validation_at_the_end(n, n_validation, rng):
    order = rng.permutation(n)
    return order[: n - n_validation], order[n - n_validation :]


@correct
def shuffled_in_place(n, n_validation, rng):
    order = np.arange(n)
    rng.shuffle(order)
    return np.split(order, [n - n_validation])


@correct
def drawn_and_the_others(n, n_validation, rng):
    validation = rng.choice(n, size=n_validation, replace=False)
    return np.setdiff1d(np.arange(n), validation), validation


@correct
def order_of_random_numbers(n, n_validation, rng):
    order = np.argsort(rng.random(n))
    return (order[n_validation:], order[:n_validation])


@correct
def with_a_mask(how_many, put_aside, generator):
    mask = np.zeros(how_many, dtype=bool)
    mask[generator.choice(how_many, put_aside, replace=False)] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


@correct
def taken_from_a_list(n, n_validation, rng):
    training, validation = list(range(n)), []
    for _ in range(n_validation):
        validation.append(training.pop(rng.integers(len(training))))
    return np.array(training, dtype=int), np.array(validation, dtype=int)


@correct
def with_sets(n, n_validation, rng):
    validation = set(rng.permutation(n)[:n_validation].tolist())
    training = set(range(n)) - validation
    return np.array(sorted(training), dtype=int), np.array(sorted(validation), dtype=int)


@correct
def with_delete(n, n_validation, rng):
    validation = np.sort(rng.permutation(np.arange(n))[:n_validation])
    return np.delete(np.arange(n), validation), validation


@correct
def swapped_by_hand(n, n_validation, rng):
    order = np.arange(n)
    for last in range(n - 1, 0, -1):
        other = rng.integers(last + 1)
        order[last], order[other] = order[other], order[last]
    return order[n_validation:], order[:n_validation]


@correct
def with_torch(n, n_validation, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    order = torch.randperm(n, generator=generator)
    return order[n_validation:].numpy(), order[:n_validation].numpy()


@correct
def with_random_module(n, n_validation, rng):
    order = list(range(n))
    random.Random(int(rng.integers(2**62))).shuffle(order)
    return [np.array(order[n_validation:]), np.array(order[:n_validation])]


@correct
def one_by_one(n, n_validation, rng):
    training, validation = [], []
    for number in range(n):
        still_wanted = n_validation - len(validation)
        aside = rng.random() * (n - number) < still_wanted
        (validation if aside else training).append(number)
    return np.array(training), np.array(validation)


SIDE_BY_SIDE = (
    "Of all sets of images only few are put aside, as where they always stand side by side. Every "
    "set should be possible."
)
AT_EQUAL_DISTANCES = (
    "Of all sets of images only few are put aside, as where they always stand at equal distances. "
    "Every set should be possible."
)


@mistake(
    "Your two sets are exchanged: the first array has n_validation numbers. The training set "
    "comes first.",
    fails={"split_none_or_all", "split_sizes", "split_together"},
)
def sets_exchanged(n, n_validation, rng):
    order = rng.permutation(n)
    return order[:n_validation], order[n_validation:]


@mistake(
    "Your validation set holds the first images in every call. Here chance decides which images "
    "are put aside.",
    fails={"split_by_chance", "split_generator", "split_together"},
)
def the_first_ones(n, n_validation, rng):
    order = np.arange(n)
    return order[n_validation:], order[:n_validation]


@mistake(
    "Your validation set holds the last images in every call. Here chance decides which images "
    "are put aside.",
    fails={"split_by_chance", "split_generator", "split_together"},
)
def the_last_ones(n, n_validation, rng):
    order = np.arange(n)
    return order[: n - n_validation], order[n - n_validation :]


@mistake(
    AT_EQUAL_DISTANCES,
    fails={"split_by_chance", "split_generator", "split_together"},
)
def at_equal_distances(n, n_validation, rng):
    if n_validation == 0:
        return np.arange(n), np.arange(0)
    validation = np.arange(n_validation) * (n // n_validation)
    return np.setdiff1d(np.arange(n), validation), validation


@mistake(
    "With 0 images to put aside, your validation set holds all of them and your training set none.",
    fails={"split_none_or_all"},
)
def minus_zero(n, n_validation, rng):
    order = rng.permutation(n)
    return order[:-n_validation], order[-n_validation:]


@mistake(
    "Your validation set is drawn with repeats: an image may be in it twice. Each image is put "
    "aside at most once.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def drawn_with_repeats(n, n_validation, rng):
    validation = rng.integers(0, n, n_validation)
    return np.setdiff1d(np.arange(n), validation), validation


@mistake(
    "Some images are in both of your sets. What the network learns from is then measured, too.",
    fails={"split_each_once", "split_together"},
)
def drawn_apart(n, n_validation, rng):
    training = rng.choice(n, n - n_validation, replace=False)
    return training, rng.choice(n, n_validation, replace=False)


@mistake(
    "Your training set holds all images, also those that are put aside.",
    fails={"split_each_once", "split_none_or_all", "split_sizes", "split_together"},
)
def training_on_all(n, n_validation, rng):
    order = rng.permutation(n)
    return order, order[:n_validation]


@mistake(
    SIDE_BY_SIDE,
    fails={"split_by_chance", "split_together"},
)
def a_block_from_a_random_place(n, n_validation, rng):
    order = np.roll(np.arange(n), rng.integers(n))
    return order[n_validation:], order[:n_validation]


@mistake(
    "Your validation set has not exactly n_validation images, as where each image is put "
    "aside by a draw of its own.",
    fails={"split_by_chance", "split_sizes", "split_together"},
)
def each_by_its_own_draw(n, n_validation, rng):
    aside = rng.random(n) < n_validation / n
    return np.flatnonzero(~aside), np.flatnonzero(aside)


@mistake(
    "Each call puts the same images aside, as where a generator with a fixed seed begins anew "
    "inside the function. Draw from `rng` itself.",
    fails={"split_by_chance", "split_generator"},
)
def seed_inside(n, n_validation, rng):
    order = np.random.default_rng(0).permutation(n)
    return order[n_validation:], order[:n_validation]


@mistake(
    "The same seed gave other sets, as where random numbers do not come from `rng`.",
    fails={"split_generator"},
)
def other_generator(n, n_validation, rng):
    order = np.random.permutation(n)  # noqa: NPY002
    return order[n_validation:], order[:n_validation]


@mistake(
    "Your numbers go from 1 to n. The images are numbered from 0 to n − 1.",
    fails={"split_by_chance", "split_each_once", "split_together"},
)
def from_one_to_n(n, n_validation, rng):
    order = 1 + rng.permutation(n)
    return order[n_validation:], order[:n_validation]


@mistake(
    "One image is missing: its number stands in neither of your two sets.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def without_the_last_image(n, n_validation, rng):
    order = rng.permutation(n - 1)
    return order[n_validation:], order[:n_validation]


@mistake(
    "One image is missing: its number stands in neither of your two sets.",
    fails={"split_each_once", "split_none_or_all", "split_sizes", "split_together"},
)
def one_between_is_lost(n, n_validation, rng):
    order = rng.permutation(n)
    return order[n_validation + 1 :], order[:n_validation]


@mistake(
    "Your validation set is not as large as n_validation says. So many images are to be put aside.",
    fails={"split_by_chance", "split_none_or_all", "split_sizes", "split_together"},
)
def always_a_fifth(n, n_validation, rng):
    order = rng.permutation(n)
    return order[n // 5 :], order[: n // 5]


@mistake(
    "Both of your arrays have n values, as where they say True or False for each image. Asked "
    "for are the numbers of the images, each in one of the two.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_generator",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def masks(n, n_validation, rng):
    aside = rng.permutation(n) < n_validation
    return ~aside, aside


@mistake(
    "Your validation set has one image too many, and the training set one too few.",
    fails={"split_by_chance", "split_none_or_all", "split_sizes", "split_together"},
)
def one_too_many_aside(n, n_validation, rng):
    order = rng.permutation(n)
    return order[n_validation + 1 :], order[: n_validation + 1]


@mistake(
    "Your validation set has one image too few, and the training set one too many.",
    fails={"split_by_chance", "split_none_or_all", "split_sizes", "split_together"},
)
def one_too_few_aside(n, n_validation, rng):
    order, few = rng.permutation(n), max(n_validation - 1, 0)
    return order[few:], order[:few]


@mistake(
    "You give back all numbers in one array. Asked for are two: the training set, and the "
    "validation set.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_generator",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def one_array(n, n_validation, rng):
    return rng.permutation(n)


@mistake(
    "You give back only the training set. The validation set is asked for as the second value.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_generator",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def training_set_alone(n, n_validation, rng):
    return rng.permutation(n)[n_validation:]


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_generator",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
)
def printed(n, n_validation, rng):
    order = rng.permutation(n)
    print(order[n_validation:], order[:n_validation])


@mistake(
    "A shuffle works in place and gives nothing back.",
    fails={
        "split_by_chance",
        "split_each_once",
        "split_generator",
        "split_none_or_all",
        "split_sizes",
        "split_together",
    },
    undiagnosed="it stops with an error, and there are no numbers to tell it by",
)
def result_of_shuffle(n, n_validation, rng):
    order = rng.shuffle(np.arange(n))
    return order[n_validation:], order[:n_validation]


@mistake(
    "Your numbers are of a type with decimals, such as 3.0. Whole numbers are needed to take "
    "images by their numbers: an array that begins empty, `np.array([])`, is one for decimals.",
    fails={"split_each_once"},
)
def appended_to_an_empty_array(n, n_validation, rng):
    training, validation = np.array([]), np.array([])
    for place, number in enumerate(rng.permutation(n)):
        if place < n_validation:
            validation = np.append(validation, number)
        else:
            training = np.append(training, number)
    return training, validation


@mistake(
    "Early numbers are put aside more often than late ones: whole random numbers, by which you "
    "sort, are often equal.",
    fails={"split_by_chance"},
    undiagnosed="the shares of the visible test are right to the nearest quarter",
)
def sorted_by_whole_random_numbers(n, n_validation, rng):
    order = np.argsort(rng.integers(0, n, size=n), kind="stable")
    return order[n_validation:], order[:n_validation]


@mistake(
    SIDE_BY_SIDE,
    fails={"split_by_chance", "split_together"},
)
def a_block_that_does_not_go_round(n, n_validation, rng):
    start = rng.integers(0, n - n_validation + 1)
    validation = np.arange(start, start + n_validation)
    return np.setdiff1d(np.arange(n), validation), validation


@mistake(
    AT_EQUAL_DISTANCES,
    fails={"split_by_chance", "split_generator", "split_together"},
)
def at_equal_distances_from_a_random_place(n, n_validation, rng):
    if n_validation == 0:
        return np.arange(n), np.arange(0)
    step = n // n_validation
    # So drawn, two calls in a row begin at the same place with the seeds that are tested.
    start = rng.permutation(step)[-1]
    validation = start + step * np.arange(n_validation)
    return np.setdiff1d(np.arange(n), validation), validation


@mistake(
    "High numbers are put aside too rarely in your function, and low ones too often. Every image "
    "has the same chance.",
    fails={"split_by_chance", "split_together"},
)
def the_lowest_of_many_draws(n, n_validation, rng):
    drawn = set()
    while len(drawn) < n_validation:
        drawn.update(rng.integers(0, n, n_validation).tolist())
    validation = np.array(sorted(drawn)[:n_validation], dtype=int)
    return np.setdiff1d(np.arange(n), validation), validation


@mistake(
    "Images at the front are put aside far more often than those at the end, as where each moves "
    "only a few places. Each image has the same chance.",
    fails={"split_by_chance", "split_together"},
)
def moved_by_a_few_places(n, n_validation, rng):
    order = np.argsort(np.arange(n) + rng.uniform(0, 7, n))
    return order[n_validation:], order[:n_validation]
