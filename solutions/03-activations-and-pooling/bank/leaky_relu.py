"""Task 1: Leaky ReLU."""

import numpy as np
import torch

from grader.authoring.bank import correct, mistake

ALL_VALUES = {
    "leaky_relu_values",
    "leaky_relu_slopes",
    "leaky_relu_steep",
    "leaky_relu_integers",
}


@correct
def larger_plus_smaller(x, negative_slope=0.01):
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


@correct
def mask_on_a_float_copy(x, negative_slope=0.01):
    out = x.astype(float)
    out[out < 0] *= negative_slope
    return out


@correct
def number_by_number(values, negative_slope=0.01):
    result = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        v = values[place]
        result[place] = v if v > 0 else v * negative_slope
    return result


@correct
def with_torch(x, negative_slope=0.01):
    return torch.nn.functional.leaky_relu(torch.tensor(x, dtype=torch.float64), negative_slope)


@correct
def in_float32(x, negative_slope=0.01):
    x32 = np.asarray(x, dtype=np.float32)
    factor = np.ones_like(x32)
    factor[x32 <= 0] = negative_slope
    return x32 * factor


@correct
def with_vectorize(x, negative_slope=0.01):
    def bend(value):
        if value >= 0:
            return float(value)
        return float(negative_slope * value)

    return np.vectorize(bend, otypes=[float])(x)


@correct
def rows_by_recursion(x, negative_slope=0.01):
    if x.ndim == 0:
        return np.array(float(x) if x > 0 else negative_slope * float(x))
    return np.stack([rows_by_recursion(np.asarray(part), negative_slope) for part in x])


@correct
def by_the_sign(x, negative_slope=0.01):
    # The first half is the same for x and −x, the second one turns round with the sign.
    return ((1 + negative_slope) * x + (1 - negative_slope) * abs(x.astype(float))) / 2


@correct
def with_prelu_layer(x, negative_slope=0.01):
    # Its slope is a parameter, so gradients are prepared for the result.
    return torch.nn.PReLU(init=negative_slope)(torch.tensor(x, dtype=torch.float32))


@correct
def slopes_from_autograd(x, negative_slope=0.01):
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    torch.where(leaf > 0, leaf, negative_slope * leaf).sum().backward()
    return (leaf.grad * leaf.detach()).numpy()


@correct
def flat_list(x, negative_slope=0.01):
    bent = [v if v > 0 else negative_slope * v for v in x.ravel().tolist()]
    return np.array(bent).reshape(x.shape)


@correct
def with_piecewise(x, negative_slope=0.01):
    pieces = [lambda part: part, lambda part: part * negative_slope]
    return np.piecewise(np.array(x, dtype=np.float64), [x > 0, x <= 0], pieces)


@mistake(
    "Your output equals ReLU: the negative numbers became 0. Leaky ReLU only makes them small.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def relu_only(x, negative_slope=0.01):
    return np.maximum(x, 0)


@mistake(
    "Your positive numbers come out as 1 − slope times what they were. Positive numbers stay as "
    "they are.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def slope_taken_off(x, negative_slope=0.01):
    return np.maximum(x, 0) - negative_slope * np.abs(x)


@mistake(
    "Your output uses the slope 0.01 always. Here another slope was given in the call.",
    fails={"leaky_relu_slopes", "leaky_relu_steep", "leaky_relu_together"},
)
def slope_is_fixed(x, negative_slope=0.01):
    return np.where(x > 0, x, 0.01 * x)


@mistake(
    "Your output has the slope 0.1 where none was given. The default is ten times smaller.",
    fails={"leaky_relu_slopes"},
)
def default_slope_too_large(x, negative_slope=0.1):
    return np.where(x > 0, x, negative_slope * x)


@mistake(
    "A slope of 0 was given, and your output uses the default slope. Zero is a slope like any "
    "other; Python takes it for False.",
    fails={"leaky_relu_slopes", "leaky_relu_together"},
)
def zero_slope_replaced(x, negative_slope=None):
    slope = negative_slope or 0.01
    return np.where(x > 0, x, slope * x)


@mistake(
    "Your output equals the larger of x and slope · x. That is Leaky ReLU only as long as the "
    "slope is at most 1.",
    fails={"leaky_relu_steep", "leaky_relu_together"},
)
def larger_of_both(x, negative_slope=0.01):
    return np.maximum(x, negative_slope * x)


@mistake(
    "A positive number that is smaller than the slope was multiplied too. The slope is a factor; "
    "where the function bends is another question.",
    fails={"leaky_relu_steep", "leaky_relu_together"},
)
def slope_as_threshold(x, negative_slope=0.01):
    return np.where(x > negative_slope, x, negative_slope * x)


@mistake(
    "Your output has the two sides exchanged: the positive numbers were multiplied, the negative "
    "ones stayed.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def sides_exchanged(x, negative_slope=0.01):
    return np.where(x < 0, x, negative_slope * x)


@mistake(
    "In your output each negative number became the slope itself. It should be multiplied by the "
    "slope.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def slope_itself(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope)


@mistake(
    "Your output has no negative numbers: they lost their sign. Multiplied by a positive slope, a "
    "negative number stays negative.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def sign_lost(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * np.abs(x))


@mistake(
    "The slope is taken away from your negative numbers, or added to them. It is a factor.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def slope_subtracted(x, negative_slope=0.01):
    return np.where(x > 0, x, x - negative_slope)


@mistake(
    "To your positive numbers slope · x was added as well. The two parts should share the numbers, "
    "not both take all.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def slope_on_both_sides(x, negative_slope=0.01):
    return np.maximum(x, 0) + negative_slope * x


@mistake(
    "Your output equals x: the negative numbers stayed, too. Each number must be decided on "
    "its own.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def decided_by_any(x, negative_slope=0.01):
    if (x > 0).any():
        return x
    return negative_slope * x


@mistake(
    "Your output equals slope · x everywhere: the positive numbers were multiplied, too. Each "
    "number must be decided on its own.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_together",
    },
)
def decided_by_all(x, negative_slope=0.01):
    if (x > 0).all():
        return x
    return negative_slope * x


@mistake(
    "The numbers of x itself were multiplied: after the call the caller's array is another one.",
    fails={"leaky_relu_integers", "leaky_relu_keeps_input", "leaky_relu_together"},
)
def changed_in_place(x, negative_slope=0.01):
    x[x < 0] *= negative_slope
    return x


@mistake(
    "Integers came in, and your result is an array of integers too. It can't hold fractions, so "
    "they are cut off.",
    fails={"leaky_relu_integers", "leaky_relu_together"},
)
def result_like_input(x, negative_slope=0.01):
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        out[place] = x[place] if x[place] > 0 else negative_slope * x[place]
    return out


@mistake(
    "An array of integers can't be multiplied by a fraction in its own place: NumPy refuses.",
    fails={"leaky_relu_integers", "leaky_relu_together"},
    undiagnosed="NumPy's own error says it; an error has no numbers to be told by",
)
def integer_copy_multiplied(x, negative_slope=0.01):
    out = x.copy()
    out[out < 0] *= negative_slope
    return out


@mistake(
    "Your output has NaN where x is 0: dividing by the size of a number to find its sign fails "
    "there.",
    fails={"leaky_relu_values", "leaky_relu_together"},
)
def zero_divided(x, negative_slope=0.01):
    sign = x / np.abs(x)
    return (1 + sign) / 2 * x + negative_slope * (1 - sign) / 2 * x


@mistake(
    "Your output has 1 where x is 0: neither the positive nor the negative side took care of it, "
    "so it kept what the array began with.",
    fails={"leaky_relu_values", "leaky_relu_together"},
)
def zero_forgotten(x, negative_slope=0.01):
    out = np.ones(x.shape)
    out[x > 0] = x[x > 0]
    out[x < 0] = negative_slope * x[x < 0]
    return out


@mistake(
    "Your numbers are right, but they stand in one long row. The result should have the shape of "
    "x.",
    fails={"leaky_relu_values", "leaky_relu_together"},
)
def flattened(x, negative_slope=0.01):
    result = []
    for value in x.flatten():
        result.append(value if value > 0 else negative_slope * value)
    return np.array(result)


@mistake(
    "Your function works for one axis only. With two axes, x[i] is a whole row.",
    fails={"leaky_relu_values", "leaky_relu_together"},
    undiagnosed="Python stops with its own error; an error has no numbers to be told by",
)
def one_axis_only(x, negative_slope=0.01):
    out = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 0:
            out[i] = x[i]
        else:
            out[i] = negative_slope * x[i]
    return out


@mistake(
    "Your function gives nothing back: what comes back is None. print is not return.",
    fails={
        "leaky_relu_values",
        "leaky_relu_slopes",
        "leaky_relu_steep",
        "leaky_relu_integers",
        "leaky_relu_keeps_input",
        "leaky_relu_together",
    },
)
def printed(x, negative_slope=0.01):
    print(np.where(x > 0, x, negative_slope * x))


@mistake(
    "Two calls gave you the same numbers: your function hands out one array again and again, and "
    "each call writes over the result of the call before. Make a new array in each call.",
    fails={"leaky_relu_together"},
)
def one_array_for_all_calls(x, negative_slope=0.01, kept={}):  # noqa: B006
    made = larger_plus_smaller(x, negative_slope)
    result = kept.setdefault(made.shape, made)
    result[:] = made
    return result


@mistake(
    "Your numbers are right to about three digits only. The type float16 keeps no more of them.",
    fails={"leaky_relu_together"},
)
def in_half_precision(x, negative_slope=0.01):
    return larger_plus_smaller(x, negative_slope).astype(np.float16)


@mistake(
    "The numbers of x are taken in the order in which memory has them. In a transposed array that "
    "is not the order of its rows.",
    fails={"leaky_relu_together"},
)
def numbers_as_in_memory(x, negative_slope=0.01):
    return larger_plus_smaller(x.ravel(order="K"), negative_slope).reshape(x.shape)


@mistake(
    "Your function makes a negative slope positive. It is used as it is, with its sign.",
    fails={"leaky_relu_together"},
    undiagnosed="a solution that loses all signs gives the same numbers in the visible test",
)
def slope_without_its_sign(x, negative_slope=0.01):
    return larger_plus_smaller(x, abs(negative_slope))


@mistake(
    "Small numbers became 0 in your result, as where what is near 0 is cut off. A small number "
    "counts like any other.",
    fails={"leaky_relu_together"},
)
def small_numbers_cut_off(x, negative_slope=0.01):
    result = larger_plus_smaller(x, negative_slope)
    return np.where(np.abs(result) < 1e-3, 0, result)
