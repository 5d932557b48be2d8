"""Task 2: count the parameters of any network."""

import math
from collections import Counter, OrderedDict
from functools import reduce
from itertools import groupby
from operator import mul

import numpy as np
import torch
from torch import nn

from grader.authoring.bank import correct, mistake

COUNTS = "parameters_by_layer_counts"
NESTED = "parameters_by_layer_nested"
LISTED = "parameters_by_layer_listed"
FROZEN = "parameters_by_layer_frozen"
ALL = {COUNTS, NESTED, LISTED, FROZEN}


@mistake(
    "Your counts equal those of the weights alone: each is too small by the number of biases.",
    fails={COUNTS, FROZEN},
)
def biases_forgotten(model):
    counts = {}
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        own.pop("bias", None)
        if own:
            counts[name] = sum(part.numel() for part in own.values())
    return counts


@mistake(
    "Your counts are the numbers of tensors, one weight and one bias, and not of the values in "
    "them.",
    fails={COUNTS, NESTED, FROZEN},
)
def tensors_counted(model):
    counts = {}
    for name, module in model.named_modules():
        own = len(list(module.parameters(recurse=False)))
        if own:
            counts[name] = own
    return counts


@mistake(
    "Your counts add the lengths of the first axis only. A weight has more axes, and their "
    "lengths are multiplied.",
    fails={COUNTS, NESTED, FROZEN},
)
def only_first_axis(model):
    counts = {}
    for name, module in model.named_modules():
        own = sum(len(parameter) for parameter in module.parameters(recurse=False))
        if own:
            counts[name] = own
    return counts


@mistake(
    "Only the outermost modules are listed, each with all that is inside it.",
    fails={NESTED},
)
def outermost_modules(model):
    counts = {}
    for name, module in model.named_children():
        total = sum(parameter.numel() for parameter in module.parameters())
        if total:
            counts[name] = total
    return counts


@mistake(
    "A module around others counts their parameters once more: yours are counted at every level.",
    fails={NESTED},
)
def counted_at_every_level(model):
    counts = {}
    for name, module in model.named_modules():
        total = sum(parameter.numel() for parameter in module.parameters())
        if total:
            counts[name] = total
    return counts


@mistake(
    "Your counts equal those of modules without modules inside. A module can hold parameters "
    "of its own beside them.",
    fails={NESTED},
)
def innermost_modules_only(model):
    counts = {}
    for name, module in model.named_modules():
        if not list(module.children()):
            own = sum(parameter.numel() for parameter in module.parameters())
            if own:
                counts[name] = own
    return counts


@mistake(
    "Your counts equal those of parameters with the names `weight` and `bias` alone. A module "
    "may give its parameters any name.",
    fails={NESTED},
)
def weight_and_bias_only(model):
    counts = {}
    for name, module in model.named_modules():
        found = [getattr(module, which, None) for which in ("weight", "bias")]
        own = sum(part.numel() for part in found if isinstance(part, torch.Tensor))
        if own:
            counts[name] = own
    return counts


@mistake(
    "Your counts equal what comes out when only the second level is opened, and what lies "
    "deeper is counted in the module around it.",
    fails={NESTED},
)
def two_levels_only(model):
    counts = {}
    for name, module in model.named_children():
        children = list(module.named_children()) or [("", module)]
        for child_name, child in children:
            total = sum(parameter.numel() for parameter in child.parameters())
            if total:
                counts[f"{name}.{child_name}".rstrip(".")] = total
    return counts


@mistake(
    "The names are those of the modules alone, without the modules around them.",
    fails={NESTED},
)
def names_without_path(model):
    counts = {}
    for name, module in model.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if own:
            counts[name.split(".")[-1]] = own
    return counts


@mistake(
    "Modules without parameters are in your dict, with the count 0.",
    fails={LISTED},
)
def zeros_listed(model):
    return {
        name: sum(parameter.numel() for parameter in module.parameters(recurse=False))
        for name, module in model.named_modules()
    }


@mistake(
    "Frozen parameters are left out. They are parameters all the same.",
    fails={FROZEN},
)
def only_trainable(model):
    counts = {}
    for name, module in model.named_modules():
        own = [p.numel() for p in module.parameters(recurse=False) if p.requires_grad]
        if sum(own):
            counts[name] = sum(own)
    return counts


@mistake(
    "Buffers are counted, too: the running mean and variance of a batch normalisation, and its "
    "number of batches. They are saved with the network, but are no parameters.",
    fails={FROZEN},
)
def buffers_counted(model):
    counts = Counter()
    for name, tensor in model.state_dict().items():
        counts[name.rpartition(".")[0]] += tensor.numel()
    return dict(counts)


@mistake(
    "Your counts equal those of convolutions and fully connected layers alone. Other modules "
    "have parameters, too.",
    fails={NESTED, FROZEN},
)
def two_kinds_of_layers_only(model):
    counts = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            counts[name] = sum(parameter.numel() for parameter in module.parameters())
    return counts


@mistake(
    "Of a convolution the number of input channels is missing in your count: a filter has a layer "
    "of weights for each of them.",
    fails={COUNTS},
)
def by_formula_for_one_channel(model):
    counts = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            one_map = module.out_channels * math.prod(module.kernel_size)
            counts[name] = one_map + (0 if module.bias is None else module.out_channels)
        else:
            own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            if own:
                counts[name] = own
    return counts


@mistake(
    "The names are those of the kinds of layers, so that two layers of one kind share a name.",
    fails=ALL,
)
def by_kind_of_layer(model):
    counts = {}
    for module in model.modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if own:
            counts[type(module).__name__] = own
    return counts


@mistake(
    "The keys of your dict are names of parameters. Asked for is a name for each module.",
    fails=ALL,
)
def by_parameter(model):
    return {name: parameter.numel() for name, parameter in model.named_parameters()}


@mistake(
    "Your result is a single number. Asked for is a dict with a count for each module.",
    fails=ALL,
)
def total_only(model):
    return sum(parameter.numel() for parameter in model.parameters())


@mistake(
    "The counts are in a list. Asked for is a dict, in which they have names.",
    fails=ALL,
)
def list_without_names(model):
    counts = []
    for module in model.modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if own:
            counts.append(own)
    return counts


@mistake(
    "Only the first module that has parameters is counted, as where `return` stands inside "
    "the loop.",
    fails={COUNTS, NESTED, FROZEN},
)
def returned_too_early(model):
    counts = {}
    for name, module in model.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if own:
            counts[name] = own
            return counts


@mistake(
    "Your function returns nothing. A dict of the counts is asked for; `print` does not hand "
    "it back.",
    fails=ALL,
)
def printed(model):
    for name, module in model.named_modules():
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if own:
            print(name, own)


@mistake(
    "Parameters that the model itself holds do not stand under the empty name in your dict. "
    "They belong to the model, whose name is empty.",
    fails={NESTED},
)
def name_cut_at_the_last_dot(model):
    counts = Counter()
    for name, parameter in model.named_parameters():
        counts[name.rsplit(".", 1)[0]] += parameter.numel()
    return counts


@mistake(
    "A layer without a bias has None in the place of the bias.",
    fails={COUNTS, NESTED},
    undiagnosed="it stops with an error, and there are no numbers to tell it by",
)
def none_counted(model):
    counts = {}
    for name, module in model.named_modules():
        own = sum(parameter.numel() for parameter in module._parameters.values())
        if own:
            counts[name] = own
    return counts


@correct
def from_the_names_of_parameters(network):
    counts = Counter()
    for name, parameter in network.named_parameters():
        counts[name.rpartition(".")[0]] += parameter.numel()
    return counts


@correct
def by_recursion(module, prefix=""):
    # A layer without bias has None in its place.
    own = [parameter for parameter in module._parameters.values() if parameter is not None]
    counts = {prefix: sum(math.prod(parameter.shape) for parameter in own)} if own else {}
    for name, child in module.named_children():
        counts.update(by_recursion(child, f"{prefix}.{name}" if prefix else name))
    return counts


@correct
def with_comprehensions(model):
    sizes = {
        name: [p.nelement() for _, p in module.named_parameters(recurse=False)]
        for name, module in model.named_modules()
    }
    return {name: sum(own) for name, own in sizes.items() if own}


@correct
def by_subtraction(model):
    def total(module):
        return sum(parameter.numel() for parameter in module.parameters())

    counts = {}
    for name, module in model.named_modules():
        counts[name] = total(module) - sum(total(child) for child in module.children())
    for name in [name for name, count in counts.items() if count == 0]:
        del counts[name]
    return counts


@correct
def with_a_stack(model):
    counts, waiting = {}, [("", model)]
    while waiting:
        path, module = waiting.pop()
        own = 0
        for parameter in module.parameters(recurse=False):
            own += parameter.view(-1).size(0)
        if own > 0:
            counts[path] = own
        waiting += [(f"{path}.{name}".strip("."), child) for name, child in module.named_children()]
    return counts


@correct
def saved_state_without_buffers(model):
    counts, buffers = {}, {name for name, _ in model.named_buffers()}
    for name, values in model.state_dict().items():
        if name not in buffers:
            owner = ".".join(name.split(".")[:-1])
            counts[owner] = counts.get(owner, 0) + values.numel()
    return counts


@correct
def neighbours_in_groups(model):
    # The parameters of one module stand side by side.
    found = [(name.split("."), parameter.shape) for name, parameter in model.named_parameters()]
    return {
        ".".join(path): sum(shape.numel() for _, shape in group)
        for path, group in groupby(found, key=lambda one: one[0][:-1])
    }


@correct
def with_apply(model):
    names = {module: name for name, module in model.named_modules()}
    counts = OrderedDict()

    def count(module):
        if own := list(module.parameters(recurse=False)):
            counts[names[module]] = torch.cat([one.detach().flatten() for one in own]).numel()

    model.apply(count)
    return counts


@correct
def filtered_pairs(model):
    def count(pair):
        name, module = pair
        return name, sum(map(torch.numel, module.parameters(recurse=False)))

    return dict(filter(lambda pair: pair[1] > 0, map(count, model.named_modules())))


@correct
def level_by_level(model):
    counts, level = {}, {"": model}
    while level:
        deeper = {}
        for name, module in level.items():
            own = [p for p in vars(module)["_parameters"].values() if p is not None]
            if own:
                counts[name] = int(sum(np.prod(p.shape) for p in own))
            for key, child in module.named_children():
                deeper[f"{name}.{key}" if name else key] = child
        level = deeper
    return counts


@correct
def generator_of_pairs(model):
    def pairs(module, path):
        shapes = [tuple(p.shape) for p in module.parameters(recurse=False)]
        if shapes:
            yield ".".join(path), sum(reduce(mul, shape, 1) for shape in shapes)
        for name, child in module.named_children():
            yield from pairs(child, (*path, name))

    return dict(pairs(model, ()))


@correct
def owner_by_its_name(model):
    counts = {}
    for full_name in dict(model.named_parameters()):
        path, _, _ = full_name.rpartition(".")
        if path not in counts:
            counts[path] = 0
            for parameter in model.get_submodule(path)._parameters.values():
                counts[path] += 0 if parameter is None else len(parameter.reshape(-1))
    return counts
