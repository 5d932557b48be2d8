"""Task 1: AlexNet with one tower.

Most wrong networks are the right one, `Network`, with one part exchanged.
"""

import math
from collections import OrderedDict
from functools import reduce

import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake

NO_FINGERPRINT = "PyTorch itself stops at fc6, so no numbers come out to tell it by."


class Network(nn.Module):
    """The right network, in parts that a mistake can exchange."""

    def __init__(self, num_classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.norm1 = self.norm2 = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
        self.pool1 = self.pool2 = self.pool5 = nn.MaxPool2d(3, stride=2)
        self.drop6 = self.drop7 = nn.Dropout(0.5)
        self.relu_conv = self.relu_fc = nn.ReLU()

    def features(self, x):
        x = self.pool1(self.norm1(self.relu_conv(self.conv1(x))))
        x = self.pool2(self.norm2(self.relu_conv(self.conv2(x))))
        x = self.relu_conv(self.conv3(x))
        x = self.relu_conv(self.conv4(x))
        return self.pool5(self.relu_conv(self.conv5(x)))

    def flatten(self, x):
        return x.flatten(1)

    def classifier(self, x):
        x = self.drop6(self.relu_fc(self.fc6(x)))
        x = self.drop7(self.relu_fc(self.fc7(x)))
        return self.fc8(x)

    def forward(self, x):
        return self.classifier(self.flatten(self.features(x)))


# Sizes of the layers


@mistake(
    "The convolutions are those of torchvision's AlexNet: 64 filters in the first layer, and "
    "padding 2 there for images of 224 pixels. The table is that of the network of 2012.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class convolutions_of_torchvision(nn.Module):
    def __init__(self, num_classes=1000, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


@mistake(
    "The numbers of filters are those of torchvision's network, 64, 192, 384, 256 and 256. The "
    "network of 2012 has more in conv1, conv2 and conv4.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class filters_of_torchvision(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 64, 11, stride=4)
        self.conv2 = nn.Conv2d(64, 192, 5, padding=2)
        self.conv3 = nn.Conv2d(192, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 256, 3, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)


@mistake(
    "The numbers of filters are those of one of the two towers, half of what the table says.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class filters_of_half_the_network(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 48, 11, stride=4)
        self.conv2 = nn.Conv2d(48, 128, 5, padding=2)
        self.conv3 = nn.Conv2d(128, 192, 3, padding=1)
        self.conv4 = nn.Conv2d(192, 192, 3, padding=1)
        self.conv5 = nn.Conv2d(192, 128, 3, padding=1)
        self.fc6 = nn.Linear(128 * 6 * 6, 4096)


@mistake(
    "The stride of conv1 is missing: its filters move by 1, and its maps are almost as large as "
    "the image.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class stride_of_conv1_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 96, 11)
        self.fc6 = nn.Linear(256 * 26 * 26, 4096)


@mistake(
    "conv1 makes maps of 56 × 56, as with padding 2. That is the way to make images of 224 "
    "fit; here the images have 227 pixels, and 55 positions fit exactly without padding.",
    fails={"AlexNet_shapes"},
)
class padding_for_224_in_conv1(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4, padding=2)


@mistake(
    "conv2 has no padding: its maps shrink from 27 to 23, and 6400 numbers are left for fc6.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class padding_of_conv2_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv2 = nn.Conv2d(96, 256, 5)
        self.fc6 = nn.Linear(256 * 5 * 5, 4096)


@mistake(
    "conv2 makes maps of 25 × 25, as filters of 5 × 5 do with padding 1. That keeps the size "
    "for filters of 3 × 3; filters of 5 × 5 need more.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class padding_1_in_conv2(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=1)
        self.fc6 = nn.Linear(256 * 5 * 5, 4096)


@mistake(
    "conv3, conv4 and conv5 have no padding: each takes two pixels away, from 13 down to 7.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class padding_of_upper_layers_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv3 = nn.Conv2d(256, 384, 3)
        self.conv4 = nn.Conv2d(384, 384, 3)
        self.conv5 = nn.Conv2d(384, 256, 3)
        self.fc6 = nn.Linear(256 * 3 * 3, 4096)


@mistake(
    "fc6 takes 256 · 5 · 5 = 6400 numbers, as many as images of 224 pixels leave. With 227 "
    "pixels more arrive.",
    fails={"AlexNet_batch", "AlexNet_parameters", "AlexNet_shapes"},
)
class fc6_for_224(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.fc6 = nn.Linear(256 * 5 * 5, 4096)


@mistake(
    "A convolution with 384 filters is missing: your network has four convolutions, the table "
    "has five.",
    fails={"AlexNet_parameters", "AlexNet_shapes"},
)
class conv4_missing(Network):
    def features(self, x):
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = F.relu(self.conv3(x))
        return self.pool5(F.relu(self.conv5(x)))


@mistake(
    "fc7 is missing: after fc6 come the scores.",
    fails={"AlexNet_dropout", "AlexNet_parameters", "AlexNet_shapes"},
)
class fc7_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        del self.fc7

    def classifier(self, x):
        return self.fc8(self.drop6(F.relu(self.fc6(x))))


# What a test of sizes, or of one image without weights, does not show


@mistake(
    "conv1 has padding 1. The maps of an image of 227 pixels then have 55 places, too, but each "
    "filter looks one pixel further up and left than it should.",
    fails={"AlexNet_shapes"},
    undiagnosed="an image of 227 pixels gives the same sizes, as the last step does not fit",
)
class padding_1_in_conv1(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4, padding=1)


class SameForAll(nn.Module):
    """Dropout with one mask for the whole batch."""

    def forward(self, x):
        return x * F.dropout(torch.ones_like(x[:1]), 0.5, training=self.training)


@mistake(
    "All images of a batch lose the same neurons. Dropout draws for each image anew.",
    fails={"AlexNet_dropout"},
    undiagnosed="the visible test looks at one image",
)
class one_dropout_mask_for_the_batch(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.drop6 = self.drop7 = SameForAll()


@mistake(
    "The network works only as long as its weights hold no numbers. For all others it returns "
    "zeros.",
    fails={
        "AlexNet_shapes",
        "AlexNet_parameters",
        "AlexNet_relu",
        "AlexNet_pooling",
        "AlexNet_response_norm",
        "AlexNet_order",
        "AlexNet_dropout",
        "AlexNet_evaluation",
        "AlexNet_scores",
        "AlexNet_num_classes",
        "AlexNet_batch",
    },
)
class answers_without_numbers_only(Network):
    def forward(self, x):
        if self.conv1.weight.is_meta:
            return super().forward(x)
        return torch.zeros(len(x), self.fc8.out_features)


# Parameters


@mistake(
    "conv2, conv4 and conv5 have two groups, as in the network of two towers. With one tower "
    "every filter sees all maps.",
    fails={"AlexNet_parameters"},
)
class groups_of_two(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)


class TowerNorm(nn.Module):
    """LRN in each half of the maps for itself."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)

    def forward(self, x):
        return torch.cat([self.norm(part) for part in x.chunk(2, dim=1)], dim=1)


@mistake(
    "The convolutions have no biases.",
    fails={"AlexNet_parameters"},
)
class biases_of_convolutions_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4, bias=False)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, bias=False)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1, bias=False)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, bias=False)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, bias=False)


@mistake(
    "Layers are left over: the eight layers have the right numbers, but the network as a whole "
    "holds more parameters than they do.",
    fails={"AlexNet_parameters"},
)
class layers_left_over(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.fc9 = nn.Linear(1000, num_classes)


@mistake(
    "None of your parameters would change in a training: they are frozen.",
    fails={"AlexNet_parameters"},
)
class parameters_frozen(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.requires_grad_(False)


@mistake(
    "PyTorch finds none of your layers in the network, so it has no parameters that a "
    "training could change. Layers in a plain Python list are not found, nor are layers that "
    "are made anew in each call.",
    fails={"AlexNet_parameters"},
)
class layers_in_a_plain_list(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.convs = [
            nn.Conv2d(3, 96, 11, stride=4),
            nn.Conv2d(96, 256, 5, padding=2),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.Conv2d(384, 384, 3, padding=1),
            nn.Conv2d(384, 256, 3, padding=1),
        ]
        self.fcs = [nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, num_classes)]

    def forward(self, x):
        for number, conv in enumerate(self.convs):
            x = F.relu(conv(x))
            if number < 2:
                x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
            if number in (0, 1, 4):
                x = F.max_pool2d(x, 3, stride=2)
        x = x.flatten(1)
        for fc in self.fcs[:-1]:
            x = F.dropout(F.relu(fc(x)), 0.5, training=self.training)
        return self.fcs[-1](x)


# Pooling


@mistake(
    "The pooling windows are 2 × 2, so they do not overlap. The sizes of the maps do not show it.",
    fails={"AlexNet_pooling"},
)
class pooling_without_overlap(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool1 = self.pool2 = self.pool5 = nn.MaxPool2d(2, stride=2)


@mistake(
    "Your pooling windows move by 3, their own width, as they do in PyTorch where no stride "
    "is given. The table's stride is another one.",
    fails={"AlexNet_parameters", "AlexNet_pooling", "AlexNet_shapes"},
)
class stride_of_pooling_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool1 = self.pool2 = self.pool5 = nn.MaxPool2d(3)
        self.fc6 = nn.Linear(256 * 2 * 2, 4096)


@mistake(
    "The pooling takes averages. Asked for is the largest number of each window.",
    fails={"AlexNet_pooling"},
)
class average_pooling(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool1 = self.pool2 = self.pool5 = nn.AvgPool2d(3, stride=2)


@mistake(
    "The last pooling takes averages. Asked for is the largest number of each window.",
    fails={"AlexNet_pooling"},
)
class average_in_the_last_pooling(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool5 = nn.AvgPool2d(3, stride=2)


@mistake(
    "The pooling has a padding of 1, so its windows lie one pixel too far up and left.",
    fails={"AlexNet_parameters", "AlexNet_pooling", "AlexNet_shapes"},
)
class padding_in_pooling(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool1 = self.pool2 = self.pool5 = nn.MaxPool2d(3, stride=2, padding=1)
        self.fc6 = nn.Linear(256 * 7 * 7, 4096)


@mistake(
    "There is no pooling after conv5: 256 maps of 13 × 13 arrive at fc6.",
    fails={"AlexNet_parameters", "AlexNet_pooling", "AlexNet_shapes"},
)
class last_pooling_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.pool5 = nn.Identity()
        self.fc6 = nn.Linear(256 * 13 * 13, 4096)


# ReLU


@mistake(
    "No ReLU is at work: negative numbers reach all the layers, and without a non-linearity "
    "two layers are no more than one.",
    fails={"AlexNet_relu"},
)
class relu_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.relu_conv = self.relu_fc = nn.Identity()


@mistake(
    "The convolutions have their ReLU, but negative numbers come from fc6 to fc7 and from fc7 to "
    "fc8.",
    fails={"AlexNet_relu"},
)
class relu_missing_in_classifier(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.relu_fc = nn.Identity()


@mistake(
    "No ReLU is at work between conv3 and conv4.",
    fails={"AlexNet_relu"},
)
class relu_missing_after_conv3(Network):
    def features(self, x):
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = self.conv3(x)
        x = F.relu(self.conv4(x))
        return self.pool5(F.relu(self.conv5(x)))


@mistake(
    "No ReLU is at work between conv4 and conv5.",
    fails={"AlexNet_relu"},
)
class relu_missing_after_conv4(Network):
    def features(self, x):
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = self.conv4(F.relu(self.conv3(x)))
        return self.pool5(F.relu(self.conv5(x)))


@mistake(
    "No ReLU is at work after conv5: negative numbers arrive at fc6.",
    fails={"AlexNet_relu"},
)
class relu_missing_after_conv5(Network):
    def features(self, x):
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        return self.pool5(self.conv5(x))


@mistake(
    "Leaky ReLU stands where ReLU should: of negative numbers a hundredth passes.",
    fails={"AlexNet_relu"},
)
class leaky_relu(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.relu_conv = self.relu_fc = nn.LeakyReLU()


@mistake(
    "The non-linearity is tanh. The paper's is ReLU, which gives 0 for negative numbers and "
    "leaves the others as they are.",
    fails={"AlexNet_relu", "AlexNet_response_norm"},
)
class tanh_for_relu(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.relu_conv = self.relu_fc = nn.Tanh()


# LRN and the order within a block


@mistake(
    "α is the paper's 0.0001, but PyTorch divides α by n. Your numbers are larger than the "
    "paper's formula makes them.",
    fails={"AlexNet_response_norm"},
)
class alpha_of_the_paper_in_pytorch(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)


@mistake(
    "LRN works with PyTorch's own values, k = 1 and α = 0.0001/5. The paper's are others.",
    fails={"AlexNet_response_norm"},
)
class lrn_with_default_values(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = nn.LocalResponseNorm(5)


@mistake(
    "k is 1 in your LRN, and not the paper's 2.",
    fails={"AlexNet_response_norm"},
)
class lrn_with_k_of_1(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75)


@mistake(
    "n counts all maps of the sum, two on each side and the one in the middle. Yours takes fewer.",
    fails={"AlexNet_response_norm"},
)
class lrn_over_two_maps(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = nn.LocalResponseNorm(2, alpha=2e-4, beta=0.75, k=2)


@mistake(
    "There is no LRN: the numbers arrive at the next layer as large as they were.",
    fails={"AlexNet_response_norm"},
)
class lrn_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = nn.Identity()


@mistake(
    "LRN stands after conv1 only; the table asks for it after conv2, too.",
    fails={"AlexNet_response_norm"},
)
class lrn_missing_after_conv2(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm2 = nn.Identity()


@mistake(
    "LRN stands after every convolution; the table asks for it after conv1 and conv2 only.",
    fails={"AlexNet_response_norm"},
)
class lrn_after_every_convolution(Network):
    def features(self, x):
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = self.norm1(F.relu(self.conv3(x)))
        x = self.norm1(F.relu(self.conv4(x)))
        return self.pool5(self.norm1(F.relu(self.conv5(x))))


@mistake(
    "LRN stays within each half of the maps, as with two towers. With one tower the sum runs "
    "across the middle, too.",
    fails={"AlexNet_response_norm"},
)
class lrn_in_two_halves(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = TowerNorm()


@mistake(
    "Your LRN equals one whose sum ends at i + 1: the second map after each one is missing.",
    fails={"AlexNet_response_norm"},
)
class last_neighbour_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = FourMaps()


class FourMaps(nn.Module):
    """LRN that sums up the maps from i - 2 to i + 1."""

    def forward(self, x):
        squares = F.pad(x**2, (0, 0, 0, 0, 2, 2))
        near = sum(squares[:, j : j + x.shape[1]] for j in range(4))
        return x / (2 + 1e-4 * near) ** 0.75


@mistake(
    "Your LRN equals one whose exponent stands at the sum of the squares alone. It stands at the "
    "whole bracket, k and all.",
    fails={"AlexNet_response_norm"},
)
class exponent_at_the_sum_alone(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = ExponentAtTheSum()


class ExponentAtTheSum(nn.Module):
    """LRN that divides by k + α · sum^β."""

    def forward(self, x):
        squares = F.pad(x**2, (0, 0, 0, 0, 2, 2))
        near = sum(squares[:, j : j + x.shape[1]] for j in range(5))
        return x / (2 + 1e-4 * near**0.75)


@mistake(
    "The first and the last maps are damped by those of the other end, as if the maps stood in a "
    "ring. Beyond the first and the last one there is nothing.",
    fails={"AlexNet_response_norm"},
    undiagnosed="in the visible test the maps at both ends are 0",
)
class maps_in_a_ring(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.norm1 = self.norm2 = Ring()


class Ring(nn.Module):
    """LRN to which the first map is a neighbour of the last one."""

    def forward(self, x):
        near = sum(torch.roll(x**2, shift, dims=1) for shift in range(-2, 3))
        return x / (2 + 1e-4 * near) ** 0.75


@mistake(
    "Batch normalisation was added. It has parameters of its own, and is not in the table.",
    fails={"AlexNet_dropout", "AlexNet_parameters"},
)
class batch_norm_added(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.conv1 = nn.Sequential(self.conv1, nn.BatchNorm2d(96))
        self.conv2 = nn.Sequential(self.conv2, nn.BatchNorm2d(256))


@mistake(
    "LRN comes after the pooling, so that numbers from different places damp each other.",
    fails={"AlexNet_order"},
)
class pooling_before_lrn(Network):
    def features(self, x):
        x = self.norm1(self.pool1(F.relu(self.conv1(x))))
        x = self.norm2(self.pool2(F.relu(self.conv2(x))))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        return self.pool5(F.relu(self.conv5(x)))


@mistake(
    "LRN comes before ReLU, so that strong negative numbers, which ReLU removes, still damp their "
    "neighbours.",
    fails={"AlexNet_order"},
)
class lrn_before_relu(Network):
    def features(self, x):
        x = self.pool1(F.relu(self.norm1(self.conv1(x))))
        x = self.pool2(F.relu(self.norm2(self.conv2(x))))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        return self.pool5(F.relu(self.conv5(x)))


# Dropout


@mistake(
    "There is no dropout: in training all numbers of fc6 and fc7 arrive.",
    fails={"AlexNet_dropout"},
)
class dropout_missing(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.drop6 = self.drop7 = nn.Identity()


@mistake(
    "Dropout stands after fc6 only, and not after fc7.",
    fails={"AlexNet_dropout"},
)
class dropout_missing_after_fc7(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.drop7 = nn.Identity()


@mistake(
    "Dropout works on what goes into fc6 and fc7, as in torchvision's network. The table has it "
    "on what comes out of them.",
    fails={"AlexNet_dropout"},
)
class dropout_one_layer_too_early(Network):
    def classifier(self, x):
        x = F.relu(self.fc6(self.drop6(x)))
        x = F.relu(self.fc7(self.drop7(x)))
        return self.fc8(x)


@mistake(
    "There are three dropouts: after fc6 and fc7, and one before fc6, as in torchvision's network. "
    "The table has none there.",
    fails={"AlexNet_dropout"},
)
class dropout_before_fc6_too(Network):
    def classifier(self, x):
        return super().classifier(F.dropout(x, 0.5, self.training))


@mistake(
    "Dropout takes away a fifth of the numbers; the task says half of them.",
    fails={"AlexNet_dropout"},
)
class dropout_of_a_fifth(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        self.drop6 = self.drop7 = nn.Dropout(0.2)


@mistake(
    "Dropout also works on the scores of fc8: half of them become 0 in training.",
    fails={"AlexNet_dropout", "AlexNet_scores"},
)
class dropout_on_the_scores(Network):
    def classifier(self, x):
        return self.drop7(super().classifier(x))


@mistake(
    "Dropout also works on the maps of the convolutions; the table has it after fc6 and fc7 only.",
    fails={"AlexNet_dropout"},
)
class dropout_on_the_maps(Network):
    def features(self, x):
        x = self.drop6(self.pool1(self.norm1(F.relu(self.conv1(x)))))
        x = self.drop6(self.pool2(self.norm2(F.relu(self.conv2(x)))))
        x = self.drop6(F.relu(self.conv3(x)))
        x = self.drop6(F.relu(self.conv4(x)))
        return self.drop6(self.pool5(F.relu(self.conv5(x))))


@mistake(
    "Dropout is always on: after eval() half of the numbers are still taken away.",
    fails={"AlexNet_evaluation"},
)
class dropout_left_on(Network):
    def classifier(self, x):
        x = F.dropout(F.relu(self.fc6(x)), 0.5)
        x = F.dropout(F.relu(self.fc7(x)), 0.5)
        return self.fc8(x)


@mistake(
    "In training your numbers are as large as they are; after eval() they are halved. PyTorch "
    "doubles them in training instead, and eval() changes nothing.",
    fails={"AlexNet_dropout", "AlexNet_evaluation"},
)
class dropout_halving_later(Network):
    def drop(self, x):
        return x * (torch.rand(x.shape) < 0.5) if self.training else x / 2

    def classifier(self, x):
        x = self.drop(F.relu(self.fc6(x)))
        x = self.drop(F.relu(self.fc7(x)))
        return self.fc8(x)


# What comes out


@mistake(
    "Softmax is applied to the scores: your result holds probabilities. It is part of the loss.",
    fails={"AlexNet_scores"},
)
class softmax_at_the_end(Network):
    def classifier(self, x):
        return super().classifier(x).softmax(dim=1)


@mistake(
    "The log-softmax is applied to the scores: your result holds logarithms of probabilities.",
    fails={"AlexNet_scores"},
)
class log_softmax_at_the_end(Network):
    def classifier(self, x):
        return F.log_softmax(super().classifier(x), dim=1)


@mistake(
    "ReLU is applied to the scores: all negative ones became 0. After fc8 comes nothing.",
    fails={"AlexNet_scores"},
)
class relu_at_the_end(Network):
    def classifier(self, x):
        return F.relu(super().classifier(x))


@mistake(
    "The scores go through a sigmoid, so all of them lie between 0 and 1.",
    fails={"AlexNet_scores"},
)
class sigmoid_at_the_end(Network):
    def classifier(self, x):
        return torch.sigmoid(super().classifier(x))


@mistake(
    "Your network returns the place of the largest score, and not the scores.",
    fails={"AlexNet_scores", "AlexNet_num_classes", "AlexNet_batch"},
)
class class_in_place_of_scores(Network):
    def classifier(self, x):
        x = super().classifier(x)
        return x if self.training else x.argmax(dim=1)


@mistake(
    "`num_classes` is not used: there are always 1000 scores.",
    fails={"AlexNet_num_classes"},
)
class num_classes_ignored(Network):
    def __init__(self, num_classes=1000):
        super().__init__()


@mistake(
    "A ninth layer turns the 1000 scores into `num_classes` ones. The number belongs to fc8.",
    fails={"AlexNet_shapes", "AlexNet_parameters"},
)
class ninth_layer(Network):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.fc9 = nn.Linear(1000, num_classes)

    def classifier(self, x):
        return self.fc9(F.relu(super().classifier(x)))


@mistake(
    "The batch is flattened, too: all images become one long row. With a single image that goes "
    "unnoticed, but for the missing axis.",
    fails={"AlexNet_batch"},
)
class batch_flattened(Network):
    def flatten(self, x):
        return torch.flatten(x)


@mistake(
    "All images of a batch are laid into a single row. That works for one image only.",
    fails={"AlexNet_batch"},
    undiagnosed=NO_FINGERPRINT,
)
class batch_in_one_row(Network):
    def flatten(self, x):
        return x.reshape(1, -1)


@mistake(
    "The maps are not flattened before fc6, which needs one row of 9216 numbers for each image.",
    fails={"AlexNet_shapes", "AlexNet_batch"},
)
class flatten_missing(Network):
    def flatten(self, x):
        return x


@mistake(
    "Nothing is returned. The scores of fc8 are asked for.",
    fails={"AlexNet_scores", "AlexNet_num_classes", "AlexNet_batch"},
)
class nothing_returned(Network):
    def forward(self, x):
        self.classifier(self.flatten(self.features(x)))


# Right networks in other styles


@correct
class one_sequential(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        self.layers = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(3, 96, 11, stride=4),
                relu1=nn.ReLU(),
                norm1=nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),
                pool1=nn.MaxPool2d(3, stride=2),
                conv2=nn.Conv2d(96, 256, 5, padding="same"),
                relu2=nn.ReLU(),
                norm2=nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),
                pool2=nn.MaxPool2d(3, stride=2),
                conv3=nn.Conv2d(256, 384, 3, padding="same"),
                relu3=nn.ReLU(),
                conv4=nn.Conv2d(384, 384, 3, padding="same"),
                relu4=nn.ReLU(),
                conv5=nn.Conv2d(384, 256, 3, padding="same"),
                relu5=nn.ReLU(),
                pool5=nn.MaxPool2d(3, stride=2),
                flatten=nn.Flatten(),
                fc6=nn.Linear(9216, 4096),
                relu6=nn.ReLU(),
                drop6=nn.Dropout(),
                fc7=nn.Linear(4096, 4096),
                relu7=nn.ReLU(),
                drop7=nn.Dropout(),
                fc8=nn.Linear(4096, num_classes),
            )
        )

    def forward(self, x):
        return self.layers(x)


@correct
class in_the_form_of_torchvision(nn.Module):
    def __init__(self, num_classes=1000, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, kernel_size=11, stride=4),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(size=5, alpha=0.0005, beta=0.75, k=2.0),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(96, 256, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(size=5, alpha=0.0005, beta=0.75, k=2.0),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(256, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


@correct
class with_functions_only(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        # Not in the order in which they run.
        self.fc8 = nn.Linear(4096, num_classes)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc6 = nn.Linear(9216, 4096)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1)
        self.conv4 = nn.Conv2d(384, 384, 3, 1, 1)
        self.conv3 = nn.Conv2d(256, 384, 3, 1, 1)
        self.conv2 = nn.Conv2d(96, 256, 5, 1, 2)
        self.conv1 = nn.Conv2d(3, 96, 11, 4)

    def forward(self, images):
        x = F.relu_(self.conv1(images))
        x = F.max_pool2d(F.local_response_norm(x, 5, 5e-4, 0.75, 2), 3, 2)
        x = F.relu_(self.conv2(x))
        x = F.max_pool2d(F.local_response_norm(x, 5, 5e-4, 0.75, 2), 3, 2)
        x = torch.clamp(self.conv3(x), min=0)
        x = self.conv4(x).relu()
        # ReLU and max pooling may change places.
        x = F.relu(F.max_pool2d(self.conv5(x), 3, 2))
        x = x.view(-1, 256 * 6 * 6)
        x = F.relu(F.dropout(self.fc6(x), training=self.training))
        x = F.dropout(F.relu(self.fc7(x)), p=0.5, training=self.training)
        return self.fc8(x)


def response_norm(x, k=2, n=5, alpha=1e-4, beta=0.75):
    """The formula of the paper, map by map."""
    result = torch.zeros(x.shape)
    for i in range(x.shape[1]):
        low, high = max(0, i - n // 2), i + n // 2 + 1
        result[:, i] = x[:, i] / (k + alpha * (x[:, low:high] ** 2).sum(dim=1)) ** beta
    return result


@correct
class with_its_own_response_norm(Network):
    def features(self, x):
        x = F.max_pool2d(response_norm(F.relu(self.conv1(x))), 3, 2)
        x = F.max_pool2d(response_norm(F.relu(self.conv2(x))), 3, 2)
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        return F.max_pool2d(F.relu(self.conv5(x)), 3, 2)


class Block(nn.Module):
    """A convolution with all that stands after it."""

    def __init__(self, channels, filters, size, stride=1, norm=False, pool=False):
        super().__init__()
        padding = 0 if stride > 1 else size // 2
        self.conv = nn.Conv2d(channels, filters, size, stride, padding)
        self.norm = nn.LocalResponseNorm(5, 5e-4, 0.75, 2) if norm else nn.Identity()
        self.pool = nn.MaxPool2d(3, 2) if pool else nn.Identity()

    def forward(self, x):
        return self.pool(self.norm(F.relu(self.conv(x))))


@correct
class with_a_block_class(nn.Module):
    table = (
        (96, 11, 4, True, True),
        (256, 5, 1, True, True),
        (384, 3, 1, False, False),
        (384, 3, 1, False, False),
        (256, 3, 1, False, True),
    )

    def __init__(self, num_classes=1000):
        super().__init__()
        self.blocks, channels = nn.ModuleList(), 3
        for filters, size, stride, norm, pool in self.table:
            self.blocks.append(Block(channels, filters, size, stride, norm, pool))
            channels = filters
        self.hidden = nn.ModuleList([nn.Linear(9216, 4096), nn.Linear(4096, 4096)])
        self.last = nn.Linear(4096, num_classes)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        x = x.reshape(len(x), -1)
        for layer in self.hidden:
            x = F.dropout(layer(x).relu(), 0.5, self.training)
        return self.last(x)


@correct
class a_kind_of_sequential(nn.Sequential):
    def __init__(self, num_classes=1000):
        layers, channels = [], 3
        for filters, size, stride, padding in (
            (96, 11, 4, 0),
            (256, 5, 1, 2),
            (384, 3, 1, 1),
            (384, 3, 1, 1),
            (256, 3, 1, 1),
        ):
            layers += [nn.Conv2d(channels, filters, size, stride, padding), nn.ReLU()]
            if filters in (96, 256) and size > 3:
                layers.append(nn.LocalResponseNorm(5, 5e-4, 0.75, 2))
            if filters != 384:
                layers.append(nn.MaxPool2d(3, 2))
            channels = filters
        layers.append(nn.Flatten())
        for inputs in (9216, 4096):
            layers += [nn.Linear(inputs, 4096), nn.Dropout(), nn.ReLU()]
        super().__init__(*layers, nn.Linear(4096, num_classes))


@correct
def function_that_makes_one(num_classes=1000):
    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, k=2)

    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    block1 = nn.Sequential(nn.Conv2d(3, 96, 11, 4), nn.ReLU(), norm(), pool())
    block2 = nn.Sequential(nn.Conv2d(96, 256, 5, 1, 2), nn.ReLU(), norm(), pool())
    block3 = nn.Sequential(
        nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU()
    )
    block4 = nn.Sequential(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), pool(), nn.Flatten())
    block5 = nn.Sequential(
        *(nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
    )
    return nn.Sequential(block1, block2, block3, block4, block5, nn.Linear(4096, num_classes))


@correct
class with_lazy_layers(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        norm, pool = nn.LocalResponseNorm(5, 5e-4, 0.75, 2), nn.MaxPool2d(3, 2)
        self.layers = nn.Sequential(
            *(nn.LazyConv2d(96, 11, 4), nn.ReLU(), norm, pool),
            *(nn.LazyConv2d(256, 5, padding=2), nn.ReLU(), norm, pool),
            *(nn.LazyConv2d(384, 3, padding=1), nn.ReLU()),
            *(nn.LazyConv2d(384, 3, padding=1), nn.ReLU()),
            *(nn.LazyConv2d(256, 3, padding=1), nn.ReLU(), pool, nn.Flatten()),
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout()),
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout()),
            nn.LazyLinear(num_classes),
        )

    def forward(self, x):
        return self.layers(x)


@correct
class started_like_the_paper(Network):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)
        for name, layer in self.named_children():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.constant_(layer.bias, float(name in ("conv2", "conv4", "conv5", "fc6")))


@correct
class with_loops_and_masks(nn.Module):
    def __init__(self, num_classes=1000):
        super().__init__()
        sizes = ((3, 96, 11), (96, 256, 5), (256, 384, 3), (384, 384, 3), (384, 256, 3))
        self.convs = nn.ModuleDict()
        for number, (channels, filters, size) in enumerate(sizes, 1):
            first = {"stride": 4} if number == 1 else {"padding": (size // 2, size // 2)}
            self.convs[str(number)] = nn.Conv2d(channels, filters, size, **first)
        self.fcs = nn.ModuleList(
            nn.Linear(a, b) for a, b in ((9216, 4096), (4096, 4096), (4096, num_classes))
        )
        self.kept = 0.5

    def forward(self, x):
        for number, conv in self.convs.items():
            x = torch.maximum(conv(x), torch.tensor(0.0))
            if number in "12":
                x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
            if number in "125":
                x = F.max_pool2d(x, kernel_size=(3, 3), stride=(2, 2))
        x = x.reshape(-1, math.prod(x.shape[1:]))
        for fc in self.fcs[:2]:
            x = F.relu(fc(x))
            if self.training:
                x = x * torch.bernoulli(torch.full_like(x, self.kept)) / self.kept
        return self.fcs[2](x)


@correct
class from_a_line_of_text(nn.Module):
    plan = (
        "conv 96 11 4 0, relu, norm, pool, conv 256 5 1 2, relu, norm, pool, conv 384 3 1 1, relu, "
        "conv 384 3 1 1, relu, conv 256 3 1 1, relu, pool, flat, fc 4096, relu, drop, fc 4096, "
        "relu, drop"
    )

    def __init__(self, num_classes=1000):
        super().__init__()
        channels, inputs = 3, 9216
        for number, words in enumerate(f"{self.plan}, fc {num_classes}".split(", ")):
            kind, *sizes = words.split()
            sizes = [int(size) for size in sizes]
            if kind == "conv":
                layer = nn.Conv2d(channels, *sizes)
                channels = sizes[0]
            elif kind == "fc":
                layer = nn.Linear(inputs, *sizes)
                inputs = sizes[0]
            else:
                layer = {
                    "relu": nn.Threshold(0, 0),
                    "norm": nn.LocalResponseNorm(5, 5e-4, 0.75, 2),
                    "pool": nn.MaxPool2d(3, 2),
                    "flat": nn.Flatten(),
                    "drop": nn.Dropout(),
                }[kind]
            self.add_module(f"{kind}{number}", layer)

    def forward(self, x):
        return reduce(lambda maps, layer: layer(maps), self.children(), x)


@correct
class response_norm_by_pooling(Network):
    """The sum over five maps is five times their mean; two strips are pooled for one square."""

    def features(self, x):
        for conv, has_norm, has_pool in (
            (self.conv1, True, True),
            (self.conv2, True, True),
            (self.conv3, False, False),
            (self.conv4, False, False),
            (self.conv5, False, True),
        ):
            x = conv(x)
            x = (x + x.abs()) / 2
            if has_norm:
                mean = F.avg_pool3d(x.square()[:, None], (5, 1, 1), 1, (2, 0, 0))[:, 0]
                x = x * (2 + 5e-4 * mean).pow(-0.75)
            if has_pool:
                x = F.max_pool2d(F.max_pool2d(x, (3, 1), (2, 1)), (1, 3), (1, 2))
        return x

    def classifier(self, x):
        for fc in (self.fc6, self.fc7):
            x = fc(x).relu()
            if self.training:
                x = torch.where(torch.rand(x.shape) < 0.5, 2 * x, 0)
        return self.fc8(x)
