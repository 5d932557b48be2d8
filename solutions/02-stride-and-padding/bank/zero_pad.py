"""Task 3: put zeros around an image."""

import collections

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


def rows_and_columns(padding):
    return tuple(padding) if isinstance(padding, tuple | list) else (padding, padding)


def around(image, top, bottom, left, right, mode="constant"):
    before_axes = [(0, 0)] * (image.ndim - 2)
    return np.pad(image, [*before_axes, (top, bottom), (left, right)], mode=mode)


# Mistakes: where, and how much.


@mistake(
    "Your result has zeros only below and on the right. Padding stands on each side.",
    fails={"zero_pad_shape", "zero_pad_place", "zero_pad_pair", "zero_pad_together"},
)
def after_only(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, 0, rows, 0, columns)


@mistake(
    "Your result has zeros only above and on the left. Padding stands on each side.",
    fails={"zero_pad_shape", "zero_pad_together"},
)
def before_only(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    result = np.zeros((*image.shape[:-2], height + rows, width + columns), dtype=image.dtype)
    result[..., rows:, columns:] = image
    return result


@mistake(
    "The size is right, but the image stands in the top left corner: all zeros are below it and "
    "on its right.",
    fails={"zero_pad_place", "zero_pad_pair", "zero_pad_together"},
)
def all_zeros_behind(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    shape = (*image.shape[:-2], height + 2 * rows, width + 2 * columns)
    result = np.zeros(shape, dtype=image.dtype)
    result[..., :height, :width] = image
    return result


@mistake(
    "Your result has twice as many zeros on each side. The padding counts for one side already.",
    fails={"zero_pad_shape", "zero_pad_place", "zero_pad_pair", "zero_pad_together"},
)
def twice_on_each_side(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, 2 * rows, 2 * rows, 2 * columns, 2 * columns)


@mistake(
    "Your border is one pixel wide, and not as wide as the padding says.",
    fails={
        "zero_pad_shape",
        "zero_pad_place",
        "zero_pad_pair",
        "zero_pad_new",
        "zero_pad_together",
    },
)
def always_one(image, padding):
    return around(image, 1, 1, 1, 1)


@mistake(
    "Your result has zeros above and below, but none on the left and on the right.",
    fails={
        "zero_pad_shape",
        "zero_pad_place",
        "zero_pad_pair",
        "zero_pad_channels",
        "zero_pad_together",
    },
)
def rows_only(image, padding):
    rows, _ = rows_and_columns(padding)
    return around(image, rows, rows, 0, 0)


@mistake(
    "Your result has zeros on the left and on the right, but none above and below.",
    fails={
        "zero_pad_shape",
        "zero_pad_place",
        "zero_pad_pair",
        "zero_pad_channels",
        "zero_pad_together",
    },
)
def columns_only(image, padding):
    _, columns = rows_and_columns(padding)
    return around(image, 0, 0, columns, columns)


@mistake(
    "Your result has the size of the image, with zeros in the place of its edge. Padding adds "
    "new rows and columns around it.",
    fails={
        "zero_pad_shape",
        "zero_pad_place",
        "zero_pad_zeros",
        "zero_pad_pair",
        "zero_pad_channels",
        "zero_pad_together",
    },
)
def edge_overwritten(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    result = image.copy()
    result[..., :rows, :] = 0
    result[..., height - rows :, :] = 0
    result[..., :, :columns] = 0
    result[..., :, width - columns :] = 0
    return result


# Mistakes: what stands in the border.


@mistake(
    "Your border repeats the edge of the image. Asked for are zeros.",
    fails={"zero_pad_zeros", "zero_pad_together"},
)
def edge_repeated(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns, mode="edge")


@mistake(
    "Your border mirrors the image, without its edge. Asked for are zeros.",
    fails={"zero_pad_zeros", "zero_pad_together"},
)
def mirrored(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns, mode="reflect")


@mistake(
    "Your border continues with the other end of the image. Asked for are zeros.",
    fails={"zero_pad_zeros", "zero_pad_together"},
)
def wrapped(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns, mode="wrap")


@mistake(
    "Your border holds ones. Asked for are zeros.",
    fails={"zero_pad_zeros", "zero_pad_together"},
)
def ones_around(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    shape = (*image.shape[:-2], height + 2 * rows, width + 2 * columns)
    result = np.ones(shape, dtype=image.dtype)
    result[..., rows : rows + height, columns : columns + width] = image
    return result


@mistake(
    "The last row and the last column of the image are missing from your result: zeros stand "
    "in their place.",
    fails={
        "zero_pad_place",
        "zero_pad_zeros",
        "zero_pad_pair",
        "zero_pad_new",
        "zero_pad_together",
    },
)
def last_row_and_column_lost(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    shape = (*image.shape[:-2], height + 2 * rows, width + 2 * columns)
    result = np.zeros(shape, dtype=image.dtype)
    for i in range(height - 1):
        for j in range(width - 1):
            result[..., rows + i, columns + j] = image[..., i, j]
    return result


# Mistakes: pairs.


@mistake(
    "The two numbers of the pair are swapped: the first one is for the rows, at the top and "
    "bottom.",
    fails={"zero_pad_pair", "zero_pad_together"},
)
def pair_swapped(image, padding):
    columns, rows = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns)


@mistake(
    "Your result uses one number of the pair for rows and columns alike. The first is for the "
    "rows, the second for the columns.",
    fails={"zero_pad_pair", "zero_pad_together"},
)
def first_of_the_pair(image, padding):
    amount, _ = rows_and_columns(padding)
    return around(image, amount, amount, amount, amount)


@mistake(
    "Your result uses one number of the pair for rows and columns alike. The first is for the "
    "rows, the second for the columns.",
    fails={"zero_pad_pair", "zero_pad_together"},
)
def larger_of_the_pair(image, padding):
    amount = max(rows_and_columns(padding))
    return around(image, amount, amount, amount, amount)


@mistake(
    "Your pair is read as (before, after), as np.pad does it. Here it says (rows, columns), and "
    "both stand on each side.",
    fails={"zero_pad_pair", "zero_pad_together"},
)
def pair_as_before_and_after(image, padding):
    before, after = rows_and_columns(padding)
    return around(image, before, after, before, after)


@mistake(
    "Your function takes one number only. The padding can be a pair (rows, columns) too.",
    fails={"zero_pad_pair", "zero_pad_together"},
    undiagnosed="with a pair it stops with an error, and there are no numbers to tell it by",
)
def no_pairs(image, padding):
    height, width = image.shape[-2] + 2 * padding, image.shape[-1] + 2 * padding
    result = np.zeros((*image.shape[:-2], height, width), dtype=image.dtype)
    end = (padding + image.shape[-2], padding + image.shape[-1])
    result[..., padding : end[0], padding : end[1]] = image
    return result


# Mistakes: channels.


@mistake(
    "Your result has new channels of zeros in front and behind. A single number given to np.pad "
    "pads every axis; channels are not to be padded.",
    fails={"zero_pad_channels", "zero_pad_together"},
)
def channels_padded(image, padding):
    rows, columns = rows_and_columns(padding)
    if image.ndim == 3:
        return np.pad(image, [(rows, rows), (rows, rows), (columns, columns)])
    return np.pad(image, [(rows, rows), (columns, columns)])


@mistake(
    "You treat the last axis as the channels. Here they come first: (C, H, W).",
    fails={"zero_pad_channels", "zero_pad_together"},
)
def channels_last(image, padding):
    rows, columns = rows_and_columns(padding)
    if image.ndim == 3:
        return np.pad(image, [(rows, rows), (columns, columns), (0, 0)])
    return np.pad(image, [(rows, rows), (columns, columns)])


@mistake(
    "All channels of your result hold the first channel.",
    fails={"zero_pad_channels", "zero_pad_together"},
)
def first_channel_everywhere(image, padding):
    rows, columns = rows_and_columns(padding)
    if image.ndim == 2:
        return around(image, rows, rows, columns, columns)
    return np.stack([around(image[0], rows, rows, columns, columns) for _ in image])


@mistake(
    "Only the first channel is in your result. All of them get zeros around, and keep their order.",
    fails={"zero_pad_channels", "zero_pad_together"},
)
def returns_the_first_channel(image, padding):
    rows, columns = rows_and_columns(padding)
    if image.ndim == 2:
        return around(image, rows, rows, columns, columns)
    for channel in image:
        return around(channel, rows, rows, columns, columns)[None]


@mistake(
    "Your channels are summed up to one image. Each of them is padded on its own.",
    fails={"zero_pad_channels", "zero_pad_together"},
)
def channels_summed(image, padding):
    rows, columns = rows_and_columns(padding)
    if image.ndim == 3:
        image = image.sum(axis=0)
    return around(image, rows, rows, columns, columns)


@mistake(
    "Your function takes images of two axes only. An image can have channels in front.",
    fails={"zero_pad_channels", "zero_pad_together"},
    undiagnosed="with three axes it stops with an error, and there are no numbers to tell it by",
)
def two_axes_only(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape
    result = np.zeros((height + 2 * rows, width + 2 * columns), dtype=image.dtype)
    result[rows : rows + height, columns : columns + width] = image
    return result


# Mistakes: type and memory.


@mistake(
    "Your result holds whole numbers only, so fractions of the image are cut off.",
    fails={"zero_pad_dtype", "zero_pad_together"},
)
def integer_result(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns).astype(int)


@mistake(
    "Your result is float64. The dtype of the image is to be kept: bytes become eight times "
    "as large in float64.",
    fails={"zero_pad_dtype", "zero_pad_together"},
)
def always_float64(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    result = np.zeros((*image.shape[:-2], height + 2 * rows, width + 2 * columns))
    result[..., rows : rows + height, columns : columns + width] = image
    return result


@mistake(
    "Your result is float32, as PyTorch likes it. The dtype of the image is to be kept.",
    fails={"zero_pad_dtype", "zero_pad_together"},
)
def always_float32(image, padding):
    rows, columns = rows_and_columns(padding)
    return around(image, rows, rows, columns, columns).astype(np.float32)


@mistake(
    "With padding 0 you return the image that went in, and no new array.",
    fails={"zero_pad_new"},
)
def same_array_for_zero(image, padding):
    rows, columns = rows_and_columns(padding)
    if rows == columns == 0:
        return image
    return around(image, rows, rows, columns, columns)


@mistake(
    "The image that went in has lost its numbers. Whoever called the function still needs them.",
    fails={"zero_pad_new"},
)
def image_emptied(image, padding):
    rows, columns = rows_and_columns(padding)
    result = around(image, rows, rows, columns, columns)
    image *= 0
    return result


@mistake(
    "With padding 0 your slice from 0 to −0 is empty: −0 is 0, the beginning and not the end.",
    fails={"zero_pad_new", "zero_pad_together"},
    undiagnosed="it stops with an error, and there are no numbers to tell it by",
)
def slice_to_minus_zero(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    shape = (*image.shape[:-2], height + 2 * rows, width + 2 * columns)
    result = np.zeros(shape, dtype=image.dtype)
    result[..., rows:-rows, columns:-columns] = image
    return result


# Right in other ways.


@correct
def with_np_pad(image, padding):
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    widths = [(0, 0)] * image.ndim
    widths[-2], widths[-1] = (rows, rows), (columns, columns)
    return np.pad(image, widths, mode="constant", constant_values=0)


@correct
def with_plain_loops(img, p):
    if np.isscalar(p):
        p = (p, p)
    if img.ndim == 3:
        return np.array([with_plain_loops(channel, p) for channel in img], dtype=img.dtype)
    height, width = img.shape
    out = np.zeros((height + p[0] * 2, width + p[1] * 2), dtype=img.dtype)
    for y in range(height):
        for x in range(width):
            out[y + p[0], x + p[1]] = img[y, x]
    return out


@correct
def by_concatenating(image, padding):
    rows, columns = rows_and_columns(padding)
    side = np.zeros((*image.shape[:-1], columns), dtype=image.dtype)
    wide = np.concatenate([side, image, side], axis=-1)
    band = np.zeros((*wide.shape[:-2], rows, wide.shape[-1]), dtype=image.dtype)
    return np.concatenate([band, wide, band], axis=-2)


@correct
def with_torch(image, padding):
    rows, columns = rows_and_columns(padding)
    padded = torch.nn.functional.pad(torch.from_numpy(image), (columns, columns, rows, rows))
    return padded.clone().numpy()


@correct
def as_a_tensor(image, padding):
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    tensor = torch.tensor(image)
    result = tensor.new_zeros(*image.shape[:-2], height + 2 * rows, width + 2 * columns)
    result[..., rows : rows + height, columns : columns + width] = tensor
    return result


@correct
def ring_by_ring(image, padding):
    rows, columns = rows_and_columns(padding)
    if rows:
        image = ring_by_ring(np.pad(image, [(0, 0)] * (image.ndim - 2) + [(1, 1), (0, 0)]), (0, 0))
        return ring_by_ring(image, (rows - 1, columns))
    if columns:
        image = np.pad(image, [(0, 0)] * (image.ndim - 1) + [(1, 1)])
        return ring_by_ring(image, (0, columns - 1))
    return image.copy()


@correct
def always_three_axes(image, padding):
    rows, columns = rows_and_columns(padding)
    stack = image[np.newaxis] if image.ndim == 2 else image
    channels, height, width = stack.shape
    padded = np.zeros((channels, height + 2 * rows, width + 2 * columns)).astype(image.dtype)
    padded[:, rows : height + rows, columns : width + columns] = stack
    return padded[0] if image.ndim == 2 else padded


@correct
def with_matrices(image, padding):
    """A product from the left puts rows around the image, one from the right puts columns."""
    rows, columns = rows_and_columns(padding)
    height, width = image.shape[-2:]
    down = np.eye(height + 2 * rows, height, -rows, dtype=image.dtype)
    across = np.eye(width, width + 2 * columns, columns, dtype=image.dtype)
    return down @ image @ across


@correct
def with_a_layer(image, padding):
    rows, columns = rows_and_columns(padding)
    layer = torch.nn.ZeroPad2d((columns, columns, rows, rows))
    return layer(torch.tensor(image[None]))[0]


@correct
def with_lists(image, padding):
    """Plain Python lists, and an array of the right type at the end."""
    rows, columns = rows_and_columns(padding)

    def padded(picture):
        if isinstance(picture[0][0], list):
            return [padded(channel) for channel in picture]
        wide = [[0] * columns + row + [0] * columns for row in picture]
        border = [[0] * len(wide[0])] * rows
        return [*border, *wide, *border]

    return np.asarray(padded(image.tolist()), dtype=image.dtype)


@correct
def with_a_mask(image, padding):
    """The places inside the border are filled row by row."""
    rows, columns = rows_and_columns(padding)
    inside = np.zeros((image.shape[-2] + 2 * rows, image.shape[-1] + 2 * columns), dtype=bool)
    inside[rows : len(inside) - rows, columns : inside.shape[1] - columns] = True
    result = np.zeros_like(image, shape=image.shape[:-2] + inside.shape)
    result[..., inside] = image.reshape(*image.shape[:-2], -1)
    return result


Padding = collections.namedtuple("Padding", ["rows", "columns"])


@correct
def axis_by_axis(image, padding):
    """One axis after the other is brought to the front."""
    pair = Padding(*rows_and_columns(padding))
    for axis, count in ((-2, pair.rows), (-1, pair.columns)):
        front = np.moveaxis(image, axis, 0)
        zeros = np.zeros((count, *front.shape[1:]), dtype=image.dtype)
        image = np.moveaxis(np.concatenate((zeros, front, zeros)), 0, axis)
    return image


@correct
def with_positions(image, padding):
    """Where each number stands when the result is one long line."""
    rows, columns = np.broadcast_to(padding, 2)
    shape = np.array(image.shape)
    shape[-2:] += [2 * rows, 2 * columns]
    at = np.indices(image.shape).reshape(image.ndim, -1)
    at[-2:] += [[rows], [columns]]
    flat = np.zeros(shape.prod(), dtype=image.dtype)
    flat[np.ravel_multi_index(at, shape)] = image.ravel()
    return flat.reshape(shape)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"zero_pad_together"},
)
def one_array_for_all_calls(image, padding, kept={}):  # noqa: B006
    made = with_np_pad(image, padding)
    result = kept.setdefault((made.shape, made.dtype), made)
    result[:] = made
    return result


@mistake(
    "The numbers of your image are taken in the order in which memory has them. In a transposed "
    "image that is not the order of its rows.",
    fails={"zero_pad_together"},
)
def numbers_as_in_memory(image, padding):
    return with_np_pad(image.ravel(order="K").reshape(image.shape), padding)


@mistake(
    "Your result is float64 where the padding is 0. The dtype of the image is to be kept "
    "there, too.",
    fails={"zero_pad_together"},
)
def another_type_without_padding(image, padding):
    padded = with_np_pad(image, padding)
    return padded if np.any(padding) else padded.astype(np.float64)


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"zero_pad_together"},
)
def small_numbers_cut_off(image, padding):
    is_small = np.abs(image.astype(float)) < 1e-3
    return with_np_pad(np.where(is_small, np.zeros_like(image), image), padding)
