"""Task 6: move the images."""

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


@correct
def with_slices(images, down, right):
    out = np.zeros_like(images)
    _, h, w = images.shape
    for n, (d, r) in enumerate(zip(down, right, strict=True)):
        if abs(d) < h and abs(r) < w:
            part = images[n, max(0, -d) : h - max(0, d), max(0, -r) : w - max(0, r)]
            out[n, max(0, d) : h + min(0, d), max(0, r) : w + min(0, r)] = part
    return out


@correct
def with_roll_and_zeros(images, down, right):
    out = images.copy()
    for n in range(len(images)):
        d, r = int(down[n]), int(right[n])
        out[n] = np.roll(out[n], (d, r), axis=(0, 1))
        if d >= 0:
            out[n, :d] = 0
        else:
            out[n, d:] = 0
        if r >= 0:
            out[n, :, :r] = 0
        else:
            out[n, :, r:] = 0
    return out


@correct
def padded_by_the_largest_move(images, down, right):
    most = int(max(np.abs(down).max(), np.abs(right).max()))
    padded = np.pad(images, [(0, 0), (most, most), (most, most)])
    _, h, w = images.shape
    corners = zip(padded, most - down, most - right, strict=True)
    return np.stack([image[i : i + h, j : j + w] for image, i, j in corners])


@correct
def with_index_arrays(images, down, right):
    n, h, w = images.shape
    rows, columns = np.arange(h) - down[:, None], np.arange(w) - right[:, None]
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None]
    picked = images[
        np.arange(n)[:, None, None],
        rows.clip(0, h - 1)[:, :, None],
        columns.clip(0, w - 1)[:, None],
    ]
    return np.where(inside, picked, 0)


@correct
def pixels_sent(images, down, right):
    out = np.zeros(images.shape)
    for (n, i, j), value in np.ndenumerate(images):
        row, column = i + down[n], j + right[n]
        if row in range(images.shape[1]) and column in range(images.shape[2]):
            out[n, row, column] = value
    return out


@correct
def with_matrices(images, down, right):
    _, h, w = images.shape
    return np.stack(
        [
            np.eye(h, k=-d) @ image @ np.eye(w, k=r)
            for image, d, r in zip(images, down.tolist(), right.tolist(), strict=True)
        ]
    )


@correct
def one_step_at_a_time(images, down, right):
    out = images.copy()
    for n, image in enumerate(out):
        h, w = image.shape
        for _ in range(abs(int(down[n]))):
            row = np.zeros((1, w))
            below = down[n] > 0
            image = np.concatenate([row, image[:-1]] if below else [image[1:], row])
        for _ in range(abs(int(right[n]))):
            column = np.zeros((h, 1))
            beside = right[n] > 0
            image = np.hstack([column, image[:, :-1]] if beside else [image[:, 1:], column])
        out[n] = image
    return out


@correct
def with_torch(pictures, down, right):
    x = torch.tensor(pictures)
    moved = []
    for image, d, r in zip(x, down.tolist(), right.tolist(), strict=True):
        h, w = image.shape
        padded = torch.nn.functional.pad(image, (abs(r), abs(r), abs(d), abs(d)))
        moved.append(padded[abs(d) - d : abs(d) - d + h, abs(r) - r : abs(r) - r + w])
    return torch.stack(moved).numpy()


@correct
def pad_of_torch_with_negative_numbers(images, down, right):
    x, moved = torch.tensor(images), []
    for image, d, r in zip(x, down, right, strict=True):
        d = max(-image.shape[0], min(image.shape[0], int(d)))
        r = max(-image.shape[1], min(image.shape[1], int(r)))
        moved.append(torch.nn.functional.pad(image, (r, -r, d, -d)))
    return torch.stack(moved).numpy()


@correct
def in_float32(images, down, right):
    images = images.astype(np.float32)
    _, h, w = images.shape
    out = np.zeros_like(images)
    for n in range(len(out)):
        for i in range(h):
            if 0 <= i - down[n] < h:
                row = np.zeros(3 * w, dtype=np.float32)
                row[w : 2 * w] = images[n, i - down[n]]
                start = w - np.clip(right[n], -w, w)
                out[n, i] = row[start : start + w]
    return out


@correct
def frames_as_large_as_the_image(images, down, right):
    _, h, w = images.shape
    padded = np.pad(images, ((0, 0), (h, h), (w, w)))
    d, r = np.clip(down, -h, h), np.clip(right, -w, w)
    return np.array([padded[n, h - d[n] :, w - r[n] :][:h, :w] for n in range(len(images))])


@correct
def rows_and_then_columns(images, down, right):
    def along(lines, by):
        size = len(lines)
        empty = np.zeros_like(lines)
        if by >= 0:
            return np.concatenate([empty, lines])[size - min(by, size) :][:size]
        return np.concatenate([lines, empty])[min(-by, size) :][:size]

    return np.stack(
        [along(along(x, d).T, r).T for x, d, r in zip(images, down, right, strict=True)]
    )


@mistake(
    "What goes out on one side of your image comes in again on the other. Zeros should come in.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def rolled(images, down, right):
    moves = zip(images, down, right, strict=True)
    return np.stack([np.roll(image, (d, r), axis=(0, 1)) for image, d, r in moves])


@mistake(
    "Your image moves the wrong way, and what goes out on one side comes in again on the other. "
    "Zeros should come in.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def rolled_the_wrong_way(images, down, right):
    moves = zip(images, down, right, strict=True)
    return np.stack([np.roll(image, (-d, -r), axis=(0, 1)) for image, d, r in moves])


@mistake(
    "Your image moves the wrong way: up where it should move down, and left where it should move "
    "right.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def other_way(images, down, right):
    return with_slices(images, -down, -right)


@mistake(
    "Your image goes to the wrong side: to the left where it should go to the right, or to "
    "the right where it should go to the left.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def right_the_other_way(images, down, right):
    return with_slices(images, down, -right)


@mistake(
    "Your image goes to the right as it should, but up where it should go down.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def down_the_other_way(images, down, right):
    return with_slices(images, -down, right)


@mistake(
    "The two moves are swapped: `down` moves your image to the right, and `right` moves it down.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def moves_swapped(images, down, right):
    return with_slices(images, right, down)


@mistake(
    "Your image does not move to the side where it should.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def down_only(images, down, right):
    return with_slices(images, down, 0 * right)


@mistake(
    "Your image does not move up or down where it should.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def right_only(images, down, right):
    return with_slices(images, 0 * down, right)


@mistake(
    "All your images move by the numbers of the first one.",
    fails={"shift_each_its_own", "shift_together"},
)
def first_moves_for_all(images, down, right):
    return with_slices(images, np.full_like(down, down[0]), np.full_like(right, right[0]))


@mistake(
    "Only your first image is moved; the others are zeros.",
    fails={"shift_each_its_own", "shift_together"},
)
def first_image_only(images, down, right):
    out = np.zeros_like(images)
    out[:1] = with_slices(images[:1], down[:1], right[:1])
    return out


@mistake(
    "Your moves add up: each image moves by the numbers of all images before it, too.",
    fails={"shift_each_its_own", "shift_together"},
)
def moves_add_up(images, down, right):
    return with_slices(images, np.cumsum(down), np.cumsum(right))


@mistake(
    "Your image moves down and to the right also where a number is negative. Negative numbers move "
    "up and to the left.",
    fails={"shift_together", "shift_up_left", "shift_zeros"},
)
def signs_dropped(images, down, right):
    return with_slices(images, np.abs(down), np.abs(right))


@mistake(
    "Your slices fit positive numbers only. A negative start of a slice counts from the end.",
    fails={"shift_none_or_far", "shift_together", "shift_up_left", "shift_zeros"},
    undiagnosed="with most negative numbers it stops with an error",
)
def positive_slices_only(images, down, right):
    out = np.zeros_like(images)
    _, h, w = images.shape
    for n, (d, r) in enumerate(zip(down, right, strict=True)):
        out[n, d:, r:] = images[n, : max(h - d, 0), : max(w - r, 0)]
    return out


@mistake(
    "In your result the first rows, up to number `down`, are 0, and so are the first columns, up "
    "to number `right`. Up to a negative number means: all but the last ones.",
    fails={"shift_none_or_far", "shift_together", "shift_up_left", "shift_zeros"},
)
def first_rows_and_columns_emptied(images, down, right):
    out = np.zeros_like(images)
    for n, (d, r) in enumerate(zip(down, right, strict=True)):
        out[n] = np.roll(images[n], (d, r), axis=(0, 1))
        out[n, :d] = 0
        out[n, :, :r] = 0
    return out


@mistake(
    "Where a number is negative, your image keeps its old pixels in the rows and columns "
    "where zeros should come in, as where it stays in its place. Negative numbers move up and "
    "to the left.",
    fails={"shift_none_or_far", "shift_together", "shift_up_left", "shift_zeros"},
)
def negative_moves_ignored(images, down, right):
    return with_slices(images, np.maximum(down, 0), np.maximum(right, 0))


@mistake(
    "At the top and on the left of your image stands what went out at the bottom and on the right. "
    "A negative index counts from the end.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def negative_indices(images, down, right):
    out = np.zeros_like(images)
    _, h, w = images.shape
    for n in range(len(images)):
        for i in range(h):
            for j in range(w):
                row, column = i - down[n], j - right[n]
                if -h <= row < h and -w <= column < w:
                    out[n, i, j] = images[n, row, column]
    return out


@mistake(
    "Your image repeats its edge where something new comes in. Zeros should come in.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def edge_repeated(images, down, right):
    n, h, w = images.shape
    rows = (np.arange(h) - down[:, None]).clip(0, h - 1)
    columns = (np.arange(w) - right[:, None]).clip(0, w - 1)
    return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None]]


@mistake(
    "Your image keeps its old pixels where something new should come in, as where the moved "
    "image is laid over the old one.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def laid_over_the_old_image(images, down, right):
    inside = with_slices(np.ones_like(images), down, right) > 0
    return np.where(inside, with_slices(images, down, right), images)


@mistake(
    "What comes in is −0.42, the lesson's black after normalising. In this task black is 0.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def black_of_the_lesson(images, down, right):
    inside = with_slices(np.ones_like(images), down, right) > 0
    return np.where(inside, with_slices(images, down, right), -0.1307 / 0.3081)


@mistake(
    "What comes in is 1. In this task black is 0.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def ones_come_in(images, down, right):
    inside = with_slices(np.ones_like(images), down, right) > 0
    return np.where(inside, with_slices(images, down, right), 1)


@mistake(
    "Your image is empty, as where one of its moves is 0 and a slice goes up to −0, or zeros are "
    "written from place 0 on. A move by 0 leaves that direction as it is.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
    },
)
def nothing_left_at_zero(images, down, right):
    return with_slices(images, down, right) * ((down != 0) & (right != 0))[:, None, None]


@mistake(
    "Your image is moved too far.",
    fails={"shift_down_right", "shift_each_its_own", "shift_together", "shift_up_left"},
)
def one_too_far(images, down, right):
    return with_slices(images, down + np.sign(down), right + np.sign(right))


@mistake(
    "Your image has grown by the size of its move. The size stays: what goes out is lost.",
    fails={"shift_none_or_far", "shift_together", "shift_zeros"},
)
def grown(images, down, right):
    d, r = int(np.abs(down).max()), int(np.abs(right).max())
    padded = np.pad(images, [(0, 0), (d, d), (r, r)])
    _, h, w = images.shape
    out = with_slices(padded, down, right)
    return out[:, d : 2 * d + h, r : 2 * r + w]


@mistake(
    "Only what is left of your image comes back, without the zeros: it has become smaller.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_zeros",
    },
)
def cropped(images, down, right):
    _, h, w = images.shape
    parts = [
        image[max(0, -d) : h - max(0, d), max(0, -r) : w - max(0, r)]
        for image, d, r in zip(images, down, right, strict=True)
    ]
    return np.array(parts)


@mistake(
    "Your images are moved in place: the images that were given are changed. Whoever calls the "
    "function still needs them.",
    fails={"shift_together"},
)
def in_place(images, down, right):
    images[...] = with_slices(images.copy(), down, right)
    return images


@mistake(
    "A move that is larger than the image leaves something of it in your result. Nothing is left "
    "of it: all numbers are 0.",
    fails={"shift_none_or_far", "shift_together"},
)
def modulo_the_size(images, down, right):
    _, h, w = images.shape
    return with_slices(images, np.sign(down) * (abs(down) % h), np.sign(right) * (abs(right) % w))


@mistake(
    "Moves are limited in your function to less than the image. A move by its whole size or more "
    "leaves only zeros.",
    fails={"shift_none_or_far", "shift_together"},
)
def moves_limited(images, down, right):
    _, h, w = images.shape
    return with_slices(images, down.clip(1 - h, h - 1), right.clip(1 - w, w - 1))


@mistake(
    "Your numbers equal those where the height is used for the width, too.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def square_images_only(images, down, right):
    out = np.zeros_like(images)
    size = images.shape[1]
    for n in range(len(images)):
        for i in range(size):
            for j in range(size):
                row, column = i - down[n], j - right[n]
                if 0 <= row < size and 0 <= column < size:
                    out[n, i, j] = images[n, row, column]
    return out


@mistake(
    "Your pixels lose their fractions: the result is an array of whole numbers.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
    },
    undiagnosed="the pixels that a student sees are whole numbers",
)
def whole_numbers(images, down, right):
    return with_slices(images, down, right).astype(int)


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={
        "shift_down_right",
        "shift_each_its_own",
        "shift_none_or_far",
        "shift_together",
        "shift_up_left",
        "shift_zeros",
    },
)
def printed(images, down, right):
    print(with_slices(images, down, right))


@correct
def with_fourier(images, down, right):
    """Each wave moves; twice the size keeps out what comes back on the other side."""
    _, height, width = images.shape
    waves_down = np.fft.fftfreq(2 * height)[:, None]
    waves_right = np.fft.fftfreq(2 * width)
    moved = []
    for image, d, r in zip(images, down, right, strict=True):
        room = np.zeros((2 * height, 2 * width))
        if abs(d) < height and abs(r) < width:
            room[:height, :width] = image
        turn = np.exp(-2j * np.pi * (waves_down * d + waves_right * r))
        moved.append(np.fft.ifft2(np.fft.fft2(room) * turn).real[:height, :width])
    return np.array(moved)


@correct
def with_fourier_in_a_large_room(images, down, right):
    """In the place of zeros stand numbers as small as rounding errors."""
    _, height, width = images.shape
    waves_down = np.fft.fftfreq(64)[:, None]
    waves_right = np.fft.fftfreq(64)
    room = np.zeros((len(images), 64, 64))
    room[:, :height, :width] = images
    steps = zip(down, right, strict=True)
    turns = [np.exp(-2j * np.pi * (waves_down * d + waves_right * r)) for d, r in steps]
    return np.fft.ifft2(np.fft.fft2(room) * turns).real[:, :height, :width]


@correct
def halves_of_the_batch(images, down, right):
    """By recursion, down to one image."""
    if len(images) > 1:
        half = slice(len(images) // 2), slice(len(images) // 2, None)
        return np.concatenate([halves_of_the_batch(images[s], down[s], right[s]) for s in half])
    _, height, width = images.shape
    d = int(np.clip(down[0], -height, height))
    r = int(np.clip(right[0], -width, width))
    room = np.pad(images[0], ((max(d, 0), max(-d, 0)), (max(r, 0), max(-r, 0))))
    return room[max(-d, 0) :, max(-r, 0) :][None, :height, :width]
