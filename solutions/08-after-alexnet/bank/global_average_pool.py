"""Task 1: one number for each map."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake
from helpers import ops


@correct
def mean_of_two_axes(x):
    return x.mean(dim=(2, 3))


@correct
def mean_of_mean(x):
    return x.mean(dim=-1).mean(dim=-1)


@correct
def flattened(x):
    return torch.flatten(x, 2).mean(2)


@correct
def adaptive_layer(x):
    return nn.AdaptiveAvgPool2d(1)(x).flatten(1)


@correct
def adaptive_function(x):
    return F.adaptive_avg_pool2d(x, (1, 1))[:, :, 0, 0]


@correct
def one_large_window(x):
    return F.avg_pool2d(x, x.shape[2:]).squeeze(3).squeeze(2)


@correct
def with_numpy(x):
    return torch.from_numpy(x.numpy().mean(axis=(2, 3)))


@correct
def as_array(x):
    return np.mean(x.numpy().reshape(*x.shape[:2], -1), axis=-1)


@correct
def four_loops(x):
    n, c, h, w = x.shape
    out = torch.zeros(n, c)
    for image in range(n):
        for number in range(c):
            total = 0.0
            for row in range(h):
                for column in range(w):
                    total += x[image, number, row, column]
            out[image, number] = total / (h * w)
    return out


@correct
def two_loops(x):
    return torch.tensor([[one.mean().item() for one in image] for image in x])


@correct
def stacked(x):
    return torch.stack([torch.stack([one.sum() / one.numel() for one in image]) for image in x])


@correct
def with_einsum(x):
    return torch.einsum("nchw->nc", x) / x[0, 0].numel()


@correct
def matrix_product(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h * w) @ torch.full((h * w,), 1 / (h * w))


@correct
def in_double_precision(x):
    return x.double().mean((-2, -1)).float()


@correct
def with_the_courses_operator(x):
    return torch.from_numpy(ops.avg_pool2d(x.numpy(), x.shape[2:])).reshape(x.shape[:2])


@correct
def as_a_convolution(x):
    n, c, h, w = x.shape
    weight = torch.full((c, 1, h, w), 1 / (h * w))
    return F.conv2d(x, weight, groups=c).view(n, c)


@mistake(
    "Your numbers equal the sums of the maps. A mean is the sum divided by the number of pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def sum_of_the_map(x):
    return x.sum(dim=(2, 3))


@mistake(
    "Your numbers equal the largest ones of the maps. Their means are asked for.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def largest_number(x):
    return x.amax(dim=(2, 3))


@mistake(
    "Your numbers equal the smallest ones of the maps. Their means are asked for.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def smallest_number(x):
    return x.amin(dim=(2, 3))


@mistake(
    "Your result has a number for each column of each map: the mean over the rows alone. The mean "
    "over the columns is missing.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_over_rows(x):
    return x.mean(dim=2)


@mistake(
    "Your result has a number for each row of each map: the mean over the columns alone. The mean "
    "over the rows is missing.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_over_columns(x):
    return x.mean(dim=3)


@mistake(
    "Your result has two more axes, of length 1. Two axes are asked for, images and maps.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def axes_kept(x):
    return x.mean(dim=(2, 3), keepdim=True)


@mistake(
    "Your result has two more axes, of length 1. Two axes are asked for, images and maps.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def adaptive_and_not_flattened(x):
    return F.adaptive_avg_pool2d(x, 1)


@mistake(
    "An axis of length 1 is lost: one image, or one map, must keep its axis.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def squeezed(x):
    return F.adaptive_avg_pool2d(x, 1).squeeze()


@mistake(
    "Your result is one number for all images and maps together. Each map should get one of its "
    "own.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_of_everything(x):
    return x.mean()


@mistake(
    "Your result has one number for each image: the mean over its maps, too. Each map should keep "
    "a number of its own.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_over_the_maps_too(x):
    return x.mean(dim=(1, 2, 3))


@mistake(
    "Your result has one number for each map, the mean over all images. Each image should keep "
    "its own.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_over_the_images_too(x):
    return x.mean(dim=(0, 2, 3))


@mistake(
    "Your result has the mean of the maps at each pixel. The mean of the pixels in each map is "
    "asked for.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def mean_of_the_maps(x):
    return x.mean(dim=1)


@mistake(
    "Your numbers equal the sums of the maps, divided by the square of their width. A map of H "
    "rows and W columns has H · W pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_the_width_twice(x):
    return x.sum(dim=(2, 3)) / x.shape[3] ** 2


@mistake(
    "Your numbers equal the sums of the maps, divided by the square of their height. A map of H "
    "rows and W columns has H · W pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_the_height_twice(x):
    return x.sum(dim=(2, 3)) / x.shape[2] ** 2


@mistake(
    "Your numbers equal the sums of the maps, divided by the height plus the width. A map of H "
    "rows and W columns has H · W pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_height_plus_width(x):
    return x.sum(dim=(2, 3)) / (x.shape[2] + x.shape[3])


@mistake(
    "Your numbers equal the sums of the maps, divided by the height alone.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_the_height(x):
    return x.sum(dim=(2, 3)) / x.shape[2]


@mistake(
    "Your numbers equal the sums of the maps, divided by the width alone.",
    fails={"global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_the_width(x):
    return x.sum(dim=(2, 3)) / x.shape[3]


@mistake(
    "Your numbers equal the sums of the maps, divided by the number of pixels of all maps of the "
    "image. Each map is divided by its own number of pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_all_maps(x):
    return x.sum(dim=(2, 3)) / x[0].numel()


@mistake(
    "Your numbers equal the sums of the maps, divided by one less than the number of pixels.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def divided_by_one_less(x):
    return x.sum(dim=(2, 3)) / (x[0, 0].numel() - 1)


@mistake(
    "Your numbers equal the medians of the maps, the number in the middle after sorting. The "
    "mean is asked for.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def median(x):
    return x.flatten(2).median(dim=2).values


@mistake(
    "Your numbers equal the upper left pixels of the maps.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def upper_left(x):
    return x[:, :, 0, 0]


@mistake(
    "Your numbers equal the means after all negative numbers became 0. They count as they are.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def relu_first(x):
    return x.relu().mean(dim=(2, 3))


@mistake(
    "Your numbers equal the means of the sizes, without the signs. Negative numbers count as they "
    "are.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def means_of_sizes(x):
    return x.abs().mean(dim=(2, 3))


@mistake(
    "Your numbers equal the means of those pixels that are not 0. A pixel that is 0 is one of "
    "them, too.",
    fails={"global_average_pool_mean", "global_average_pool_together"},
)
def zeros_left_out(x):
    return x.sum(dim=(2, 3)) / (x != 0).sum(dim=(2, 3)).clamp(min=1)


@mistake(
    "Rows and columns of your result are exchanged: it has a row for each map. A row for each "
    "image is asked for.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def a_row_for_each_map(x):
    return x.mean(dim=(2, 3)).T


@mistake(
    "Your numbers have lost their fractions.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
)
def whole_numbers(x):
    return torch.tensor([[int(one.mean()) for one in image] for image in x])


@mistake(
    "Your numbers equal half of the sum of the largest and the smallest pixel of each map.",
    fails={"global_average_pool_mean", "global_average_pool_together"},
)
def middle_of_the_range(x):
    return (x.amax(dim=(2, 3)) + x.amin(dim=(2, 3))) / 2


@mistake(
    "Only the first image is in your result.",
    fails={"global_average_pool_axes", "global_average_pool_together"},
)
def first_image_only(x):
    return x[:1].mean(dim=(2, 3))


@mistake(
    "The input is divided by the number of pixels in place: it is changed after the call.",
    fails={"global_average_pool_together"},
)
def input_divided(x):
    x /= x.shape[2] * x.shape[3]
    return x.sum(dim=(2, 3))


@mistake(
    "The sums are made in numbers of type float16, which hold three or four digits.",
    fails={"global_average_pool_axes", "global_average_pool_mean", "global_average_pool_together"},
    undiagnosed="the small whole numbers of the visible tests fit into float16",
)
def half_precision(x):
    return x.half().mean(dim=(2, 3)).float()


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"global_average_pool_together"},
)
def small_numbers_cut_off(x):
    result = mean_of_two_axes(x)
    return torch.where(result.abs() < 1e-3, 0.0, result)
