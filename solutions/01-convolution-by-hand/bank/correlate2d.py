"""Task 1: one filter on one grey image."""

import numpy as np
import torch
import torch.nn.functional as F

from grader.authoring.bank import correct, mistake

PLACES, VALUES = "correlate2d_places", "correlate2d_values"
ORIENTATION, RECTANGLES = "correlate2d_orientation", "correlate2d_rectangles"
FRACTIONS, RANGE, INPUTS = "correlate2d_fractions", "correlate2d_range", "correlate2d_inputs"
TOGETHER = "correlate2d_together"


@mistake(
    "Your output equals that of the kernel turned by 180°. That is the convolution of mathematics; "
    "asked for is the kernel as it is.",
    fails={ORIENTATION, TOGETHER},
)
def kernel_flipped(image, kernel):
    return with_loops(image, kernel[::-1, ::-1])


@mistake(
    "Your output equals that of the kernel with left and right swapped. The first number of a "
    "kernel's row belongs to the first number of the window's row.",
    fails={ORIENTATION, TOGETHER},
)
def kernel_mirrored(image, kernel):
    return with_loops(image, kernel[:, ::-1])


@mistake(
    "Your output equals that of the kernel standing on its head. The first row of the kernel "
    "belongs to the first row of the window.",
    fails={ORIENTATION, TOGETHER},
)
def kernel_upside_down(image, kernel):
    return with_loops(image, np.flipud(kernel))


@mistake(
    "Your output equals that of the transposed kernel: its rows are laid on the window's columns. "
    "The first index of an array is the row.",
    fails={ORIENTATION, RECTANGLES, TOGETHER},
)
def kernel_transposed(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    result[i, j] += float(image[i + a, j + b]) * float(kernel[b, a])
    return result


@mistake(
    "Your output has one row and one column too few. Count the places of a window of 2 on an image "
    "of 3: there are two of them.",
    fails={PLACES, TOGETHER},
)
def one_place_short(image, kernel):
    height, width = image.shape[0] - kernel.shape[0], image.shape[1] - kernel.shape[1]
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output has one row and one column too many. The window must lie inside the image "
    "completely, and the last ones do not.",
    fails={PLACES, TOGETHER},
)
def one_place_too_many(image, kernel):
    result = np.zeros((image.shape[0] - kernel.shape[0] + 2, image.shape[1] - kernel.shape[1] + 2))
    inside = with_loops(image, kernel)
    result[: inside.shape[0], : inside.shape[1]] = inside
    return result


@mistake(
    "The last row and the last column of your output are still 0, as where the loops end one "
    "step too early. A range does not include its end.",
    fails={PLACES, TOGETHER},
)
def last_place_left_out(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height - 1):
        for j in range(width - 1):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "The first row and the first column of your output are still 0, as where the loops begin at 1. "
    "The first place has the number 0.",
    fails={PLACES, TOGETHER},
)
def counted_from_one(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(1, height):
        for j in range(1, width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output is as large as the image, with zeros at the right and at the bottom. The result "
    "has only as many numbers as the window has places.",
    fails={PLACES, TOGETHER},
)
def as_large_as_image(image, kernel):
    result = np.zeros(image.shape)
    for i in range(image.shape[0] - kernel.shape[0] + 1):
        for j in range(image.shape[1] - kernel.shape[1] + 1):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "At the right and at the bottom your output is still 0, as where not all places are "
    "reached. There are H − K + 1 rows of them; the kernel's size is left out once.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def kernel_subtracted_twice(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height - kernel.shape[0] + 1):
        for j in range(width - kernel.shape[1] + 1):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output equals that of an image with zeros put around it. Nothing is put around the image "
    "here, so the output is smaller than the image.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def padded_with_zeros(image, kernel):
    rows, columns = kernel.shape
    around = ((rows // 2, (rows - 1) // 2), (columns // 2, (columns - 1) // 2))
    return with_loops(np.pad(image, around), kernel)


@mistake(
    "Your output is transposed: what belongs in row i and column j stands in row j and column i. "
    "The first index is the row.",
    fails={PLACES, RECTANGLES, TOGETHER},
)
def rows_and_columns_swapped(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((width, height))
    for x in range(width):
        for y in range(height):
            window = image[y : y + kernel.shape[0], x : x + kernel.shape[1]].astype(float)
            result[x, y] = np.sum(window * kernel)
    return result


@mistake(
    "Only the first row of your output is filled. The loops have to reach the other rows, too.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def returns_after_first_row(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
        return result


@mistake(
    "Only the place [0, 0] of your output is filled. The loops do not reach the other places.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def returns_after_first_place(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
            return result


@mistake(
    "Your output is one long row with the numbers of all places. They have to stand in rows and "
    "columns.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def flat_list(image, kernel):
    numbers = []
    for i in range(image.shape[0] - kernel.shape[0] + 1):
        for j in range(image.shape[1] - kernel.shape[1] + 1):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            numbers.append(np.sum(window * kernel))
    return np.array(numbers)


@mistake(
    "Your numbers grow from place to place: the sum goes on from one window to the next. Each "
    "window starts a new sum.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def sum_not_started_anew(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    total = 0.0
    for i in range(height):
        for j in range(width):
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    total += float(image[i + a, j + b]) * float(kernel[a, b])
            result[i, j] = total
    return result


@mistake(
    "Each of your numbers is the last product of its window alone. The products are to be added.",
    fails={VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def last_product_only(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            for a in range(kernel.shape[0]):
                for b in range(kernel.shape[1]):
                    result[i, j] = float(image[i + a, j + b]) * float(kernel[a, b])
    return result


@mistake(
    "Your numbers equal the sums of the matrix product of window and kernel. A convolution "
    "multiplies number by number.",
    fails={VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def matrix_product(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window @ kernel)
    return result


@mistake(
    "Your numbers are the mean of the products, so they are too small by the number of products. "
    "Asked for is their sum.",
    fails={VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def mean_of_products(image, kernel):
    return with_loops(image, kernel) / kernel.size


@mistake(
    "Your numbers are divided by the sum of the kernel, as a blur does to keep the brightness. "
    "Here the kernel is used as it is.",
    fails={VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def kernel_normalised(image, kernel):
    return with_loops(image, kernel / kernel.sum())


@mistake(
    "Your numbers are the sums of the windows, as if the kernel held nothing but 1. Each number of "
    "the window is weighed before the sum.",
    fails={VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def kernel_not_used(image, kernel):
    return with_loops(image, np.ones(kernel.shape))


@mistake(
    "Your numbers are the sum of the window times the sum of the kernel. Multiply first, each "
    "number with its partner, and add then.",
    fails={VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def sum_times_sum(image, kernel):
    return with_loops(image, np.ones(kernel.shape)) * float(kernel.sum())


@mistake(
    "Your window jumps by its own size, so that windows do not overlap. Here it moves by one pixel "
    "at a time.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, TOGETHER},
)
def windows_side_by_side(image, kernel):
    rows, columns = kernel.shape
    result = np.zeros((image.shape[0] // rows, image.shape[1] // columns))
    for i in range(result.shape[0]):
        for j in range(result.shape[1]):
            window = image[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
            result[i, j] = np.sum(window.astype(float) * kernel)
    return result


@mistake(
    "You took the kernel's height for its width as well. A kernel can be wider than high.",
    fails={RECTANGLES, TOGETHER},
)
def square_by_height(image, kernel):
    size = kernel.shape[0]
    height, width = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + size, j : j + size].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "You took the kernel's width for its height as well. A kernel can be higher than wide.",
    fails={RECTANGLES, TOGETHER},
)
def square_by_width(image, kernel):
    _, size = kernel.shape
    height, width = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + size, j : j + size].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output has lost its fractions, as an array of whole numbers does.",
    fails={FRACTIONS, TOGETHER},
)
def whole_number_array(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width), dtype=int)
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]].astype(float)
            result[i, j] = np.sum(window * kernel)
    return result


@mistake(
    "Your output holds whole numbers where fractions are expected. Nothing is to be rounded.",
    fails={FRACTIONS, TOGETHER},
)
def rounded(image, kernel):
    return np.round(with_loops(image, kernel) + 1e-9)


@mistake(
    "Your output has the type of the image's numbers. That type may be too small for the result: "
    "the image can hold whole numbers while the kernel has fractions.",
    fails={FRACTIONS, RANGE, TOGETHER},
)
def type_of_image(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width), dtype=image.dtype)
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = np.asarray(np.sum(window * kernel)).astype(image.dtype)
    return result


@mistake(
    "Your numbers equal those of a kernel that takes the image's type first: in whole numbers "
    "0.5 becomes 0, and products of uint8 begin again at 0 when they pass 255.",
    fails={FRACTIONS, RANGE, TOGETHER},
)
def kernel_in_the_images_type(image, kernel):
    kernel = kernel.astype(image.dtype)
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = (window * kernel).sum()
    return result


@mistake(
    "Your numbers begin again at 0 when they pass 255, as those of uint8 do. Multiply and add "
    "in a type that holds larger numbers.",
    fails={RANGE},
)
def products_in_uint8(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width), dtype=np.result_type(image, kernel))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = (window * kernel).sum()
    return result


@mistake(
    "Your output is cut off at 0 and at 255, as an image editor does for display. Here the numbers "
    "are kept as they are.",
    fails={RANGE, TOGETHER},
)
def cut_off_like_a_photo(image, kernel):
    return np.clip(with_loops(image, kernel), 0, 255)


@mistake(
    "Your output has no numbers below 0: their minus signs are gone. Asked for is the sum, with "
    "its sign.",
    fails={RANGE, TOGETHER},
)
def minus_signs_dropped(image, kernel):
    return np.abs(with_loops(image, kernel))


@mistake(
    "Your output has 0 where the sum is negative. Negative numbers are to be kept.",
    fails={RANGE, TOGETHER},
)
def negative_numbers_dropped(image, kernel):
    return np.maximum(with_loops(image, kernel), 0)


@mistake(
    "Each product is written back into the image, and later windows see the changed numbers. A "
    "slice of an array is no copy.",
    fails={VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, INPUTS, TOGETHER},
)
def multiplies_in_the_image(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            window *= kernel
            result[i, j] = window.sum()
    return result


@mistake(
    "Your function stores its results in the image that it was given, and the old numbers are "
    "gone. Whoever called it may still need them.",
    fails={INPUTS},
)
def results_in_the_image(image, kernel):
    image = np.asarray(image, dtype=float)  # no copy of an image that is float already
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    for i in range(height):
        for j in range(width):
            image[i, j] = np.sum(
                image[i : i + kernel.shape[0], j : j + kernel.shape[1]] * kernel.astype(float)
            )
    return image[:height, :width].copy()


@mistake(
    "Your function gives nothing back: what comes back is None. `print` shows a result, and "
    "does not give it back.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, INPUTS, TOGETHER},
)
def prints_the_result(image, kernel):
    print(with_loops(image, kernel))


@mistake(
    "Your function returns a list of rows. Asked for is an array.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, INPUTS, TOGETHER},
    undiagnosed="the message of every check says by itself that a list came back, not an array",
)
def list_of_rows(image, kernel):
    return with_loops(image, kernel).tolist()


@correct
def with_loops(image, kernel):
    """Windows as slices."""
    rows, columns = kernel.shape
    weights = kernel.astype(np.float64)
    result = np.empty((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    for place in np.ndindex(result.shape):
        i, j = place
        result[place] = (weights * image[i : i + rows, j : j + columns]).sum()
    return result


@correct
def with_four_loops(img, ker):
    """Plain Python numbers, gathered in lists."""
    img, ker = img.tolist(), ker.tolist()
    rows = []
    for i in range(len(img) - len(ker) + 1):
        row = []
        for j in range(len(img[0]) - len(ker[0]) + 1):
            total = 0
            for a in range(len(ker)):
                for b in range(len(ker[0])):
                    total += img[i + a][j + b] * ker[a][b]
            row.append(total)
        rows.append(row)
    return np.array(rows)


@correct
def with_shifted_images(image, kernel):
    """The kernel's numbers in the outer loops: one shifted image for each."""
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width))
    for (a, b), weight in np.ndenumerate(kernel.astype(float)):
        result += weight * image[a : a + height, b : b + width]
    return result


@correct
def with_windows_view(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijab,ab->ij", windows, kernel, dtype=np.float64)


@correct
def with_matrix_product(image, kernel):
    """Each window as a row of a matrix."""
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernel.shape)
    products = windows.reshape(-1, kernel.size) @ kernel.ravel()
    return products.reshape(windows.shape[:2])


@correct
def with_torch(image, kernel):
    """A tensor in float32 comes back."""
    image, kernel = (torch.tensor(array, dtype=torch.float32) for array in (image, kernel))
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


@correct
def with_unfold(image, kernel):
    pixels = torch.from_numpy(image.astype(np.float64))
    rows, columns = kernel.shape
    windows = pixels.unfold(0, rows, 1).unfold(1, columns, 1)
    weights = torch.from_numpy(kernel.astype(np.float64))
    return (windows * weights).sum(dim=(-2, -1)).numpy()


@correct
def with_numpy_correlate(image, kernel):
    """Rows in one dimension, added up."""
    image, kernel = image.astype(float), kernel.astype(float)
    height = image.shape[0] - kernel.shape[0] + 1
    return np.stack(
        [
            sum(np.correlate(image[i + a], kernel[a], mode="valid") for a in range(kernel.shape[0]))
            for i in range(height)
        ]
    )


@correct
def with_recursion(image, kernel):
    """One row of the kernel at a time."""
    width = image.shape[1] - kernel.shape[1] + 1
    first = sum(
        float(weight) * image[:, b : b + width].astype(float) for b, weight in enumerate(kernel[0])
    )
    first = first[: len(image) - len(kernel) + 1]
    return first if len(kernel) == 1 else first + with_recursion(image[1:], kernel[1:])


@correct
def with_fourier(image, kernel):
    """The transform turns sliding into a product; the wrapped places are cut off."""
    spectrum = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, image.shape))
    rows, columns = kernel.shape
    result = np.zeros((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    result[:] = np.fft.irfft2(spectrum, image.shape)[: len(result), : result.shape[1]]
    return result


@correct
def with_autograd(image, kernel):
    """The weights' gradient is the image, correlated with what comes back from the output."""
    rows, columns = kernel.shape
    weight = torch.zeros(
        1, 1, image.shape[0] - rows + 1, image.shape[1] - columns + 1, dtype=torch.float64
    )
    weight.requires_grad_()
    F.conv2d(torch.tensor(image).double()[None, None], weight).backward(
        torch.tensor(kernel).double()[None, None]
    )
    return weight.grad[0, 0]


@correct
def with_own_strides(image, kernel):
    shape = tuple(n - k + 1 for n, k in zip(image.shape, kernel.shape, strict=True))
    windows = np.lib.stride_tricks.as_strided(
        image, shape + kernel.shape, image.strides * 2, writeable=False
    )
    return np.tensordot(windows.astype(float), kernel.astype(float), axes=2)


class Sliding:
    """A kernel that is called with an image."""

    def __init__(self, kernel):
        self.kernel = kernel

    def __call__(self, image):
        flat, width = image.astype(float).ravel(), image.shape[1]
        rows, columns = self.kernel.shape
        window = np.add.outer(np.arange(rows) * width, np.arange(columns)).ravel()
        places = np.arange(len(image) - rows + 1), np.arange(width - columns + 1)
        starts = np.add.outer(places[0] * width, places[1])
        return flat[starts[..., None] + window] @ self.kernel.ravel()


@correct
def with_an_object(image, kernel):
    return Sliding(kernel)(image)


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={TOGETHER},
)
def in_half_precision(image, kernel):
    return with_loops(image, kernel).astype(np.float16)


@mistake(
    "Your numbers are rounded to two digits after the point. Nothing is to be rounded here.",
    fails={FRACTIONS, TOGETHER},
)
def rounded_to_two_digits(image, kernel):
    return with_loops(image, kernel).round(2)


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={TOGETHER},
)
def one_array_for_all_calls(image, kernel, kept={}):  # noqa: B006
    made = with_loops(image, kernel)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your windows are right for an image that lies in memory row by row, and wrong for one that "
    "was transposed: there the next number of a row is not the next one in memory.",
    fails={PLACES, TOGETHER},
)
def windows_by_steps_in_memory(image, kernel):
    rows, columns = kernel.shape
    height, width = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    step = image.itemsize
    line = step * image.shape[1]
    windows = np.lib.stride_tricks.as_strided(
        image, (height, width, rows, columns), (line, step, line, step)
    )
    return (windows * kernel.astype(float)).sum(axis=(2, 3))


@mistake(
    "Your numbers are right for a square kernel, and those of the kernel turned by 180° for one "
    "that is not square.",
    fails={TOGETHER},
    undiagnosed="a kernel that is always turned gives the same numbers in the visible test",
)
def turned_unless_square(image, kernel):
    rows, columns = kernel.shape
    return with_loops(image, kernel if rows == columns else kernel[::-1, ::-1])


@mistake(
    "All numbers are 0 for an image of more than 5,000 pixels.",
    fails={TOGETHER},
    undiagnosed="only a hidden test has so large an image",
)
def nothing_for_a_large_image(image, kernel):
    return with_loops(image, kernel) * (image.size <= 5000)


@mistake(
    "All rows of your output are the last one: each row is written over all the others, as in "
    "`[[0] * w] * h`, which is h names for one row.",
    fails={PLACES, VALUES, ORIENTATION, RECTANGLES, FRACTIONS, RANGE, TOGETHER},
)
def one_row_of_many_names(image, kernel):
    result = with_loops(image, kernel).tolist()
    rows = [[0] * len(result[0])] * len(result)
    for i, row in enumerate(result):
        for j, number in enumerate(row):
            rows[i][j] = number
    return np.array(rows)


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={TOGETHER},
)
def small_numbers_cut_off(image, kernel):
    result = with_loops(image, kernel)
    return np.where(abs(result) < 1e-3, 0, result)


@mistake(
    "Your output is cut off at 255. Larger numbers are kept as they are.",
    fails={RANGE, TOGETHER},
)
def cut_off_at_255(image, kernel):
    return np.minimum(with_loops(image, kernel), 255)


@mistake(
    "Your output is cut off at −255 and at 255. Here the numbers are kept as they are.",
    fails={RANGE, TOGETHER},
)
def cut_off_on_both_sides(image, kernel):
    return np.clip(with_loops(image, kernel), -255, 255)


@mistake(
    "For an image in uint8 your numbers are divided by 255. Nothing is to be scaled here.",
    fails={RANGE, TOGETHER},
)
def divided_by_255(image, kernel):
    return with_loops(image / 255 if image.dtype == np.uint8 else image, kernel)
