"""Task 4: cut an image into tokens."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake
from helpers import ops


@correct
def strided_convolution(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=weight.shape[-2:]).flatten(2).permute(0, 2, 1)


@correct
def with_layer(images, weight, bias):
    numbers, channels, size, _ = weight.shape
    embed = nn.Conv2d(channels, numbers, size, stride=size)
    embed.weight.data, embed.bias.data = weight, bias
    with torch.no_grad():
        return embed(images).flatten(2).mT


@correct
def with_einsum(images, weight, bias):
    size = weight.shape[-1]
    n, c, h, w = images.shape
    rows, columns = h // size, w // size
    x = images[:, :, : rows * size, : columns * size]
    x = x.reshape(n, c, rows, size, columns, size)
    tokens = torch.einsum("ncrisj,dcij->nrsd", x, weight)
    return tokens.reshape(n, rows * columns, -1) + bias


@correct
def with_unfold(images, weight, bias):
    size = weight.shape[2]
    patches = F.unfold(images, size, stride=size)
    return patches.transpose(1, 2) @ weight.flatten(1).T + bias


@correct
def tensor_unfold(images, weight, bias):
    p = weight.shape[2]
    patches = images.unfold(2, p, p).unfold(3, p, p)
    patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    return F.linear(patches, weight.flatten(1), bias)


@correct
def patches_in_a_list(images, weight, bias):
    p = weight.shape[-1]
    tokens = []
    for i in range(images.shape[2] // p):
        for j in range(images.shape[3] // p):
            patch = images[:, :, i * p : (i + 1) * p, j * p : (j + 1) * p]
            tokens.append(patch.flatten(1) @ weight.flatten(1).T + bias)
    return torch.stack(tokens, dim=1)


@correct
def loops(images, weight, bias):
    n, _, h, w = images.shape
    numbers, _, p, _ = weight.shape
    columns = w // p
    out = torch.zeros(n, (h // p) * columns, numbers)
    for image in range(n):
        for t in range(out.shape[1]):
            top, left = t // columns * p, t % columns * p
            patch = images[image, :, top : top + p, left : left + p]
            for d in range(numbers):
                out[image, t, d] = (patch * weight[d]).sum() + bias[d]
    return out


@correct
def in_numpy(images, weight, bias):
    x, weight, bias = images.numpy(), weight.numpy(), bias.numpy()
    n, c, h, w = x.shape
    p = weight.shape[-1]
    h, w = h // p * p, w // p * p
    x = x[:, :, :h, :w].reshape(n, c, h // p, p, w // p, p).transpose(0, 2, 4, 1, 3, 5)
    return np.matmul(x.reshape(n, -1, c * p * p), weight.reshape(len(weight), -1).T) + bias


@correct
def with_the_courses_operator(images, weight, bias):
    out = ops.conv2d(images.numpy(), weight.numpy(), bias.numpy(), stride=weight.shape[2])
    n, numbers = out.shape[:2]
    return torch.from_numpy(out.reshape(n, numbers, -1).swapaxes(1, 2).copy())


@correct
def image_by_image(images, weight, bias):
    size = weight.shape[-1]
    return torch.stack(
        [F.conv2d(image, weight, bias, stride=size).flatten(1).T for image in images]
    )


@correct
def channels_last(images, weight, bias):
    out = F.conv2d(images, weight, bias, stride=weight.shape[3]).movedim(1, -1)
    return out.reshape(len(images), -1, len(weight))


@correct
def cut_then_multiplied(images, weight, bias):
    p = weight.shape[-1]
    rows = torch.stack(images.split(p, dim=2)[: images.shape[2] // p], dim=1)
    patches = torch.stack(rows.split(p, dim=4)[: images.shape[3] // p], dim=2)
    return torch.tensordot(patches.flatten(1, 2).flatten(2), weight.flatten(1), ([2], [1])) + bias


@correct
def every_convolution_and_then_some(images, weight, bias):
    p = weight.shape[-1]
    out = F.conv2d(images, weight, bias)[:, :, ::p, ::p]
    return out.flatten(2).transpose(2, 1)


@correct
def bias_afterwards(images, weight, bias):
    tokens = F.conv2d(images, weight, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens + bias.reshape(1, 1, -1)


IMAGES_MISSING = (
    "The axis of the images is missing: your result has two axes. It stays, also for one image."
)


@mistake(
    "The axes of tokens and numbers are exchanged: your result has the shape (N, D, T).",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def numbers_before_tokens(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2)


@mistake(
    "Your result has four axes, (N, D, rows, columns). The patches should stand in one axis, and "
    "before the numbers.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def not_flattened(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=weight.shape[2])


@mistake(
    "Your result has four axes, (N, rows, columns, D). The patches should stand in one axis.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def patches_in_two_axes(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=weight.shape[2]).permute(0, 2, 3, 1)


@mistake(
    "Your numbers have the shape that is asked for, but they equal what comes out when (N, D, T) "
    "is only reshaped to (N, T, D): that exchanges no axes, and mixes the numbers of tokens.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def reshaped_for_transposed(images, weight, bias):
    maps = F.conv2d(images, weight, bias, stride=weight.shape[2])
    n, d, h, w = maps.shape
    return maps.reshape(n, h * w, d)


@mistake(
    "Your tokens are counted from top to bottom, column by column. Count them row by row.",
    fails={"patch_embedding_left_out", "patch_embedding_order", "patch_embedding_together"},
)
def column_by_column(images, weight, bias):
    maps = F.conv2d(images, weight, bias, stride=weight.shape[2])
    return maps.transpose(2, 3).flatten(2).transpose(1, 2)


@mistake(
    "Your patches overlap, as with stride 1. They should lie side by side.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def overlapping_patches(images, weight, bias):
    return F.conv2d(images, weight, bias).flatten(2).transpose(1, 2)


@mistake(
    "The biases are missing.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def bias_missing(images, weight, bias):
    return F.conv2d(images, weight, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when the bias is taken off instead of added.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def bias_taken_off(images, weight, bias):
    return F.conv2d(images, weight, -bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when the bias is added as often as the image has channels.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def bias_for_each_channel(images, weight, bias):
    tokens = F.conv2d(images, weight, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens + images.shape[1] * bias


@mistake(
    "Your numbers equal what comes out when all numbers of a token get the first bias.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def first_bias_for_all(images, weight, bias):
    tokens = F.conv2d(images, weight, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens + bias[0]


@mistake(
    "Your numbers equal what comes out when the sum of each patch is taken times the sum of the "
    "weights. Each pixel is multiplied by the weight at its place.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def sums_multiplied(images, weight, bias):
    size = weight.shape[2]
    same = weight.sum(dim=(2, 3), keepdim=True).expand(weight.shape)
    return F.conv2d(images, same, bias, stride=size).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when all weights are 1.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def weights_left_out(images, weight, bias):
    ones = torch.ones_like(weight)
    return F.conv2d(images, ones, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when the weights are turned by half a turn.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def weights_turned(images, weight, bias):
    turned = weight.flip(2, 3)
    return F.conv2d(images, turned, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when rows and columns of the weights are exchanged.",
    fails={"patch_embedding_sums", "patch_embedding_together"},
)
def weights_transposed(images, weight, bias):
    turned = weight.transpose(2, 3)
    return F.conv2d(images, turned, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when the pixels of a patch stand with their channels "
    "side by side, and the weights channel after channel.",
    fails={"patch_embedding_together"},
)
def channels_side_by_side(images, weight, bias):
    numbers, channels, size = weight.shape[:3]
    rows, columns = images.shape[2] // size, images.shape[3] // size
    x = images[:, :, : rows * size, : columns * size].permute(0, 2, 3, 1)
    x = x.reshape(len(x), rows, size, columns, size, channels).transpose(2, 3)
    return x.reshape(len(x), rows * columns, -1) @ weight.reshape(numbers, -1).T + bias


@mistake(
    "Your numbers equal the mean over the weights of a patch where the sum is asked for.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def mean_for_sum(images, weight, bias):
    size = weight.shape[2]
    tokens = F.conv2d(images, weight / weight[0].numel(), bias, stride=size)
    return tokens.flatten(2).transpose(1, 2)


@mistake(
    "Your numbers equal what comes out when only the first channel of the image is used.",
    fails={"patch_embedding_numbers", "patch_embedding_together"},
)
def first_channel_only(images, weight, bias):
    size = weight.shape[2]
    return F.conv2d(images[:, :1], weight[:, :1], bias, stride=size).flatten(2).transpose(1, 2)


@mistake(
    "Only the first image is in your result.",
    fails={"patch_embedding_together"},
)
def first_image_only(images, weight, bias):
    return F.conv2d(images[:1], weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)


@mistake(
    IMAGES_MISSING,
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def image_axis_lost(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens.squeeze(0)


@mistake(
    IMAGES_MISSING,
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def images_joined(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens.reshape(-1, len(weight))


@mistake(
    "Where the edge does not fill a patch, your result has more tokens: the image is filled up "
    "with zeros. What does not fill a patch is left out.",
    fails={"patch_embedding_left_out", "patch_embedding_together"},
)
def filled_up(images, weight, bias):
    size = weight.shape[2]
    down, right = (-n % size for n in images.shape[2:])
    x = F.pad(images, (0, right, 0, down))
    return F.conv2d(x, weight, bias, stride=size).flatten(2).transpose(1, 2)


@mistake(
    "Where patches do not fill the image, yours begin at the lower and the right edge. They begin "
    "at the upper left.",
    fails={"patch_embedding_left_out", "patch_embedding_together"},
)
def upper_left_left_out(images, weight, bias):
    size = weight.shape[2]
    down, right = (n % size for n in images.shape[2:])
    maps = F.conv2d(images[:, :, down:, right:], weight, bias, stride=size)
    return maps.flatten(2).transpose(1, 2)


@mistake(
    "Where the edge does not fill a patch, your function stops with an error.",
    fails={"patch_embedding_left_out", "patch_embedding_together"},
    undiagnosed="the message shows the error itself",
)
def edge_is_an_error(images, weight, bias):
    size = weight.shape[2]
    n, c, h, w = images.shape
    x = images.reshape(n, c, h // size, size, w // size, size).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(n, (h // size) * (w // size), -1) @ weight.flatten(1).T + bias


@mistake(
    "Your tokens equal those of an image that is cut into strips of pixels as they lie in memory, "
    "and not into squares.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def strips_for_squares(images, weight, bias):
    n, c, h, w = images.shape
    size = weight.shape[2]
    count = (h // size) * (w // size)
    x = images[:, :, : h // size * size, : w // size * size].reshape(n, c, count, size * size)
    return x.transpose(1, 2).reshape(n, count, -1) @ weight.flatten(1).T + bias


@mistake(
    "Your result has one token more, of zeros, in front. A class token is not asked for here.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def class_token(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return torch.cat([torch.zeros_like(tokens[:, :1]), tokens], dim=1)


@mistake(
    "Your numbers equal what comes out when a ReLU stands at the end. Negative numbers stay.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def relu_at_the_end(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens.relu()


@mistake(
    "Your patches lie two pixels apart. How far they lie apart follows from the size of the "
    "weights.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def stride_of_two(images, weight, bias):
    return F.conv2d(images, weight, bias, stride=2).flatten(2).transpose(1, 2)


@mistake(
    "Your tokens stand in the opposite order: the patch in the lower right comes first.",
    fails={
        "patch_embedding_left_out",
        "patch_embedding_numbers",
        "patch_embedding_order",
        "patch_embedding_sums",
        "patch_embedding_together",
    },
)
def opposite_order(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    return tokens.flip(1)


@mistake(
    "The images are changed: they are all zeros after the call.",
    fails={"patch_embedding_together"},
)
def images_changed(images, weight, bias):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[2]).flatten(2).transpose(1, 2)
    images.zero_()
    return tokens


@correct
def pixels_to_channels(images, weight, bias):
    size = weight.shape[-1]
    height, width = (side // size * size for side in images.shape[-2:])
    columns = F.pixel_unshuffle(images[..., :height, :width], size).flatten(2)
    return columns.mT @ weight.reshape(len(weight), -1).T + bias


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"patch_embedding_together"},
)
def small_numbers_cut_off(images, weight, bias):
    result = strided_convolution(images, weight, bias)
    return torch.where(result.abs() < 1e-3, 0.0, result)
