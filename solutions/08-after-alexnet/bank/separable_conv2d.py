"""Task 3: a separable convolution."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake
from helpers import ops


@correct
def with_groups(x, depthwise, pointwise, stride=1, padding=0):
    x = F.conv2d(x, depthwise, None, stride, padding, 1, len(depthwise))
    return F.conv2d(x, pointwise)


@correct
def map_by_map(x, depthwise, pointwise, stride=1, padding=0):
    alone = [
        F.conv2d(x[:, c : c + 1], depthwise[c : c + 1], stride=stride, padding=padding)
        for c in range(x.shape[1])
    ]
    return F.conv2d(torch.cat(alone, dim=1), pointwise)


@correct
def pointwise_as_matrix(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.size(1))
    n, c, h, w = alone.shape
    return (pointwise.reshape(-1, c) @ alone.reshape(n, c, h * w)).reshape(n, -1, h, w)


@correct
def pointwise_with_einsum(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.size(1))
    return torch.einsum("kc,nchw->nkhw", pointwise[:, :, 0, 0], alone)


@correct
def as_linear_layer(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(F.pad(x, [padding] * 4), depthwise, stride=stride, groups=x.shape[1])
    return F.linear(alone.permute(0, 2, 3, 1), pointwise.flatten(1)).permute(0, 3, 1, 2)


@correct
def one_ordinary_convolution(x, depthwise, pointwise, stride=1, padding=0):
    # Both together are one convolution whose filters are products.
    weight = pointwise * depthwise.transpose(0, 1)
    return F.conv2d(x, weight, stride=stride, padding=padding)


@correct
def with_layers(x, depthwise, pointwise, stride=1, padding=0):
    channels, _, side, _ = depthwise.shape
    first = nn.Conv2d(channels, channels, side, stride, padding, groups=channels, bias=False)
    second = nn.Conv2d(channels, len(pointwise), 1, bias=False)
    first.weight.data, second.weight.data = depthwise, pointwise
    return second(first(x)).detach()


@correct
def with_unfold(x, depthwise, pointwise, stride=1, padding=0):
    n, c, h, _ = x.shape
    side = depthwise.shape[-1]
    rows = F.unfold(x, side, padding=padding, stride=stride).reshape(n, c, side * side, -1)
    alone = (rows * depthwise.reshape(1, c, side * side, 1)).sum(dim=2)
    height = (h + 2 * padding - side) // stride + 1
    return (pointwise[:, :, 0, 0] @ alone).reshape(n, len(pointwise), height, -1)


@correct
def with_the_courses_operator(x, depthwise, pointwise, stride=1, padding=0):
    alone = ops.conv2d(
        x.numpy(), depthwise.numpy(), stride=stride, padding=padding, groups=x.shape[1]
    )
    return torch.from_numpy(ops.conv2d(alone, pointwise.numpy()))


@correct
def loops(x, depthwise, pointwise, stride=1, padding=0):
    n, channels, height, width = x.shape
    side = depthwise.shape[2]
    padded = torch.zeros(n, channels, height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    rows = (height + 2 * padding - side) // stride + 1
    columns = (width + 2 * padding - side) // stride + 1
    alone = torch.zeros(n, channels, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + side, left : left + side]
            alone[:, :, i, j] = (window * depthwise[:, 0]).sum(dim=(2, 3))
    out = torch.zeros(n, len(pointwise), rows, columns)
    for k in range(len(pointwise)):
        for c in range(channels):
            out[:, k] += pointwise[k, c, 0, 0] * alone[:, c]
    return out


@correct
def loops_in_numpy(x, depthwise, pointwise, stride=1, padding=0):
    x, depthwise, pointwise = x.numpy(), depthwise.numpy(), pointwise.numpy()
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    side = depthwise.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    alone = np.einsum("nchwij,cij->nchw", windows, depthwise[:, 0])
    return np.tensordot(alone, pointwise[:, :, 0, 0], axes=(1, 1)).transpose(0, 3, 1, 2)


@correct
def shifted_images(x, depthwise, pointwise, stride=1, padding=0):
    side = depthwise.shape[-1]
    x = F.pad(x, (padding, padding, padding, padding))
    rows, columns = (n - side + 1 for n in x.shape[2:])
    alone = 0
    for i in range(side):
        for j in range(side):
            weight = depthwise[:, 0, i, j].reshape(1, -1, 1, 1)
            alone = alone + weight * x[:, :, i : i + rows, j : j + columns]
    alone = alone[:, :, ::stride, ::stride]
    return (pointwise[None, :, :, :, :] * alone[:, None]).sum(dim=2)


@correct
def image_by_image(x, depthwise, pointwise, stride=1, padding=0):
    found = []
    for image in x:
        maps = [
            F.conv2d(one[None], filters[None], stride=stride, padding=padding)[0]
            for one, filters in zip(image, depthwise, strict=True)
        ]
        found.append(F.conv2d(torch.stack(maps), pointwise))
    return torch.stack(found)


@correct
def zeros_between_the_filters(x, depthwise, pointwise, stride=1, padding=0):
    # A filter for each map that is 0 on all others.
    channels = len(depthwise)
    weight = torch.zeros(channels, channels, *depthwise.shape[2:])
    for c in range(channels):
        weight[c, c] = depthwise[c, 0]
    return F.conv2d(F.conv2d(x, weight, stride=stride, padding=padding), pointwise)


@mistake(
    "Your numbers equal the depthwise convolution alone, without the pointwise filters.",
    fails={"separable_conv2d_pointwise", "separable_conv2d_stride", "separable_conv2d_together"},
)
def pointwise_missing(x, depthwise, pointwise, stride=1, padding=0):
    return F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])


@mistake(
    "Your numbers equal the pointwise convolution alone, without the depthwise filters.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def depthwise_missing(x, depthwise, pointwise, stride=1, padding=0):
    return F.conv2d(F.pad(x, [padding] * 4), pointwise, stride=stride)


@mistake(
    "Your numbers equal what comes out when the first depthwise filter is used for all maps. Each "
    "map has its own.",
    fails={"separable_conv2d_depthwise", "separable_conv2d_pointwise", "separable_conv2d_together"},
)
def first_filter_for_all(x, depthwise, pointwise, stride=1, padding=0):
    same = depthwise[:1].expand(depthwise.shape)
    alone = F.conv2d(x, same, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your numbers equal what comes out when each depthwise filter adds up all maps. It sees one "
    "map only.",
    fails={"separable_conv2d_depthwise", "separable_conv2d_pointwise", "separable_conv2d_together"},
)
def depthwise_sees_all_maps(x, depthwise, pointwise, stride=1, padding=0):
    weight = depthwise.expand(-1, x.shape[1], -1, -1)
    return F.conv2d(F.conv2d(x, weight, stride=stride, padding=padding), pointwise)


@mistake(
    "Your numbers equal what comes out when the depthwise filters stand in the opposite order: "
    "the last one for the first map.",
    fails={"separable_conv2d_depthwise", "separable_conv2d_pointwise", "separable_conv2d_together"},
)
def filters_in_opposite_order(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise.flip(0), stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your numbers equal what comes out when the depthwise filters are turned by half a turn. "
    "PyTorch's convolution does not turn them.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def filters_turned(x, depthwise, pointwise, stride=1, padding=0):
    turned = depthwise.flip(2, 3)
    alone = F.conv2d(x, turned, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your numbers equal what comes out when rows and columns of the depthwise filters are "
    "exchanged.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def filters_transposed(x, depthwise, pointwise, stride=1, padding=0):
    turned = depthwise.transpose(2, 3)
    alone = F.conv2d(x, turned, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your numbers equal what comes out when a ReLU stands between the two convolutions. Nothing "
    "stands there.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def relu_between(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone.relu(), pointwise)


@mistake(
    "Your numbers equal what comes out when a ReLU stands at the end. Negative numbers stay.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def relu_at_the_end(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise).relu()


@mistake(
    "Your maps equal what comes out when the stride is used twice, for the pointwise convolution "
    "as well.",
    fails={"separable_conv2d_stride", "separable_conv2d_together"},
)
def stride_twice(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise, stride=stride)


@mistake(
    "Your maps equal what comes out with stride 1.",
    fails={"separable_conv2d_stride", "separable_conv2d_together"},
)
def stride_forgotten(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your maps equal what comes out without padding.",
    fails={"separable_conv2d_padding", "separable_conv2d_together"},
)
def padding_forgotten(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your maps equal what comes out when the padding is added twice, for the pointwise "
    "convolution as well.",
    fails={"separable_conv2d_padding", "separable_conv2d_together"},
)
def padding_twice(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise, padding=padding)


@mistake(
    "Your maps equal what comes out when the padding is added after the depthwise convolution "
    "instead of before it.",
    fails={"separable_conv2d_padding", "separable_conv2d_together"},
)
def padding_afterwards(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, groups=x.shape[1])
    return F.conv2d(alone, pointwise, padding=padding)


@mistake(
    "Your maps equal what comes out when the padding repeats the pixels at the edge. It is zeros.",
    fails={"separable_conv2d_padding", "separable_conv2d_together"},
)
def edge_repeated(x, depthwise, pointwise, stride=1, padding=0):
    x = F.pad(x, [padding] * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, depthwise, stride=stride, groups=x.shape[1]), pointwise)


@mistake(
    "Your maps equal what comes out with a padding that keeps their size.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def always_the_same_size(x, depthwise, pointwise, stride=1, padding=0):
    side = depthwise.shape[-1]
    alone = F.conv2d(x, depthwise, stride=stride, padding=side // 2, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your maps equal what comes out when stride and padding are exchanged.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def stride_and_padding_exchanged(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, None, padding, stride, 1, x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your numbers equal what comes out when rows and columns of the pointwise weights are "
    "exchanged: a filter takes the weights of a map.",
    fails={"separable_conv2d_pointwise", "separable_conv2d_stride", "separable_conv2d_together"},
    undiagnosed="PyTorch stops with an error, unless as many maps come out as go in",
)
def pointwise_transposed(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise.transpose(0, 1))


@mistake(
    "Your numbers equal what comes out when the pointwise weights are only reshaped, from (K, C) "
    "to (C, K). That exchanges no axes: the weights of one filter come from several.",
    fails={"separable_conv2d_pointwise", "separable_conv2d_together"},
)
def pointwise_reshaped(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    weights = pointwise.reshape(x.shape[1], len(pointwise))
    return torch.einsum("nchw,ck->nkhw", alone, weights)


@mistake(
    "Your numbers equal the mean over the maps where their sum is asked for.",
    fails={"separable_conv2d_depthwise", "separable_conv2d_pointwise", "separable_conv2d_together"},
)
def mean_of_the_maps(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise) / x.shape[1]


@mistake(
    "All your maps equal the first one: only the first pointwise filter is used.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def first_pointwise_filter(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise[:1].expand(pointwise.shape))


@mistake(
    "Your numbers equal what comes out when the order is turned round: pointwise first, with "
    "depthwise filters on what it gives.",
    fails={"separable_conv2d_pointwise", "separable_conv2d_stride", "separable_conv2d_together"},
    undiagnosed="PyTorch stops with an error, unless as many maps come out as go in",
)
def pointwise_first(x, depthwise, pointwise, stride=1, padding=0):
    mixed = F.conv2d(x, pointwise)
    return F.conv2d(mixed, depthwise, stride=stride, padding=padding, groups=x.shape[1])


@mistake(
    "Only the first image is in your result.",
    fails={"separable_conv2d_together"},
)
def first_image_only(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x[:1], depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "The axis of the images is lost where there is one image.",
    fails={
        "separable_conv2d_depthwise",
        "separable_conv2d_padding",
        "separable_conv2d_pointwise",
        "separable_conv2d_stride",
        "separable_conv2d_together",
    },
)
def image_axis_lost(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise).squeeze(0)


@mistake(
    "Your stride moves the filters from row to row only; from column to column they move by 1.",
    fails={"separable_conv2d_stride", "separable_conv2d_together"},
)
def stride_for_rows_only(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=(stride, 1), padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "Your maps equal what comes out when the filters are made wider by the stride, as dilation "
    "does, instead of moved by it.",
    fails={"separable_conv2d_stride", "separable_conv2d_together"},
)
def dilation_for_stride(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, dilation=stride, padding=padding, groups=x.shape[1])
    return F.conv2d(alone, pointwise)


@mistake(
    "The input is changed: it is all zeros after the call.",
    fails={"separable_conv2d_together"},
)
def input_changed(x, depthwise, pointwise, stride=1, padding=0):
    alone = F.conv2d(x, depthwise, stride=stride, padding=padding, groups=x.shape[1])
    x.zero_()
    return F.conv2d(alone, pointwise)


@correct
def windows_as_strided(x, depthwise, pointwise, stride=1, padding=0):
    x = F.pad(x, (padding,) * 4).contiguous()
    n, c, height, width = x.shape
    f = depthwise.shape[-1]
    a, b, i, j = x.stride()
    places = (height - f) // stride + 1, (width - f) // stride + 1
    windows = x.as_strided((n, c, *places, f, f), (a, b, i * stride, j * stride, i, j))
    return torch.einsum("nchwij,cij,kc->nkhw", windows, depthwise[:, 0], pointwise[:, :, 0, 0])


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"separable_conv2d_together"},
)
def small_numbers_cut_off(x, depthwise, pointwise, stride=1, padding=0):
    result = with_groups(x, depthwise, pointwise, stride, padding)
    return torch.where(result.abs() < 1e-4, 0.0, result)
