"""Task 4: train until new digits are read well."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Subset

from grader.authoring.bank import correct, mistake
from helpers.training import fit


def measure(model, images_and_labels):
    """The accuracy, and the model in eval mode afterwards."""
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in DataLoader(images_and_labels, batch_size=500):
            right += (model(images).argmax(dim=1) == labels).sum().item()
    return right / len(images_and_labels)


def one_epoch(model, loader, optimizer):
    """One pass over the training images, in train mode."""
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        F.nll_loss(model(images), labels).backward()
        optimizer.step()


@mistake(
    "You measure on the training images, which the model has learned from. What counts is how "
    "it reads unknown ones.",
    fails={"train_history"},
)
def measured_on_training_images(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, train_set))
    return history


@mistake(
    "Your list holds percent. Asked for are numbers from 0 to 1.",
    fails={"train_history"},
)
def in_percent(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        history.append(100 * measure(model, test_set))
    return history


@mistake(
    "Your list holds how many test images are read correctly, not which part of them.",
    fails={"train_history"},
)
def counts(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set) * len(test_set))
    return history


@mistake(
    "Your list holds the part of test images that are read wrongly.",
    fails={"train_history"},
)
def error_rates(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        history.append(1 - measure(model, test_set))
    return history


@mistake(
    "The list has a single number. After each epoch there should be one.",
    fails={"train_history"},
)
def measured_once(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        one_epoch(model, loader, optimizer)
    return [measure(model, test_set)]


@mistake(
    "A list is asked for, with one accuracy for each epoch. You return the last one alone.",
    fails={"train_history"},
    undiagnosed="the message itself says that a float came back",
)
def returns_the_last_one(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        one_epoch(model, loader, optimizer)
    return measure(model, test_set)


@mistake(
    "Your function returns nothing. A list with an accuracy for each epoch is asked for; "
    "`print` does not hand it back.",
    fails={"train_history"},
)
def prints_them(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(3):
        one_epoch(model, loader, optimizer)
        print(epoch, measure(model, test_set))


@mistake(
    "The counters of right answers and of images go on from epoch to epoch. So each number is a "
    "mean over all epochs so far.",
    fails={"train_history"},
    undiagnosed="with the easy images of the visible test all epochs have the same accuracy",
)
def counters_never_reset(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    right = total = 0
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        right += measure(model, test_set) * len(test_set)
        total += len(test_set)
        history.append(right / total)
    return history


@mistake(
    "The accuracy is measured before each epoch, not after it: the last number belongs to a "
    "model that had one epoch less.",
    fails={"train_history"},
)
def measured_before_the_epoch(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        history.append(measure(model, test_set))
        one_epoch(model, loader, optimizer)
    return history


@mistake(
    "The model learns from the test images. So nobody can know how it reads images that it has "
    "never seen.",
    fails={"train_accuracy", "train_history", "train_unseen", "train_epochs"},
)
def trained_on_the_test_set(model, train_set, test_set):
    loader = DataLoader(test_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(13):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The model learns from all images, the test images among them. They must stay unknown.",
    fails={"train_accuracy", "train_unseen"},
)
def trained_on_everything(model, train_set, test_set):
    everything = ConcatDataset([train_set, test_set])
    loader = DataLoader(everything, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "As soon as the test accuracy is high enough, you stop. So the test set decides how long the "
    "model learns, and is no longer unknown. Choose the number of epochs beforehand.",
    fails={"train_unseen"},
)
def stops_at_a_test_accuracy(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
        if history[-1] >= 0.93:
            break
    return history


@mistake(
    "With other labels in the test set, your training has another number of epochs. The test "
    "set is only measured; choose the number beforehand.",
    fails={"train_unseen"},
)
def patience_with_the_test_set(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history, best, waited = [], -1, 0
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
        waited = waited + 1 if history[-1] <= best else 0
        best = max(best, history[-1])
        if waited == 2:
            break
    return history


DECIDED_BY_THE_TEST_SET = (
    "With other labels in the test set, your model ends with other weights: what was measured "
    "decides which weights are kept, or how far a step goes. The test set is only measured."
)


@mistake(
    DECIDED_BY_THE_TEST_SET,
    fails={"train_unseen"},
)
def learning_rate_by_the_test_set(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=0)
    history = []
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
        schedule.step(history[-1])
    return history


@mistake(
    "The weights of the model never change. Each step needs the gradients of its batch, and "
    "an optimizer that holds these weights.",
    fails={"train_accuracy", "train_history", "train_unseen"},
)
def never_steps(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(2):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            F.nll_loss(model(images), labels).backward()
        history.append(measure(model, test_set))
    return history


@mistake(
    "The model that was given is as it was, as where a copy has learned instead.",
    fails={"train_accuracy", "train_history", "train_unseen"},
)
def trains_a_copy(model, train_set, test_set):
    model = copy.deepcopy(model)
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(2):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The weights have moved very far from their start, and the network only guesses. Its steps "
    "are far too large.",
    fails={"train_accuracy"},
)
def learning_rate_huge(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=20.0, momentum=0.9)
    history = []
    for _ in range(2):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The weights have hardly moved: too few steps, or too small a learning rate.",
    fails={"train_accuracy"},
)
def learning_rate_tiny(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    history = []
    for _ in range(2):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The network learns, but not enough, and your list shows one epoch only. It can learn more "
    "from the same images.",
    fails={"train_accuracy"},
)
def one_epoch_only(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    one_epoch(model, loader, optimizer)
    return [measure(model, test_set)]


@mistake(
    "The network learns, but not enough: too few steps, or a learning rate that does not suit. "
    "With 4,000 images an epoch has 15 times fewer steps than in the lesson.",
    fails={"train_accuracy"},
)
def settings_of_the_lesson(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    history = []
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The network only guesses, and the weights have moved very far: the gradients of all batches "
    "add up, and with them the steps grow.",
    fails={"train_accuracy"},
)
def gradients_never_cleared(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    history = []
    for _ in range(2):
        model.train()
        for images, labels in loader:
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "The network learns, but not enough, and the gradients of many batches add up. Each step "
    "should follow the gradient of its own batch.",
    fails={"train_accuracy"},
)
def gradients_cleared_once_an_epoch(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    for _ in range(2):
        model.train()
        optimizer.zero_grad()
        for images, labels in loader:
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "Not all training images are used in an epoch, as where the loop ends after its first batch.",
    fails={"train_accuracy", "train_epochs", "train_history"},
)
def first_batch_only(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=4, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    history = []
    for _ in range(2):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
            break
        history.append(measure(model, test_set))
    return history


@mistake(
    "In an epoch some or all training images are left out, as where batches that are not full are "
    "dropped. A set that is smaller than a batch is then not used at all.",
    fails={"train_epochs", "train_history", "train_unseen"},
)
def last_batch_dropped(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=32, shuffle=True, drop_last=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    history = []
    for _ in range(5):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "The images come in the order of the data set, in every epoch. If they are sorted by digit, "
    "the model sees one digit for a long time and forgets the others.",
    fails={"train_epochs"},
)
def never_shuffled(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "Epochs have the same order of the images, as where they are shuffled once. Each epoch "
    "takes a new order.",
    fails={"train_epochs"},
)
def shuffled_once(model, train_set, test_set):
    order = torch.randperm(len(train_set)).tolist()
    loader = DataLoader([train_set[i] for i in order], batch_size=64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(4):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history


@mistake(
    "In an epoch some images come twice or more, and others not at all, as where each batch "
    "is drawn anew from all images.",
    fails={"train_epochs"},
)
def drawn_at_random(model, train_set, test_set):
    images = torch.stack([image for image, _ in train_set])
    labels = torch.tensor([label for _, label in train_set])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(4):
        model.train()
        for start in range(0, len(images), 64):
            chosen = torch.randint(len(images), (min(64, len(images) - start),))
            optimizer.zero_grad()
            F.nll_loss(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "The model learns in eval mode for a part of the time, as where the measurement leaves it "
    "there, and it is put into train mode only once, at the start.",
    fails={"train_epochs"},
)
def eval_mode_from_the_second_epoch(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    model.train()
    for _ in range(3):
        for images, labels in loader:
            optimizer.zero_grad()
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "The model learns in eval mode all the time, so a dropout in it would never work.",
    fails={"train_epochs"},
)
def always_eval_mode(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    model.eval()
    for _ in range(3):
        for images, labels in loader:
            optimizer.zero_grad()
            F.nll_loss(model(images), labels).backward()
            optimizer.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "The test images are measured in train mode: the model's dropout would spoil its answers.",
    fails={"train_epochs"},
)
def measured_in_train_mode(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        right = 0
        with torch.no_grad():
            for images, labels in DataLoader(test_set, batch_size=500):
                right += (model(images).argmax(dim=1) == labels).sum().item()
        history.append(right / len(test_set))
    return history


@mistake(
    "While the test images are measured, torch prepares gradients that nobody needs.",
    fails={"train_epochs"},
)
def measured_with_gradients(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        right = 0
        model.eval()
        for images, labels in DataLoader(test_set, batch_size=500):
            right += (model(images).argmax(dim=1) == labels).sum().item()
        history.append(right / len(test_set))
    return history


@mistake(
    "The test images are measured in train mode and with gradients, as if the model should learn "
    "from them.",
    fails={"train_epochs"},
)
def measured_as_if_learning(model, train_set, test_set):
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = []
    for _ in range(3):
        one_epoch(model, loader, optimizer)
        right = 0
        for images, labels in DataLoader(test_set, batch_size=500):
            right += (model(images).argmax(dim=1) == labels).sum().item()
        history.append(right / len(test_set))
    return history


@correct
def with_adam(net, known, unknown):
    adam = torch.optim.Adam(net.parameters(), lr=5e-3)
    batches = DataLoader(known, batch_size=32, shuffle=True)
    criterion = nn.NLLLoss()
    result = []
    for _ in range(4):
        for x, y in batches:
            net.train()
            loss = criterion(net(x), y)
            loss.backward()
            adam.step()
            adam.zero_grad()
        result += [measure(net, unknown)]
    return result


@correct
def tensors_and_randperm(model, train_set, test_set, epochs=5, size=32):
    images = torch.stack([train_set[i][0] for i in range(len(train_set))])
    labels = torch.tensor([train_set[i][1] for i in range(len(train_set))])
    unknown = torch.stack([image for image, _ in (test_set[i] for i in range(len(test_set)))])
    truth = torch.tensor([test_set[i][1] for i in range(len(test_set))])
    sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)
    history = []
    while len(history) < epochs:
        model.train()
        for chosen in torch.randperm(len(images)).split(size):
            sgd.zero_grad()
            loss = F.cross_entropy(model(images[chosen]), labels[chosen])
            loss.backward()
            sgd.step()
        with torch.no_grad():
            answers = model.eval()(unknown).argmax(dim=1)
        history.append((answers == truth).float().mean().item())
    return history


@correct
def with_fit(model, train_set, test_set):
    history = fit(
        model,
        DataLoader(train_set, batch_size=32, shuffle=True),
        torch.optim.AdamW(model.parameters(), lr=3e-3),
        epochs=5,
        test_loader=DataLoader(test_set, batch_size=1000),
        device="cpu",
        progress=False,
    )
    return history.test_accuracies


@correct
def falling_learning_rate(model, train_set, test_set):
    epochs = 6
    generator = torch.Generator().manual_seed(7)
    loader = DataLoader(train_set, batch_size=40, shuffle=True, generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.7, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    def epoch():
        one_epoch(model, loader, optimizer)
        schedule.step()
        return measure(model, test_set)

    return [epoch() for _ in range(epochs)]


@correct
def plain_sgd_with_large_batches(model, train_set, test_set):
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    history = []
    for _ in range(10):
        one_epoch(model, DataLoader(train_set, batch_size=64, shuffle=True), sgd)
        history.append(measure(model, test_set))
    return history


@correct
def list_of_tensors(model, train_set, test_set):
    rmsprop = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    history = []
    for _ in range(7):
        one_epoch(model, DataLoader(train_set, batch_size=64, shuffle=True), rmsprop)
        history.append(torch.tensor(measure(model, test_set)))
    return history


@correct
def warm_up_from_zero(model, train_set, test_set):
    """The learning rate of the first epoch is 0."""
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1, epoch / 2))
    print("before training", measure(model, test_set))
    history = []
    for _ in range(5):
        one_epoch(model, loader, optimizer)
        schedule.step()
        history.append(measure(model, test_set))
    return history


@mistake(
    "Of a large training set only 1,000 images are used. In each epoch every training image "
    "is used once.",
    fails={"train_epochs"},
)
def thousand_images_at_most(model, train_set, test_set):
    chosen = Subset(train_set, range(min(1000, len(train_set))))
    loader = DataLoader(chosen, batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    history = []
    for _ in range(15):
        one_epoch(model, loader, optimizer)
        history.append(measure(model, test_set))
    return history
