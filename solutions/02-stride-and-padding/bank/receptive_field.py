"""Task 6: how far a network sees, along one axis."""

import collections
import functools
import itertools
import math
import operator

import numpy as np
import torch

import helpers.shapes
from grader.authoring.bank import correct, mistake


@mistake(
    "Your field is one pixel too small. Before the first layer a number of the image sees itself.",
    fails={"receptive_field_kernels"},
)
def starts_at_zero(layers):
    field, jump = 0, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "Each layer adds its whole kernel size in your field. Neighbouring windows overlap: a layer "
    "adds one number less than its kernel has.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def whole_kernels_added(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += kernel_size * jump
        jump *= stride
    return field


@mistake(
    "Your field is the product of the kernel sizes. The windows of neighbouring numbers "
    "overlap, so the field grows by addition.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def kernels_multiplied(layers):
    return math.prod(kernel_size for kernel_size, _ in layers)


@mistake(
    "Your field is that of the largest kernel. The layers stand one after the other, and each "
    "one adds to the field.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def largest_kernel(layers):
    return max((kernel_size for kernel_size, _ in layers), default=1)


@mistake(
    "Your field is that of the first layer alone. Each layer adds to it.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def returns_after_the_first(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
        return field
    return field


@mistake(
    "Your function cannot answer for an empty list. Without a layer a number sees one pixel: "
    "itself.",
    fails={"receptive_field_kernels"},
    undiagnosed="it stops with an error, and there are no numbers to tell it by",
)
def needs_a_first_layer(layers):
    field, jump = layers[0]
    for kernel_size, stride in layers[1:]:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "Your field is right for stride 1, and other strides do not change it. Behind a stride, "
    "neighbouring numbers lie further apart in the image.",
    fails={"receptive_field_jump"},
)
def strides_ignored(layers):
    return 1 + sum(kernel_size - 1 for kernel_size, _ in layers)


@mistake(
    "Your jump grows by addition. Two layers of stride 3 put neighbours 9 pixels apart, and not 5.",
    fails={"receptive_field_jump"},
)
def strides_added(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump += stride - 1
    return field


@mistake(
    "Your jump is the stride of the layer just before. The strides of all earlier layers count.",
    fails={"receptive_field_jump"},
)
def only_the_stride_before(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump = stride
    return field


@mistake(
    "Your jump doubles with each layer that has a stride. It is multiplied by the stride, which "
    "can be 3 or 4 too.",
    fails={"receptive_field_jump"},
)
def every_stride_doubles(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        if stride > 1:
            jump *= 2
    return field


@mistake(
    "Your layers use their own stride before they add to the field. It matters only for the "
    "layers that come after.",
    fails={"receptive_field_own_stride"},
)
def own_stride_first(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        jump *= stride
        field += (kernel_size - 1) * jump
    return field


@mistake(
    "Each layer adds its kernel by its own stride in your field. A step counts in pixels of the "
    "image, so the strides of the layers before are what counts.",
    fails={"receptive_field_jump", "receptive_field_own_stride"},
)
def own_stride_only(layers):
    field = 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * stride
    return field


@mistake(
    "Your field is that of the layers in reverse order. The list begins at the image, where the "
    "jump is 1.",
    fails={"receptive_field_jump", "receptive_field_own_stride"},
)
def from_the_wrong_end(layers):
    field, jump = 1, 1
    for kernel_size, stride in reversed(layers):
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "Your numbers equal the jump, the distance of two neighbours in the image. Asked for is "
    "how many pixels one of them sees.",
    fails={"receptive_field_kernels", "receptive_field_jump", "receptive_field_own_stride"},
)
def jump_returned(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return jump


@mistake(
    "You take the stride for the kernel size and the kernel size for the stride. In each pair the "
    "kernel size comes first.",
    fails={"receptive_field_kernels", "receptive_field_jump", "receptive_field_own_stride"},
)
def pair_swapped(layers):
    field, jump = 1, 1
    for stride, kernel_size in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "Your function takes the layers out of the list. Whoever called it still needs them: a second "
    "call finds an empty list.",
    fails={"receptive_field_keeps_list"},
)
def list_used_up(layers):
    field, jump = 1, 1
    while layers:
        kernel_size, stride = layers.pop(0)
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "Your function turns the list around in place. A second call finds it in the wrong order.",
    fails={"receptive_field_keeps_list"},
)
def list_turned_around(layers):
    field = 1
    layers.reverse()
    for kernel_size, stride in layers:
        field = (field - 1) * stride + kernel_size
    return field


@correct
def backwards(layers):
    seen = 1
    for k, s in reversed(layers):
        seen = (seen - 1) * s + k
    return seen


@correct
def by_recursion(layers):
    if not layers:
        return 1
    (kernel_size, stride), *rest = layers
    return (by_recursion(rest) - 1) * stride + kernel_size


@correct
def with_products(layers):
    strides = [stride for _, stride in layers]
    return 1 + sum((k - 1) * math.prod(strides[:i]) for i, (k, _) in enumerate(layers))


@correct
def marks_the_pixels(layers):
    positions = {0}
    for kernel_size, stride in layers[::-1]:
        positions = {at * stride + step for at in positions for step in range(kernel_size)}
    return max(positions) - min(positions) + 1


@correct
def counts_first_and_last(layers):
    last = 0
    for layer in layers[::-1]:
        last = last * layer[1] + layer[0] - 1
    return last + 1


@correct
def asks_the_helpers(layers):
    return helpers.shapes.receptive_field(layers).size


@correct
def with_a_tensor(layers):
    if len(layers) == 0:
        return torch.tensor(1)
    kernel_sizes, strides = torch.tensor(layers).T
    jumps = torch.cat([torch.tensor([1]), torch.cumprod(strides, dim=0)[:-1]])
    return 1 + torch.sum((kernel_sizes - 1) * jumps)


@correct
def with_accumulate(layers):
    jumps = itertools.accumulate((stride for _, stride in layers), operator.mul, initial=1)
    return 1 + sum((layer[0] - 1) * jump for layer, jump in zip(layers, jumps, strict=False))


@correct
def with_reduce(layers):
    return functools.reduce(
        lambda seen, layer: (seen - 1) * layer[1] + layer[0], reversed(list(layers)), 1
    )


@correct
def with_autograd(layers):
    """The pixels that have a gradient are those that are seen."""
    length = 1 + math.prod(s for _, s in layers) * sum(k - 1 for k, _ in layers)
    line = torch.zeros(1, 1, length, dtype=torch.float64, requires_grad=True)
    numbers = line
    for kernel_size, stride in layers:
        numbers = torch.conv1d(numbers, torch.ones(1, 1, kernel_size).double(), stride=stride)
    numbers[0, 0, 0].backward()
    return int(line.grad.nonzero()[:, -1].max()) + 1


@correct
def with_one_large_kernel(layers):
    """The layers as a single one: kernels spread by the jump, and convolved."""
    kernel, jump = np.ones(1), 1
    for kernel_size, stride in layers:
        spread = np.zeros((kernel_size - 1) * jump + 1)
        spread[::jump] = 1 / kernel_size
        kernel = np.convolve(kernel, spread)
        jump *= stride
    return kernel.size


Layer = collections.namedtuple("Layer", ["kernel_size", "stride"])


@correct
def with_named_tuples(layers):
    """From a copy of the list, which is used up."""
    network, seen = [Layer(*numbers) for numbers in layers], 1
    while network:
        layer = network.pop()
        seen = layer.kernel_size + (seen - 1) * layer.stride
    return seen


@correct
def with_matrices(layers):
    """One layer back is a linear function; those of all layers are multiplied as matrices."""
    whole = np.eye(2, dtype=int)
    for kernel_size, stride in layers:
        whole = whole @ [[stride, kernel_size - stride], [0, 1]]
    return (whole @ [1, 1])[0]


@mistake(
    "A kernel adds as many jumps in your field as it has numbers before and behind its middle. A "
    "kernel with an even number of numbers has no middle: it adds one jump less.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def half_a_kernel_on_each_side(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += 2 * (kernel_size // 2) * jump
        jump *= stride
    return field


@mistake(
    "Of two layers with the same kernel size only one counts in your field, as in a dict of the "
    "layers. Each layer of the list adds its share.",
    fails={"receptive_field_kernels", "receptive_field_jump"},
)
def one_layer_for_each_size(layers):
    field, jump = 1, 1
    for kernel_size, stride in dict(layers).items():
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "The stride of a layer with a kernel of 1 is missing from your jump. Such a layer adds nothing "
    "to the field, but the layers after it jump farther.",
    fails={"receptive_field_jump"},
)
def stride_of_small_kernels_skipped(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        if kernel_size > 1:
            field += (kernel_size - 1) * jump
            jump *= stride
    return field
