"""Task 4: a gradient check."""

import numpy as np
import torch

from grader.authoring.bank import correct, mistake


def counting(out):
    """grad_out: 1, 2, 3, … in the shape of the output."""
    return np.arange(1.0, out.size + 1).reshape(out.shape)


def measured_gradient(forward, x, grad_out, step=1e-5):
    """Central differences, in the shape of x."""
    result = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[place] += step
        below[place] -= step
        difference = np.sum(grad_out * forward(above)) - np.sum(grad_out * forward(below))
        result[place] = difference / (2 * step)
    return result


def relative_errors(gradient, measured):
    larger = np.maximum(np.abs(gradient), np.abs(measured))
    return np.abs(gradient - measured) / np.maximum(larger, 1e-8)


def both_gradients(forward, backward, x, step=1e-5):
    grad_out = counting(forward(x))
    return backward(grad_out, x), measured_gradient(forward, x, grad_out, step)


@mistake(
    "You measure on one side of x only. That is a slope beside x, not at x, and even a right "
    "backward pass has an error of about ε.",
    fails={"largest_gradient_error_right"},
)
def one_sided(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    loss = np.sum(grad_out * forward(x))
    measured = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        above = x.copy()
        above[place] += 1e-5
        measured[place] = (np.sum(grad_out * forward(above)) - loss) / 1e-5
    return relative_errors(gradient, measured).max()


@mistake(
    "You measure in one direction only, and with a step that is too large: you see the curve "
    "instead of the slope.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def one_sided_with_a_large_step(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    loss = np.sum(grad_out * forward(x))
    measured = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        above = x.copy()
        above[place] += 0.1
        measured[place] = (np.sum(grad_out * forward(above)) - loss) / 0.1
    return relative_errors(gradient, measured).max()


@mistake(
    "Your step is 0.01. It is so large that you see the curve instead of the slope.",
    fails={"largest_gradient_error_right"},
)
def large_step(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x, step=0.01)).max()


@mistake(
    "Your step is so small that the difference of the two losses is mostly rounding error.",
    fails={"largest_gradient_error_right"},
)
def tiny_step(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x, step=1e-11)).max()


@mistake(
    "Your measured gradients are twice as large as they should be. From x − ε to x + ε are "
    "two steps.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def divided_by_one_step(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient, 2 * measured).max()


@mistake(
    "An error of 1 means that one of the two gradients is 0, or next to nothing beside the other. "
    "A measured gradient is 0 where x + ε and x − ε are the same, far too small where it is not "
    "divided by the step, and far too large where the two losses differ in more than x.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def not_divided_by_the_step(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient, measured * 2e-5).max()


@mistake(
    "An error of 2 means that the two gradients are equal but for their signs, as where x + ε "
    "and x − ε are exchanged.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def wrong_sign(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient, -measured).max()


@mistake(
    "An error of 1 means that one of the two gradients is 0, or next to nothing beside the other. "
    "A measured gradient is 0 where x + ε and x − ε are the same, far too small where it is not "
    "divided by the step, and far too large where the two losses differ in more than x.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def two_names_for_one_array(forward, backward, x):
    x = x.copy()
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    largest = 0
    for place in np.ndindex(x.shape):
        above, below = x, x
        above[place] += 1e-5
        below[place] -= 1e-5
        difference = np.sum(grad_out * forward(above)) - np.sum(grad_out * forward(below))
        measured = difference / 2e-5
        size = max(abs(gradient[place]), abs(measured), 1e-8)
        largest = max(largest, abs(gradient[place] - measured) / size)
    return largest


@mistake(
    "Your loss adds up the outputs without `grad_out`, but the backward pass gets it. Both must "
    "talk about the same loss.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def loss_without_grad_out(forward, backward, x):
    gradient = backward(counting(forward(x)), x)
    measured = measured_gradient(forward, x, np.ones(forward(x).shape))
    return relative_errors(gradient, measured).max()


@mistake(
    "Your `grad_out` has the same number everywhere. A backward pass that takes the wrong numbers "
    "of `grad_out` cannot be found with it.",
    fails={"largest_gradient_error_grad_out"},
)
def grad_out_of_ones(forward, backward, x):
    grad_out = np.ones(forward(x).shape)
    return relative_errors(backward(grad_out, x), measured_gradient(forward, x, grad_out)).max()


@mistake(
    "You move all numbers of x at the same time. What you measure is the sum of all gradients, not "
    "the gradient of one number.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def all_numbers_moved(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    above, below = np.sum(grad_out * forward(x + 1e-5)), np.sum(grad_out * forward(x - 1e-5))
    return relative_errors(gradient, (above - below) / 2e-5).max()


@mistake(
    "With an x of more axes you move a whole row at a time. Only one number may change.",
    fails={"largest_gradient_error_right"},
)
def rows_moved(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    largest = 0
    for i in range(len(x)):
        above, below = x.copy(), x.copy()
        above[i] += 1e-5
        below[i] -= 1e-5
        difference = np.sum(grad_out * forward(above)) - np.sum(grad_out * forward(below))
        largest = max(largest, relative_errors(gradient[i], difference / 2e-5).max())
    return largest


@mistake(
    "Your result is the largest absolute error. It is not divided by the size of the gradients.",
    fails={"largest_gradient_error_relative"},
)
def absolute_error(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return np.abs(gradient - measured).max()


@mistake(
    "Your error is that of a division by the smaller of the two gradients. Asked for is the "
    "larger one.",
    fails={"largest_gradient_error_relative"},
)
def divided_by_the_measured_gradient(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return (np.abs(gradient - measured) / np.maximum(np.abs(measured), 1e-8)).max()


@mistake(
    "Your error is that of a division by the smaller of the two gradients. Asked for is the "
    "larger one.",
    fails={"largest_gradient_error_relative"},
)
def divided_by_the_gradient_of_backward(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return (np.abs(gradient - measured) / np.maximum(np.abs(gradient), 1e-8)).max()


@mistake(
    "You divide by the sum of the two gradients. Asked for is the larger one.",
    fails={"largest_gradient_error_relative"},
)
def divided_by_the_sum(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    size = np.abs(gradient) + np.abs(measured)
    return (np.abs(gradient - measured) / np.maximum(size, 1e-8)).max()


@mistake(
    "The larger gradient is taken with its sign. For negative gradients the size is what counts.",
    fails={"largest_gradient_error_relative"},
    undiagnosed="the wrong number is so large that rounding decides over its last digits",
)
def size_with_sign(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    size = np.maximum(np.maximum(gradient, measured), 1e-8)
    return (np.abs(gradient - measured) / size).max()


@mistake(
    "Where both gradients are 0 you divide 0 by 0, and the result is not a number.",
    fails={"largest_gradient_error_right"},
)
def zero_by_zero(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return (np.abs(gradient - measured) / np.maximum(np.abs(gradient), np.abs(measured))).max()


@mistake(
    "Your result is the error of the first number of x. A bug in any other place is overlooked.",
    fails={"largest_gradient_error_places", "largest_gradient_error_largest"},
)
def first_number_only(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    for place in np.ndindex(x.shape):
        return relative_errors(gradient[place], measured[place])


@mistake(
    "Your result is the error of the last number of x. Asked for is the largest error of all.",
    fails={
        "largest_gradient_error_places",
        "largest_gradient_error_largest",
        "largest_gradient_error_grad_out",
    },
)
def last_number_only(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    for place in np.ndindex(x.shape):
        error = relative_errors(gradient[place], measured[place])
    return float(error)


@mistake(
    "Numbers of x whose gradient is 0 are skipped. A share that backward forgets is then never "
    "found.",
    fails={"largest_gradient_error_places"},
)
def zeros_skipped(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    largest = 0.0
    for place in np.ndindex(x.shape):
        if gradient[place] != 0:
            largest = max(largest, relative_errors(gradient[place], measured[place]))
    return largest


@mistake(
    "Numbers of x that are 0 are not measured. A step in proportion to x does not move them.",
    fails={"largest_gradient_error_places"},
)
def step_in_proportion_to_x(forward, backward, x):
    out = forward(x)
    grad_out = counting(out)
    gradient, largest = backward(grad_out, x), 0.0
    for place in np.ndindex(x.shape):
        step = 1e-5 * abs(x[place])
        if step:
            losses = []
            for moved in (step, -step):
                other = x.copy()
                other[place] += moved
                losses.append((grad_out * forward(other)).sum())
            measured = (losses[0] - losses[1]) / (2 * step)
            largest = max(largest, relative_errors(gradient[place], measured))
    return float(largest)


@mistake(
    "Your result is 0 although `backward` is wrong. Two of the ways that lead there: the backward "
    "pass is compared with itself instead of with `forward`, or the errors found are not kept.",
    fails={
        "largest_gradient_error_relative",
        "largest_gradient_error_places",
        "largest_gradient_error_largest",
        "largest_gradient_error_grad_out",
    },
)
def backward_with_itself(forward, backward, x):
    grad_out = counting(forward(x))
    return relative_errors(backward(grad_out, x), backward(grad_out, x.copy())).max()


@mistake(
    "Your result is that of a `grad_out` that begins with 0: what is multiplied by 0 shows no "
    "mistake. Let it begin with 1.",
    fails={"largest_gradient_error_places", "largest_gradient_error_largest"},
)
def counted_from_0(forward, backward, x):
    grad_out = counting(forward(x)) - 1
    return relative_errors(backward(grad_out, x), measured_gradient(forward, x, grad_out)).max()


@mistake(
    "Your differences keep their sign, so a gradient that is too small is never the largest error.",
    fails={"largest_gradient_error_relative", "largest_gradient_error_largest"},
)
def signs_kept(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    size = np.maximum(np.maximum(np.abs(gradient), np.abs(measured)), 1e-8)
    return max(0.0, ((gradient - measured) / size).max())


@mistake(
    "You compare the sums of the gradients. One gradient that is too large and one that is too "
    "small cancel.",
    fails={"largest_gradient_error_largest"},
)
def sums_compared(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient.sum(), measured.sum())


@mistake(
    "Your result is the mean of the errors. Many right gradients then hide a wrong one.",
    fails={"largest_gradient_error_largest"},
)
def mean_error(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x)).mean()


@mistake(
    "You divide the largest difference by the largest gradient of all. A bug in a small gradient "
    "is hidden by a large one.",
    fails={"largest_gradient_error_largest"},
)
def divided_by_the_largest_of_all(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    size = max(np.abs(gradient).max(), np.abs(measured).max(), 1e-8)
    return np.abs(gradient - measured).max() / size


@mistake(
    "Your result is the relative error where the difference is largest. A small gradient can have "
    "a larger relative error.",
    fails={"largest_gradient_error_largest"},
)
def error_where_the_difference_is_largest(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    place = np.argmax(np.abs(gradient - measured))
    return relative_errors(gradient, measured).flat[place]


@mistake(
    "Your result is an array with the error of each number. Asked for is the largest, one number.",
    fails={
        "largest_gradient_error_right",
        "largest_gradient_error_relative",
        "largest_gradient_error_places",
        "largest_gradient_error_largest",
        "largest_gradient_error_grad_out",
    },
)
def all_errors(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x))


@mistake(
    "Your result is True or False. Asked for is the error itself, a number.",
    fails={"largest_gradient_error_relative"},
)
def answer_yes_or_no(forward, backward, x):
    return bool(relative_errors(*both_gradients(forward, backward, x)).max() > 1e-7)


@mistake(
    "After your check each number of x is smaller by ε, as where it is moved up, then down, "
    "and not back.",
    fails={"largest_gradient_error_right", "largest_gradient_error_inputs"},
)
def x_left_moved(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = backward(grad_out, x)
    largest = 0.0
    for place in np.ndindex(x.shape):
        x[place] += 1e-5
        above = np.sum(grad_out * forward(x))
        x[place] -= 2e-5
        below = np.sum(grad_out * forward(x))
        largest = max(largest, relative_errors(gradient[place], (above - below) / 2e-5))
    return largest


@mistake(
    "Your measured gradients are half of what they should be, as where the second loss is "
    "that of x, and not that of x − ε.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def second_loss_at_x(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient, measured / 2).max()


@mistake(
    "After your check the last number of x is larger by ε. Each number has to be what it was.",
    fails={"largest_gradient_error_inputs"},
)
def last_number_left_moved(forward, backward, x):
    error = relative_errors(*both_gradients(forward, backward, x)).max()
    x.flat[-1] += 1e-5
    return error


@correct
def with_arrays(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x)).max()


@correct
def in_place_and_restored(forward, backward, x):
    out = forward(x)
    grad_out = counting(out)
    gradient = backward(grad_out, x)
    worst, eps = 0, 1e-5
    iterator = np.nditer(x, flags=["multi_index"])
    for _ in iterator:
        place = iterator.multi_index
        before = x[place]
        x[place] = before + eps
        above = (forward(x) * grad_out).sum()
        x[place] = before - eps
        below = (forward(x) * grad_out).sum()
        x[place] = before
        m = (above - below) / (2 * eps)
        g = gradient[place]
        worst = max(worst, abs(g - m) / max(abs(g), abs(m), 1e-8))
    return worst


@correct
def moved_back_by_adding(forward, backward, x):
    grad_out = counting(forward(x))
    gradient = np.array(backward(grad_out, x))
    errors = []
    for place in np.ndindex(*x.shape):
        x[place] += 1e-5
        above = np.vdot(grad_out, forward(x))
        x[place] -= 2e-5
        below = np.vdot(grad_out, forward(x))
        x[place] += 1e-5
        slope = (above - below) / 2e-5
        larger = max(abs(slope), abs(gradient[place]), 1e-8)
        errors.append(abs(slope - gradient[place]) / larger)
    return max(errors)


@correct
def flat_with_unit_steps(layer, layer_backward, inputs):
    shape = inputs.shape
    first = layer(inputs)
    upstream = np.linspace(1, first.size, first.size).reshape(first.shape)

    def loss(flat):
        return float(np.sum(upstream * layer(flat.reshape(shape))))

    flat = inputs.ravel()
    slopes = [
        (loss(flat + 1e-5 * unit) - loss(flat - 1e-5 * unit)) / 2e-5 for unit in np.eye(flat.size)
    ]
    given = layer_backward(upstream, inputs).ravel()
    sizes = np.maximum(np.maximum(np.abs(slopes), np.abs(given)), 1e-8)
    return np.max(np.abs(given - slopes) / sizes)


@correct
def random_grad_out(forward, backward, x):
    grad_out = np.random.default_rng(0).uniform(1, 3, forward(x).shape)
    gradient, measured = backward(grad_out, x), measured_gradient(forward, x, grad_out)
    return relative_errors(gradient, measured).max()


@correct
def with_a_tensor_at_the_end(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    gradient, measured = torch.tensor(gradient), torch.tensor(measured)
    size = torch.maximum(gradient.abs(), measured.abs()).clamp(min=1e-8)
    return float(((gradient - measured).abs() / size).max())


@mistake(
    "Numbers of x whose measured gradient is 0 are skipped. A backward pass that invents a "
    "gradient there is then never found.",
    fails={"largest_gradient_error_places"},
)
def measured_zeros_skipped(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    largest = 0.0
    for place in np.ndindex(x.shape):
        if measured[place] == 0:
            continue
        size = max(abs(gradient[place]), abs(measured[place]))
        largest = max(largest, abs(gradient[place] - measured[place]) / size)
    return largest


@mistake(
    "Your result is 0 where all gradients are small. Either small differences are taken for right, "
    "or small gradients are left out. A small difference can be a large relative error.",
    fails={"largest_gradient_error_relative"},
)
def small_differences_ignored(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    errors = relative_errors(gradient, measured)
    return errors[np.abs(gradient - measured) > 1e-3].max(initial=0.0)


@mistake(
    "You call `backward` with its two arguments exchanged. First comes `grad_out`, then `x`.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def arguments_exchanged(forward, backward, x):
    grad_out = counting(forward(x))
    measured = measured_gradient(forward, x, grad_out)
    return relative_errors(backward(x, grad_out), measured).max()


@mistake(
    "Your result is in per cent. Asked for is the quotient itself.",
    fails={"largest_gradient_error_relative"},
)
def in_per_cent(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x, step=2.0**-16)
    return 100 * relative_errors(gradient, measured).max()


@mistake(
    "You compare the lengths of all gradients together. A bug in a small gradient is hidden by the "
    "large ones.",
    fails={"largest_gradient_error_largest"},
)
def lengths_compared(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    size = max(np.linalg.norm(gradient), np.linalg.norm(measured), 1e-8)
    return np.linalg.norm(gradient - measured) / size


@mistake(
    "Your loss is the mean of the products. It is their sum: `grad_out` belongs to the sum.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def loss_is_a_mean(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return relative_errors(gradient, measured / forward(x).size).max()


@mistake(
    "Your result is never above 1. A gradient with the wrong sign has an error of 2.",
    fails={"largest_gradient_error_relative"},
    undiagnosed="only a hidden test has a gradient with the wrong sign",
)
def at_most_one(forward, backward, x):
    return min(1.0, relative_errors(*both_gradients(forward, backward, x)).max())


@correct
def with_a_tensor_of_no_axes(forward, backward, x):
    return torch.tensor(relative_errors(*both_gradients(forward, backward, x))).max()


@correct
def with_whole_numbers(forward, backward, x):
    out = forward(x)
    grad_out = np.arange(1, out.size + 1).reshape(out.shape)
    measured = measured_gradient(forward, x, grad_out)
    return np.array([[relative_errors(backward(grad_out, x), measured).max()]])


@correct
def flat_in_place(forward, backward, x):
    out = forward(x)
    grad_out = np.arange(1.0, out.size + 1).reshape(out.shape)
    given = backward(grad_out, x).reshape(-1)
    flat, errors = x.reshape(-1), []
    for i in range(flat.size):
        before = flat[i]
        flat[i] = before + 1e-5
        above = np.dot(grad_out.ravel(), forward(x).ravel())
        flat[i] = before - 1e-5
        below = np.dot(grad_out.ravel(), forward(x).ravel())
        flat[i] = before
        slope = (above - below) / 2e-5
        errors.append(abs(given[i] - slope) / max(abs(given[i]), abs(slope), 1e-8))
    return max(errors)


@correct
def difference_of_outputs(forward, backward, x):
    grad_out = counting(forward(x))
    gradient, largest = backward(grad_out, x), 0
    for place in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[place] += 1e-5
        below[place] -= 1e-5
        change = np.sum(grad_out * (forward(above) - forward(below)))
        error = relative_errors(gradient[place], change / (above[place] - below[place]))
        largest = max(largest, error)
    return largest


@correct
def with_a_step_ten_times_smaller(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x, step=1e-6)).max()


@correct
def with_a_step_ten_times_larger(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x, step=1e-4)).max()


@correct
def rounded(forward, backward, x):
    return round(float(relative_errors(*both_gradients(forward, backward, x)).max()), 7)


@mistake(
    "An error of 1 means that one of the two gradients is 0, or next to nothing beside the other. "
    "A measured gradient is 0 where x + ε and x − ε are the same, far too small where it is not "
    "divided by the step, and far too large where the two losses differ in more than x.",
    fails={"largest_gradient_error_right", "largest_gradient_error_relative"},
)
def other_numbers_in_each_loss(forward, backward, x):
    rng = np.random.default_rng(1)
    gradient = backward(rng.normal(size=np.shape(forward(x))), x)

    def loss(values):
        out = forward(values)
        return np.sum(rng.normal(size=out.shape) * out)

    measured = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = 1e-5
        measured[place] = (loss(x + step) - loss(x - step)) / 2e-5
    return relative_errors(gradient, measured).max()


@mistake(
    "Your error is 0 where it is below a millionth, as where the result is rounded. Asked for is "
    "the error as it is.",
    fails={"largest_gradient_error_relative"},
)
def rounded_to_six_digits(forward, backward, x):
    gradient, measured = both_gradients(forward, backward, x)
    return round(float(relative_errors(gradient, measured).max()), 6)


@mistake(
    "Your result is the smallest error. Many right gradients then hide a wrong one; asked for is "
    "the largest error.",
    fails={
        "largest_gradient_error_places",
        "largest_gradient_error_largest",
        "largest_gradient_error_grad_out",
    },
)
def smallest_error(forward, backward, x):
    return relative_errors(*both_gradients(forward, backward, x)).min()
