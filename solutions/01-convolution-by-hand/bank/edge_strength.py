"""Task 4: an edge detector."""

import collections
import math

import numpy as np
import torch
import torch.nn.functional as F

from grader.authoring.bank import correct, mistake

PLACES, FLAT = "edge_strength_places", "edge_strength_flat"
DIRECTIONS, WEIGHTS = "edge_strength_directions", "edge_strength_weights"
MAGNITUDE, RANGE = "edge_strength_magnitude", "edge_strength_range"
INPUTS, TOGETHER = "edge_strength_inputs", "edge_strength_together"

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def slide(image, kernel):
    rows, columns = kernel.shape
    result = np.zeros((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = np.sum(image[i : i + rows, j : j + columns] * kernel)
    return result


def both_maps(image, kernel=SOBEL):
    """The map of the kernel, and that of the transposed one."""
    return slide(image, kernel), slide(image, kernel.T)


@mistake(
    "Your output finds edges between left and right only: it is the size of the map of Sx. The map "
    "of Sy has to come in, too.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, TOGETHER},
)
def left_to_right_only(image):
    return np.abs(slide(image, SOBEL))


@mistake(
    "Your output finds edges between top and bottom only: it is the size of the map of Sy. The map "
    "of Sx has to come in, too.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def top_to_bottom_only(image):
    return np.abs(slide(image, SOBEL.T))


@mistake(
    "Your output is the map of Sx as it is. The map of Sy has to come in, and a strength is never "
    "negative.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def map_of_one_filter(image):
    return slide(image, SOBEL)


@mistake(
    "The same kernel is used for both maps, so only edges between left and right are found. The "
    "second kernel is for the other direction.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, TOGETHER},
)
def same_kernel_twice(image):
    gx, gy = slide(image, SOBEL), slide(image, SOBEL)
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Your output is the sum of the two maps, with their signs. Opposite signs cancel, and some "
    "edges come out negative.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def sum_with_signs(image):
    gx, gy = both_maps(image)
    return gx + gy


@mistake(
    "Your output is the sum of the two sizes. Asked for is the magnitude: the root of the sum of "
    "the squares.",
    fails={MAGNITUDE, TOGETHER},
)
def sum_of_sizes(image):
    gx, gy = both_maps(image)
    return np.abs(gx) + np.abs(gy)


@mistake(
    "Your output is the size of the sum of both maps. Where their signs are opposite the maps "
    "cancel, although there is an edge.",
    fails={MAGNITUDE, TOGETHER},
)
def size_of_sum(image):
    gx, gy = both_maps(image)
    return np.abs(gx + gy)


@mistake(
    "Your output is the larger of the two sizes. Asked for is the magnitude, to which both "
    "contribute.",
    fails={MAGNITUDE, TOGETHER},
)
def larger_size(image):
    gx, gy = both_maps(image)
    return np.maximum(np.abs(gx), np.abs(gy))


@mistake(
    "Your output equals the sum of the squares, without the root.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def root_forgotten(image):
    gx, gy = both_maps(image)
    return gx**2 + gy**2


@mistake(
    "Your output is the root of the sum of the sizes. The squares are missing below the root.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def squares_forgotten(image):
    gx, gy = both_maps(image)
    return np.sqrt(np.abs(gx) + np.abs(gy))


@mistake(
    "Below your root stands the mean of the two squares, so the output is too small. Asked for is "
    "their sum.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def mean_of_squares(image):
    return np.sqrt(np.mean(np.square(both_maps(image)), axis=0))


@mistake(
    "Your maps are cut off at 0 before they are combined, so that edges from bright to dark are "
    "lost. A square takes the minus sign away by itself.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def negative_numbers_dropped(image):
    gx, gy = (np.maximum(one, 0) for one in both_maps(image))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Flat regions are not 0 in your output: your kernels have no minus signs, so that their "
    "numbers do not add up to 0.",
    fails={FLAT, WEIGHTS, MAGNITUDE, TOGETHER},
)
def minus_signs_forgotten(image):
    gx, gy = both_maps(image, np.abs(SOBEL))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Flat regions are not 0 in your output: one number of your kernels is wrong, and they add up "
    "to 1 instead of 0.",
    fails={FLAT, WEIGHTS, MAGNITUDE, TOGETHER},
)
def kernel_adds_up_to_one(image):
    gx, gy = both_maps(image, np.array([[-1, 0, 1], [-1, 0, 2], [-1, 0, 1]]))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Your kernels have 1, 1, 1 where Sobel's have 1, 2, 1. (Such filters exist; they are called "
    "Prewitt's.)",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def all_weights_one(image):
    gx, gy = both_maps(image, np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "One of your two maps equals that of a kernel with 1, 1, 1 where Sobel's has 1, 2, 1.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def weights_of_sy_one(image):
    gx, gy = slide(image, SOBEL), slide(image, np.sign(SOBEL).T)
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "One of your two maps equals that of a kernel with 1, 1, 1 where Sobel's has 1, 2, 1.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def weights_of_sx_one(image):
    gx, gy = slide(image, np.sign(SOBEL)), slide(image, SOBEL.T)
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Your maps are differences of two pixels only. Sobel's kernels also use the rows, or columns, "
    "on both sides.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def difference_without_smoothing(image):
    gx = slide(image, np.array([[0, 0, 0], [-1, 0, 1], [0, 0, 0]]))
    gy = slide(image, np.array([[0, -1, 0], [0, 0, 0], [0, 1, 0]]))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "In your kernels 2 and 1 have changed places: the 2 stands at the corners. Sobel's largest "
    "numbers stand in the middle of a side.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def large_numbers_at_the_corners(image):
    gx, gy = both_maps(image, np.array([[-2, 0, 2], [-1, 0, 1], [-2, 0, 2]]))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "In your kernels the 2 stands at one end: 2, 1, 1 instead of 1, 2, 1. Straight edges come out "
    "right, single dots do not.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def large_number_at_one_end(image):
    gx, gy = both_maps(image, np.array([[-2, 0, 2], [-1, 0, 1], [-1, 0, 1]]))
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Your kernels smooth in the wrong direction: along the difference they have −1, −2, 0, 2, 1 in "
    "one row, and nothing beside it. Sobel's 1, 2, 1 runs across the difference.",
    fails={WEIGHTS, MAGNITUDE, TOGETHER},
)
def smooths_in_the_wrong_direction(image):
    along = np.array([[-1, -2, 0, 2, 1]])
    padded = np.pad(image.astype(float), 2, mode="edge")
    gx = slide(padded[2:-2], along)[1:-1, 1:-1]
    gy = slide(padded[:, 2:-2], along.T)[1:-1, 1:-1]
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "In your output each edge is a double line: you used the kernel called “edge” in the lesson. "
    "Asked for are the two Sobel filters.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def laplace(image):
    return np.abs(slide(image, np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])))


@mistake(
    "Your numbers are too small by a constant factor, as where the kernels are divided. They are "
    "used as they stand in the task.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def kernels_divided(image):
    gx, gy = both_maps(image, SOBEL / 8)
    return np.sqrt(gx**2 + gy**2)


@mistake(
    "Your numbers are scaled so that the largest is 255. Nothing is to be scaled.",
    fails={FLAT, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def scaled_to_255(image):
    strength = with_sobel_maps(image)
    return strength / strength.max() * 255


@mistake(
    "Your numbers are scaled so that the largest is 1. Nothing is to be scaled.",
    fails={FLAT, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def scaled_to_one(image):
    strength = with_sobel_maps(image)
    return strength / strength.max()


@mistake(
    "Your output is yes or no, 1 or 0. Asked for is how strong the edge is.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def yes_or_no(image):
    return (with_sobel_maps(image) > 10).astype(float)


@mistake(
    "Your output is cut off at 255. Strong edges are larger than that, and stay so.",
    fails={RANGE, TOGETHER},
)
def cut_off_like_a_photo(image):
    return np.clip(with_sobel_maps(image), 0, 255)


@mistake(
    "Your output has been stored in uint8, where numbers begin again at 0 after 255, and fractions "
    "are lost.",
    fails={MAGNITUDE, RANGE, TOGETHER},
)
def stored_in_uint8(image):
    return np.round(with_sobel_maps(image)).astype(int).astype(np.uint8)


@mistake(
    "Your differences are computed in uint8, which has no negative numbers: they begin again at "
    "255. Take a type that holds them.",
    fails={RANGE, TOGETHER},
)
def differences_in_uint8(image):
    right_left = image[:, 2:] - image[:, :-2]
    below_above = image[2:] - image[:-2]
    gx = right_left[:-2] + 2 * right_left[1:-1] + right_left[2:]
    gy = below_above[:, :-2] + 2 * below_above[:, 1:-1] + below_above[:, 2:]
    return np.sqrt(gx.astype(float) ** 2 + gy.astype(float) ** 2)


@mistake(
    "Your output holds whole numbers where fractions are expected. Nothing is to be rounded.",
    fails={MAGNITUDE, TOGETHER},
)
def rounded(image):
    return with_sobel_maps(image).round()


@mistake(
    "Your output has lost its fractions, as an array of whole numbers does.",
    fails={MAGNITUDE, TOGETHER},
)
def whole_number_array(image):
    strength = np.zeros((image.shape[0] - 2, image.shape[1] - 2), dtype=int)
    gx, gy = both_maps(image)
    for place in np.ndindex(strength.shape):
        strength[place] = (gx[place] ** 2 + gy[place] ** 2) ** 0.5
    return strength


@mistake(
    "The image has been turned into whole numbers first. Of a photo with numbers from 0 to 1 "
    "hardly anything is left.",
    fails={MAGNITUDE, RANGE, TOGETHER},
)
def image_as_whole_numbers(image):
    return with_sobel_maps(image.astype(int))


@mistake(
    "Your output has one row and one column too few. Count the places of the window once more.",
    fails={PLACES, TOGETHER},
)
def one_place_short(image):
    return with_sobel_maps(image[:-1, :-1])


@mistake(
    "Your output is as large as the image, with a border of zeros. Asked for are only the places "
    "where the window lies inside the image.",
    fails={PLACES, WEIGHTS, MAGNITUDE, TOGETHER},
)
def border_of_zeros(image):
    result = np.zeros(image.shape)
    result[1:-1, 1:-1] = with_sobel_maps(image)
    return result


@mistake(
    "Your output is as large as the image: zeros have been put around the image first. That makes "
    "edges at its border that are not there.",
    fails={PLACES, WEIGHTS, MAGNITUDE, TOGETHER},
)
def padded_with_zeros(image):
    return with_sobel_maps(np.pad(image, 1))


@mistake(
    "The last row and the last column of your output are still 0, as where the loops end one "
    "step too early.",
    fails={PLACES, TOGETHER},
)
def last_place_left_out(image):
    result = np.zeros((image.shape[0] - 2, image.shape[1] - 2))
    for i in range(image.shape[0] - 3):
        for j in range(image.shape[1] - 3):
            window = image[i : i + 3, j : j + 3]
            result[i, j] = np.hypot(np.sum(window * SOBEL), np.sum(window * SOBEL.T))
    return result


@mistake(
    "Only the place [0, 0] of your output is filled. The loops do not reach the other places.",
    fails={PLACES, DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def returns_after_first_place(image):
    result = np.zeros((image.shape[0] - 2, image.shape[1] - 2))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = image[i : i + 3, j : j + 3]
            result[i, j] = np.hypot(np.sum(window * SOBEL), np.sum(window * SOBEL.T))
            return result


@mistake(
    "Your output is one long row with the numbers of all places. They have to stand in rows and "
    "columns.",
    fails={PLACES, FLAT, DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def flat_list(image):
    numbers = []
    for i in range(image.shape[0] - 2):
        for j in range(image.shape[1] - 2):
            window = image[i : i + 3, j : j + 3]
            numbers.append(np.hypot(np.sum(window * SOBEL), np.sum(window * SOBEL.T)))
    return np.array(numbers)


@mistake(
    "Your output holds the two maps side by side. They are to be combined to one.",
    fails={PLACES, FLAT, DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def both_maps_apart(image):
    return np.stack(both_maps(image))


@mistake(
    "Your output is a single number for the whole image. There is one number for each place.",
    fails={PLACES, FLAT, DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def one_number(image):
    gx, gy = both_maps(image)
    return np.asarray(np.sqrt(np.sum(gx**2) + np.sum(gy**2)))


@mistake(
    "Your function moves or scales the numbers of the image that it was given. Whoever called it "
    "still needs them as they were.",
    fails={INPUTS},
)
def image_moved_in_place(image):
    image = np.asarray(image, dtype=np.result_type(image, np.float32))
    image -= image.mean()
    return with_sobel_maps(image)


@mistake(
    "Your function gives nothing back: what comes back is None. `print` shows a result, and "
    "does not give it back.",
    fails={PLACES, FLAT, DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, INPUTS, TOGETHER},
)
def prints_the_result(image):
    print(with_sobel_maps(image))


@correct
def with_sobel_maps(image):
    gx, gy = both_maps(image)
    return np.hypot(gx, gy)


@correct
def with_turned_kernels(picture):
    """The other signs; the squares do not see them."""
    left = slide(picture.astype(np.float64), -SOBEL)
    up = slide(picture.astype(np.float64), SOBEL.T[::-1])
    return (left * left + up * up) ** 0.5


@correct
def with_slices(image):
    """Smooth along one axis, take the difference along the other."""
    image = image.astype(float)
    smooth_down = image[:-2] + 2 * image[1:-1] + image[2:]
    smooth_across = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    gx = smooth_down[:, 2:] - smooth_down[:, :-2]
    gy = smooth_across[2:] - smooth_across[:-2]
    return np.linalg.norm([gx, gy], axis=0)


@correct
def with_torch(image):
    """A bank of two filters, in float32."""
    kernel = torch.tensor(SOBEL, dtype=torch.float32)
    filters = torch.stack([kernel, kernel.T])[:, None]
    maps = F.conv2d(torch.tensor(image, dtype=torch.float32)[None, None], filters)
    return maps.norm(dim=1)[0]


@correct
def with_complex_numbers(image):
    """One kernel for both directions: the magnitude of a complex number."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return np.abs(np.einsum("ijab,ab->ij", windows.astype(float), SOBEL + 1j * SOBEL.T))


@correct
def with_plain_loops(image):
    rows = []
    for i in range(1, image.shape[0] - 1):
        row = []
        for j in range(1, image.shape[1] - 1):
            gx = gy = 0.0
            for a in (-1, 0, 1):
                for b in (-1, 0, 1):
                    pixel = float(image[i + a, j + b])
                    gx += pixel * b * (2 - abs(a))
                    gy += pixel * a * (2 - abs(b))
            row.append((gx**2 + gy**2) ** 0.5)
        rows.append(row)
    return np.array(rows)


@correct
def with_fourier(image):
    """Both directions as the parts of one complex kernel."""
    kernel = np.fft.fft2(SOBEL - 1j * SOBEL.T, image.shape)
    everywhere = np.fft.ifft2(np.fft.fft2(image) * kernel.conj())
    return np.abs(everywhere[:-2, :-2])


@correct
def with_matrices(image):
    """Down the columns and along the rows: a product with a matrix from the left and the right."""

    def bands(size, numbers):
        return sum(n * np.eye(size - 2, size, at) for at, n in enumerate(numbers))

    height, width = image.shape
    gx = bands(height, (1, 2, 1)) @ image @ bands(width, (-1, 0, 1)).T
    gy = bands(height, (-1, 0, 1)) @ image @ bands(width, (1, 2, 1)).T
    return np.sqrt(np.square(gx) + np.square(gy))


@correct
def with_gradients(image):
    """np.gradient gives half of the difference between the two neighbours."""
    down, across = np.gradient(image.astype(float))
    down, across = 2 * down[1:-1], 2 * across[:, 1:-1]
    gy = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    gx = across[:-2] + 2 * across[1:-1] + across[2:]
    return np.hypot(gy, gx)


@correct
def from_squares_of_two(image):
    """Sobel's kernel is a 2 × 2 step, added up over a 2 × 2 window."""
    image = image.astype("float64")
    diagonal, other = image[1:, 1:] - image[:-1, :-1], image[:-1, 1:] - image[1:, :-1]

    def summed(steps):
        return steps[1:, 1:] + steps[1:, :-1] + steps[:-1, 1:] + steps[:-1, :-1]

    return np.hypot(summed(diagonal + other), summed(diagonal - other))


@correct
def with_autograd(image):
    """Two factors for each place: the derivatives for them are the two maps."""
    image = torch.tensor(image).double()
    factors = torch.zeros(2, *image[2:, 2:].shape, dtype=torch.float64, requires_grad=True)
    patches = image.unfold(0, 3, 1).unfold(1, 3, 1)
    kernel = torch.tensor(SOBEL).double()
    both = factors[0, :, :, None, None] * kernel + factors[1, :, :, None, None] * kernel.T
    (patches * both).sum().backward()
    return torch.linalg.vector_norm(factors.grad, dim=0)


Gradient = collections.namedtuple("Gradient", "across down")


@correct
def with_named_tuples(image):
    """Each window gives a pair with names, and math.hypot its length."""

    def gradient(window):
        (a, b, c), (d, _, f), (g, h, i) = window
        return Gradient(across=c + 2 * f + i - a - 2 * d - g, down=g + 2 * h + i - a - 2 * b - c)

    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3)).tolist()
    return np.array([[math.hypot(*gradient(window)) for window in row] for row in windows])


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={MAGNITUDE, TOGETHER},
)
def in_half_precision(image):
    return np.hypot(*both_maps(image)).astype(np.float16)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={TOGETHER},
)
def one_array_for_all_calls(image, kept={}):  # noqa: B006
    made = np.hypot(*both_maps(image))
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your numbers are right for an image that lies in memory row by row, and wrong for one that "
    "was transposed: there the next number of a row is not the next one in memory.",
    fails={WEIGHTS, TOGETHER},
)
def rows_by_steps_in_memory(image):
    step = image.itemsize
    in_rows = np.lib.stride_tricks.as_strided(image, image.shape, (step * image.shape[1], step))
    return np.hypot(*both_maps(in_rows))


@mistake(
    "Your numbers equal those of half the difference between the two neighbours, as np.gradient "
    "gives it. Sobel's kernels also look at the rows or columns beside, and divide nothing.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def differences_of_neighbours(image):
    down, right = np.gradient(image.astype(float))
    return np.sqrt(right**2 + down**2)[1:-1, 1:-1]


@mistake(
    "A square of one of your maps has no room in its type, such as int16, which holds numbers up "
    "to 32767. What is too large begins again from below, and a negative number has no root: NaN.",
    fails={RANGE, TOGETHER},
)
def squares_in_int16(image):
    pixels = image.astype(np.int16) if image.dtype == np.uint8 else image
    maps = [
        sum(
            int(kernel[a, b]) * pixels[a : a + len(image) - 2, b : b + image.shape[1] - 2]
            for a, b in np.ndindex(3, 3)
        )
        for kernel in (SOBEL, SOBEL.T)
    ]
    with np.errstate(invalid="ignore"):
        return np.sqrt(maps[0] ** 2 + maps[1] ** 2)


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={TOGETHER},
)
def small_numbers_cut_off(image):
    result = with_sobel_maps(image)
    return np.where(abs(result) < 1e-3, 0, result)


@mistake(
    "Your strengths equal those of squares in int16, which holds numbers up to 32767: what is too "
    "large begins again from below. Take a type with more room.",
    fails={MAGNITUDE, RANGE, TOGETHER},
)
def size_of_squares_in_int16(image):
    pixels = image.astype(np.int16)
    maps = [
        sum(
            kernel[a, b] * pixels[a : a + len(image) - 2, b : b + image.shape[1] - 2]
            for a, b in np.ndindex(3, 3)
        )
        for kernel in (SOBEL.astype(np.int16), SOBEL.T.astype(np.int16))
    ]
    return np.sqrt(np.abs(maps[0] ** 2 + maps[1] ** 2))


@mistake(
    "Your output is the larger of the two maps, with its sign. Asked for is the magnitude, to "
    "which both contribute, and which is never negative.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def larger_with_its_sign(image):
    return np.maximum(*both_maps(image))


@mistake(
    "Your output is 0 where one of the two maps is 0, as where they are multiplied by each other. "
    "An edge in one of the directions is enough.",
    fails={DIRECTIONS, WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def root_of_the_product(image):
    gx, gy = both_maps(image)
    return np.sqrt(2 * np.abs(gx * gy))


@mistake(
    "Your numbers are those of an image that is divided by 255. Nothing is to be scaled.",
    fails={WEIGHTS, MAGNITUDE, RANGE, TOGETHER},
)
def divided_by_255(image):
    return with_sobel_maps(image) / 255
