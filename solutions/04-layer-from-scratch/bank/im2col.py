"""Task 1: windows as columns, with stride and padding."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from grader.authoring.bank import correct, mistake


def sizes(padded, kernel_size, stride):
    return [(padded.shape[axis + 2] - kernel_size[axis]) // stride + 1 for axis in range(2)]


def zeros_around(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def from_padded(padded, kernel_size, stride):
    windows = sliding_window_view(padded, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    n, channels, out_height, out_width, kernel_height, kernel_width = windows.shape
    rows = channels * kernel_height * kernel_width
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, rows, out_height * out_width)


@mistake(
    "Your matrices are transposed: each window has become a row. Asked for is one window in each "
    "column.",
    fails={"im2col_order", "im2col_channels", "im2col_together"},
)
def windows_as_rows(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x, padding), kernel_size, stride).transpose(0, 2, 1)


@mistake(
    "The numbers inside a window are counted column by column. Asked for is the order of reading, "
    "row by row.",
    fails={"im2col_order", "im2col_together"},
)
def window_read_down(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    cuts = []
    for j in range(kernel_size[1]):
        for i in range(kernel_size[0]):
            cut = padded[:, :, i : i + stride * out_height, j : j + stride * out_width]
            cuts.append(cut[:, :, ::stride, ::stride])
    return np.stack(cuts, axis=2).reshape(len(x), -1, out_height * out_width)


@mistake(
    "The windows are counted from top to bottom first. Asked for is row by row: the second column "
    "belongs to the window one step to the right.",
    fails={"im2col_order", "im2col_together"},
)
def places_counted_down(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    columns = []
    for column in range(out_width):
        for row in range(out_height):
            top, left = row * stride, column * stride
            window = padded[:, :, top : top + kernel_size[0], left : left + kernel_size[1]]
            columns.append(window.reshape(len(x), -1))
    return np.stack(columns, axis=2)


@mistake(
    "The numbers of every window stand in reverse order, from bottom right to top left. They are "
    "counted from top left.",
    fails={"im2col_order", "im2col_together"},
)
def window_read_backwards(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    cuts = []
    for i in reversed(range(kernel_size[0])):
        for j in reversed(range(kernel_size[1])):
            cut = padded[:, :, i : i + stride * out_height, j : j + stride * out_width]
            cuts.append(cut[:, :, ::stride, ::stride])
    return np.stack(cuts, axis=2).reshape(len(x), -1, out_height * out_width)


@mistake(
    "Your windows have the height and the width of `kernel_size` swapped. The first of the two "
    "numbers is the height.",
    fails={"im2col_order", "im2col_together"},
)
def kernel_size_swapped(x, kernel_size, stride=1, padding=0):
    kernel_width, kernel_height = kernel_size
    return from_padded(zeros_around(x, padding), (kernel_height, kernel_width), stride)


@mistake(
    "Your windows are always square: the first number of `kernel_size` is used for the width too.",
    fails={"im2col_order", "im2col_together"},
)
def always_square(x, kernel_size, stride=1, padding=0):
    size = kernel_size[0]
    return from_padded(zeros_around(x, padding), (size, size), stride)


@mistake(
    "Your matrix has the right shape, but the numbers stand in it in the order of the places. "
    "A reshape alone does not bring an axis to another position.",
    fails={"im2col_order", "im2col_together"},
)
def reshape_without_transpose(x, kernel_size, stride=1, padding=0):
    windows = sliding_window_view(zeros_around(x, padding), kernel_size, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    rows = x.shape[1] * kernel_size[0] * kernel_size[1]
    return windows.reshape(len(x), rows, -1)


@mistake(
    "The channels are mixed: for each position in the window the numbers of all channels follow "
    "each other. Asked for is the whole window of channel 0 first.",
    fails={"im2col_channels", "im2col_together"},
)
def channels_interleaved(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    cuts = []
    for i in range(kernel_size[0]):
        for j in range(kernel_size[1]):
            cut = padded[:, :, i : i + stride * out_height, j : j + stride * out_width]
            cuts.append(cut[:, :, ::stride, ::stride])
    return np.stack(cuts, axis=1).reshape(len(x), -1, out_height * out_width)


@mistake(
    "Only channel 0 is in your matrix. A window reaches through all channels.",
    fails={"im2col_channels", "im2col_together"},
)
def first_channel_only(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x[:, :1], padding), kernel_size, stride)


@mistake(
    "The channels are added up, so that each window has the numbers of one channel only. `im2col` "
    "copies numbers and adds nothing.",
    fails={"im2col_channels", "im2col_together"},
)
def channels_summed(x, kernel_size, stride=1, padding=0):
    summed = x.sum(axis=1, keepdims=True)
    return from_padded(zeros_around(summed, padding), kernel_size, stride)


@mistake(
    "All images have the columns of the first one. Each image needs a matrix of its own.",
    fails={"im2col_channels", "im2col_together"},
)
def first_image_for_all(x, kernel_size, stride=1, padding=0):
    columns = from_padded(zeros_around(x[:1], padding), kernel_size, stride)
    return np.repeat(columns, len(x), axis=0)


@mistake(
    "The columns of all images stand side by side in one matrix. Asked for is a matrix for each "
    "image, along the first axis.",
    fails={"im2col_order", "im2col_channels", "im2col_together"},
)
def one_matrix_for_all_images(x, kernel_size, stride=1, padding=0):
    return np.concatenate(from_padded(zeros_around(x, padding), kernel_size, stride), axis=1)


@mistake(
    "The matrices are in the reverse order of the images.",
    fails={"im2col_channels", "im2col_together"},
)
def batch_reversed(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x, padding), kernel_size, stride)[::-1]


@mistake(
    "The number of columns fits the stride, but the windows still move one pixel at a time: they "
    "all come from the top left part of the image.",
    fails={"im2col_stride", "im2col_together"},
)
def stride_in_size_only(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    cuts = []
    for i in range(kernel_size[0]):
        for j in range(kernel_size[1]):
            cuts.append(padded[:, :, i : i + out_height, j : j + out_width])
    return np.stack(cuts, axis=2).reshape(len(x), -1, out_height * out_width)


@mistake(
    "You get all windows, as with stride 1: the stride is not used.",
    fails={"im2col_stride", "im2col_together"},
)
def stride_ignored(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x, padding), kernel_size, 1)


@mistake(
    "The stride is used downwards only; to the right your windows still move one pixel at a time.",
    fails={"im2col_stride", "im2col_together"},
)
def stride_of_rows_only(x, kernel_size, stride=1, padding=0):
    windows = sliding_window_view(zeros_around(x, padding), kernel_size, axis=(2, 3))
    windows = windows[:, :, ::stride].transpose(0, 1, 4, 5, 2, 3)
    return windows.reshape(len(x), windows[0, :, :, :, 0, 0].size, -1)


@mistake(
    "The stride is used inside the window: neighbours in your columns lie a stride apart in the "
    "image. Only the window as a whole moves by the stride.",
    fails={"im2col_stride", "im2col_together"},
)
def stride_inside_the_window(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    columns = []
    for row in range(out_height):
        for column in range(out_width):
            rows = (row + stride * np.arange(kernel_size[0])) % padded.shape[2]
            places = (column + stride * np.arange(kernel_size[1])) % padded.shape[3]
            window = padded[:, :, rows][:, :, :, places]
            columns.append(window.reshape(len(x), -1))
    return np.stack(columns, axis=2)


@mistake(
    "The number of places is rounded up, so your last windows reach beyond the image. What is "
    "left over beside the last window that fits is dropped.",
    fails={"im2col_stride", "im2col_together"},
)
def size_rounded_up(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    height, width = padded.shape[2:]
    out_height = int(np.ceil((height - kernel_size[0]) / stride)) + 1
    out_width = int(np.ceil((width - kernel_size[1]) / stride)) + 1
    padded = np.pad(padded, ((0, 0), (0, 0), (0, stride), (0, stride)))
    windows = from_padded(padded, kernel_size, stride)
    windows = windows.reshape(*windows.shape[:2], *sizes(padded, kernel_size, stride))
    return windows[..., :out_height, :out_width].reshape(*windows.shape[:2], -1)


@mistake(
    "The last row and the last column of places are missing: between the first and the last place "
    "lie that many steps, and one more place than steps.",
    fails={"im2col_order", "im2col_stride", "im2col_padding", "im2col_together"},
)
def places_off_by_one(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height = (padded.shape[2] - kernel_size[0]) // stride
    out_width = (padded.shape[3] - kernel_size[1]) // stride
    rows = x.shape[1] * kernel_size[0] * kernel_size[1]
    columns = np.zeros((len(x), rows, out_height * out_width))
    place = 0
    for row in range(out_height):
        for column in range(out_width):
            top, left = row * stride, column * stride
            window = padded[:, :, top : top + kernel_size[0], left : left + kernel_size[1]]
            columns[:, :, place] = window.reshape(len(x), -1)
            place += 1
    return columns


@mistake(
    "With stride and padding together there are too many places. The border makes the image larger "
    "before the window takes its steps, so the stride counts for it too.",
    fails={"im2col_stride", "im2col_together"},
    undiagnosed="the last windows lie outside the image, so NumPy stops with an error",
)
def padding_outside_the_division(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = (size + 2 * padding for size in sizes(x, kernel_size, stride))
    rows = x.shape[1] * kernel_size[0] * kernel_size[1]
    columns = np.zeros((len(x), rows, out_height * out_width))
    for row in range(out_height):
        for column in range(out_width):
            top, left = row * stride, column * stride
            window = padded[:, :, top : top + kernel_size[0], left : left + kernel_size[1]]
            columns[:, :, row * out_width + column] = window.reshape(len(x), -1)
    return columns


@mistake(
    "There is no padding in your columns: the windows begin at the first pixel of the image.",
    fails={"im2col_padding", "im2col_together"},
)
def padding_ignored(x, kernel_size, stride=1, padding=0):
    return from_padded(x, kernel_size, stride)


@mistake(
    "The zeros stand only above and to the left of the image. Padding goes on all four sides.",
    fails={"im2col_padding", "im2col_together"},
)
def padding_on_one_side(x, kernel_size, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    return from_padded(padded, kernel_size, stride)


@mistake(
    "The zeros stand only to the left and right, or above and below. Padding goes on all four "
    "sides.",
    fails={"im2col_padding", "im2col_together"},
)
def padding_of_columns_only(x, kernel_size, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)))
    return from_padded(padded, kernel_size, stride)


@mistake(
    "The border repeats the pixels of the edge. Asked for are zeros.",
    fails={"im2col_padding", "im2col_together"},
)
def edge_padding(x, kernel_size, stride=1, padding=0):
    sides = (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="edge")
    return from_padded(padded, kernel_size, stride)


@mistake(
    "All four axes are padded, so there are new images and new channels full of zeros. Only "
    "height and width get a border.",
    fails={"im2col_stride", "im2col_padding", "im2col_together"},
)
def padding_on_every_axis(x, kernel_size, stride=1, padding=0):
    return from_padded(np.pad(x, padding), kernel_size, stride)


@mistake(
    "Your result holds whole numbers only: 0.5 became 0. The matrix must be able to hold what is "
    "in the image.",
    fails={"im2col_order", "im2col_together"},
)
def fractions_lost(x, kernel_size, stride=1, padding=0):
    columns = from_padded(zeros_around(x, padding), kernel_size, stride)
    result = np.zeros(columns.shape, dtype=int)
    for i in range(len(result)):
        result[i] = columns[i]
    return result


@correct
def with_cuts(images, size, stride=1, padding=0):
    padded = zeros_around(images, padding)
    out_height, out_width = sizes(padded, size, stride)
    columns = np.empty((*images.shape[:2], *size, out_height, out_width), dtype=images.dtype)
    for i in range(size[0]):
        last_row = i + stride * (out_height - 1) + 1
        for j in range(size[1]):
            last_column = j + stride * (out_width - 1) + 1
            columns[:, :, i, j] = padded[:, :, i:last_row:stride, j:last_column:stride]
    return columns.reshape(len(images), -1, out_height * out_width)


@correct
def with_windows_view(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x, padding), kernel_size, stride)


@correct
def with_unfold(x, kernel_size, stride=1, padding=0):
    tensor = torch.tensor(x, dtype=torch.float64)
    return F.unfold(tensor, kernel_size, padding=padding, stride=stride).numpy()


@correct
def window_by_window(x, kernel_size, stride=1, padding=0):
    n, channels, height, width = x.shape
    kernel_height, kernel_width = kernel_size
    padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = x
    matrices = []
    for image in padded:
        columns = []
        for top in range(0, padded.shape[2] - kernel_height + 1, stride):
            for left in range(0, padded.shape[3] - kernel_width + 1, stride):
                window = image[:, top : top + kernel_height, left : left + kernel_width]
                columns.append(window.flatten())
        matrices.append(np.array(columns).T)
    return np.array(matrices)


@correct
def number_by_number(x, kernel_size, stride=1, padding=0):
    n, channels, height, width = x.shape
    kh, kw = kernel_size
    out_h, out_w = (
        (height + 2 * padding - kh) // stride + 1,
        (width + 2 * padding - kw) // stride + 1,
    )
    result = np.zeros((n, channels * kh * kw, out_h * out_w), dtype=x.dtype)
    for image, row, place in np.ndindex(result.shape):
        channel, position = divmod(row, kh * kw)
        i = place // out_w * stride + position // kw - padding
        j = place % out_w * stride + position % kw - padding
        if 0 <= i < height and 0 <= j < width:
            result[image, row, place] = x[image, channel, i, j]
    return result


@correct
def with_index_arrays(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    out_height, out_width = sizes(padded, kernel_size, stride)
    channel, a, b = np.indices((x.shape[1], *kernel_size)).reshape(3, -1, 1)
    row, column = np.indices((out_height, out_width)).reshape(2, 1, -1) * stride
    return padded[:, channel, row + a, column + b]


@mistake(
    "With stride and padding together your windows begin at the wrong pixels, as where the "
    "border is counted in steps of the stride. It is `padding` pixels wide, whatever the "
    "stride.",
    fails={"im2col_together"},
)
def border_times_stride(x, kernel_size, stride=1, padding=0):
    n, channels, height, width = x.shape
    kernel_height, kernel_width = kernel_size
    out_height = (height + 2 * padding - kernel_height) // stride + 1
    out_width = (width + 2 * padding - kernel_width) // stride + 1
    columns = np.zeros((n, channels * kernel_height * kernel_width, out_height * out_width))
    for image, row, place in np.ndindex(columns.shape):
        channel, position = divmod(row, kernel_height * kernel_width)
        i, j = divmod(place, out_width)
        a, b = divmod(position, kernel_width)
        y, z = (i - padding) * stride + a, (j - padding) * stride + b
        if 0 <= y < height and 0 <= z < width:
            columns[image, row, place] = x[image, channel, y, z]
    return columns


@mistake(
    "With padding only channel 0 of the first image is copied between the zeros: all the others "
    "are empty.",
    fails={"im2col_together"},
)
def border_of_the_first_image_only(x, kernel_size, stride=1, padding=0):
    n, channels, height, width = x.shape
    padded = x
    if padding > 0:
        padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding))
        padded[0, 0, padding:-padding, padding:-padding] = x[0, 0]
    return from_padded(padded, kernel_size, stride)


@mistake(
    "Your matrix has as many columns as for an image that is as wide as it is high. Height and "
    "width of an image can differ.",
    fails={"im2col_together"},
)
def border_for_a_square_image(x, kernel_size, stride=1, padding=0):
    n, channels, height, width = x.shape
    padded = x
    if padding > 0:
        size = height + 2 * padding
        padded = np.zeros((n, channels, size, size))
        inside = padded[:, :, padding : padding + height, padding : padding + width]
        inside[...] = x[..., : inside.shape[3]]
    return from_padded(padded, kernel_size, stride)


@mistake(
    "The windows are counted from top to bottom first. Asked for is row by row: the second column "
    "belongs to the window one step to the right.",
    fails={"im2col_together"},
)
def places_counted_down_with_a_stride(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    columns = from_padded(padded, kernel_size, stride)
    if stride == 1:
        return columns
    grid = columns.reshape(*columns.shape[:2], *sizes(padded, kernel_size, stride))
    return grid.swapaxes(2, 3).reshape(columns.shape)


@mistake(
    "Your border holds pixels of the image, mirrored or from the other side. Asked for are zeros.",
    fails={"im2col_padding", "im2col_together"},
)
def reflect_padding(x, kernel_size, stride=1, padding=0):
    sides = (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="reflect")
    return from_padded(padded, kernel_size, stride)


@mistake(
    "Your border holds pixels of the image, mirrored or from the other side. Asked for are zeros.",
    fails={"im2col_padding", "im2col_together"},
)
def wrap_padding(x, kernel_size, stride=1, padding=0):
    sides = (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), mode="wrap")
    return from_padded(padded, kernel_size, stride)


@mistake(
    "The columns of all images stand in one matrix, and beside each other stand the same places of "
    "all images. Asked for is a matrix for each image, along the first axis.",
    fails={"im2col_order", "im2col_channels", "im2col_together"},
)
def one_matrix_place_by_place(x, kernel_size, stride=1, padding=0):
    columns = from_padded(zeros_around(x, padding), kernel_size, stride)
    return columns.transpose(1, 2, 0).reshape(columns.shape[1], -1)


@mistake(
    "The windows stand below each other as rows of one matrix. Asked for is a matrix for each "
    "image, along the first axis, with one window in each column.",
    fails={"im2col_order", "im2col_channels", "im2col_together"},
)
def one_matrix_of_rows(x, kernel_size, stride=1, padding=0):
    columns = from_padded(zeros_around(x, padding), kernel_size, stride)
    return np.concatenate(columns.transpose(0, 2, 1))


@mistake(
    "Your matrix holds nothing but zeros: no pixel of the image is in it.",
    fails={"im2col_order", "im2col_channels", "im2col_stride", "im2col_padding", "im2col_together"},
)
def nothing_copied(x, kernel_size, stride=1, padding=0):
    return np.zeros_like(from_padded(zeros_around(x, padding), kernel_size, stride))


@correct
def with_a_tensor(x, kernel_size, stride=1, padding=0):
    tensor = torch.as_tensor(x, dtype=torch.float64)
    return F.unfold(tensor, kernel_size, stride=stride, padding=padding)


@correct
def with_strides(x, kernel_size, *, stride=1, padding=0):
    padded = np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    n, channels = padded.shape[:2]
    out_height, out_width = sizes(padded, kernel_size, stride)
    of_image, of_channel, down, right = padded.strides
    shape = (n, channels, *kernel_size, out_height, out_width)
    steps = (of_image, of_channel, down, right, down * stride, right * stride)
    view = np.lib.stride_tricks.as_strided(padded, shape, steps)
    return view.reshape(n, -1, out_height * out_width)


@correct
def with_filters_of_one_pixel(x, kernel_size, stride=1, padding=0):
    rows = x.shape[1] * kernel_size[0] * kernel_size[1]
    pick = torch.eye(rows, dtype=torch.float64).reshape(rows, x.shape[1], *kernel_size)
    images = torch.tensor(x, dtype=torch.float64)
    return F.conv2d(images, pick, stride=stride, padding=padding).flatten(2).numpy()


@correct
def with_float32(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(x.astype("f"), padding), kernel_size, stride)


@correct
def padded_only_where_wanted(x, kernel_size, stride=1, padding=0):
    stride = (stride, stride) if np.isscalar(stride) else stride
    padded = zeros_around(x, padding) if padding else x
    windows = sliding_window_view(padded, kernel_size, axis=(2, 3))
    windows = windows[:, :, :: stride[0], :: stride[1]]
    places = windows.shape[2] * windows.shape[3]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), -1, places)


@correct
def with_a_list_for_each_image(x, kernel_size, stride=1, padding=0):
    kernel_height, kernel_width = kernel_size
    matrices = []
    for image in zeros_around(x, padding):
        windows = [
            image[:, i : i + kernel_height, j : j + kernel_width].ravel()
            for i in range(0, image.shape[1] - kernel_height + 1, stride)
            for j in range(0, image.shape[2] - kernel_width + 1, stride)
        ]
        matrices.append(np.stack(windows, axis=1))
    return np.array(matrices)


@mistake(
    "Your function hands out one array again and again, and each call writes over the result of "
    "the call before. Make a new array in each call.",
    fails={"im2col_together"},
    undiagnosed="each visible test looks at the result of one call",
)
def one_array_for_all_calls(x, kernel_size, stride=1, padding=0, kept={}):  # noqa: B006
    made = with_windows_view(x, kernel_size, stride, padding)
    result = kept.setdefault((made.shape, made.dtype), made.copy())
    result[:] = made
    return result


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"im2col_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(x, kernel_size, stride=1, padding=0):
    x = x.ravel(order="K").reshape(x.shape)
    return with_windows_view(x, kernel_size, stride, padding)


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"im2col_together"},
)
def in_half_precision(x, kernel_size, stride=1, padding=0):
    return with_windows_view(x, kernel_size, stride, padding).astype(np.float16)


@mistake(
    "Your matrix has as many columns as for an image that is as wide as it is high. Height and "
    "width of an image can differ.",
    fails={"im2col_order", "im2col_together"},
)
def places_counted_by_the_height(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    (kh, kw), (n, _, height, _) = kernel_size, padded.shape
    out_height, out_width = (height - kh) // stride + 1, (height - kw) // stride + 1
    columns = [
        padded[:, :, i * stride :, j * stride :][:, :, :kh, :kw].reshape(n, -1)
        for i in range(out_height)
        for j in range(out_width)
    ]
    return np.stack(columns, axis=2)


@mistake(
    "Your matrices are cut out of one that holds the windows of all images side by side. Each "
    "image has a matrix of its own; a reshape at the end does not take them apart.",
    fails={"im2col_channels", "im2col_together"},
)
def cut_out_of_one_matrix(x, kernel_size, stride=1, padding=0):
    matrices = from_padded(zeros_around(x, padding), kernel_size, stride)
    return np.concatenate(list(matrices), axis=1).reshape(matrices.shape)


@mistake(
    "Your matrix has as many columns as for a window that is as wide as it is high. Height and "
    "width of the window can differ.",
    fails={"im2col_order", "im2col_together"},
)
def places_counted_for_a_square_window(x, kernel_size, stride=1, padding=0):
    padded = zeros_around(x, padding)
    (kh, kw), (n, channels, height, width) = kernel_size, padded.shape
    out_height, out_width = (height - kh) // stride + 1, (width - kh) // stride + 1
    columns = np.zeros((n, channels * kh * kw, out_height * out_width))
    for image, i, j in np.ndindex(n, out_height, out_width):
        window = padded[image, :, i * stride :, j * stride :][:, :kh, :kw]
        columns[image, :, i * out_width + j] = window.flatten()
    return columns


def first_places(x, kernel_size, stride, padding, out_height, out_width):
    """As many windows as told, from the top left."""
    padded = zeros_around(x, padding)
    windows = from_padded(padded, kernel_size, stride)
    grid = windows.reshape(*windows.shape[:2], *sizes(padded, kernel_size, stride))
    return grid[:, :, :out_height, :out_width].reshape(*windows.shape[:2], -1)


@mistake(
    "The last row and the last column of places are missing, as where the first place is counted "
    "among what is divided by the stride. It comes in addition to the steps.",
    fails={"im2col_stride", "im2col_together"},
)
def one_added_before_the_division(x, kernel_size, stride=1, padding=0):
    ends = zip(x.shape[2:], kernel_size, strict=True)
    places = [(size + 2 * padding - window + 1) // stride for size, window in ends]
    return first_places(x, kernel_size, stride, padding, *places)


@mistake(
    "You get only the first windows, as many as fit into the image without its zeros. With the "
    "zeros the image is larger, and more windows fit into it.",
    fails={"im2col_padding", "im2col_together"},
)
def border_not_counted(x, kernel_size, stride=1, padding=0):
    return first_places(x, kernel_size, stride, padding, *sizes(x, kernel_size, stride))


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"im2col_together"},
)
def small_numbers_cut_off(x, kernel_size, stride=1, padding=0):
    return from_padded(zeros_around(np.where(np.abs(x) < 1e-3, 0, x), padding), kernel_size, stride)


@mistake(
    "The rows of every window are counted from the bottom up. The first row of a window comes "
    "first.",
    fails={"im2col_order", "im2col_stride", "im2col_padding", "im2col_together"},
)
def rows_of_a_window_reversed(x, kernel_size, stride=1, padding=0):
    columns = with_cuts(x, kernel_size, stride, padding)
    shape = len(x), x.shape[1], *kernel_size, -1
    return columns.reshape(shape)[:, :, ::-1].reshape(columns.shape)


@mistake(
    "Your channels stand in reverse order: the last one comes first.",
    fails={"im2col_channels", "im2col_together"},
)
def channels_in_reverse_order(x, kernel_size, stride=1, padding=0):
    return with_cuts(x[:, ::-1], kernel_size, stride, padding)
