"""Task 1: the network."""

from dataclasses import dataclass
from functools import partial, reduce

import torch
import torch.nn.functional as F
from torch import nn

from grader.authoring.bank import correct, mistake

ALL = {
    "net_shape",
    "net_parameters",
    "net_convolutions",
    "net_relu",
    "net_pooling",
    "net_flatten",
    "net_log_probabilities",
    "net_dropout",
    "net_eval_mode",
}


class Layers(nn.Module):
    """The layers of the task; most variants differ in a layer or in the way through them."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.fc1 = nn.Linear(576, 40)
        self.fc2 = nn.Linear(40, 10)
        self.dropout = nn.Dropout(p=0.25)
        self.pool = nn.MaxPool2d(2)

    def maps(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        return self.pool(F.relu(self.conv2(x)))

    def scores(self, x):
        return self.fc2(self.dropout(F.relu(self.fc1(x))))

    def forward(self, x):
        x = torch.flatten(self.maps(x), 1)
        return F.log_softmax(self.scores(x), dim=1)


# What the layers are.


@mistake(
    "This is the network of the lesson, with 21,840 parameters. The plan of the task has other "
    "numbers of filters, other filter sizes, and one dropout only.",
    fails={"net_convolutions", "net_dropout", "net_parameters"},
)
class lesson_network(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 10, kernel_size=5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, kernel_size=5),
            nn.Dropout2d(),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(320, 50),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(50, 10),
            nn.LogSoftmax(dim=1),
        )


@mistake(
    "Both convolutions have 5 × 5 filters and no padding, as those of the lesson. The plan has a "
    "padding for the first one, and 3 × 3 filters in the second.",
    fails={"net_convolutions", "net_parameters"},
)
class convolutions_of_the_lesson(Layers):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5), nn.Conv2d(8, 16, 5)
        self.fc1 = nn.Linear(256, 40)


@mistake(
    "Half of the numbers are switched off, as in the lesson: among the pooled maps and among the "
    "neurons of the hidden layer. The plan has one dropout only, with another probability.",
    fails={"net_dropout"},
    undiagnosed="the network of the lesson has the same dropouts",
)
class dropouts_of_the_lesson(Layers):
    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(F.dropout2d(self.conv2(x), training=self.training)))
        x = F.dropout(F.relu(self.fc1(x.flatten(1))), training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


@mistake(
    "The first convolution has no padding. So the maps shrink earlier than planned, and fewer "
    "numbers than planned reach the fully connected layers.",
    fails={"net_convolutions", "net_parameters"},
)
class no_padding(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 40)


@mistake(
    "Your second convolution keeps the size of the maps, as with padding. In the plan only "
    "the first one keeps the size.",
    fails={"net_convolutions", "net_parameters"},
)
class padding_on_both(Layers):
    def __init__(self):
        super().__init__()
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 7 * 7, 40)


@mistake(
    "The first convolution has one row of zeros on each side. The plan has two.",
    fails={"net_convolutions", "net_parameters"},
)
class padding_of_one(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=1)
        self.fc1 = nn.Linear(16 * 5 * 5, 40)


@mistake(
    "At the border your first convolution gives as much as inside, as where the padding "
    "repeats pixels of the image. The padding of the task consists of zeros.",
    fails={"net_convolutions"},
)
class padding_repeats_the_edge(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2, padding_mode="replicate")


@mistake(
    "The zeros stand on the left and above only, all four of them. Padding belongs on both sides.",
    fails={"net_convolutions"},
)
class padding_on_one_side(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)

    def maps(self, x):
        return super().maps(F.pad(x, (4, 0, 4, 0)))


@mistake(
    "The two filter sizes are exchanged: yours are 3 × 3 in the first and 5 × 5 in the second "
    "convolution.",
    fails={"net_convolutions", "net_parameters"},
)
class kernel_sizes_exchanged(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 40)


@mistake(
    "Both convolutions have 5 × 5 filters. The filters of the second one should be 3 × 3.",
    fails={"net_convolutions", "net_parameters"},
)
class both_five_by_five(Layers):
    def __init__(self):
        super().__init__()
        self.conv2 = nn.Conv2d(8, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 40)


@mistake(
    "The first convolution has 16 filters and the second 8. In the plan the numbers stand the "
    "other way round.",
    fails={"net_parameters"},
)
class filter_counts_exchanged(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 8, 3)
        self.fc1 = nn.Linear(8 * 6 * 6, 40)


@mistake(
    "Your hidden layer has 50 neurons, as in the lesson. Here it should have 40.",
    fails={"net_parameters"},
)
class hidden_of_fifty(Layers):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(576, 50)
        self.fc2 = nn.Linear(50, 10)


@mistake(
    "24 parameters are missing: exactly the biases of the two convolutions.",
    fails={"net_parameters"},
)
class convolutions_without_bias(Layers):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2, bias=False)
        self.conv2 = nn.Conv2d(8, 16, 3, bias=False)


@mistake(
    "10 parameters are missing: exactly the biases of the ten scores.",
    fails={"net_parameters"},
)
class scores_without_bias(Layers):
    def __init__(self):
        super().__init__()
        self.fc2 = nn.Linear(40, 10, bias=False)


@mistake(
    "50 parameters are missing: exactly the biases of the two fully connected layers.",
    fails={"net_parameters"},
)
class connected_without_bias(Layers):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(576, 40, bias=False)
        self.fc2 = nn.Linear(40, 10, bias=False)


@mistake(
    "PyTorch finds only three layers with weights, and the plan has four. One way to that is "
    "to leave out the hidden layer, so that the pooled maps go straight into the ten scores.",
    fails={"net_dropout", "net_eval_mode", "net_parameters", "net_relu"},
)
class no_hidden_layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.fc = nn.Linear(576, 10)
        self.dropout = nn.Dropout(0.25)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.log_softmax(self.fc(self.dropout(x.flatten(1))), dim=1)


@mistake(
    "PyTorch finds only three layers with weights, and the plan has four. One way to that is "
    "to leave out the hidden layer, so that the pooled maps go straight into the ten scores.",
    fails=ALL - {"net_log_probabilities", "net_shape"},
)
class no_second_convolution(Layers):
    def __init__(self):
        super().__init__()
        del self.conv2
        self.fc1 = nn.Linear(8 * 7 * 7, 40)

    def maps(self, x):
        return self.pool(self.pool(F.relu(self.conv1(x))))


@mistake(
    "PyTorch finds no layer in your network, so it has no parameters that an optimizer could "
    "train. Layers in a plain Python list or dictionary are not found, nor are layers that "
    "are made anew in each call.",
    fails=ALL - {"net_shape"},
)
class layers_in_a_list(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [
            nn.Conv2d(1, 8, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(576, 40),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(40, 10),
            nn.LogSoftmax(dim=1),
        ]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@mistake(
    "PyTorch finds only two layers with weights, and the plan has four. Layers that are made "
    "anew in each call, or stand in a plain Python list, are not among the parameters. Layers "
    "that learn are made once, when the network is built.",
    fails=ALL - {"net_convolutions"},
)
class layers_made_in_forward(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.dropout = nn.Dropout(0.25)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(nn.Linear(576, 40)(x.flatten(1)))
        return F.log_softmax(nn.Linear(40, 10)(self.dropout(x)), dim=1)


@mistake(
    "PyTorch finds only two layers with weights, and the plan has four. Layers that are made "
    "anew in each call, or stand in a plain Python list, are not among the parameters. Layers "
    "that learn are made once, when the network is built.",
    fails=ALL - {"net_convolutions", "net_shape"},
)
class connected_layers_in_a_list(Layers):
    def __init__(self):
        super().__init__()
        self.connected = [self.fc1, self.fc2]
        del self.fc1, self.fc2

    def scores(self, x):
        first, second = self.connected
        return second(self.dropout(F.relu(first(x))))


@mistake(
    "The parent class is not set up before the layers are made.",
    fails=ALL,
    undiagnosed="nn.Module itself stops with an error that says what is missing",
)
class parent_not_set_up(Layers):
    def __init__(self):
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.fc1 = nn.Linear(576, 40)
        self.fc2 = nn.Linear(40, 10)


@mistake(
    "The 320 of the lesson does not fit here: the maps have another size, and there are fewer.",
    fails=ALL,
    undiagnosed="PyTorch stops with an error at the multiplication of the matrices",
)
class lessons_320(Layers):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(320, 40)


@mistake(
    "1,376 parameters get no gradient, exactly as many as the two convolutions hold. They "
    "would never learn, as where the gradient is cut off behind the convolutions.",
    fails={"net_parameters"},
)
class gradient_cut(Layers):
    def forward(self, x):
        x = self.maps(x).detach().flatten(1)
        return F.log_softmax(self.scores(x), dim=1)


@mistake(
    "Your four layers are made, but none of them is called as a layer, as in `self.layer(x)`. "
    "Functions with their weights, or their method `forward`, do not count as that.",
    fails=ALL - {"net_parameters"},
)
class functions_with_the_weights(Layers):
    def maps(self, x):
        x = F.conv2d(x, self.conv1.weight, self.conv1.bias, padding=2)
        x = self.pool(F.relu(x))
        return self.pool(F.relu(F.conv2d(x, self.conv2.weight, self.conv2.bias)))

    def scores(self, x):
        x = F.relu(F.linear(x, self.fc1.weight, self.fc1.bias))
        return F.linear(self.dropout(x), self.fc2.weight, self.fc2.bias)


@mistake(
    "There are 48 parameters too many: exactly those of a batch normalisation after each "
    "convolution. The plan has none.",
    fails={"net_parameters"},
)
class with_batch_normalisation(Layers):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(8)
        self.norm2 = nn.BatchNorm2d(16)

    def maps(self, x):
        x = self.pool(F.relu(self.norm1(self.conv1(x))))
        return self.pool(F.relu(self.norm2(self.conv2(x))))


@mistake(
    "The numbers of your first convolution equal those of images that are normalised with the mean "
    "0.1307 and the standard deviation 0.3081. In this plan the images go into it as they are.",
    fails={"net_convolutions"},
)
class images_normalised(Layers):
    def forward(self, x):
        return super().forward((x - 0.1307) / 0.3081)


# ReLU.


@mistake(
    "Numbers above 6 become 6. ReLU lets all positive numbers through as they are.",
    fails={"net_flatten", "net_pooling", "net_relu"},
)
class cut_at_six(Layers):
    def maps(self, x):
        x = self.pool(F.relu6(self.conv1(x)))
        return self.pool(F.relu6(self.conv2(x)))

    def scores(self, x):
        return self.fc2(self.dropout(F.relu6(self.fc1(x))))


@mistake(
    "Negative numbers of the first convolution reach the second one: no ReLU is at work "
    "between them.",
    fails={"net_relu"},
)
class no_first_relu(Layers):
    def maps(self, x):
        x = self.pool(self.conv1(x))
        return self.pool(F.relu(self.conv2(x)))


@mistake(
    "Negative numbers of the second convolution reach the fully connected layer: no ReLU is "
    "at work between them.",
    fails={"net_relu"},
)
class no_second_relu(Layers):
    def maps(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        return self.pool(self.conv2(x))


@mistake(
    "Negative numbers of the hidden layer reach the last layer. Two fully connected layers with "
    "no ReLU between them are together only one.",
    fails={"net_relu"},
)
class no_third_relu(Layers):
    def scores(self, x):
        return self.fc2(self.dropout(self.fc1(x)))


@mistake(
    "A ReLU is at work after the hidden layer, but none after the two convolutions.",
    fails={"net_relu"},
)
class no_relu_after_convolutions(Layers):
    def maps(self, x):
        return self.pool(self.conv2(self.pool(self.conv1(x))))


@mistake(
    "Negative numbers reach the second, the third and the fourth layer: no ReLU is at work "
    "between the layers. `F.relu(x)` gives a new tensor, and leaves x as it is.",
    fails={"net_relu"},
)
class no_relu(Layers):
    def forward(self, x):
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv2(x)).flatten(1)
        return F.log_softmax(self.fc2(self.dropout(self.fc1(x))), dim=1)


@mistake(
    "The sigmoid makes every number lie between 0 and 1. Asked for is ReLU, which leaves "
    "positive numbers as they are.",
    fails={
        "net_dropout",
        "net_eval_mode",
        "net_flatten",
        "net_pooling",
        "net_relu",
    },
)
class sigmoid(Layers):
    def forward(self, x):
        x = self.pool(torch.sigmoid(self.conv1(x)))
        x = self.pool(torch.sigmoid(self.conv2(x))).flatten(1)
        x = self.dropout(torch.sigmoid(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


@mistake(
    "Negative numbers become a hundredth of themselves: that is leaky ReLU. ReLU makes them 0.",
    fails={"net_relu"},
)
class leaky_relu(Layers):
    def forward(self, x):
        x = self.pool(F.leaky_relu(self.conv1(x)))
        x = self.pool(F.leaky_relu(self.conv2(x))).flatten(1)
        x = self.dropout(F.leaky_relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


# Pooling.


@mistake(
    "Both poolings take the mean of each square. Max pooling keeps the largest number.",
    fails={"net_pooling"},
)
class average_pooling(Layers):
    def __init__(self):
        super().__init__()
        self.pool = nn.AvgPool2d(2)


@mistake(
    "The second pooling takes the mean of each square, not the largest number.",
    fails={"net_pooling"},
)
class second_pooling_averages(Layers):
    def maps(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return F.avg_pool2d(F.relu(self.conv2(x)), 2)


@mistake(
    "The pooling after the second convolution is missing, so four times as many numbers as "
    "planned reach the fully connected layer.",
    fails={"net_parameters", "net_pooling"},
)
class no_second_pooling(Layers):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16 * 12 * 12, 40)

    def maps(self, x):
        return F.relu(self.conv2(self.pool(F.relu(self.conv1(x)))))


@mistake(
    "No pooling is at work after the first convolution: numbers that are not the largest of "
    "their square reach the second one.",
    fails={"net_parameters", "net_pooling"},
)
class no_first_pooling(Layers):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16 * 13 * 13, 40)

    def maps(self, x):
        return self.pool(F.relu(self.conv2(F.relu(self.conv1(x)))))


@mistake(
    "The result has four rows for each image, as where a pooling is missing and a reshape to "
    "rows of 576 numbers cuts every image into four.",
    fails={
        "net_dropout",
        "net_eval_mode",
        "net_flatten",
        "net_log_probabilities",
        "net_pooling",
        "net_relu",
        "net_shape",
    },
)
class image_cut_into_four(Layers):
    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = F.relu(self.conv2(x)).view(-1, 576)
        return F.log_softmax(self.scores(x), dim=1)


@mistake(
    "The windows of your pooling move by one pixel, so they overlap and the maps hardly shrink.",
    fails={"net_parameters", "net_pooling"},
)
class pooling_with_stride_one(Layers):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(2, stride=1)
        self.fc1 = nn.Linear(16 * 24 * 24, 40)


@mistake(
    "The windows of your pooling are 3 × 3 and overlap. Take squares of 2 × 2 side by side.",
    fails={"net_pooling"},
)
class overlapping_pooling(Layers):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)


@mistake(
    "You take the number in the upper left of each square. Max pooling takes the largest one.",
    fails={"net_pooling"},
)
class every_second_pixel(Layers):
    def maps(self, x):
        x = F.relu(self.conv1(x))[:, :, ::2, ::2]
        return F.relu(self.conv2(x))[:, :, ::2, ::2]


@mistake(
    "You take the largest number of each square's upper row. Max pooling takes the largest one "
    "of the whole square.",
    fails={"net_pooling"},
)
class upper_row_of_each_square(Layers):
    def maps(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (1, 2), 2)
        return F.max_pool2d(F.relu(self.conv2(x)), (1, 2), 2)


# Flatten.


@mistake(
    "Each row holds numbers of several images: the first axis, the images, is swept along when "
    "the others are joined.",
    fails={"net_flatten"},
)
class flatten_mixes_images(Layers):
    def forward(self, x):
        x = self.maps(x)
        x = x.reshape(-1, len(x)).T
        return F.log_softmax(self.scores(x), dim=1)


@mistake(
    "Each row holds one channel after the other of all images. First bring the images to the "
    "front, then join the other axes.",
    fails={"net_flatten"},
)
class flatten_by_channels(Layers):
    def forward(self, x):
        count = len(x)
        x = self.maps(x).permute(1, 0, 2, 3)
        return F.log_softmax(self.scores(x.reshape(count, 576)), dim=1)


@mistake(
    "All images of the batch end in one single row. The first axis must stay.",
    fails=ALL - {"net_convolutions"},
    undiagnosed="PyTorch stops with an error: the row is too long for the next layer",
)
class flatten_takes_the_batch(Layers):
    def forward(self, x):
        return F.log_softmax(self.scores(torch.flatten(self.maps(x))), dim=0)


@mistake(
    "The number of images is fixed to 64. It can be any number.",
    fails=ALL,
    undiagnosed="PyTorch stops with an error: other batches cannot be reshaped to 64 rows",
)
class batch_size_fixed(Layers):
    def forward(self, x):
        x = self.maps(x).view(64, 576)
        return F.log_softmax(self.scores(x), dim=1)


@mistake(
    "For a single image the axis of the images is lost: the shape is (10,). One image is a "
    "batch, too.",
    fails={"net_shape", "net_log_probabilities"},
)
class squeezed(Layers):
    def forward(self, x):
        return super().forward(x).squeeze()


# The end: scores to log-probabilities.


@mistake(
    "Your output holds probabilities. Their logarithms are asked for: `nll_loss` takes it for "
    "granted that the logarithm is there.",
    fails={"net_log_probabilities"},
)
class no_log(Layers):
    def forward(self, x):
        return F.softmax(self.scores(self.maps(x).flatten(1)), dim=1)


@mistake(
    "Your probabilities add up to 1 over the images of the batch, so one image changes the "
    "answer to another one. They should add up to 1 over the digits.",
    fails={"net_log_probabilities"},
)
class softmax_over_the_batch(Layers):
    def forward(self, x):
        return F.log_softmax(self.scores(self.maps(x).flatten(1)), dim=0)


@mistake(
    "Your output equals the scores as the last layer gives them. They are not probabilities yet.",
    fails={"net_log_probabilities"},
)
class raw_scores(Layers):
    def forward(self, x):
        return self.scores(self.maps(x).flatten(1))


@mistake(
    "Softmax is applied twice: the log-softmax gets probabilities instead of scores. The ten "
    "answers come out almost equal.",
    fails={"net_log_probabilities"},
)
class softmax_twice(Layers):
    def forward(self, x):
        probabilities = torch.softmax(self.scores(self.maps(x).flatten(1)), dim=1)
        return F.log_softmax(probabilities, dim=1)


@mistake(
    "A ReLU stands after the last layer. It makes all negative scores 0, and so equal.",
    fails={"net_log_probabilities"},
)
class relu_on_the_scores(Layers):
    def forward(self, x):
        return F.log_softmax(F.relu(self.scores(self.maps(x).flatten(1))), dim=1)


@mistake(
    "The signs are the wrong way round. The logarithm of a probability is negative; the minus "
    "belongs to the loss.",
    fails={"net_log_probabilities"},
)
class minus_log(Layers):
    def forward(self, x):
        return -F.log_softmax(self.scores(self.maps(x).flatten(1)), dim=1)


@mistake(
    "Each digit gets a probability of its own, from a sigmoid. Over the ten digits they do not "
    "add up to 1.",
    fails={"net_log_probabilities"},
)
class log_sigmoid(Layers):
    def forward(self, x):
        return F.logsigmoid(self.scores(self.maps(x).flatten(1)))


@mistake(
    "Your output equals the logarithm of the scores. The softmax between them is missing, and "
    "negative scores have no logarithm.",
    fails={"net_log_probabilities"},
)
class log_without_softmax(Layers):
    def forward(self, x):
        return torch.log(self.scores(self.maps(x).flatten(1)))


@mistake(
    "Your output holds the logarithms of probabilities to which a small number was added. So "
    "very small probabilities come out too large; a log-softmax needs no such help.",
    fails={"net_log_probabilities"},
)
class log_of_a_little_more(Layers):
    def forward(self, x):
        scores = self.scores(self.maps(x).flatten(1))
        return torch.log(F.softmax(scores, dim=1) + 1e-8)


@mistake(
    "Some of your logarithms are −∞. A probability that is worked out first becomes 0 in float32 "
    "where it is very small, and the logarithm of 0 is −∞.",
    fails={"net_log_probabilities"},
)
class log_of_softmax(Layers):
    def forward(self, x):
        return torch.log(F.softmax(self.scores(self.maps(x).flatten(1)), dim=1))


@mistake(
    "All logarithms of an image are −∞ where one of its scores is large: e to the power of 1000 is "
    "more than a float32 holds. A log-softmax first subtracts the largest score.",
    fails={"net_log_probabilities"},
)
class formula_as_it_stands(Layers):
    def forward(self, x):
        scores = self.scores(self.maps(x).flatten(1))
        return scores - scores.exp().sum(dim=1, keepdim=True).log()


@mistake(
    "The ten answers are digits, or ones and zeros, not probabilities: the decision for a digit "
    "is made too early. What is not decided can still be trained.",
    fails={"net_log_probabilities", "net_parameters"},
)
class decision_made(Layers):
    def forward(self, x):
        digit = self.scores(self.maps(x).flatten(1)).argmax(dim=1)
        return F.one_hot(digit, 10).float()


@mistake(
    "Your network returns nothing. Its answers are asked for; `print` does not hand them back.",
    fails={"net_log_probabilities", "net_parameters", "net_shape"},
)
class prints_the_answer(Layers):
    def forward(self, x):
        print(super().forward(x))


@mistake(
    "The network returns two things, the answers and something more. Only the answers are asked "
    "for.",
    fails={"net_log_probabilities", "net_shape"},
    undiagnosed="the message itself says that a tuple came back",
)
class returns_two_things(Layers):
    def forward(self, x):
        return super().forward(x), x


# Dropout.


@mistake(
    "In train mode all 40 neurons stay on: no dropout is at work there.",
    fails={"net_dropout"},
)
class no_dropout(Layers):
    def scores(self, x):
        return self.fc2(F.relu(self.fc1(x)))


@mistake(
    "Half of the neurons are switched off: that is what PyTorch does if no probability is given.",
    fails={"net_dropout"},
)
class half_dropped(Layers):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout()


@mistake(
    "Three quarters of the neurons are switched off. The probability of dropout says how many "
    "go, not how many stay.",
    fails={"net_dropout"},
)
class three_quarters_dropped(Layers):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.75)


@mistake(
    "Numbers are switched off before the hidden layer. The dropout of the plan stands after it.",
    fails={"net_dropout"},
)
class dropout_before_the_hidden_layer(Layers):
    def scores(self, x):
        return self.fc2(F.relu(self.fc1(self.dropout(x))))


@mistake(
    "Besides the neurons, numbers of the pooled maps are switched off as well. The plan has one "
    "dropout only.",
    fails={"net_dropout"},
)
class dropout_on_the_maps_too(Layers):
    def __init__(self):
        super().__init__()
        self.dropout2d = nn.Dropout2d(0.25)

    def maps(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        return self.pool(F.relu(self.dropout2d(self.conv2(x))))


@mistake(
    "There is a dropout after both poolings, too: three in all. The plan has one only.",
    fails={"net_dropout"},
)
class dropout_everywhere(Layers):
    def maps(self, x):
        x = self.dropout(self.pool(F.relu(self.conv1(x))))
        return self.dropout(self.pool(F.relu(self.conv2(x))))


@mistake(
    "The ten scores go through a dropout, too. It strikes the right answer itself, again and "
    "again. The plan has one dropout only.",
    fails={"net_dropout"},
)
class dropout_on_the_scores_too(Layers):
    def scores(self, x):
        return self.dropout(super().scores(x))


@mistake(
    "A quarter of the neurons is set to 0, but the others are not enlarged. So the next layer "
    "gets less in train mode than in eval mode.",
    fails={"net_dropout"},
)
class dropout_without_scaling(Layers):
    def scores(self, x):
        x = F.relu(self.fc1(x))
        if self.training:
            x = x * (torch.rand_like(x) > 0.25)
        return self.fc2(x)


@mistake(
    "In a quarter of the images all 40 neurons are switched off, and in the others none. Each "
    "neuron should be drawn by itself.",
    fails={"net_dropout"},
)
class whole_images_dropped(Layers):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout1d(0.25)


@mistake(
    "In all images of a batch the same neurons are switched off. They should be drawn anew for "
    "each image.",
    fails={"net_dropout"},
)
class one_mask_for_the_batch(Layers):
    def scores(self, x):
        x = F.relu(self.fc1(x))
        if self.training:
            x = x * (torch.rand(40) >= 0.25) / 0.75
        return self.fc2(x)


@mistake(
    "It is always the same neurons that are switched off, so the network never learns to do "
    "without the others. They should be drawn anew each time.",
    fails={"net_dropout"},
)
class constant_mask(Layers):
    def scores(self, x):
        x = F.relu(self.fc1(x))
        if self.training:
            mask = torch.ones(40)
            mask[:10] = 0
            x = x * mask / 0.75
        return self.fc2(x)


@mistake(
    "Neurons are switched off in eval mode, too, and others each time: your dropout does not know "
    "in which mode the network is.",
    fails={"net_eval_mode"},
)
class dropout_always_on(Layers):
    def scores(self, x):
        return self.fc2(F.dropout(F.relu(self.fc1(x)), 0.25))


@mistake(
    "The modes are exchanged: your dropout works in eval mode and rests in train mode.",
    fails={"net_dropout", "net_eval_mode"},
)
class dropout_in_eval_only(Layers):
    def scores(self, x):
        x = F.dropout(F.relu(self.fc1(x)), 0.25, training=not self.training)
        return self.fc2(x)


@mistake(
    "Half of the neurons are switched off, and in eval mode as well. The task has another "
    "probability, and your dropout does not know in which mode the network is.",
    fails={"net_dropout", "net_eval_mode"},
)
class half_dropped_always(Layers):
    def scores(self, x):
        return self.fc2(F.dropout(F.relu(self.fc1(x))))


# Right in other ways.


@correct
class as_sequential(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 8, 5, padding="same"),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 16, 3),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(576, 40),
            nn.ReLU(inplace=True),
            nn.Dropout(0.25),
            nn.Linear(40, 10),
            nn.LogSoftmax(dim=-1),
        )


@correct
class two_parts(nn.Module):
    def __init__(self, hidden=40, p=0.25):
        super().__init__()
        # Made in another order than they are used in.
        self.classifier = nn.Sequential(
            nn.Linear(576, hidden), nn.Dropout(p), nn.ReLU(), nn.Linear(hidden, 10)
        )
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, 1, 2),
            nn.ReLU(),
            nn.MaxPool2d((2, 2)),
            nn.Conv2d(8, 16, (3, 3)),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )

    def forward(self, batch):
        maps = self.features(batch)
        return nn.functional.log_softmax(self.classifier(maps.view(maps.size(0), -1)), 1)


@correct
class with_functions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 5)
        self.c2 = nn.Conv2d(8, 16, 3)
        self.f1 = nn.Linear(576, 40)
        self.f2 = nn.Linear(40, 10)

    def forward(self, x):
        x = F.pad(x, (2, 2, 2, 2))
        x = torch.max_pool2d(self.c1(x).clamp(min=0), 2)
        x = torch.max_pool2d(self.c2(x).clamp(min=0), 2)
        x = torch.relu(self.f1(x.reshape(-1, 576)))
        x = F.dropout(x, 0.25, self.training)
        return torch.log_softmax(self.f2(x), dim=1)


@correct
class lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.LazyConv2d(8, 5, padding=2), nn.LazyConv2d(16, 3), nn.LazyLinear(40)]
        )
        self.last = nn.LazyLinear(10)
        self.dropout = nn.Dropout(0.25)

    def forward(self, x):
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                x = x.flatten(1)
            x = layer(x).relu()
            if isinstance(layer, nn.Conv2d):
                x = F.max_pool2d(x, 2)
        scores = self.last(self.dropout(x))
        return scores - scores.logsumexp(dim=1, keepdim=True)


@correct
class all_convolutions(nn.Module):
    """The fully connected layers are convolutions with filters as large as their maps."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.hidden = nn.Conv2d(16, 40, 6)
        self.scores = nn.Conv2d(40, 10, 1)
        self.dropout = nn.Dropout2d(0.25)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2).relu()
        x = F.max_pool2d(self.conv2(x), 2).relu()
        x = self.dropout(self.hidden(x).relu())
        return self.scores(x)[:, :, 0, 0].log_softmax(1)


@correct
class pooling_by_hand(Layers):
    """Max pooling with reshape, dropout with a mask, channels last in the rows."""

    def maps(self, x):
        for layer in (self.conv1, self.conv2):
            x = torch.maximum(layer(x), torch.zeros(()))
            n, c, h, w = x.shape
            x = x.reshape(n, c, h // 2, 2, w // 2, 2).amax(dim=(3, 5))
        return x.permute(0, 2, 3, 1)

    def scores(self, x):
        x = self.fc1(x)
        x = torch.where(x > 0, x, 0)
        if self.training:
            x = x * (torch.rand_like(x) >= 0.25) / 0.75
        return self.fc2(x)


@correct
class log_softmax_twice(Layers):
    """The logarithms of probabilities that add up to 1 are their own log-softmax."""

    def forward(self, x):
        return F.log_softmax(super().forward(x), dim=1)


@correct
class dictionary_of_layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "5×5": nn.Conv2d(1, 8, 5, padding=(2, 2)),
                "3×3": nn.Conv2d(8, 16, 3),
                "40": nn.Linear(6 * 6 * 16, 40),
                "10": nn.Linear(40, 10),
            }
        )

    def forward(self, images):
        x = images
        for name, layer in self.layers.items():
            if name == "40":
                x = x.reshape(len(x), -1)
            if name == "10":
                x = F.dropout(x, p=1 / 4, training=self.training)
            x = layer(x)
            if name != "10":
                x = F.relu_(x)
            if "×" in name:
                x = F.max_pool2d(x, kernel_size=(2, 2))
        largest = x.max(dim=1, keepdim=True).values
        return x - largest - (x - largest).exp().sum(1, keepdim=True).log()


class Block(nn.Module):
    def __init__(self, layer, side):
        super().__init__()
        self.layer, self.pool = layer, nn.AdaptiveMaxPool2d(side)

    def forward(self, x):
        return self.pool(torch.relu(self.layer(x)))


@correct
class blocks_of_given_sides(nn.Module):
    """The pooling is told how large its maps become."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(
            nn.ZeroPad2d(2), Block(nn.Conv2d(1, 8, 5), 14), Block(nn.Conv2d(8, 16, 3), 6)
        )
        self.answer = nn.Sequential(nn.Linear(576, 40), nn.Threshold(0, 0), nn.Dropout(0.25))
        self.scores = nn.Linear(40, 10)

    def forward(self, x):
        row = self.maps(x).flatten(start_dim=1, end_dim=-1)
        return nn.LogSoftmax(1)(self.scores(self.answer(row)))


@correct
class steps_in_a_list(nn.Module):
    def __init__(self):
        super().__init__()
        for number, layer in enumerate(
            [nn.Conv2d(1, 8, 5, 1, 2), nn.Conv2d(8, 16, 3), nn.Linear(576, 40), nn.Linear(40, 10)]
        ):
            self.add_module(f"layer{number}", layer)

    def forward(self, images):
        pool = partial(F.max_pool2d, kernel_size=2)
        drop = partial(F.dropout, p=0.25, training=self.training)
        steps = [
            *(self.layer0, F.relu, pool),
            *(self.layer1, F.relu, pool, torch.Tensor.contiguous),
            *(lambda x: x.view(x.shape[0], 576), self.layer2, F.relu),
            *(drop, self.layer3, partial(torch.log_softmax, dim=1)),
        ]
        return reduce(lambda x, step: step(x), steps, images)


@correct
class shifted_maps(Layers):
    """The largest of four maps that are half as high and wide; the loss gives the answer."""

    def maps(self, x):
        for layer in (self.conv1, self.conv2):
            x = layer(x)
            parts = [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
            x = torch.stack(parts).amax(dim=0).clamp_min(0)
        return x

    def forward(self, images):
        scores = self.scores(torch.flatten(self.maps(images), 1))
        digits = [torch.full((len(scores),), digit) for digit in range(10)]
        losses = [F.cross_entropy(scores, digit, reduction="none") for digit in digits]
        return -torch.stack(losses, dim=1)


@correct
class mask_from_a_distribution(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.ModuleList([nn.Conv2d(1, 8, 5, padding=2), nn.Conv2d(8, 16, 3)])
        self.linear = nn.ModuleList([nn.Linear(576, 40), nn.Linear(40, 10)])
        self.kept = torch.distributions.Bernoulli(0.75)

    def drop(self, x):
        return x * self.kept.sample(x.shape) / self.kept.probs if self.training else x

    def forward(self, x):
        for conv in self.features:
            x = conv(x)
            x = x * (x > 0)
            x = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).max(dim=4)[0]
        first, second = self.linear
        x = self.drop(first(x.reshape(x.shape[0], -1)).relu())
        return F.log_softmax(second(x), dim=-1)


@correct
@dataclass(eq=False)
class layers_of_a_dataclass(nn.Module):
    p: float = 0.25

    def __post_init__(self):
        super().__init__()
        first, second = nn.Conv2d(1, 8, 5, padding="same"), nn.Conv2d(8, 16, 3)
        layers = {"a": first, "b": second, "c": nn.Linear(576, 40), "d": nn.Linear(40, 10)}
        self.layers = nn.ModuleDict(layers)

    def forward(self, images):
        def stage(x, name):
            x = self.layers[name](x).clamp(min=0)
            return x.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(-1, -2))

        x = reduce(stage, "ab", images)
        x = self.layers["c"](x.reshape(len(x), -1)).clamp_min(0)
        scores = self.layers["d"](F.dropout(x, self.p, self.training))
        return scores - scores.logsumexp(dim=-1, keepdim=True)


@correct
class squares_as_strided(nn.Module):
    """ReLU after the pooling: the largest number stays the largest."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, (5, 5), 1, (2, 2)), nn.Conv2d(8, 16, 3)
        self.third, self.last = nn.Linear(16 * 36, 40), nn.Linear(40, 10)

    def pool(self, x):
        x = x.contiguous()
        n, c, height, width = x.shape
        a, b, i, j = x.stride()
        size, steps = (n, c, height // 2, width // 2, 2, 2), (a, b, 2 * i, 2 * j, i, j)
        return x.as_strided(size, steps).flatten(-2).max(-1).values

    def forward(self, x):
        x = self.pool(self.first(x)).relu()
        x = self.pool(self.second(x)).relu()
        x = self.third(x.view(len(x), -1))
        x = x * (x > 0)
        if self.training:
            x = x * (torch.rand_like(x) >= 0.25) / 0.75
        return torch.log_softmax(self.last(x), -1)
