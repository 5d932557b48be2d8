"""Task 5: a residual block that changes size and depth."""

import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake


class Layers(nn.Module):
    """The layers of the task; most variants differ in a layer or in the way through them."""

    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, maps, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(maps)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(maps)
        if stride != 1 or channels != maps:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, maps, 1, stride=stride, bias=False), nn.BatchNorm2d(maps)
            )
        else:
            self.shortcut = nn.Identity()

    def branch(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))

    def forward(self, x):
        return F.relu(self.branch(x) + self.shortcut(x))


# Right in other ways.


@correct
class in_one_class(Layers):
    pass


@correct
class shortcut_first(Layers):
    def forward(self, x):
        identity = self.shortcut(x)
        out = self.conv1(x)
        out = self.norm1(out)
        out = F.relu(out, inplace=True)
        out = self.conv2(out)
        out = self.norm2(out)
        out += identity
        return F.relu(out, inplace=True)


@correct
class as_torchvision_writes_it(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(channels, maps, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(maps)
        self.conv2 = nn.Conv2d(maps, maps, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(maps)
        self.downsample = None
        if stride > 1 or channels != maps:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, maps, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(maps),
            )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out = out + identity
        return self.relu(out)


@correct
class two_rows_of_layers(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.f = nn.Sequential(
            nn.Conv2d(channels, maps, 3, stride, 1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.Conv2d(maps, maps, 3, 1, 1, bias=False),
            nn.BatchNorm2d(maps),
        )
        needed = (channels, 1) != (maps, stride)
        self.g = (
            nn.Sequential(nn.Conv2d(channels, maps, 1, stride, bias=False), nn.BatchNorm2d(maps))
            if needed
            else nn.Sequential()
        )

    def forward(self, x):
        return torch.relu(self.f(x) + self.g(x))


@correct
class in_a_dict(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "c1": nn.Conv2d(channels, maps, (3, 3), (stride, stride), (1, 1), bias=False),
                "n1": nn.BatchNorm2d(maps),
                "c2": nn.Conv2d(maps, maps, (3, 3), padding="same", bias=False),
                "n2": nn.BatchNorm2d(maps),
            }
        )
        if channels != maps or stride != 1:
            self.layers["c3"] = nn.Conv2d(channels, maps, (1, 1), (stride, stride), bias=False)
            self.layers["n3"] = nn.BatchNorm2d(maps)

    def forward(self, x):
        y = self.layers["n1"](self.layers["c1"](x)).clamp(min=0)
        y = self.layers["n2"](self.layers["c2"](y))
        if "c3" in self.layers:
            x = self.layers["n3"](self.layers["c3"](x))
        return (x + y).clamp(min=0)


@correct
class lazy(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.conv1 = nn.LazyConv2d(maps, 3, stride, 1, bias=False)
        self.norm1 = nn.LazyBatchNorm2d()
        self.conv2 = nn.LazyConv2d(maps, 3, 1, 1, bias=False)
        self.norm2 = nn.LazyBatchNorm2d()
        self.has_shortcut = stride != 1 or channels != maps
        if self.has_shortcut:
            self.conv3 = nn.LazyConv2d(maps, 1, stride, bias=False)
            self.norm3 = nn.LazyBatchNorm2d()
        # So that the parameters are there before the first call.
        mode = self.training
        with torch.no_grad():
            self.eval()(torch.zeros(1, channels, 4, 4))
        self.train(mode)

    def forward(self, x):
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(y + (self.norm3(self.conv3(x)) if self.has_shortcut else x))


@correct
class padded_by_hand(Layers):
    """The padding is made by a function, with a convolution that has none."""

    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 3, stride=stride, bias=False)
        self.conv2 = nn.Conv2d(maps, maps, 3, bias=False)

    def branch(self, x):
        x = self.norm1(self.conv1(F.pad(x, (1, 1, 1, 1)))).relu()
        return self.norm2(self.conv2(F.pad(x, (1, 1, 1, 1))))


@correct
class stride_by_hand(Layers):
    """The shortcut takes each second pixel first: then its convolution needs no stride."""

    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.stride = stride
        if stride != 1:
            self.shortcut[0] = nn.Conv2d(channels, maps, 1, bias=False)

    def forward(self, x):
        short = self.shortcut(x[:, :, :: self.stride, :: self.stride])
        return F.relu(self.branch(x) + short)


@correct
class relu_by_hand(Layers):
    def branch(self, x):
        x = self.norm1(self.conv1(x))
        return self.norm2(self.conv2(torch.where(x > 0, x, torch.zeros_like(x))))

    def forward(self, x):
        y = self.shortcut(x) + self.branch(x)
        return torch.maximum(y, torch.zeros(()))


@correct
class made_by_a_function(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()

        def convolve(channels, kernel_size, stride):
            conv = nn.Conv2d(channels, maps, kernel_size, stride, kernel_size // 2, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(maps))

        self.first, self.second = convolve(channels, 3, stride), convolve(maps, 3, 1)
        self.short = convolve(channels, 1, stride) if (channels, 1) != (maps, stride) else None

    def forward(self, x):
        y = self.second(self.first(x).relu())
        return ((x if self.short is None else self.short(x)) + y).relu()


@correct
class in_a_list(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(channels, maps, 3, stride, 1, bias=False)])
        self.convs.append(nn.Conv2d(maps, maps, 3, 1, 1, bias=False))
        self.changes = channels != maps or stride > 1
        if self.changes:
            self.convs.append(nn.Conv2d(channels, maps, 1, stride, bias=False))
        self.norms = nn.ModuleList(nn.BatchNorm2d(maps) for _ in self.convs)

    def forward(self, x):
        y = x
        for number in (0, 1):
            y = self.norms[number](self.convs[number](y))
            if number == 0:
                y = y.relu()
        if self.changes:
            x = self.norms[2](self.convs[2](x))
        return nn.functional.relu(x + y)


@correct
class weights_started_anew(Layers):
    """He's start, as in lesson 06."""

    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


@correct
class attributes_of_another_order(nn.Module):
    """The shortcut is made first and called last."""

    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.same = channels == maps and stride == 1
        if not self.same:
            self.a = nn.Conv2d(channels, maps, 1, stride, bias=False)
            self.b = nn.BatchNorm2d(maps)
        self.c = nn.Sequential(nn.BatchNorm2d(maps), nn.ReLU())
        self.d = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        self.e = nn.BatchNorm2d(maps)
        self.f = nn.Conv2d(channels, maps, 3, stride, padding=1, bias=False)
        self.end = nn.ReLU()

    def forward(self, x):
        y = self.e(self.d(self.c(self.f(x))))
        return self.end(torch.add(y, x if self.same else self.b(self.a(x))))


# The shortcut.

NOTHING_ON_THE_SHORTCUT = (
    "Your block has no parameters on the shortcut where the shapes differ. Its layers are missing, "
    "or stand in a plain Python list, where PyTorch does not find them."
)


@mistake(
    "Your numbers equal f alone, after ReLU: what should come over the shortcut is not added.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class nothing_added(Layers):
    def forward(self, x):
        return F.relu(self.branch(x))


@mistake(
    "Your block has a convolution of 1 × 1 on the shortcut where the shapes are equal, too. There "
    "x passes as it is.",
    fails={"Block_branch", "Block_identity", "Block_parameters", "Block_relu", "Block_together"},
)
class shortcut_always_a_convolution(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.shortcut = nn.Sequential(
            nn.Conv2d(channels, maps, 1, stride=stride, bias=False), nn.BatchNorm2d(maps)
        )


@mistake(
    "With another stride and equal numbers of maps, no convolution stands on your shortcut.",
    fails={"Block_parameters", "Block_shortcut", "Block_together"},
)
class shortcut_for_depth_only(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if channels == maps:
            self.shortcut = nn.Identity()

    def forward(self, x):
        f, short = self.branch(x), self.shortcut(x)
        return F.relu(f + short[:, :, : f.shape[2], : f.shape[3]])


@mistake(
    "With another number of maps and stride 1 your block stops with an error: no convolution "
    "stands on the shortcut.",
    fails={"Block_parameters", "Block_shape", "Block_shortcut", "Block_together"},
)
class shortcut_for_stride_only(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride == 1:
            self.shortcut = nn.Identity()


@mistake(
    "Your block stops with an error where x and f(x) have different shapes: there is no shortcut "
    "that changes them.",
    fails={
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
    undiagnosed="PyTorch stops with an error: the shapes cannot be added",
)
class no_shortcut_at_all(Layers):
    def forward(self, x):
        return F.relu(self.branch(x) + x)


@mistake(
    "The normalisation after the convolution of 1 × 1 is missing.",
    fails={"Block_parameters", "Block_shortcut", "Block_together"},
)
class shortcut_not_normalised(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1 or channels != maps:
            self.shortcut = nn.Conv2d(channels, maps, 1, stride=stride, bias=False)


@mistake(
    "The convolution on your shortcut is larger than 1 × 1.",
    fails={"Block_parameters", "Block_shortcut", "Block_together"},
)
class shortcut_of_three_by_three(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1 or channels != maps:
            self.shortcut[0] = nn.Conv2d(channels, maps, 3, stride, padding=1, bias=False)


@mistake(
    "Your numbers equal what comes out when a ReLU stands on the shortcut, before the sum.",
    fails={"Block_branch", "Block_relu", "Block_together"},
)
class relu_on_the_shortcut(Layers):
    def forward(self, x):
        return F.relu(self.branch(x) + F.relu(self.shortcut(x)))


@mistake(
    "Your shortcut equals what a mean over squares gives, and a convolution without a stride after "
    "it. The convolution of 1 × 1 itself has the stride.",
    fails={"Block_shortcut", "Block_together"},
)
class shortcut_pooled(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(channels, maps, 1, bias=False),
                nn.BatchNorm2d(maps),
            )


@mistake(
    "Your shortcut equals what the largest number of each square gives, and a convolution without "
    "a stride after it. The convolution of 1 × 1 itself has the stride.",
    fails={"Block_shortcut", "Block_together"},
)
class shortcut_max_pooled(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.MaxPool2d(stride, ceil_mode=True),
                nn.Conv2d(channels, maps, 1, bias=False),
                nn.BatchNorm2d(maps),
            )


@mistake(
    NOTHING_ON_THE_SHORTCUT,
    fails={"Block_parameters", "Block_shortcut", "Block_together"},
)
class zeros_for_missing_maps(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.stride, self.more = stride, maps - channels
        self.shortcut = nn.Identity()

    def forward(self, x):
        short = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(self.branch(x) + short)


@mistake(
    "Your block has as many parameters besides as biases in the convolution of 1 × 1 would be. It "
    "has none here.",
    fails={"Block_parameters"},
)
class shortcut_with_bias(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1 or channels != maps:
            self.shortcut[0] = nn.Conv2d(channels, maps, 1, stride=stride)


@mistake(
    "Your shortcut works on what the first convolution made, not on x.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class shortcut_from_the_middle(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride != 1 or channels != maps:
            self.shortcut[0] = nn.Conv2d(maps, maps, 1, bias=False)

    def forward(self, x):
        y = self.norm1(self.conv1(x)).relu()
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(y))


# The sum and the last ReLU.


@mistake(
    "Negative numbers come out: no ReLU is at work after the sum.",
    fails={"Block_relu", "Block_together"},
)
class no_relu_at_the_end(Layers):
    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


@mistake(
    "Your numbers equal what comes out when ReLU stands before the sum, at the end of f, and not "
    "after the sum.",
    fails={"Block_relu", "Block_together"},
)
class relu_before_the_sum(Layers):
    def forward(self, x):
        return F.relu(self.branch(x)) + self.shortcut(x)


@mistake(
    "Your numbers equal what comes out when ReLU stands at the end of f and after the sum as well.",
    fails={"Block_relu", "Block_together"},
)
class relu_before_and_after_the_sum(Layers):
    def forward(self, x):
        return F.relu(F.relu(self.branch(x)) + self.shortcut(x))


@mistake(
    "Your numbers equal the difference of f and the shortcut. They are added.",
    fails={"Block_branch", "Block_identity", "Block_relu", "Block_shortcut", "Block_together"},
)
class subtracted(Layers):
    def forward(self, x):
        return F.relu(self.branch(x) - self.shortcut(x))


@mistake(
    "Your numbers equal the product of f and the shortcut. They are added.",
    fails={"Block_branch", "Block_identity", "Block_relu", "Block_shortcut", "Block_together"},
)
class multiplied(Layers):
    def forward(self, x):
        return F.relu(self.branch(x) * self.shortcut(x))


@mistake(
    "Your numbers equal half of the sum. It is not divided.",
    fails={"Block_branch", "Block_identity", "Block_relu", "Block_shortcut", "Block_together"},
)
class mean_for_sum(Layers):
    def forward(self, x):
        return F.relu((self.branch(x) + self.shortcut(x)) / 2)


@mistake(
    "Your result has twice as many maps as it should: those of f and of the shortcut stand side by "
    "side. They are added.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_relu",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
)
class side_by_side(Layers):
    def forward(self, x):
        return F.relu(torch.cat([self.branch(x), self.shortcut(x)], dim=1))


@mistake(
    "Your numbers equal what comes out when the shortcut is added twice.",
    fails={"Block_branch", "Block_identity", "Block_relu", "Block_shortcut", "Block_together"},
)
class added_twice(Layers):
    def forward(self, x):
        short = self.shortcut(x)
        return F.relu(self.branch(x) + short + short)


@mistake(
    "Negative numbers become a hundredth of themselves at the end: that is leaky ReLU. ReLU makes "
    "them 0.",
    fails={"Block_relu", "Block_together"},
)
class leaky_at_the_end(Layers):
    def forward(self, x):
        return F.leaky_relu(self.branch(x) + self.shortcut(x))


@mistake(
    "The numbers that come out lie between 0 and 1: a sigmoid stands at the end. Asked for is "
    "ReLU.",
    fails={"Block_branch", "Block_identity", "Block_relu", "Block_shortcut", "Block_together"},
)
class sigmoid_at_the_end(Layers):
    def forward(self, x):
        return torch.sigmoid(self.branch(x) + self.shortcut(x))


# Inside of f.


@mistake(
    "Your f equals what comes out without the ReLU between the two convolutions.",
    fails={"Block_branch", "Block_together"},
)
class no_relu_between(Layers):
    def branch(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


@mistake(
    "Your f equals what comes out when ReLU stands before the first normalisation, not after it.",
    fails={"Block_branch", "Block_together"},
)
class relu_before_the_normalisation(Layers):
    def branch(self, x):
        return self.norm2(self.conv2(self.norm1(self.conv1(x).relu())))


@mistake(
    "Your f equals what comes out without the first normalisation.",
    fails={"Block_branch", "Block_parameters", "Block_together"},
)
class no_first_normalisation(Layers):
    def branch(self, x):
        return self.norm2(self.conv2(self.conv1(x).relu()))


@mistake(
    "No batch normalisation follows the second convolution of your block.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class no_second_normalisation(Layers):
    def branch(self, x):
        return self.conv2(self.norm1(self.conv1(x)).relu())


@mistake(
    "Your block has no batch normalisation on its way through the two convolutions.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_modes",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class no_normalisation(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        del self.norm1, self.norm2

    def branch(self, x):
        return self.conv2(self.conv1(x).relu())


@mistake(
    "Your f has the parameters of one normalisation only, as where one and the same follows "
    "both convolutions. Each convolution has its own.",
    fails={"Block_branch", "Block_modes", "Block_parameters", "Block_together"},
)
class one_normalisation_for_both(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        del self.norm2

    def branch(self, x):
        return self.norm1(self.conv2(self.norm1(self.conv1(x)).relu()))


@mistake(
    "Only one convolution of 3 × 3 is called in your block. f has two.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_parameters",
        "Block_relu",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
)
class one_convolution(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        del self.conv2, self.norm2

    def branch(self, x):
        return self.norm1(self.conv1(x))


@mistake(
    "Your block has as many parameters besides as biases in both convolutions of 3 × 3 would be. "
    "They have none here.",
    fails={"Block_parameters"},
)
class convolutions_with_biases(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1)


@mistake(
    "Your block has as many parameters besides as biases in all its convolutions would be. They "
    "have none here.",
    fails={"Block_parameters"},
)
class all_with_biases(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1)
        if stride != 1 or channels != maps:
            self.shortcut[0] = nn.Conv2d(channels, maps, 1, stride=stride)


@mistake(
    "Your maps shrink by more than the stride says: the convolutions of 3 × 3 have no padding.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_relu",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
    undiagnosed="PyTorch stops with an error: f and the shortcut have different sizes",
)
class no_padding(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 3, stride=stride, bias=False)
        self.conv2 = nn.Conv2d(maps, maps, 3, bias=False)


@mistake(
    "The stride stands in the second convolution of your f, not in the first one: there, f has "
    "other numbers.",
    fails={"Block_together"},
)
class stride_in_the_second_convolution(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(maps, maps, 3, stride=stride, padding=1, bias=False)


@mistake(
    "Both convolutions of your f have the stride, so f shrinks twice.",
    fails={
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
    undiagnosed="PyTorch stops with an error: f and the shortcut have different sizes",
)
class stride_in_both_convolutions(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv2 = nn.Conv2d(maps, maps, 3, stride=stride, padding=1, bias=False)


@mistake(
    "The size stays with stride 2, too: your block does not use the stride.",
    fails={"Block_parameters", "Block_shape", "Block_shortcut", "Block_together"},
)
class stride_forgotten(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps)


@mistake(
    "Your block halves the size whenever the number of maps changes, whatever the stride.",
    fails={"Block_modes", "Block_shape", "Block_shortcut", "Block_together"},
)
class stride_two_when_maps_change(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, 2 if channels != maps else stride)


@mistake(
    "The number of maps changes in your second convolution, not in the first one.",
    fails={"Block_parameters", "Block_together"},
)
class maps_change_late(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, maps, 3, padding=1, bias=False)


@mistake(
    "Your block is that of pre-activation: normalisation and ReLU stand before each convolution. "
    "Here they stand after it.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class pre_activation(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.norm1 = nn.BatchNorm2d(channels)

    def forward(self, x):
        f = self.conv1(self.norm1(x).relu())
        return self.conv2(self.norm2(f).relu()) + self.shortcut(x)


@mistake(
    "A convolution of your block has 25 weights for each map and filter, as one of 5 × 5 has.",
    fails={"Block_branch", "Block_parameters", "Block_together"},
)
class five_by_five(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(channels, maps, 5, stride=stride, padding=2, bias=False)


@mistake(
    "A convolution of your f equals a depthwise one, in which each filter sees one map only. "
    "Here each sees all.",
    fails={"Block_branch", "Block_parameters", "Block_together"},
)
class depthwise_convolutions(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, groups=maps, bias=False)


@mistake(
    "The same convolution is used twice where that fits, so the block has fewer parameters than "
    "two convolutions have.",
    fails={"Block_branch", "Block_parameters", "Block_together"},
)
class one_convolution_twice(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if channels == maps and stride == 1:
            self.conv2 = self.conv1


@mistake(
    "The padding of your convolutions repeats the pixels at the edge. It consists of zeros.",
    fails={"Block_branch", "Block_together"},
)
class edge_repeated(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.conv1 = nn.Conv2d(
            channels, maps, 3, stride, padding=1, bias=False, padding_mode="replicate"
        )
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, bias=False, padding_mode="replicate")


# Parameters, modes and x.

RELU_FIRST = "Your numbers equal what comes out when x goes through a ReLU before anything else."


@mistake(
    "One of your convolutions is not among the parameters: it is made anew in each call, or "
    "stands in a plain Python list.",
    fails={
        "Block_branch",
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_shape",
        "Block_together",
    },
)
class made_in_forward(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.sizes = (channels, maps, 3, stride, 1)
        del self.conv1

    def branch(self, x):
        x = nn.Conv2d(*self.sizes, bias=False)(x)
        return self.norm2(self.conv2(self.norm1(x).relu()))


@mistake(
    NOTHING_ON_THE_SHORTCUT,
    fails={"Block_parameters"},
)
class shortcut_in_a_list(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.hidden = list(self.shortcut) if stride != 1 or channels != maps else []
        del self.shortcut

    def forward(self, x):
        short = x
        for layer in self.hidden:
            short = layer.train(self.training)(short)
        return F.relu(self.branch(x) + short)


@mistake(
    "Your block holds parameters that no result depends on: the shortcut has layers where the "
    "shapes are equal, too, though they are not used.",
    fails={"Block_parameters"},
)
class unused_layers(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        if stride == 1 and channels == maps:
            self.spare = nn.Sequential(
                nn.Conv2d(channels, maps, 1, bias=False), nn.BatchNorm2d(maps)
            )


@mistake(
    "A backward pass does not reach all parameters of your block, as where it is cut between "
    "the two convolutions.",
    fails={"Block_parameters"},
)
class gradient_cut(Layers):
    def branch(self, x):
        x = self.norm1(self.conv1(x)).relu().detach()
        return self.norm2(self.conv2(x))


@mistake(
    "Your normalisations keep no running means: in evaluation mode, too, the images of a batch "
    "normalise each other.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_modes",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class no_running_numbers(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.track_running_stats = False
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None


@mistake(
    "Your normalisations use the running means in training, too: there, the images of a batch "
    "should normalise each other.",
    fails={"Block_modes"},
)
class always_evaluating(Layers):
    def forward(self, x):
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return super().forward(x)


@mistake(
    "In evaluation mode, too, the images of a batch normalise each other, as where the block "
    "puts itself into training mode.",
    fails={"Block_branch", "Block_modes", "Block_shortcut", "Block_together"},
)
class always_training(Layers):
    def forward(self, x):
        self.train()
        return super().forward(x)


@mistake(
    "Your normalisations have no weight and no bias of their own.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_parameters",
        "Block_relu",
        "Block_shortcut",
        "Block_together",
    },
)
class without_gamma_and_beta(Layers):
    def __init__(self, channels, maps, stride=1):
        super().__init__(channels, maps, stride)
        self.norm1 = nn.BatchNorm2d(maps, affine=False)
        self.norm2 = nn.BatchNorm2d(maps, affine=False)


@mistake(
    "x is changed by the call: the last sum is written into it.",
    fails={"Block_keeps_x", "Block_parameters", "Block_shape"},
)
class sum_written_into_x(Layers):
    def forward(self, x):
        f, short = self.branch(x), self.shortcut(x)
        short += f.detach() if short.is_leaf else f
        return F.relu(short)


@mistake(
    RELU_FIRST,
    fails={"Block_branch", "Block_keeps_x", "Block_relu", "Block_together"},
)
class relu_written_into_x(Layers):
    def forward(self, x):
        return super().forward(F.relu(x, inplace=True))


@mistake(
    RELU_FIRST,
    fails={"Block_branch", "Block_keeps_x", "Block_relu", "Block_together"},
)
class relu_of_x(Layers):
    def forward(self, x):
        return super().forward(F.relu(x))


@mistake(
    "Your block returns two things. Only the sum after ReLU is asked for.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_relu",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
)
class returns_two_things(Layers):
    def forward(self, x):
        return super().forward(x), x


@mistake(
    "Your block returns nothing. Its result is asked for; `print` does not hand it back.",
    fails={
        "Block_branch",
        "Block_identity",
        "Block_keeps_x",
        "Block_modes",
        "Block_parameters",
        "Block_relu",
        "Block_shape",
        "Block_shortcut",
        "Block_together",
    },
)
class prints_the_result(Layers):
    def forward(self, x):
        print(super().forward(x).shape)
