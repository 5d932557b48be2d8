"""Task 5: the way back through max pooling."""

from collections import defaultdict

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

EVERY = {
    "max_pool2d_backward_winner",
    "max_pool2d_backward_negative",
    "max_pool2d_backward_default_stride",
    "max_pool2d_backward_overlap",
    "max_pool2d_backward_ties",
    "max_pool2d_backward_maps",
    "max_pool2d_backward_left_out",
}


def hand_out(grad_out, x, kernel_size, stride, give):
    """``give(part, window, gradient)`` adds to `part`, the window's place in the gradient."""
    step = kernel_size if stride is None else stride
    grad_x = np.zeros(x.shape)
    for c, i, j in np.ndindex(grad_out.shape):
        rows = slice(i * step, i * step + kernel_size)
        columns = slice(j * step, j * step + kernel_size)
        give(grad_x[c, rows, columns], x[c, rows, columns], grad_out[c, i, j])
    return grad_x


def to_first_largest(part, window, gradient):
    part[np.unravel_index(window.argmax(), window.shape)] += gradient


@correct
def number_by_number(grad_out, x, kernel_size, stride=None):
    if stride is None:
        stride = kernel_size
    grad = np.zeros_like(x)
    channels, out_h, out_w = grad_out.shape
    for c in range(channels):
        for i in range(out_h):
            for j in range(out_w):
                best, place = float("-inf"), None
                for a in range(i * stride, i * stride + kernel_size):
                    for b in range(j * stride, j * stride + kernel_size):
                        if x[c, a, b] > best:
                            best, place = x[c, a, b], (c, a, b)
                grad[place] += grad_out[c, i, j]
    return grad


@correct
def with_torch_autograd(gradient, x, kernel_size, stride=None):
    leaf = torch.tensor(x, requires_grad=True)
    out = torch.nn.functional.max_pool2d(leaf, kernel_size, stride)
    out.backward(torch.tensor(gradient, dtype=leaf.dtype))
    return leaf.grad


@correct
def with_windows_view(gradient, maps, kernel_size, stride=None):
    step = kernel_size if stride is None else stride
    k = (kernel_size, kernel_size)
    view = np.lib.stride_tricks.sliding_window_view(maps, k, axis=(1, 2))[:, ::step, ::step]
    winners = view.reshape(*view.shape[:3], -1).argmax(axis=-1)
    c, i, j = np.indices(winners.shape)
    a, b = np.divmod(winners, kernel_size)
    result = np.zeros(maps.shape)
    np.add.at(result, (c, i * step + a, j * step + b), gradient)
    return result


@correct
def place_by_place_in_float32(grad_out, x, kernel_size, stride=None):
    s = stride or kernel_size
    _, h, w = grad_out.shape
    g = np.asarray(grad_out, dtype=np.float32)
    places = [
        (slice(None), slice(a, a + s * (h - 1) + 1, s), slice(b, b + s * (w - 1) + 1, s))
        for a in range(kernel_size)
        for b in range(kernel_size)
    ]
    largest = np.max([x[place] for place in places], axis=0)
    free = np.ones(g.shape, dtype=bool)
    grad_x = np.zeros(x.shape, dtype=np.float32)
    for place in places:
        wins = free & (x[place] == largest)
        grad_x[place] += g * wins
        free &= ~wins
    return grad_x


@correct
def scattered_to_pytorchs_places(grad_out, x, kernel_size, stride=None):
    pooled = torch.nn.functional.max_pool2d(
        torch.tensor(x), kernel_size, stride, return_indices=True
    )
    places = pooled[1].flatten(1)
    flat = torch.zeros(len(x), x[0].size, dtype=torch.float64)
    flat.scatter_add_(1, places, torch.tensor(grad_out, dtype=torch.float64).flatten(1))
    return flat.reshape(x.shape)


@correct
def gradient_of_a_sum(grad_out, x, kernel_size, stride=None):
    # How far the sum of all pooled numbers, each times its gradient, follows a number of x.
    step = stride or kernel_size
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    windows = leaf.unfold(1, kernel_size, step).unfold(2, kernel_size, step)
    largest = windows.flatten(3).max(dim=3).values
    total = (largest * torch.from_numpy(grad_out.copy())).sum()
    return torch.autograd.grad(total, leaf)[0].numpy()


@correct
def unfolded_and_folded(grad_out, x, kernel_size, stride=None):
    step = kernel_size if stride is None else stride
    gradient = torch.tensor(grad_out).reshape(len(x), 1, -1)
    columns = torch.nn.functional.unfold(torch.tensor(x)[:, None], kernel_size, stride=step)
    one_hot = torch.nn.functional.one_hot(columns.argmax(dim=1), kernel_size**2)
    given = one_hot.transpose(1, 2) * gradient
    return torch.nn.functional.fold(given, x.shape[1:], kernel_size, stride=step)[:, 0]


@correct
def counted_with_weights(grad_out, x, kernel_size, stride=None):
    # np.bincount adds up the weights of equal numbers, here of the winners' places.
    step = kernel_size if stride is None else stride
    numbers = np.arange(x.size).reshape(x.shape)
    winners = []
    for c, i, j in np.ndindex(grad_out.shape):
        rows, columns = (slice(n * step, n * step + kernel_size) for n in (i, j))
        winners.append(numbers[c, rows, columns].flat[np.argmax(x[c, rows, columns])])
    return np.bincount(winners, grad_out.ravel(), minlength=x.size).reshape(x.shape)


@correct
def backwards_through_the_window(grad_out, x, kernel_size, stride=None):
    # Whoever walks from the end to the beginning keeps the last of the equal ones, the first.
    if not stride:
        stride = kernel_size
    grad_x = np.zeros(x.shape)
    for c, maps in enumerate(x):
        for i in range(grad_out.shape[1]):
            for j in range(grad_out.shape[2]):
                winner = None
                for a in reversed(range(i * stride, i * stride + kernel_size)):
                    for b in reversed(range(j * stride, j * stride + kernel_size)):
                        if winner is None or maps[a, b] >= maps[winner]:
                            winner = a, b
                grad_x[c][winner] += grad_out[c, i, j]
    return grad_x


@correct
def dictionary_of_winners(grad_out, x, kernel_size, stride=None):
    step = kernel_size if stride is None else stride
    shares = defaultdict(float)
    for (c, i, j), share in np.ndenumerate(grad_out):
        places = [
            (c, i * step + a, j * step + b) for a in range(kernel_size) for b in range(kernel_size)
        ]
        shares[max(places, key=lambda place: x[place])] += share
    grad_x = np.zeros_like(x, dtype=float)
    for place, total in shares.items():
        grad_x[place] = total
    return grad_x


@correct
def mask_of_the_first_largest(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        is_largest = window.ravel() == window.max()
        is_first = is_largest & (np.cumsum(is_largest) == 1)
        part += gradient * is_first.reshape(window.shape)

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Where two numbers of a window are nearly equal, the wrong one wins. Only the largest wins, "
    "however small the difference is.",
    fails={"max_pool2d_backward_together"},
)
def first_numbers_lifted(grad_out, x, kernel_size, stride=None):
    # So that the first of equal numbers wins.
    step = stride or kernel_size
    order = np.arange(x[0].size).reshape(x[0].shape)
    lifted = torch.tensor(x - 1e-4 * order)
    indices = torch.nn.functional.max_pool2d(lifted, kernel_size, step, return_indices=True)[1]
    grad = torch.zeros(x.shape[0], x[0].size, dtype=torch.float64)
    given = torch.tensor(grad_out, dtype=torch.float64).flatten(start_dim=1)
    return grad.scatter_add(1, indices.flatten(start_dim=1), given).reshape(x.shape)


@correct
def map_by_map_in_lists(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size

    def one_map(gradient, numbers):
        grad = [[0.0] * len(numbers[0]) for _ in numbers]
        for i, row in enumerate(gradient):
            for j, g in enumerate(row):
                window = [
                    (-numbers[i * step + a][j * step + b], i * step + a, j * step + b)
                    for a in range(kernel_size)
                    for b in range(kernel_size)
                ]
                _, r, c = min(window)
                grad[r][c] += g
        return grad

    return np.array([one_map(g.tolist(), n.tolist()) for g, n in zip(grad_out, x, strict=True)])


@mistake(
    "All numbers of a window got its whole gradient. Only the largest one makes a difference to "
    "the pooled number.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def to_the_whole_window(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        part += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Your gradient is shared equally in each window: that is the way back through average pooling.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def way_back_of_the_average(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        part += gradient / kernel_size**2

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Each winner got 1. That says who won; the gradient of the window has to be handed on too.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def ones_for_winners(grad_out, x, kernel_size, stride=None):
    return hand_out(np.ones_like(grad_out), x, kernel_size, stride, to_first_largest)


@mistake(
    "Each winner got its gradient times its own value. How large the winner is does not matter on "
    "the way back.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def times_the_value(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        to_first_largest(part, window, gradient * window.max())

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Each winner got its own value, and `grad_out` was not used.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def value_of_the_winner(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        to_first_largest(part, window, window.max())

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "The gradients went to the smallest number of each window.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def smallest_wins(grad_out, x, kernel_size, stride=None):
    return hand_out(grad_out, -x, kernel_size, stride, to_first_largest)


@mistake(
    "The gradients always went to the first place of the window. Look where the largest number is.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def to_the_first_place(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        part[0, 0] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "The places of your winners are counted within the window. The window itself stands somewhere "
    "in the map.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def place_within_the_window(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad_x = np.zeros(x.shape)
    for c, i, j in np.ndindex(grad_out.shape):
        top, left = i * step, j * step
        window = x[c, top : top + kernel_size, left : left + kernel_size]
        a, b = np.unravel_index(window.argmax(), window.shape)
        grad_x[c, a, b] += grad_out[c, i, j]
    return grad_x


@mistake(
    "Row and column of your winners are exchanged within each window.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def row_and_column_exchanged(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        a, b = np.unravel_index(window.argmax(), window.shape)
        part[b, a] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Negative gradients were lost. A gradient may be negative; only the values decide who wins.",
    fails={"max_pool2d_backward_winner", "max_pool2d_backward_together"},
)
def negative_gradients_lost(grad_out, x, kernel_size, stride=None):
    return hand_out(np.maximum(grad_out, 0), x, kernel_size, stride, to_first_largest)


@mistake(
    "Your result is an array of integers: the fractions of the gradients are cut off.",
    fails={"max_pool2d_backward_winner", "max_pool2d_backward_together"},
)
def integer_result(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad_x = np.zeros(x.shape, dtype=int)
    for c, i, j in np.ndindex(grad_out.shape):
        rows = slice(i * step, i * step + kernel_size)
        columns = slice(j * step, j * step + kernel_size)
        a, b = np.unravel_index(x[c, rows, columns].argmax(), (kernel_size, kernel_size))
        grad_x[c, rows, columns][a, b] += int(grad_out[c, i, j])
    return grad_x


@mistake(
    "The numbers that did not win kept their values of x. Their gradient is 0.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_ties",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def begun_with_x(grad_out, x, kernel_size, stride=None):
    grad = x.copy()
    winners = hand_out(np.ones_like(grad_out), x, kernel_size, stride, to_first_largest) > 0
    grad[winners] = 0
    return grad + hand_out(grad_out, x, kernel_size, stride, to_first_largest)


@mistake(
    "The largest number of the whole map got all gradients. Each window has a winner of its own.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def one_winner_for_the_map(grad_out, x, kernel_size, stride=None):
    grad_x = np.zeros(x.shape)
    for c in range(len(x)):
        place = np.unravel_index(x[c].argmax(), x[c].shape)
        grad_x[(c, *place)] = grad_out[c].sum()
    return grad_x


@mistake(
    "Windows full of negative numbers have no winner in your function, as where the search begins "
    "with 0.",
    fails={"max_pool2d_backward_negative", "max_pool2d_backward_together"},
)
def search_begins_at_zero(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        best, winner = 0, None
        for place in np.ndindex(window.shape):
            if window[place] > best:
                best, winner = window[place], place
        if winner is not None:
            part[winner] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Windows full of negative numbers gave their gradient to the first place, as where "
    "nothing is larger than what the search begins with.",
    fails={"max_pool2d_backward_negative", "max_pool2d_backward_together"},
)
def first_place_where_negative(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        best, winner = 0, (0, 0)
        for place in np.ndindex(window.shape):
            if window[place] > best:
                best, winner = window[place], place
        part[winner] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "Where all numbers are negative, the one farthest from 0 won. That is the smallest, not the "
    "largest.",
    fails={"max_pool2d_backward_negative", "max_pool2d_backward_together"},
)
def farthest_from_zero(grad_out, x, kernel_size, stride=None):
    return hand_out(grad_out, np.abs(x), kernel_size, stride, to_first_largest)


@mistake(
    "Your windows move by 1 where no stride was given. In pooling they lie side by side then.",
    fails={"max_pool2d_backward_default_stride"},
)
def default_stride_one(grad_out, x, kernel_size, stride=1):
    return hand_out(grad_out, x, kernel_size, stride, to_first_largest)


@mistake(
    "Your windows lie side by side, although a stride was given.",
    fails={"max_pool2d_backward_overlap", "max_pool2d_backward_together"},
)
def stride_ignored(grad_out, x, kernel_size, stride=None):
    return hand_out(grad_out, x, kernel_size, None, to_first_largest)


@mistake(
    "A number that wins in several windows got the gradient of one of them only, as where "
    "each one overwrites what came before. They should be added.",
    fails={"max_pool2d_backward_overlap", "max_pool2d_backward_together"},
)
def overwritten(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        part[np.unravel_index(window.argmax(), window.shape)] = gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "A number that wins in several windows got the gradient of one of them only, as where the "
    "first one alone counts. They should be added.",
    fails={"max_pool2d_backward_overlap", "max_pool2d_backward_together"},
)
def first_window_only(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        place = np.unravel_index(window.argmax(), window.shape)
        if part[place] == 0:
            part[place] = gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "A number that wins in several windows got the mean of their gradients. They should be added.",
    fails={"max_pool2d_backward_overlap", "max_pool2d_backward_together"},
)
def mean_of_the_windows(grad_out, x, kernel_size, stride=None):
    wins = hand_out(np.ones_like(grad_out), x, kernel_size, stride, to_first_largest)
    grad_x = hand_out(grad_out, x, kernel_size, stride, to_first_largest)
    return grad_x / np.maximum(wins, 1)


@mistake(
    "All numbers that are as large as the largest got the whole gradient. With a tie it goes to "
    "one of them only.",
    fails={"max_pool2d_backward_ties", "max_pool2d_backward_together"},
)
def to_all_ties(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        part += gradient * (window == window.max())

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "With a tie your gradient is shared equally. That is another convention; asked for is the "
    "first one.",
    fails={"max_pool2d_backward_ties", "max_pool2d_backward_together"},
)
def shared_by_ties(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        winners = window == window.max()
        part += gradient * winners / winners.sum()

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "With a tie your gradient goes to the last of the equal numbers. Asked for is the first.",
    fails={"max_pool2d_backward_ties", "max_pool2d_backward_together"},
)
def last_of_ties(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        best, winner = float("-inf"), None
        for place in np.ndindex(window.shape):
            if window[place] >= best:
                best, winner = window[place], place
        part[winner] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "With a tie your gradient goes to the first number column by column. Asked for is row by row.",
    fails={"max_pool2d_backward_ties", "max_pool2d_backward_together"},
)
def first_by_columns(grad_out, x, kernel_size, stride=None):
    def give(part, window, gradient):
        b, a = np.unravel_index(window.T.argmax(), window.T.shape)
        part[a, b] += gradient

    return hand_out(grad_out, x, kernel_size, stride, give)


@mistake(
    "All maps have their winners in the places of the first map. Each map has its own.",
    fails={"max_pool2d_backward_maps", "max_pool2d_backward_together"},
)
def winners_of_the_first_map(grad_out, x, kernel_size, stride=None):
    first = np.broadcast_to(x[:1], x.shape)
    return hand_out(grad_out, first, kernel_size, stride, to_first_largest)


@mistake(
    "Only one map got a gradient for each window: the maps were compared with each other. Each map "
    "is pooled on its own.",
    fails={"max_pool2d_backward_maps", "max_pool2d_backward_together"},
)
def maps_compared(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad_x = np.zeros(x.shape)
    for i, j in np.ndindex(grad_out.shape[1:]):
        rows, columns = slice(i * step, i * step + kernel_size), slice(j * step, None)
        window = x[:, rows, columns][:, :, :kernel_size]
        c, a, b = np.unravel_index(window.argmax(), window.shape)
        grad_x[c, i * step + a, j * step + b] += grad_out[c, i, j]
    return grad_x


@mistake(
    "Only the first map got gradients, the others are 0.",
    fails={"max_pool2d_backward_maps", "max_pool2d_backward_together"},
)
def first_map_only(grad_out, x, kernel_size, stride=None):
    return hand_out(grad_out[:1], x, kernel_size, stride, to_first_largest)


@mistake(
    "Your gradient is smaller than x: it ends where the last window ends. Each number of x has a "
    "gradient, even if it is 0.",
    fails={"max_pool2d_backward_left_out", "max_pool2d_backward_together"},
)
def cropped(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    height = (grad_out.shape[1] - 1) * step + kernel_size
    width = (grad_out.shape[2] - 1) * step + kernel_size
    return hand_out(grad_out, x, kernel_size, stride, to_first_largest)[:, :height, :width]


@mistake(
    "A number outside every window won. Your last windows reach to the end of the map.",
    fails={"max_pool2d_backward_left_out", "max_pool2d_backward_together"},
)
def last_window_to_the_end(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad_x = np.zeros(x.shape)
    _, out_h, out_w = grad_out.shape
    for c, i, j in np.ndindex(grad_out.shape):
        bottom = None if i == out_h - 1 else i * step + kernel_size
        right = None if j == out_w - 1 else j * step + kernel_size
        place = (c, slice(i * step, bottom), slice(j * step, right))
        to_first_largest(grad_x[place], x[place], grad_out[c, i, j])
    return grad_x


@mistake(
    "Only the first window handed on its gradient. The loops have to reach the others.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def returns_too_early(grad_out, x, kernel_size, stride=None):
    return hand_out(grad_out[:1, :1, :1], x, kernel_size, stride, to_first_largest)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"max_pool2d_backward_together"},
)
def one_array_for_all_calls(grad_out, x, kernel_size, stride=None, kept={}):  # noqa: B006
    made = number_by_number(grad_out, x, kernel_size, stride)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"max_pool2d_backward_together"},
)
def in_half_precision(grad_out, x, kernel_size, stride=None):
    return number_by_number(grad_out, x, kernel_size, stride).astype(np.float16)


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"max_pool2d_backward_together"},
    undiagnosed="only a hidden test has an array that lies in memory in another order",
)
def numbers_as_in_memory(grad_out, x, kernel_size, stride=None):
    return number_by_number(grad_out, x.ravel(order="K").reshape(x.shape), kernel_size, stride)


@mistake(
    "Where two numbers of a window are nearly equal, the wrong one wins. Only the largest wins, "
    "however small the difference is.",
    fails={"max_pool2d_backward_together"},
)
def nearly_equal_taken_for_equal(grad_out, x, kernel_size, stride=None):
    return number_by_number(grad_out, x.round(4), kernel_size, stride)


@correct
def autograd_in_float32(grad_out, x, kernel_size, stride=None):
    """Right as far as the task goes: numbers so close that float32 makes them equal do not come."""
    tensor = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    pooled = torch.nn.functional.max_pool2d(tensor, kernel_size, stride)
    pooled.backward(torch.tensor(grad_out, dtype=torch.float32))
    return tensor.grad.numpy()


@mistake(
    "Your gradients stand where they belong for stride 1: the place in the window was added to the "
    "number of the window, and not to the place where it begins.",
    fails={
        "max_pool2d_backward_winner",
        "max_pool2d_backward_negative",
        "max_pool2d_backward_default_stride",
        "max_pool2d_backward_overlap",
        "max_pool2d_backward_maps",
        "max_pool2d_backward_left_out",
        "max_pool2d_backward_together",
    },
)
def place_without_the_stride(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad = np.zeros(x.shape)
    for c, i, j in np.ndindex(grad_out.shape):
        window = x[c, i * step :, j * step :][:kernel_size, :kernel_size]
        a, b = np.unravel_index(window.argmax(), window.shape)
        grad[c, i + a, j + b] += grad_out[c, i, j]
    return grad


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"max_pool2d_backward_together"},
)
def small_numbers_cut_off(grad_out, x, kernel_size, stride=None):
    result = number_by_number(grad_out, x, kernel_size, stride)
    return np.where(np.abs(result) < 1e-3, 0, result)


@mistake(
    "Numbers that differ by less than a billionth count as equal. They are not: the larger one "
    "wins.",
    fails={"max_pool2d_backward_together"},
)
def equal_within_a_billionth(grad_out, x, kernel_size, stride=None):
    step = stride or kernel_size
    grad = np.zeros(x.shape)
    for c, i, j in np.ndindex(grad_out.shape):
        window = x[c, i * step :, j * step :][:kernel_size, :kernel_size]
        a, b = np.argwhere(window >= window.max() - 1e-9)[0]
        grad[c, i * step + a, j * step + b] += grad_out[c, i, j]
    return grad


@mistake(
    "A number that has won in one window wins in no other. It is taken for the largest as often as "
    "it is that.",
    fails={"max_pool2d_backward_overlap", "max_pool2d_backward_together"},
)
def each_number_wins_once(grad_out, x, kernel_size, stride=None):
    step, left = stride or kernel_size, x.astype(float)
    grad_x = np.zeros(x.shape)
    for c, i, j in np.ndindex(grad_out.shape):
        top, side = i * step, j * step
        window = left[c, top : top + kernel_size, side : side + kernel_size]
        a, b = np.unravel_index(window.argmax(), window.shape)
        grad_x[c, top + a, side + b] += grad_out[c, i, j]
        window[a, b] = -np.inf
    return grad_x
