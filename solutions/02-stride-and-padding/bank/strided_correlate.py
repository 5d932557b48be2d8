"""Task 4: slide a filter with stride and padding."""

import collections
import math

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


def places(size, kernel_size, stride, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def slide(padded, kernel, stride=1):
    """The windows of an image that is padded already, multiplied and summed."""
    height = places(padded.shape[0], kernel.shape[0], stride)
    width = places(padded.shape[1], kernel.shape[1], stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            window = padded[top : top + kernel.shape[0], left : left + kernel.shape[1]]
            result[i, j] = (window * kernel).sum()
    return result


# Mistakes: the kernel.


@mistake(
    "Your output equals a convolution with the kernel turned by 180°. Asked for is the kernel as "
    "it is.",
    fails={"strided_correlate_orientation", "strided_correlate_together"},
)
def kernel_flipped(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel[::-1, ::-1], stride)


@mistake(
    "Your output equals that of the transposed kernel: its rows are laid on columns of the image.",
    fails={
        "strided_correlate_shape",
        "strided_correlate_orientation",
        "strided_correlate_together",
    },
)
def kernel_transposed(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel.T, stride)


@mistake(
    "Your output equals that of the kernel mirrored left to right. Asked for is the kernel as "
    "it is.",
    fails={"strided_correlate_orientation", "strided_correlate_together"},
)
def kernel_mirrored(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel[:, ::-1], stride)


@mistake(
    "Your kernel is taken for square, with as many columns as it has rows.",
    fails={"strided_correlate_shape", "strided_correlate_together"},
)
def kernel_taken_for_square(image, kernel, stride=1, padding=0):
    size = kernel.shape[0]
    padded = np.pad(image, padding)
    height, width = places(padded.shape[0], size, stride), places(padded.shape[1], size, stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            for a in range(size):
                for b in range(min(size, kernel.shape[1])):
                    result[i, j] += padded[i * stride + a, j * stride + b] * kernel[a, b]
    return result


@mistake(
    "Your windows are always 3 × 3. Their size is that of the kernel.",
    fails={
        "strided_correlate_shape",
        "strided_correlate_orientation",
        "strided_correlate_together",
    },
    undiagnosed="with another kernel it stops with an error, and there are no numbers to tell it "
    "by",
)
def always_three(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    height, width = places(padded.shape[0], 3, stride), places(padded.shape[1], 3, stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            result[i, j] = np.sum(padded[top : top + 3, left : left + 3] * kernel)
    return result


# Mistakes: the stride.


@mistake(
    "The size fits your stride, but your windows still move by one pixel: the numbers are the "
    "first ones of the map with stride 1.",
    fails={"strided_correlate_stride", "strided_correlate_together"},
)
def stride_in_the_shape_only(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    height = places(padded.shape[0], kernel.shape[0], stride)
    width = places(padded.shape[1], kernel.shape[1], stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = padded[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output is the map with stride 1. The window moves by as many pixels as the stride says.",
    fails={"strided_correlate_shape", "strided_correlate_stride", "strided_correlate_together"},
)
def stride_ignored(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel)


@mistake(
    "Your stride works from row to row only. Along a row the window still moves by one pixel.",
    fails={"strided_correlate_shape", "strided_correlate_stride", "strided_correlate_together"},
)
def stride_in_rows_only(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel)[::stride]


@mistake(
    "Your stride works from column to column only. Downwards the window still moves by one pixel.",
    fails={"strided_correlate_shape", "strided_correlate_stride", "strided_correlate_together"},
)
def stride_in_columns_only(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel)[:, ::stride]


@mistake(
    "The size is right, but along a row your windows move by one pixel only: the stride is in the "
    "slice of the rows, and not in that of the columns.",
    fails={"strided_correlate_stride", "strided_correlate_together"},
)
def stride_in_the_row_slice_only(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    height = places(padded.shape[0], kernel.shape[0], stride)
    width = places(padded.shape[1], kernel.shape[1], stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            top = i * stride
            window = padded[top : top + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your first window starts too late, not at the first pixel.",
    fails={"strided_correlate_shape", "strided_correlate_stride", "strided_correlate_together"},
)
def starts_late(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel)[stride - 1 :: stride, stride - 1 :: stride]


@mistake(
    "Your image loses its other pixels before the kernel is laid on it. The window moves in "
    "larger steps, but inside it every pixel counts.",
    fails={"strided_correlate_shape", "strided_correlate_stride", "strided_correlate_together"},
)
def pixels_skipped_first(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding)[::stride, ::stride], kernel)


@mistake(
    "Your windows move by the size of the kernel, side by side, and not by the stride.",
    fails={
        "strided_correlate_values",
        "strided_correlate_orientation",
        "strided_correlate_stride",
        "strided_correlate_padding",
        "strided_correlate_together",
    },
)
def windows_side_by_side(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    rows, columns = kernel.shape
    height = places(padded.shape[0], rows, stride)
    width = places(padded.shape[1], columns, stride)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = padded[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
            result[i, j] = np.sum(window * kernel[: window.shape[0], : window.shape[1]])
    return result


# Mistakes: the size.


@mistake(
    "Your map has places too many when the stride does not fit, as where the size is rounded up.",
    fails={"strided_correlate_shape", "strided_correlate_together"},
)
def size_rounded_up(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    full = slide(padded, kernel, stride)
    height = math.ceil((padded.shape[0] - kernel.shape[0]) / stride) + 1
    width = math.ceil((padded.shape[1] - kernel.shape[1]) / stride) + 1
    result = np.zeros((height, width))
    result[: full.shape[0], : full.shape[1]] = full
    return result


@mistake(
    "Your map lacks its last row and column: the sizes are one too small.",
    fails={"strided_correlate_shape", "strided_correlate_together"},
)
def last_place_missing(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel, stride)[:-1, :-1]


@mistake(
    "Your map has the size of the padded image: zeros stand where no window fits.",
    fails={"strided_correlate_shape", "strided_correlate_values", "strided_correlate_together"},
)
def as_large_as_the_image(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    full = slide(padded, kernel, stride)
    result = np.zeros(padded.shape)
    result[: full.shape[0], : full.shape[1]] = full
    return result


@mistake(
    "Rows and columns of your output are swapped.",
    fails={
        "strided_correlate_shape",
        "strided_correlate_orientation",
        "strided_correlate_together",
    },
)
def output_transposed(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel, stride).T


# Mistakes: the padding.


@mistake(
    "Your output is the one without padding.",
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def padding_ignored(image, kernel, stride=1, padding=0):
    return slide(image, kernel, stride)


@mistake(
    "Your image has zeros above and on the left only. Padding stands on all four sides.",
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def padding_in_front_only(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, [(padding, 0), (padding, 0)]), kernel, stride)


@mistake(
    "Your image has zeros below and on the right only. Padding stands on all four sides.",
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def padding_behind_only(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, [(0, padding), (0, padding)]), kernel, stride)


@mistake(
    "Your padding stands above and below only. It belongs on the left and on the right too.",
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def padding_in_rows_only(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, [(padding, padding), (0, 0)]), kernel, stride)


@mistake(
    "Your image is padded with copies of its edge. Asked for are zeros.",
    fails={"strided_correlate_padding", "strided_correlate_together"},
)
def edge_repeated(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding, mode="edge"), kernel, stride)


@mistake(
    "Your image is padded with its own mirror image. Asked for are zeros.",
    fails={"strided_correlate_padding", "strided_correlate_together"},
)
def mirrored(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding, mode="reflect"), kernel, stride)


@mistake(
    "Your zeros stand around the map, and not around the image. Windows that lie half in the "
    "padding were never computed.",
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def output_padded(image, kernel, stride=1, padding=0):
    return np.pad(slide(image, kernel, stride), padding)


@mistake(
    "The size is right, but your first window starts at the first pixel of the image, not in the "
    "zeros above and left of it.",
    fails={"strided_correlate_padding", "strided_correlate_together"},
)
def padding_in_the_shape_only(image, kernel, stride=1, padding=0):
    height = places(image.shape[0], kernel.shape[0], stride, padding)
    width = places(image.shape[1], kernel.shape[1], stride, padding)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            window = image[top : top + kernel.shape[0], left : left + kernel.shape[1]]
            result[i, j] = np.sum(window * kernel[: window.shape[0], : window.shape[1]])
    return result


HALF = (
    "Your padding is half of the kernel, or half of the number that is given. Asked for is that "
    "number, on each of the four sides."
)


@mistake(
    HALF,
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def always_same_padding(image, kernel, stride=1, padding=0):
    if padding:
        rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
        image = np.pad(image, [(rows, rows), (columns, columns)])
    return slide(image, kernel, stride)


@mistake(
    HALF,
    fails={"strided_correlate_shape", "strided_correlate_padding", "strided_correlate_together"},
)
def padding_of_both_sides(image, kernel, stride=1, padding=0):
    before, after = padding // 2, padding - padding // 2
    return slide(np.pad(image, [(before, after), (before, after)]), kernel, stride)


@mistake(
    "The last row and the last column of your map are 0. There is a sum at each place.",
    fails={"strided_correlate_values", "strided_correlate_together"},
)
def last_place_left_empty(image, kernel, stride=1, padding=0):
    result = slide(np.pad(image, padding), kernel, stride)
    result[-1, :] = 0
    result[:, -1] = 0
    return result


@mistake(
    "Your padding is counted in steps of the stride. It is counted in pixels: the first window "
    "starts that many pixels before the image.",
    fails={"strided_correlate_together"},
)
def padding_in_steps(image, kernel, stride=1, padding=0):
    height = places(image.shape[0], kernel.shape[0], stride, padding)
    width = places(image.shape[1], kernel.shape[1], stride, padding)
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    y, x = (i - padding) * stride + a, (j - padding) * stride + b
                    if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
                        result[i, j] += image[y, x] * kernel[a, b]
    return result


# Mistakes: the sums.


@mistake(
    "Your numbers are whole: the fractions are cut off. The kernel can hold fractions, and then "
    "the output does too.",
    fails={"strided_correlate_values", "strided_correlate_together"},
)
def integer_result(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel, stride).astype(int)


@mistake(
    "Your numbers equal the means of the products. Asked for are their sums.",
    fails={
        "strided_correlate_values",
        "strided_correlate_orientation",
        "strided_correlate_stride",
        "strided_correlate_padding",
        "strided_correlate_together",
    },
)
def mean_for_sum(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel, stride) / kernel.size


@mistake(
    "Your sum goes on from window to window. It has to start at 0 for each of them.",
    fails={
        "strided_correlate_values",
        "strided_correlate_orientation",
        "strided_correlate_stride",
        "strided_correlate_padding",
        "strided_correlate_together",
    },
)
def sum_never_reset(image, kernel, stride=1, padding=0):
    result = slide(np.pad(image, padding), kernel, stride)
    return np.cumsum(result).reshape(result.shape)


@mistake(
    "Only the first row of your map is filled. The loops have to reach the other rows, too.",
    fails={
        "strided_correlate_values",
        "strided_correlate_orientation",
        "strided_correlate_stride",
        "strided_correlate_padding",
        "strided_correlate_together",
    },
)
def returns_after_the_first_row(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding)
    rows, columns = kernel.shape
    result = np.zeros((places(len(padded), rows, stride), places(len(padded[0]), columns, stride)))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = padded[i * stride : i * stride + rows, j * stride : j * stride + columns]
            result[i, j] = np.sum(window * kernel)
        return result
    return result


@mistake(
    "Your multiplication writes into the padded image, and the next windows see numbers that are "
    "multiplied already.",
    fails={
        "strided_correlate_values",
        "strided_correlate_orientation",
        "strided_correlate_stride",
        "strided_correlate_padding",
        "strided_correlate_together",
    },
)
def window_changed_in_place(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding).astype(float)
    rows, columns = kernel.shape
    result = np.zeros((places(len(padded), rows, stride), places(len(padded[0]), columns, stride)))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = padded[i * stride : i * stride + rows, j * stride : j * stride + columns]
            window *= kernel
            result[i, j] = window.sum()
    return result


# Right in other ways.


@correct
def with_a_windows_view(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding, mode="constant")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return np.einsum("ijab,ab->ij", windows[::stride, ::stride], kernel)


@correct
def all_places_then_slices(x, w, stride=1, padding=0):
    everywhere = torch.conv2d(
        torch.tensor(x, dtype=torch.float64)[None, None],
        torch.tensor(w, dtype=torch.float64)[None, None],
        padding=padding,
    )
    return everywhere[0, 0, ::stride, ::stride]


@correct
def with_torch(image, kernel, stride=1, padding=0):
    images = torch.as_tensor(image, dtype=torch.float32)[None, None]
    weight = torch.as_tensor(kernel, dtype=torch.float32)[None, None]
    result = torch.nn.functional.conv2d(images, weight, stride=stride, padding=padding)
    return result.squeeze(0).squeeze(0).numpy()


@correct
def with_unfold(image, kernel, stride=1, padding=0):
    images = torch.tensor(np.asarray(image, dtype=float))[None, None]
    columns = torch.nn.functional.unfold(images, kernel.shape, padding=padding, stride=stride)
    sums = kernel.reshape(1, -1) @ columns[0].numpy()
    return sums.reshape(places(image.shape[0], kernel.shape[0], stride, padding), -1)


@correct
def four_loops_without_padding(image, kernel, stride=1, padding=0):
    height, width = image.shape
    rows = range(-padding, height + padding - kernel.shape[0] + 1, stride)
    columns = range(-padding, width + padding - kernel.shape[1] + 1, stride)
    out = []
    for top in rows:
        out.append([])
        for left in columns:
            total = 0
            for (a, b), weight in np.ndenumerate(kernel):
                y, x = top + a, left + b
                if 0 <= y < height and 0 <= x < width:
                    total += image[y, x] * weight
            out[-1].append(total)
    return np.array(out)


@correct
def kernel_loops_outside(image, kernel, stride=1, padding=0):
    padded = np.zeros((image.shape[0] + 2 * padding, image.shape[1] + 2 * padding))
    padded[padding : padding + image.shape[0], padding : padding + image.shape[1]] = image
    height = places(padded.shape[0], kernel.shape[0], stride)
    width = places(padded.shape[1], kernel.shape[1], stride)
    result = np.zeros((height, width))
    for b in range(kernel.shape[1]):
        for a in range(kernel.shape[0]):
            shifted = padded[a : a + stride * height : stride, b : b + stride * width : stride]
            result += kernel[a, b] * shifted[:height, :width]
    return result


@correct
def row_by_row(image, kernel, stride=1, padding=0):
    def one_row(band):
        last = band.shape[1] - kernel.shape[1]
        return [
            np.vdot(band[:, left : left + kernel.shape[1]], kernel)
            for left in range(0, last + 1, stride)
        ]

    padded = np.pad(np.array(image, dtype=float), ((padding, padding), (padding, padding)))
    last = padded.shape[0] - kernel.shape[0]
    tops = range(0, last + 1, stride)
    return np.array([one_row(padded[top : top + kernel.shape[0]]) for top in tops])


@correct
def with_fourier(image, kernel, stride=1, padding=0):
    """The product of the transforms has all places, of which each stride-th is taken."""
    size = [n + 2 * padding for n in image.shape]
    spectrum = np.fft.rfft2(np.pad(image, padding)) * np.fft.rfft2(kernel, size).conj()
    everywhere = np.fft.irfft2(spectrum, size)
    height, width = (n - k + 1 for n, k in zip(size, kernel.shape, strict=True))
    return everywhere[:height:stride, :width:stride]


@correct
def with_autograd(image, kernel, stride=1, padding=0):
    """The gradient of a transposed convolution with the same stride."""
    kernel = torch.tensor(kernel).double()[None, None]
    image = torch.tensor(image).double()[None, None]
    shape = [
        places(n, k, stride, padding)
        for n, k in zip(image.shape[2:], kernel.shape[2:], strict=True)
    ]
    result = torch.zeros(1, 1, *shape, dtype=torch.float64, requires_grad=True)
    spread = torch.conv_transpose2d(result, kernel, stride=stride)
    padded = torch.nn.functional.pad(image, [padding] * 4)
    (spread * padded[..., : spread.shape[2], : spread.shape[3]]).sum().backward()
    return result.grad[0, 0]


@correct
def with_a_layer(image, kernel, stride=1, padding=0):
    """The result is a tensor that gradients can go through."""
    layer = torch.nn.Conv2d(1, 1, kernel.shape, stride, padding, bias=False, dtype=torch.float64)
    layer.weight = torch.nn.Parameter(torch.tensor(kernel).double()[None, None])
    return layer(torch.tensor(image).double()[None, None])[0, 0]


@correct
def with_own_strides(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding).astype(float)
    down, across = padded.strides
    height, width = (places(n, k, stride) for n, k in zip(padded.shape, kernel.shape, strict=True))
    windows = np.lib.stride_tricks.as_strided(
        padded, (height, width, *kernel.shape), (down * stride, across * stride, down, across)
    )
    return (windows * kernel).sum((2, 3))


Window = collections.namedtuple("Window", ["top", "left"])


@correct
def with_named_tuples(image, kernel, stride=1, padding=0):
    """Pixels in a dictionary: what is not in it is 0."""
    pixels = {(y + padding, x + padding): n for (y, x), n in np.ndenumerate(image.astype(float))}
    weights = dict(np.ndenumerate(kernel))

    def number_at(window):
        return sum(
            pixels.get((window.top + a, window.left + b), 0) * weight
            for (a, b), weight in weights.items()
        )

    height, width = (
        places(n, k, stride, padding) for n, k in zip(image.shape, kernel.shape, strict=True)
    )
    return np.array(
        [[number_at(Window(i * stride, j * stride)) for j in range(width)] for i in range(height)]
    )


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"strided_correlate_together"},
)
def in_half_precision(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel, stride).astype(np.float16)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"strided_correlate_together"},
)
def one_array_for_all_calls(image, kernel, stride=1, padding=0, kept={}):  # noqa: B006
    made = slide(np.pad(image, padding), kernel, stride)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your windows are right for an image that lies in memory row by row, and wrong for one that "
    "was transposed: there the next number of a row is not the next one in memory.",
    fails={"strided_correlate_together"},
    undiagnosed="only a hidden test has an image that lies in memory in another order",
)
def windows_by_steps_in_memory(image, kernel, stride=1, padding=0):
    padded = np.pad(image, padding) if padding else image
    height, width = (
        places(*sizes, stride) for sizes in zip(padded.shape, kernel.shape, strict=True)
    )
    step = padded.itemsize
    line = step * padded.shape[1]
    windows = np.lib.stride_tricks.as_strided(
        padded, (height, width, *kernel.shape), (stride * line, stride * step, line, step)
    )
    return (windows * kernel).sum(axis=(2, 3))


@mistake(
    "With a stride above 1 your kernel is turned by 180°.",
    fails={"strided_correlate_together"},
    undiagnosed="a kernel that is always turned gives the same numbers in the visible test",
)
def turned_with_a_stride(image, kernel, stride=1, padding=0):
    return slide(np.pad(image, padding), kernel if stride == 1 else kernel[::-1, ::-1], stride)


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"strided_correlate_together"},
)
def small_numbers_cut_off(image, kernel, stride=1, padding=0):
    result = slide(np.pad(image, padding), kernel, stride)
    return np.where(abs(result) < 1e-3, 0, result)


@mistake(
    "The size is right, but your windows move by the stride along the rows only: from row to row "
    "they move by 1.",
    fails={"strided_correlate_stride", "strided_correlate_together"},
)
def stride_along_the_rows_only(image, kernel, stride=1, padding=0):
    every = slide(np.pad(image, padding), kernel)[:, ::stride]
    return every[: places(image.shape[0], kernel.shape[0], stride, padding)]
