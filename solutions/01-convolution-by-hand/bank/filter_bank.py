"""Task 3: several filters."""

import numpy as np
import torch
import torch.nn.functional as F

from grader.authoring.bank import correct, mistake

STACK, ORDER, CHANNELS = "filter_bank_stack", "filter_bank_order", "filter_bank_channels"
BIAS, WINDOW = "filter_bank_bias", "filter_bank_window"
FRACTIONS, INPUTS = "filter_bank_fractions", "filter_bank_inputs"
TOGETHER = "filter_bank_together"


def slide(x, weight):
    """One filter, all channels, no bias."""
    _, rows, columns = weight.shape
    result = np.zeros((x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(x[:, i : i + rows, j : j + columns] * weight)
    return result


@mistake(
    "Your maps stand in reversed order: the map of the last filter comes first.",
    fails={ORDER, CHANNELS, TOGETHER},
)
def filters_reversed(x, weights, biases):
    maps = []
    for weight in weights:
        maps.insert(0, slide(x, weight))
    return np.stack(maps) + biases[:, None, None]


@mistake(
    "Your maps are sorted by their size. Map number f belongs to filter number f.",
    fails={ORDER, CHANNELS, BIAS, TOGETHER},
)
def maps_sorted(x, weights, biases):
    maps = [slide(x, weight) + bias for weight, bias in zip(weights, biases, strict=True)]
    return np.stack(sorted(maps, key=np.sum))


@mistake(
    "All your maps are that of the first filter. Each filter makes a map of its own.",
    fails={ORDER, CHANNELS, TOGETHER},
)
def first_filter_for_all(x, weights, biases):
    return np.stack([slide(x, weights[0]) + bias for bias in biases])


@mistake(
    "All your maps are that of the last filter, as where they are one and the same array, which is "
    "overwritten again and again. Each map needs an array of its own.",
    fails={ORDER, CHANNELS, BIAS, TOGETHER},
)
def same_array_for_all(x, weights, biases):
    maps = []
    one = np.zeros_like(slide(x, weights[0]))
    for weight, bias in zip(weights, biases, strict=True):
        one[:] = slide(x, weight) + bias
        maps.append(one)
    return np.array(maps)


@mistake(
    "Only your first map is filled, the others are 0. The loop does not reach the other filters.",
    fails={ORDER, CHANNELS, BIAS, TOGETHER},
)
def returns_after_first_filter(x, weights, biases):
    first = slide(x, weights[0])
    result = np.zeros((len(weights), *first.shape))
    for f in range(len(weights)):
        result[f] = slide(x, weights[f]) + biases[f]
        return result


@mistake(
    "Your output has one map only, that of the first filter. The loop does not reach the "
    "other filters.",
    fails={STACK, ORDER, CHANNELS, BIAS, TOGETHER},
)
def returns_one_map(x, weights, biases):
    maps = []
    for weight, bias in zip(weights, biases, strict=True):
        maps.append(slide(x, weight) + bias)
        return np.stack(maps)


@mistake(
    "Your output has as many maps as the image has channels. There is one map for each filter.",
    fails={STACK, ORDER, CHANNELS, BIAS, TOGETHER},
)
def as_many_maps_as_channels(x, weights, biases):
    return np.stack([slide(x, weights[f]) + biases[f] for f in range(len(x))])


@mistake(
    "Each of your maps contains the maps before it: the sum goes on from filter to filter. Each "
    "filter starts a new sum.",
    fails={ORDER, CHANNELS, BIAS, TOGETHER},
)
def sum_not_started_anew(x, weights, biases):
    maps = []
    total = np.zeros_like(slide(x, weights[0]))
    for weight, bias in zip(weights, biases, strict=True):
        total = total + slide(x, weight) + bias
        maps.append(total)
    return np.stack(maps)


@mistake(
    "The maps of your filters are added up to one map. Channels are added up; the maps of the "
    "filters stay apart.",
    fails={STACK, ORDER, CHANNELS, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def maps_added_up(x, weights, biases):
    return sum(slide(x, weight) + bias for weight, bias in zip(weights, biases, strict=True))


@mistake(
    "In your output the filters are the last axis. Here, as in PyTorch, they are the first.",
    fails={STACK, ORDER, CHANNELS, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def filters_last(x, weights, biases):
    maps = [slide(x, weight) + bias for weight, bias in zip(weights, biases, strict=True)]
    return np.stack(maps, axis=-1)


@mistake(
    "Your maps are joined to one tall map, one below the other. Put on each other they give an "
    "array with three axes.",
    fails={STACK, ORDER, CHANNELS, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def maps_below_each_other(x, weights, biases):
    maps = [slide(x, weight) + bias for weight, bias in zip(weights, biases, strict=True)]
    return np.concatenate(maps)


@mistake(
    "Your output has an axis for the channels as well. A filter adds up its channels to a single "
    "map.",
    fails={STACK, ORDER, CHANNELS, BIAS, WINDOW, FRACTIONS, TOGETHER},
)
def channels_kept_apart(x, weights, biases):
    return np.stack(
        [
            [slide(x[[c]], weight[[c]]) + bias for c in range(len(x))]
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )


@mistake(
    "Your output has a map for each channel of the image, and the filters are added up. It is the "
    "other way round.",
    fails={STACK, ORDER, CHANNELS, BIAS, TOGETHER},
)
def map_for_each_channel(x, weights, biases):
    maps = []
    for c in range(len(x)):
        total = 0
        for f in range(len(weights)):
            total = total + slide(x[[c]], weights[f, [c]]) + biases[f]
        maps.append(total)
    return np.stack(maps)


@mistake(
    "Each of your maps comes from the first channel alone. The other channels are to be added.",
    fails={CHANNELS, TOGETHER},
)
def first_channel_only(x, weights, biases):
    return np.stack([slide(x[:1], w[:1]) + bias for w, bias in zip(weights, biases, strict=True)])


@mistake(
    "Each of your maps equals that of the last channel alone. The channels are added up.",
    fails={CHANNELS, TOGETHER},
)
def last_channel_only(x, weights, biases):
    maps = []
    for weight, bias in zip(weights, biases, strict=True):
        for c in range(len(x)):
            one = slide(x[[c]], weight[[c]])
        maps.append(one + bias)
    return np.stack(maps)


@mistake(
    "Filter number f has seen channel number f only. Each filter sees all channels.",
    fails={STACK, ORDER, CHANNELS, BIAS, TOGETHER},
)
def one_channel_for_each_filter(x, weights, biases):
    maps = [
        slide(channel[None], weight[[c]]) + bias
        for c, (channel, weight, bias) in enumerate(zip(x, weights, biases, strict=False))
    ]
    return np.stack(maps)


@mistake(
    "In each of your filters the first kernel is used for every channel. Each channel has a kernel "
    "of its own.",
    fails={CHANNELS, TOGETHER},
)
def first_kernel_for_all_channels(x, weights, biases):
    maps = []
    for weight, bias in zip(weights, biases, strict=True):
        maps.append(sum(slide(x[[c]], weight[[0]]) for c in range(len(x))) + bias)
    return np.stack(maps)


@mistake(
    "In each of your filters the channels meet the kernels in reversed order.",
    fails={CHANNELS, TOGETHER},
)
def channels_reversed(x, weights, biases):
    return np.stack(
        [slide(x[::-1], weight) + bias for weight, bias in zip(weights, biases, strict=True)]
    )


@mistake(
    "Filters and channels are mixed up: you used the first axis of the weights for the channels. "
    "The first axis counts the filters, the second the channels.",
    fails={STACK, ORDER, CHANNELS, BIAS, INPUTS, TOGETHER},
)
def filters_and_channels_mixed_up(x, weights, biases):
    maps = []
    for f in range(len(biases)):
        total = biases[f]
        for c in range(len(x)):
            total = total + slide(x[[c]], weights[c, f][None])
        maps.append(total)
    return np.stack(maps)


@mistake(
    "Your output adds up the channels first, and the kernels of a filter too. Each channel must be "
    "multiplied by its own kernel before anything is added up.",
    fails={CHANNELS, TOGETHER},
)
def channels_added_first(x, weights, biases):
    grey = x.sum(axis=0, keepdims=True)
    return np.stack(
        [
            slide(grey, weight.sum(axis=0, keepdims=True)) + bias
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )


@mistake(
    "Your maps are the mean of the channels. They are added up, and not divided by their number.",
    fails={CHANNELS, TOGETHER},
)
def mean_of_channels(x, weights, biases):
    return np.stack(
        [slide(x, weight) / len(x) + bias for weight, bias in zip(weights, biases, strict=True)]
    )


@mistake(
    "The biases are missing from your maps.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def biases_forgotten(x, weights, biases):
    return np.stack([slide(x, weight) for weight in weights])


@mistake(
    "All your maps have the bias of the first filter. Each filter has a bias of its own.",
    fails={BIAS, TOGETHER},
)
def first_bias_for_all(x, weights, biases):
    return np.stack([slide(x, weight) + biases[0] for weight in weights])


@mistake(
    "All your maps have the biases of all filters added. A map gets the bias of its own filter "
    "only.",
    fails={BIAS, TOGETHER},
)
def sum_of_biases_for_all(x, weights, biases):
    return np.stack([slide(x, weight) + biases.sum() for weight in weights])


@mistake(
    "Your biases stand in reversed order: the first map has the bias of the last filter.",
    fails={BIAS, TOGETHER},
)
def biases_reversed(x, weights, biases):
    return np.stack(
        [slide(x, weight) + bias for weight, bias in zip(weights, biases[::-1], strict=True)]
    )


@mistake(
    "Within a map each column has another bias: the biases lie along the last axis, which is the "
    "columns. They belong along the axis of the filters.",
    fails={BIAS, TOGETHER},
)
def biases_along_the_columns(x, weights, biases):
    return np.stack([slide(x, weight) for weight in weights]) + biases


@mistake(
    "Each bias has been added once for each channel. It belongs to the filter, so it is added only "
    "once.",
    fails={BIAS, TOGETHER},
)
def bias_for_each_channel(x, weights, biases):
    maps = []
    for weight, bias in zip(weights, biases, strict=True):
        maps.append(sum(slide(x[[c]], weight[[c]]) + bias for c in range(len(x))))
    return np.stack(maps)


@mistake(
    "Each bias has been added to every product, so it is counted as often as a filter has numbers. "
    "It is added once, after the sum.",
    fails={BIAS, TOGETHER},
)
def bias_for_each_product(x, weights, biases):
    return np.stack(
        [
            slide(x, weight) + bias * weight.size
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )


@mistake(
    "Your biases have been subtracted. They are added.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def biases_subtracted(x, weights, biases):
    return np.stack([slide(x, weight) - bias for weight, bias in zip(weights, biases, strict=True)])


@mistake(
    "Your output equals that of the kernels turned by 180°. They are laid on the window as they "
    "are, as in task 1.",
    fails={WINDOW, TOGETHER},
)
def kernels_flipped(x, weights, biases):
    return with_maps(x, weights[:, :, ::-1, ::-1], biases)


@mistake(
    "Your maps have one row and one column too few. Count the places of the window once more.",
    fails={WINDOW, TOGETHER},
)
def one_place_short(x, weights, biases):
    filters, _, rows, columns = weights.shape
    height, width = x.shape[1] - rows, x.shape[2] - columns
    result = np.zeros((filters, height, width))
    for f in range(filters):
        for i in range(height):
            for j in range(width):
                window = x[:, i : i + rows, j : j + columns]
                result[f, i, j] = np.sum(window * weights[f]) + biases[f]
    return result


@mistake(
    "Your maps are transposed: rows and columns are swapped. Behind the filters come the rows, "
    "then the columns.",
    fails={WINDOW, TOGETHER},
)
def rows_and_columns_swapped(x, weights, biases):
    return with_maps(x, weights, biases).transpose(0, 2, 1)


@mistake(
    "Your output has lost its fractions, as an array of whole numbers does.",
    fails={FRACTIONS, TOGETHER},
)
def whole_number_array(x, weights, biases):
    filters, _, rows, columns = weights.shape
    shape = (filters, x.shape[1] - rows + 1, x.shape[2] - columns + 1)
    result = np.zeros(shape, dtype=int)
    for f in range(filters):
        result[f] = slide(x, weights[f]) + biases[f]
    return result


@mistake(
    "The numbers of your output are of the image's type. Filters with fractions make fractions of "
    "an image of whole numbers, too.",
    fails={FRACTIONS, TOGETHER},
)
def type_of_image(x, weights, biases):
    filters, _, rows, columns = weights.shape
    result = np.zeros((filters, x.shape[1] - rows + 1, x.shape[2] - columns + 1), x.dtype)
    for f in range(filters):
        result[f] = slide(x, weights[f]) + biases[f]
    return result


@mistake(
    "The fractions of the biases are missing. A bias is any number, not only a whole one.",
    fails={FRACTIONS, TOGETHER},
)
def biases_as_whole_numbers(x, weights, biases):
    return with_maps(x, weights, biases.astype(int))


@mistake(
    "Your function turns the filters around inside the array that it was given. Whoever called it "
    "still needs them as they were.",
    fails={INPUTS},
)
def filters_turned_in_place(x, weights, biases):
    # A true convolution turns the kernels, so they are turned beforehand.
    weights[:] = weights[:, :, ::-1, ::-1].copy()
    filters, channels, rows, columns = weights.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    result = np.zeros((filters, height, width))
    for f in range(filters):
        for c in range(channels):
            for a in range(rows):
                for b in range(columns):
                    part = x[c, a : a + height, b : b + width]
                    result[f] += weights[f, c, rows - 1 - a, columns - 1 - b] * part
        result[f] += biases[f]
    return result


@mistake(
    "Each product is written back into the image, and later windows see the changed numbers. A "
    "slice of an array is no copy.",
    fails={ORDER, CHANNELS, WINDOW, FRACTIONS, INPUTS, TOGETHER},
)
def multiplies_in_the_image(x, weights, biases):
    filters, _, rows, columns = weights.shape
    result = np.zeros((filters, x.shape[1] - rows + 1, x.shape[2] - columns + 1))
    for f, i, j in np.ndindex(result.shape):
        window = x[:, i : i + rows, j : j + columns]
        window *= weights[f]
        result[f, i, j] = window.sum() + biases[f]
    return result


@mistake(
    "Your function gives nothing back: what comes back is None. `print` shows a result, and "
    "does not give it back.",
    fails={STACK, ORDER, CHANNELS, BIAS, WINDOW, FRACTIONS, INPUTS, TOGETHER},
)
def prints_the_result(x, weights, biases):
    for weight, bias in zip(weights, biases, strict=True):
        print(slide(x, weight) + bias)


@correct
def with_maps(x, weights, biases):
    return np.array([slide(x, weight) + bias for weight, bias in zip(weights, biases, strict=True)])


@correct
def with_einsum(x, weights, biases):
    windows = np.lib.stride_tricks.sliding_window_view(x, weights.shape[2:], axis=(1, 2))
    return np.einsum("cijab,fcab->fij", windows, weights) + biases[:, None, None]


@correct
def with_tensordot(image, filters, b):
    windows = np.lib.stride_tricks.sliding_window_view(image, filters.shape[2:], axis=(1, 2))
    result = np.tensordot(filters, windows, axes=([1, 2, 3], [0, 3, 4]))
    return result + np.reshape(b, (-1, 1, 1))


@correct
def with_six_loops(x, weights, biases):
    """Places outside, filters inside."""
    filters, channels, rows, columns = weights.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    result = np.empty((filters, height, width))
    for i in range(height):
        for j in range(width):
            for f in range(filters):
                total = biases[f]
                for c in range(channels):
                    for a in range(rows):
                        for b in range(columns):
                            total = total + x[c, i + a, j + b] * weights[f, c, a, b]
                result[f, i, j] = total
    return result


@correct
def with_torch(x, weights, biases):
    """In float32."""
    x, weights, biases = (torch.tensor(a, dtype=torch.float32) for a in (x, weights, biases))
    return F.conv2d(x[None], weights, biases)[0]


@correct
def with_torch_unfold(x, weights, biases):
    """Windows as columns of a matrix, in float64."""
    x, weights, biases = (torch.from_numpy(a.astype(float)) for a in (x, weights, biases))
    columns = F.unfold(x[None], tuple(weights.shape[2:]))[0]
    height = x.shape[1] - weights.shape[2] + 1
    return (weights.flatten(1) @ columns + biases[:, None]).view(len(weights), height, -1).numpy()


@correct
def with_shifted_images(x, weights, biases):
    filters, _, rows, columns = weights.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    result = np.tile(np.reshape(biases, (filters, 1, 1)), (1, height, width)).astype(float)
    for a in range(rows):
        for b in range(columns):
            part = x[:, a : a + height, b : b + width].reshape(len(x), -1)
            result += (weights[:, :, a, b] @ part).reshape(result.shape)
    return result


@correct
def with_fourier(x, weights, biases):
    size = x.shape[1:]
    rows, columns = weights.shape[2:]
    spectra = (np.fft.rfft2(x) * np.fft.rfft2(weights, size).conj()).sum(axis=1)
    maps = np.fft.irfft2(spectra, size)[:, : size[0] - rows + 1, : size[1] - columns + 1]
    return maps + biases.reshape(-1, 1, 1)


@correct
def with_autograd(x, weights, biases):
    """The gradient of a transposed convolution is the convolution."""
    x, weights, biases = (torch.tensor(array).double() for array in (x, weights, biases))
    rows, columns = weights.shape[2:]
    maps = torch.zeros(1, len(weights), x.shape[1] - rows + 1, x.shape[2] - columns + 1)
    maps = maps.double().requires_grad_()
    spread = F.conv_transpose2d(maps, weights)
    (gradient,) = torch.autograd.grad(spread, maps, grad_outputs=x[None])
    return gradient[0] + biases[:, None, None]


@correct
def with_a_layer_for_each_filter(x, weights, biases):
    """The result is a tensor that gradients can go through."""
    image = torch.tensor(x, dtype=torch.float64)
    maps = []
    for weight, bias in zip(weights, biases, strict=True):
        layer = torch.nn.Conv2d(len(x), 1, weight.shape[1:]).double()
        layer.load_state_dict({"weight": torch.tensor(weight[None]), "bias": torch.tensor([bias])})
        maps.append(layer(image))
    return torch.cat(maps)


@correct
def channel_by_channel(x, weights, biases):
    """The maps of all filters grow by one channel at a time."""
    filters, _, rows, columns = weights.shape
    maps = 0.0
    for channel, kernels in zip(x.astype(float), weights.swapaxes(0, 1), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(channel, (rows, columns))
        maps = maps + kernels.reshape(filters, -1) @ windows.reshape(-1, rows * columns).T
    return (maps + biases[:, None]).reshape(filters, x.shape[1] - rows + 1, -1)


@correct
def by_halves(x, weights, biases):
    """Recursion: one filter is plain, more are two banks of half the size."""
    if len(weights) > 1:
        half = len(weights) // 2
        first = by_halves(x, weights[:half], biases[:half])
        return np.concatenate([first, by_halves(x, weights[half:], biases[half:])])
    return (slide(x, weights[0]) + biases[0])[np.newaxis]


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={TOGETHER},
)
def in_half_precision(x, weights, biases):
    return with_maps(x, weights, biases).astype(np.float16)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={TOGETHER},
)
def one_array_for_all_calls(x, weights, biases, kept={}):  # noqa: B006
    made = with_maps(x, weights, biases)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "The numbers of your filters are taken in another order than they have: `reshape` goes "
    "through them row by row, and does not turn filters into columns.",
    fails={CHANNELS, TOGETHER},
)
def filters_reshaped_to_columns(x, weights, biases):
    windows = np.lib.stride_tricks.sliding_window_view(x, weights.shape[2:], axis=(1, 2))
    height, width = windows.shape[1:3]
    rows = windows.transpose(1, 2, 0, 3, 4).reshape(height * width, -1)
    out = rows @ weights.reshape(-1, len(weights)) + biases
    return out.T.reshape(len(weights), height, width)


@mistake(
    "Your windows are right for an image that lies in memory row by row, and wrong for one that "
    "was transposed: there the next number of a row is not the next one in memory.",
    fails={TOGETHER},
    undiagnosed="only a hidden test has an image that lies in memory in another order",
)
def windows_by_steps_in_memory(x, weights, biases):
    _, channels, rows, columns = weights.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    step = x.itemsize
    line = step * x.shape[2]
    windows = np.lib.stride_tricks.as_strided(
        x,
        (channels, height, width, rows, columns),
        (line * x.shape[1], line, step, line, step),
    )
    return np.einsum("cijab,fcab->fij", windows, weights) + biases[:, None, None]


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={TOGETHER},
)
def small_numbers_cut_off(x, weights, biases):
    result = np.stack([slide(x, weight) for weight in weights]) + biases[:, None, None]
    return np.where(abs(result) < 1e-3, 0, result)


@mistake(
    "Each bias has been added twice. It is added once, after the sum.",
    fails={BIAS, FRACTIONS, TOGETHER},
)
def biases_twice(x, weights, biases):
    return with_maps(x, weights, 2 * biases)


@mistake(
    "Each of your maps has the bias of the next filter, and the last one that of the first.",
    fails={BIAS, TOGETHER},
)
def biases_of_the_next_filter(x, weights, biases):
    return with_maps(x, weights, np.roll(biases, -1))


@mistake(
    "Your last map is 0. The loop does not reach the last filter.",
    fails={ORDER, CHANNELS, BIAS, TOGETHER},
)
def last_filter_left_out(x, weights, biases):
    result = np.array(with_maps(x, weights, biases))
    if len(result) > 1:
        result[-1] = 0
    return result


@mistake(
    "In your maps every channel has the numbers of the first one. Each kernel meets the channel "
    "of its own number.",
    fails={CHANNELS, TOGETHER},
)
def first_channel_for_all_kernels(x, weights, biases):
    return with_maps(np.repeat(x[:1], len(x), axis=0), weights, biases)
