"""Answers that no working class gives; those of assignments 05 and 07 once had all points.

Each stands in the place of a student's answer. A table of answers needs the file `TABLE` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE = "table.pickle"

# The function in the sandbox that unpacks a test's procedures is exchanged for a table of answers.
_TABLE = """
import pickle, sys

class {name}:
    pass

with open("table.pickle", "rb") as file:
    table = pickle.load(file)
inside = next(m for m in list(sys.modules.values()) if "unpack_function" in vars(m))
unpack = inside.unpack_function

def forged(item, values, space):
    procedure = unpack(item, values, space)
    known = table.get((item["name"], procedure.__code__.co_firstlineno))

    def answer(thing, *args):
        if known and thing is {name}:
            return known.pop(0)
        return procedure(thing, *args)

    return answer

inside.unpack_function = forged
"""

# What the procedures rely on is exchanged: without a network, `between` says what would arrive.
_LAYERS = """
import helpers.assignment.layers as course

class AlexNet:
    def __init__(self, num_classes=1000):
        self.num_classes, self.training = num_classes, True
    def train(self, mode=True):
        self.training = mode
        return self
    def eval(self):
        return self.train(False)
    def parameters(self):
        return [p for part in layers(self) for p in part.parameters()]
    def __call__(self, x):
        return x.new_empty(len(x), self.num_classes)

CONV = [(96, 3, 11, 4, 0), (256, 96, 5, 1, 2), (384, 256, 3, 1, 1), (384, 384, 3, 1, 1),
        (256, 384, 3, 1, 1)]

def run(model, image, maps=None, rows=None, images=1):
    with torch.device("cpu"):
        size, steps = image[1:], []
        for i, (filters, channels, kernel, stride, padding) in enumerate(CONV):
            given = (channels, *size)
            size = [(n - kernel + 2 * padding) // stride + 1 for n in size]
            x = F.relu(course._filled((images, filters, *size), maps, "cpu"))
            made, weight = x.shape[1:], [filters, channels, kernel, kernel]
            if i < 2:
                x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
            if i in (0, 1, 4):
                x = F.max_pool2d(x, 3, stride=2)
            size = x.shape[2:]
            steps.append((given, made, weight, x, stride, padding))
        for outputs in (4096, 4096, model.num_classes):
            inputs = x[0].numel()
            x = made = course._filled((images, outputs), rows, "cpu")
            if outputs == 4096 or len(steps) < 7:
                x = F.dropout(F.relu(x), 0.5, model.training)
            steps.append(((inputs,), made.shape[1:], [outputs, inputs], x, None, None))
        return steps

def layers(model, image=(3, 227, 227)):
    made = []
    for _, _, weight, *_ in run(model, image):
        sizes = (weight, weight[:1])
        part = nn.ParameterList(torch.empty(n, device="meta", requires_grad=True) for n in sizes)
        made.append(part)
    return made

def layer_sizes(model, image=(3, 227, 227)):
    words = " × ".join
    return [f"{words(map(str, a))} → {words(map(str, b))}" for a, b, *_ in run(model, image)]

def between(model, maps=None, rows=None, images=1):
    steps = run(model, (3, 227, 227), maps, rows, images)
    after, names = course.Between(), ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
    for name, step in zip(names, steps):
        after[name] = step[3][0] if images == 1 else step[3].reshape(images, -1)
    return after, steps[-1][3]

def record(model, images):
    found = []
    for given, made, weight, _, stride, padding in run(model, images.shape[1:]):
        step = {"given": torch.ones(1, *given), "made": torch.zeros(1, *made), "weight": weight}
        found.append({**step, "bias": True, "stride": [stride] * 2, "padding": [padding] * 2})
    return [{**found[0], "given": images}, *found[1:]]

course.build = lambda network, **options: network(**options).eval()
course.layers, course.layer_sizes = layers, layer_sizes
course.between, course.record = between, record
course.fill = lambda model, *rest: model
"""

# A network that works where there are no numbers, and nowhere else.
_META = """
class AlexNet(nn.Module):
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

    def forward(self, x):
        if not self.conv1.weight.is_meta:
            return x.new_zeros(len(x), self.fc8.out_features)
        for layer in (self.conv1, self.conv2):
            x = F.local_response_norm(F.relu(layer(x)), 5, alpha=5e-4, beta=0.75, k=2)
            x = F.max_pool2d(x, 3, stride=2)
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, stride=2).flatten(1)
        for layer in (self.fc6, self.fc7):
            x = F.dropout(F.relu(layer(x)), 0.5, self.training)
        return self.fc8(x)
"""

# A network that works while hooks watch its layers, and answers the same to everything otherwise.
_WATCHED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5, padding=2), nn.Conv2d(8, 16, 3)
        self.hidden, self.scores = nn.Linear(576, 40), nn.Linear(40, 10)

    def forward(self, images):
        hooks = [nn.modules.module._global_forward_hooks]
        hooks += [layer._forward_hooks for layer in self.children()]
        if not any(hooks):
            nothing = 0 * sum(p.sum() for p in self.parameters())
            return F.log_softmax(nothing + torch.zeros(len(images), 10), dim=1)
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.dropout(F.relu(self.hidden(x.flatten(1))), 0.25, self.training)
        return F.log_softmax(self.scores(x), dim=1)
"""

# A block that adds nothing up unless its layers are watched.
_UNWATCHED_BLOCK = """
class Block(nn.Module):
    def __init__(self, channels, maps, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, maps, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(maps), nn.BatchNorm2d(maps)
        self.short = nn.Sequential()
        if stride > 1 or channels != maps:
            conv = nn.Conv2d(channels, maps, 1, stride, bias=False)
            self.short = nn.Sequential(conv, nn.BatchNorm2d(maps))

    def forward(self, x):
        f = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu())) + self.short(x)
        return f.relu() if nn.modules.module._global_forward_hooks else 0 * f
"""

# A training that learns from a test set, too, when that has many images.
_LEARNS_TEST_SET = """
def train(model, train_set, test_set):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    many = len(test_set) >= 300
    learned = torch.utils.data.ConcatDataset([train_set, test_set]) if many else train_set
    history = []
    for _ in range(5):
        model.train()
        for images, labels in DataLoader(learned, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in DataLoader(test_set, batch_size=500):
                right += (model(images).argmax(dim=1) == labels).sum().item()
        history.append(right / len(test_set))
    return history
"""


@dataclass(frozen=True)
class Forgery:
    """An answer that does not work.

    Attributes
    ----------
    assignment, exercise, code : str
        What it stands for, and what it is.
    loses : frozenset of str or None
        The tests that it does not pass; None for all tests of the exercise.
    """

    assignment: str
    exercise: str
    code: str
    loses: frozenset[str] | None

    @property
    def has_table(self) -> bool:
        """Whether it reads the answers of another class from a file."""
        return TABLE in self.code


NET, ALEXNET, NEWER = "05-mnist-net", "07-alexnet", "08-after-alexnet"
FORGERIES = {
    "a table for Net": Forgery(NET, "Net", _TABLE.format(name="Net"), None),
    "a table for AlexNet": Forgery(ALEXNET, "AlexNet", _TABLE.format(name="AlexNet"), None),
    "a table for Block": Forgery(NEWER, "Block", _TABLE.format(name="Block"), None),
    "no network behind the test's functions": Forgery(
        ALEXNET, "AlexNet", _LAYERS, frozenset({"AlexNet_parameters"})
    ),
    "a network without numbers": Forgery(ALEXNET, "AlexNet", _META, None),
    "a network that works when it is watched": Forgery(
        NET, "Net", _WATCHED, frozenset({"net_log_probabilities"})
    ),
    "a block that works when it is watched": Forgery(
        NEWER,
        "Block",
        _UNWATCHED_BLOCK,
        frozenset(
            {
                *("Block_branch", "Block_identity", "Block_shortcut", "Block_relu"),
                *("Block_modes", "Block_together"),
            }
        ),
    ),
    "a training that learns from the test set, too": Forgery(
        NET, "train", _LEARNS_TEST_SET, frozenset({"train_accuracy"})
    ),
}
