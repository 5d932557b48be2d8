"""Task 3: max pooling."""

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

EVERY = {
    "max_pool2d_largest",
    "max_pool2d_negative",
    "max_pool2d_default_stride",
    "max_pool2d_stride",
    "max_pool2d_size",
    "max_pool2d_maps",
    "max_pool2d_padding",
    "max_pool2d_border",
}
VALUES = EVERY - {"max_pool2d_size"}


def with_border(x, padding, value=-np.inf):
    return np.pad(x, [(0, 0), (padding, padding), (padding, padding)], constant_values=value)


def slide(padded, kernel_size, stride, rule):
    """`rule` makes a (C, K, K) window to C numbers; stride None stands for kernel_size."""
    step = kernel_size if stride is None else stride
    rows = (padded.shape[1] - kernel_size) // step + 1
    columns = (padded.shape[2] - kernel_size) // step + 1
    out = np.zeros((padded.shape[0], rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * step, j * step
            out[:, i, j] = rule(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


def largest(window):
    return window.max(axis=(1, 2))


@correct
def number_by_number(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size
    channels, height, width = x.shape
    out = []
    for c in range(channels):
        rows = []
        for top in range(-padding, height + padding - kernel_size + 1, step):
            row = []
            for left in range(-padding, width + padding - kernel_size + 1, step):
                best = float("-inf")
                for a in range(max(top, 0), min(top + kernel_size, height)):
                    for b in range(max(left, 0), min(left + kernel_size, width)):
                        if x[c, a, b] > best:
                            best = x[c, a, b]
                row.append(best)
            rows.append(row)
        out.append(rows)
    return np.array(out)


@correct
def with_windows_view(maps, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    padded = np.pad(maps, ((0, 0), (padding,) * 2, (padding,) * 2), constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size, kernel_size), (1, 2))
    return view[:, ::stride, ::stride].max(axis=(-2, -1))


@correct
def with_torch(x, kernel_size, stride=None, padding=0):
    return torch.nn.functional.max_pool2d(torch.tensor(x), kernel_size, stride, padding)


@correct
def shifted_maps(x, kernel_size, stride=None, padding=0):
    s = kernel_size if stride is None else stride
    p = with_border(x, padding)
    h, w = ((side - kernel_size) // s + 1 for side in p.shape[1:])
    out = np.full((x.shape[0], h, w), -np.inf)
    for a in range(kernel_size):
        for b in range(kernel_size):
            part = p[:, a : a + s * (h - 1) + 1 : s, b : b + s * (w - 1) + 1 : s]
            np.maximum(out, part, out=out)
    return out


@correct
def rows_then_columns(x, kernel_size, stride=None, padding=0):
    step = kernel_size if stride is None else stride

    def along_the_last_axis(a):
        starts = range(0, a.shape[-1] - kernel_size + 1, step)
        return np.stack([a[..., s : s + kernel_size].max(axis=-1) for s in starts], axis=-1)

    padded = with_border(x, padding)
    return along_the_last_axis(along_the_last_axis(padded).swapaxes(1, 2)).swapaxes(1, 2)


@correct
def border_repeats_the_edge(x, kernel_size, stride=None, padding=0):
    # The nearest number of the map lies in the window already, so a copy of it changes nothing.
    padded = np.pad(x, [(0, 0), (padding, padding), (padding, padding)], mode="edge")
    return slide(padded, kernel_size, stride, largest)


@correct
def nan_border(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding, np.nan),
        kernel_size,
        stride,
        lambda window: np.nanmax(window, axis=(1, 2)),
    )


@correct
def with_unfold_in_float32(x, kernel_size, stride=None, padding=0):
    step = kernel_size if stride is None else stride
    t = torch.tensor(x, dtype=torch.float32)
    t = torch.nn.functional.pad(t, (padding,) * 4, value=float("-inf"))
    return t.unfold(1, kernel_size, step).unfold(2, kernel_size, step).amax(dim=(3, 4)).numpy()


@correct
def window_cut_at_the_edge(x, kernel_size, stride=None, padding=0):
    # No border is made: a window that reaches over the edge is smaller.
    step = kernel_size if stride is None else stride
    channels, height, width = x.shape
    out_h = 1 + (height + 2 * padding - kernel_size) // step
    out_w = 1 + (width + 2 * padding - kernel_size) // step
    out = np.empty((channels, out_h, out_w))
    for i, j in np.ndindex(out_h, out_w):
        top, left = i * step - padding, j * step - padding
        rows = slice(max(top, 0), top + kernel_size)
        columns = slice(max(left, 0), left + kernel_size)
        out[:, i, j] = np.amax(x[:, rows, columns], axis=(1, 2))
    return out


@correct
def masked_border(x, kernel_size, stride=None, padding=0):
    is_border = with_border(np.zeros(x.shape, dtype=bool), padding, True)
    padded = np.ma.masked_array(with_border(x, padding, 0), is_border)
    step = stride or kernel_size
    rows = range(0, padded.shape[1] - kernel_size + 1, step)
    columns = range(0, padded.shape[2] - kernel_size + 1, step)
    windows = [[padded[:, i : i + kernel_size, j : j + kernel_size] for j in columns] for i in rows]
    largest_ones = [[window.max(axis=(1, 2)).data for window in row] for row in windows]
    return np.array(largest_ones).transpose(2, 0, 1)


@correct
def columns_of_windows(x, kernel_size, stride=None, padding=0):
    step = kernel_size if stride is None else stride
    t = torch.nn.functional.pad(torch.tensor(x)[:, None], (padding,) * 4, value=-torch.inf)
    h, w = ((side - kernel_size) // step + 1 for side in t.shape[2:])
    columns = torch.nn.functional.unfold(t, kernel_size, stride=step)
    return columns.max(dim=1).values.reshape(len(x), h, w)


@correct
def layer_that_knows_the_places(x, kernel_size, stride=None, padding=0):
    # The layer counts the places in each map as if it were one row.
    pool = torch.nn.MaxPool2d(kernel_size, stride, padding, return_indices=True)
    _, places = pool(torch.tensor(x)[None])
    flat = x.reshape(len(x), -1)
    return np.take_along_axis(flat, places.flatten(2)[0].numpy(), 1).reshape(places.shape[1:])


@mistake(
    "Where all numbers of a window are negative your output has 0, as where the search for the "
    "largest begins with 0. That 0 is in no window.",
    fails={"max_pool2d_negative", "max_pool2d_border", "max_pool2d_together"},
)
def search_begins_at_zero(x, kernel_size, stride=None, padding=0):
    def rule(window):
        best = np.zeros(len(window))
        for a in range(kernel_size):
            for b in range(kernel_size):
                best = np.where(window[:, a, b] > best, window[:, a, b], best)
        return best

    return slide(with_border(x, padding), kernel_size, stride, rule)


@mistake(
    "Where all numbers of a window are below −1 your output has −1, as where the search for the "
    "largest begins with it.",
    fails={"max_pool2d_negative", "max_pool2d_border", "max_pool2d_together"},
)
def search_begins_at_minus_one(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda window: np.maximum(largest(window), -1),
    )


@mistake(
    "Where all numbers of a window are below −999 your output has −999, as where the search for "
    "the largest begins with it. Numbers can be smaller than any that you choose, but for one.",
    fails={"max_pool2d_negative", "max_pool2d_border", "max_pool2d_together"},
)
def search_begins_at_minus_999(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda window: np.maximum(largest(window), -999),
    )


@mistake(
    "Your border holds −100, and wins where all numbers of a window are smaller than that. No "
    "number that you choose is small enough, but for one.",
    fails={"max_pool2d_border", "max_pool2d_together"},
)
def border_of_minus_100(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, -100), kernel_size, stride, largest)


@mistake(
    "Your output has the number that is farthest from 0 in each window. −8 is smaller than −3.",
    fails={"max_pool2d_negative", "max_pool2d_padding", "max_pool2d_border", "max_pool2d_together"},
)
def farthest_from_zero(x, kernel_size, stride=None, padding=0):
    def rule(window):
        flat = window.reshape(len(window), -1)
        return flat[np.arange(len(flat)), np.abs(flat).argmax(axis=1)]

    return slide(with_border(x, padding), kernel_size, stride, rule)


@mistake(
    "Your windows move by 1 where no stride was given. In pooling, unlike in a convolution, they "
    "lie side by side then.",
    fails={"max_pool2d_default_stride"},
)
def default_stride_one(x, kernel_size, stride=1, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, largest)


@mistake(
    "Your windows move by 2 where no stride was given. They should move by their own size.",
    fails={"max_pool2d_default_stride"},
)
def default_stride_two(x, kernel_size, stride=2, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, largest)


@mistake(
    "Your windows lie side by side, although a stride was given: your output does not depend on "
    "it.",
    fails={"max_pool2d_stride", "max_pool2d_together"},
)
def stride_ignored(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, kernel_size, largest)


@mistake(
    "Your output has the right size, but the windows move by 1 only: the stride is missing where "
    "they are cut out.",
    fails={
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_padding",
        "max_pool2d_together",
    },
)
def stride_in_the_size_only(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // stride + 1
    out_w = (padded.shape[2] - kernel_size) // stride + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            out[:, i, j] = largest(padded[:, i : i + kernel_size, j : j + kernel_size])
    return out


@mistake(
    "Your windows begin at multiples of their own size, and the stride only counts them. It should "
    "also say where they begin.",
    fails={"max_pool2d_stride", "max_pool2d_together"},
)
def kernel_size_as_step(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // stride + 1
    out_w = (padded.shape[2] - kernel_size) // stride + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * kernel_size, j * kernel_size
            window = padded[:, top : top + kernel_size, left : left + kernel_size]
            out[:, i, j] = largest(window) if window.size else 0
    return out


@mistake(
    "Your output has a window too many where the stride does not fit: the size is rounded up. A "
    "window that hangs over the end is left out.",
    fails={"max_pool2d_size", "max_pool2d_together"},
)
def size_rounded_up(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = int(np.ceil((padded.shape[1] - kernel_size) / stride)) + 1
    out_w = int(np.ceil((padded.shape[2] - kernel_size) / stride)) + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            out[:, i, j] = largest(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


@mistake(
    "Your output lacks the last row and the last column. A window that moves n times stands in "
    "n + 1 places.",
    fails={"max_pool2d_size", "max_pool2d_padding", "max_pool2d_together"},
)
def last_window_missing(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, largest)[:, :-1, :-1]


@mistake(
    "Your output is square, but the map is not: the height was used for both axes.",
    fails={"max_pool2d_size", "max_pool2d_together"},
)
def height_for_both(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    size = (padded.shape[1] - kernel_size) // stride + 1
    out = np.zeros((len(x), size, size))
    for i in range(size):
        for j in range(size):
            top, left = i * stride, j * stride
            window = padded[:, top : top + kernel_size, left : left + kernel_size]
            out[:, i, j] = largest(window) if window.size else 0
    return out


@mistake(
    "Your output has the right shape, but the columns were counted with the height: some are still "
    "0.",
    fails={"max_pool2d_size", "max_pool2d_together"},
)
def columns_counted_with_the_height(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // stride + 1
    out_w = (padded.shape[2] - kernel_size) // stride + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(min(out_h, out_w)):
            top, left = i * stride, j * stride
            out[:, i, j] = largest(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


@mistake(
    "Your output has rows and columns exchanged.",
    fails={
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_size",
        "max_pool2d_padding",
        "max_pool2d_together",
    },
)
def rows_and_columns_exchanged(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, largest).transpose(0, 2, 1)


@mistake(
    "Your output has the smallest number of each window.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def smallest(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, np.inf), kernel_size, stride, lambda w: w.min(axis=(1, 2)))


@mistake(
    "Your output has the mean of each window: that is average pooling.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def average(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, 0), kernel_size, stride, lambda w: w.mean(axis=(1, 2)))


@mistake(
    "Your output has the sum of each window. Long ago one pooled like this; here the largest "
    "number is asked for.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_size",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def total(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, 0), kernel_size, stride, lambda w: w.sum(axis=(1, 2)))


@mistake(
    "Your output says at which place of the window the largest number stands (counted from 0), not "
    "how large it is.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_size",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def place_of_the_largest(x, kernel_size, stride=None, padding=0):
    return slide(
        with_border(x, padding),
        kernel_size,
        stride,
        lambda w: w.reshape(len(w), -1).argmax(axis=1),
    )


@mistake(
    "Your output has the first number of each window. The others were never compared with it.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def first_of_each_window(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda w: w[:, 0, 0])


@mistake(
    "Your windows are one row and one column too large. A slice stops before its second number.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def window_too_large(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // stride + 1
    out_w = (padded.shape[2] - kernel_size) // stride + 1
    out = np.zeros((len(x), out_h, out_w))
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            window = padded[:, top : top + kernel_size + 1, left : left + kernel_size + 1]
            out[:, i, j] = largest(window)
    return out


@mistake(
    "Your result is an array of integers: it can't hold the fractions of x.",
    fails={"max_pool2d_largest", "max_pool2d_together"},
)
def integer_result(x, kernel_size, stride=None, padding=0):
    stride = stride or kernel_size
    padded = with_border(x, padding)
    out_h = (padded.shape[1] - kernel_size) // stride + 1
    out_w = (padded.shape[2] - kernel_size) // stride + 1
    out = np.zeros((len(x), out_h, out_w), dtype=int)
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            out[:, i, j] = largest(padded[:, top : top + kernel_size, left : left + kernel_size])
    return out


@mistake(
    "Only the first place of your output is filled. The loops have to reach the other places.",
    fails={
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_size",
        "max_pool2d_padding",
        "max_pool2d_together",
    },
)
def returns_too_early(x, kernel_size, stride=None, padding=0):
    out = np.zeros_like(slide(with_border(x, padding), kernel_size, stride, largest))
    for i, j in np.ndindex(out.shape[1:]):
        step = stride or kernel_size
        window = with_border(x, padding)[:, i * step :, j * step :]
        out[:, i, j] = largest(window[:, :kernel_size, :kernel_size])
        return out


@mistake(
    "All maps have the same numbers: the largest one was taken over all maps together. Each map is "
    "pooled on its own.",
    fails={"max_pool2d_maps", "max_pool2d_together"},
)
def maps_together(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, lambda window: window.max())


@mistake(
    "Only the first map was pooled. The result has as many maps as x.",
    fails={"max_pool2d_maps", "max_pool2d_together"},
)
def first_map_only(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x[:1], padding), kernel_size, stride, largest)


@mistake(
    "The first map was pooled, the other maps are still 0.",
    fails={"max_pool2d_maps", "max_pool2d_together"},
)
def other_maps_empty(x, kernel_size, stride=None, padding=0):
    out = slide(with_border(x, padding), kernel_size, stride, largest)
    out[1:] = 0
    return out


@mistake(
    "Your result has lost the axis of the maps. Pooling keeps as many maps as there are, also if "
    "there is only one.",
    fails={
        "max_pool2d_largest",
        "max_pool2d_negative",
        "max_pool2d_default_stride",
        "max_pool2d_stride",
        "max_pool2d_size",
        "max_pool2d_maps",
        "max_pool2d_padding",
        "max_pool2d_border",
        "max_pool2d_together",
    },
)
def axis_of_the_maps_lost(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding), kernel_size, stride, largest).max(axis=0)


@mistake(
    "Your border is made of zeros, and a 0 beats every negative number.",
    fails={"max_pool2d_border", "max_pool2d_together"},
)
def border_of_zeros(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, 0), kernel_size, stride, largest)


@mistake(
    "Your border is made of −1000. A map can hold numbers below that, and then the border wins.",
    fails={"max_pool2d_border", "max_pool2d_together"},
)
def border_of_minus_1000(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, -1000), kernel_size, stride, largest)


@mistake(
    "Your output is the one without padding.",
    fails={"max_pool2d_padding", "max_pool2d_border", "max_pool2d_together"},
)
def padding_ignored(x, kernel_size, stride=None, padding=0):
    return slide(x, kernel_size, stride, largest)


@mistake(
    "Your output has padding above and on the left only, or its size counts the padding once. The "
    "border goes around all four sides.",
    fails={"max_pool2d_padding", "max_pool2d_together"},
)
def padding_on_two_sides(x, kernel_size, stride=None, padding=0):
    padded = np.pad(x, [(0, 0), (padding, 0), (padding, 0)], constant_values=-np.inf)
    return slide(padded, kernel_size, stride, largest)


@mistake(
    "Your border is only above and below, not on the left and right.",
    fails={"max_pool2d_padding", "max_pool2d_border", "max_pool2d_together"},
)
def padding_of_rows_only(x, kernel_size, stride=None, padding=0):
    padded = np.pad(x, [(0, 0), (padding, padding), (0, 0)], constant_values=-np.inf)
    return slide(padded, kernel_size, stride, largest)


@mistake(
    "Your border is twice as wide as it should be: `padding` is the width on each side.",
    fails={"max_pool2d_padding", "max_pool2d_border", "max_pool2d_together"},
)
def padding_twice(x, kernel_size, stride=None, padding=0):
    return slide(with_border(with_border(x, padding), padding), kernel_size, stride, largest)


@mistake(
    "Your result has more maps than x: the padding also added maps before the first and after the "
    "last one. Only height and width are padded.",
    fails={"max_pool2d_padding", "max_pool2d_border", "max_pool2d_together"},
)
def maps_padded_too(x, kernel_size, stride=None, padding=0):
    return slide(np.pad(x, padding, constant_values=-np.inf), kernel_size, stride, largest)


@mistake(
    "The map was cut into blocks. Windows can overlap, and what is left over can be smaller than a "
    "block.",
    fails={"max_pool2d_stride", "max_pool2d_size", "max_pool2d_together"},
    undiagnosed="NumPy can't reshape the map and says so; an error has no numbers to be told by",
)
def cut_into_blocks(x, kernel_size, stride=None, padding=0):
    padded = with_border(x, padding)
    channels, height, width = padded.shape
    k = kernel_size
    return padded.reshape(channels, height // k, k, width // k, k).max(axis=(2, 4))


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"max_pool2d_together"},
)
def one_array_for_all_calls(x, kernel_size, stride=None, padding=0, kept={}):  # noqa: B006
    made = number_by_number(x, kernel_size, stride, padding)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"max_pool2d_negative", "max_pool2d_border", "max_pool2d_together"},
)
def in_half_precision(x, kernel_size, stride=None, padding=0):
    return number_by_number(x, kernel_size, stride, padding).astype(np.float16)


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"max_pool2d_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(x, kernel_size, stride=None, padding=0):
    return number_by_number(x.ravel(order="K").reshape(x.shape), kernel_size, stride, padding)


@mistake(
    "Where the largest number of a window is 0 your output has another number, or −∞. The zeros of "
    "a map are numbers like any other; only the border never wins.",
    fails={"max_pool2d_stride", "max_pool2d_together"},
)
def zeros_taken_for_the_border(x, kernel_size, stride=None, padding=0):
    padded = with_border(x, padding, 0)
    return slide(np.where(padded == 0, -np.inf, padded), kernel_size, stride, largest)


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"max_pool2d_together"},
)
def small_numbers_cut_off(x, kernel_size, stride=None, padding=0):
    result = slide(with_border(x, padding), kernel_size, stride, largest)
    return np.where(np.abs(result) < 1e-3, 0, result)


@mistake(
    "Your border is made of −999, which is larger than the numbers beside it. Numbers can be "
    "smaller than any that you choose, but for one.",
    fails={"max_pool2d_border", "max_pool2d_together"},
)
def border_of_minus_999(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, -999), kernel_size, stride, largest)


@mistake(
    "Your border holds −1, and wins where all numbers of a window are smaller than that. No number "
    "that you choose is small enough, but for one.",
    fails={"max_pool2d_border", "max_pool2d_together"},
)
def border_of_minus_one(x, kernel_size, stride=None, padding=0):
    return slide(with_border(x, padding, -1), kernel_size, stride, largest)
