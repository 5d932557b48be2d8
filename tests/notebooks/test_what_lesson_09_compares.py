"""What lesson 09 looks for and measures, with stand-ins as in `test_what_lessons_compare`."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import RandomSampler

from tests.support.cells import Cells
from tests.support.stand_ins import DIGITS, Fit, start_of


@pytest.fixture
def cells():
    torch.manual_seed(0)
    return Cells("09")


def test_the_training(cells):
    fit, asked = Fit(), []

    def load_mnist(train, source):
        assert source == "sample"
        return ["train"] * 10 if train else ["test"] * 10

    def make_reader():
        return nn.Sequential(nn.Identity(), nn.Linear(1, int(10 * torch.rand(()).item() + 2)))

    def evaluate(net, loader, loss_fn, device):
        asked.append((net, loader, loss_fn))
        return SimpleNamespace(accuracy=0.95)

    ran = cells.run(
        "train-run",
        "train-check",
        fit=fit,
        load_mnist=load_mnist,
        make_reader=make_reader,
        evaluate=evaluate,
        device=None,
    )
    (call,) = fit.calls
    assert (call.train.dataset, call.test_loader.dataset) == (["train"] * 10, ["test"] * 10)
    assert type(call.train.sampler) is RandomSampler
    assert (call.lr, call.epochs, call.loss_fn) == (0.003, 5, F.cross_entropy)
    assert call.model[1].out_features == int(10 * start_of(1) + 2)
    assert asked == [(call.model, call.test_loader, F.cross_entropy)]
    assert not ran.net.training
    assert (ran.body, ran.head) == tuple(call.model)


class Maps(nn.Module):
    """A stand-in for the body: it answers with these maps (images, maps, height, width)."""

    def __init__(self, maps):
        super().__init__()
        self.maps, self.parts = maps, []

    def forward(self, images):
        assert images is None or (images.dim() == 4 and images.max() <= 1)
        return self.maps

    def __getitem__(self, part):
        self.parts.append(part)
        return self


def test_dead_maps_are_0_on_every_image(cells):
    maps = torch.zeros(4, 7, 2, 2)
    maps[1, 0, 0, 1] = maps[3, 2, 1, 1] = maps[0, 4] = maps[:, 6] = 1
    data = SimpleNamespace(images=torch.full((4, 28, 28), 255))
    ran = cells.run("maps-dead", body=Maps(maps), test_data=data)
    assert ran.printed == "3 of 7 maps are 0 on every test image\n"


def test_strong_maps_have_the_largest_mean_of_their_peaks(cells):
    maps = torch.zeros(2, 4, 3, 3)
    maps[:, 0] = 1.0  # large on the whole, but no peak
    maps[0, 1, 2, 2] = 9.0  # one large peak
    maps[:, 2, 0, 1] = 4.0
    maps[:, 3, 1, 0] = 5.0
    data = SimpleNamespace(images=torch.full((2, 28, 28), 255))
    body = Maps(maps)
    ran = cells.run("patch-strong", body=body, fields=(1, 4, 7), test_data=data)
    assert body.parts == [slice(None, end) for end in (2, 5, 8)]
    assert torch.equal(ran.test_images, torch.ones(2, 1, 28, 28))
    assert ran.strong == {1: [3, 1], 4: [3, 1], 7: [3, 1]}


def test_patches_where_a_map_is_largest(cells):
    fields = {1: SimpleNamespace(size=3, jump=2, start=-1)}
    images = torch.rand(3, 1, 8, 8)
    maps = torch.rand(3, 2, 4, 4)
    maps[0, 1, 2, 3], maps[1, 1, 0, 1], maps[2, 1, 3, 0] = 5, 7, 6
    body = Maps(maps)
    best_patches = cells.run("patch-code", fields=fields, body=body).best_patches
    patches, values, found = best_patches(images, 1, 1, count=2)
    assert body.parts == [slice(None, 2)]
    assert found == [(1, 0, 1), (2, 3, 0)]
    assert values.tolist() == [7, 6]
    assert torch.equal(patches[0], F.pad(images[1, 0], (1, 1, 1, 1))[0:3, 2:5])
    assert torch.equal(patches[1], F.pad(images[2, 0], (1, 1, 1, 1))[6:9, 0:3])


def test_what_a_map_says_to_patches(cells):
    """To the mean of its own, of random ones and of the other map's, told in this order."""
    top, bottom = torch.tensor([[1.0, 0, 0], [0, 0, 1]])[:, :, None].expand(2, 3, 3)
    conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
    conv.weight.data = torch.stack([2 * top + bottom, top + 2 * bottom])[:, None] / 6

    def best_patches(images, depth, channel):
        return [(top, bottom)[channel]] * 8, torch.ones(8), None

    def cut(image, depth, row, column):
        assert min(row, column) >= 1
        assert max(row, column) <= 26
        return torch.full((3, 3), 0.2)

    ran = cells.run(
        "patch-check",
        body=nn.Sequential(conv, nn.Identity()),
        fields={1: SimpleNamespace(size=3, jump=1, start=-1)},
        strong={1: [0, 1]},
        best_patches=best_patches,
        cut=cut,
        test_images=DIGITS[:30],
    )
    assert ran.printed.splitlines() == [
        f"body[1], map {n:2}: best  1.0, mean picture  1.0, random  0.3, other map's  0.5"
        for n in (0, 1)
    ]


def test_the_best_images_of_the_map_of_zeros(cells):
    targets = torch.arange(400) % 10
    maps = torch.zeros(400, 3, 2, 2)
    maps[targets == 0, 1, 0, 0] = 1.0  # for zeros the map 1 is the strongest,
    maps[targets == 7, 1, 0, 1] = 2.0  # but it is even stronger for sevens,
    maps[targets == 3, 1, 1, 1] = 0.1 + torch.arange(40) / 100  # then come some of the threes
    maps[:, 2] = 0.5
    maps[targets == 7, 2] = 3.0
    ran = cells.run(
        "patch-predict-run",
        "patch-predict-check",
        body=Maps(maps),
        test_images=None,
        test_data=SimpleNamespace(targets=targets),
    )
    assert ran.printed == "{0: 40, 3: 20, 7: 40}\n"


def test_the_classes_that_maps_are_asked_for(cells):
    targets = torch.arange(100) % 10
    answers = targets.clone()
    answers[:25] = (targets[:25] + 1) % 10
    asked = []

    def grad_cam(body, head, image, target):
        asked.append((round(float(image.flatten()[0])), int(target)))
        return torch.zeros(7, 7)

    ran = cells.run(
        "cam-run",
        net=lambda images: F.one_hot(answers, 10),
        test_images=DIGITS[:100],
        test_data=SimpleNamespace(targets=targets),
        grad_cam=grad_cam,
        body=None,
        head=None,
    )
    wanted = [30, 31, 32, 33, 34, 25, 26, 27]
    assert ran.chosen == wanted
    assert asked == [(n, n % 10) for n in wanted]
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, :14] = 0.6  # ink is more than half of white, here as in the check of `cam-check`
    image[0, 0, 14:] = 0.4
    ran.share_on_ink.__globals__["test_images"] = image
    cam = torch.zeros(7, 7)
    cam[0, 3] = 1
    assert ran.share_on_ink(cam, 0) == pytest.approx(1)
    assert ran.share_on_ink(cam.flip(0), 0) == 0


def test_maps_on_ink(cells):
    """A map on its own digit and on others, and where its brightest place lies."""
    images, answers = DIGITS[:6].clone(), torch.tensor([4, 0, 1, 2, 3, 5])
    images[:, 0, :7] = 0.6  # a quarter is ink, the rest is too dark
    images[:, 0, 7:] = 0.4
    right, asked = torch.arange(6) != 2, []

    def grad_cam(body, head, image, target):
        asked.append(int(target))
        return torch.full((7, 7), 0.1)

    def enlarge(cam):
        glow = torch.zeros(28, 28)
        glow[3 if len(asked) % 2 else 20, 5] = 1
        return glow

    ran = cells.run(
        "cam-check",
        chosen=[0, 1, 3],
        cams=[0, 1, 3],
        right=right,
        answers=answers,
        test_images=images,
        share_on_ink=lambda cam, n: 0.4 if cam == n else 0.3,
        grad_cam=grad_cam,
        enlarge=enlarge,
        body=None,
        head=None,
    )
    assert asked == [4, 0, 2, 3, 5]
    assert ran.printed.splitlines() == [
        "ink 25%, own map 40%, maps of the other digits 30%",
        "of 5 digits, the brightest place is on ink in 60%",
    ]


def test_pieces_of_photos_have_their_labels_and_half_are_mirrored(cells):
    ran = cells.run("photo-data", photo=lambda name: PHOTOS[name])
    assert [picture.mean().item() for picture in ran.pictures] == pytest.approx(
        [0.25, 0.75], abs=0.01
    )
    torch.manual_seed(0)
    pieces, labels = ran.random_pieces(200, size=64)
    assert pieces.shape == (200, 3, 64, 64)
    assert labels.tolist() == [0, 1] * 100
    rising = (pieces[:, 0, :, 1:] > pieces[:, 0, :, :-1]).all(dim=(1, 2))
    falling = (pieces[:, 0, :, 1:] < pieces[:, 0, :, :-1]).all(dim=(1, 2))
    assert (rising | falling).all()
    assert 70 < rising.sum() < 130
    assert torch.equal(pieces[:, 2, 0, 0] > 0.5, labels.bool())
    for colour in (0, 1):  # from many columns, and from many rows
        assert len(pieces[::2, colour].amin(dim=(1, 2)).unique()) > 20


def photo_of(middle):
    """Red rises from left to right, green from top to bottom, blue is the same everywhere."""
    red = (middle + torch.linspace(-0.2, 0.2, 192)).expand(128, 192)
    green = (middle + torch.linspace(-0.2, 0.2, 128))[:, None].expand(128, 192)
    return (255 * torch.stack([red, green, torch.full_like(red, middle)], dim=2)).numpy()


PHOTOS = {"cat": photo_of(0.25), "coffee": photo_of(0.75)}


def test_the_small_network_learns_from_random_pieces(cells):
    photo_body, photo_head = nn.Sequential(nn.Flatten()), nn.Sequential(nn.Linear(4, 2))
    counts = []

    def random_pieces(count, size=64):
        counts.append(count)
        labels = torch.arange(count) % 2
        return (labels[:, None] * 2.0 - 1).expand(count, 4), labels

    ran = cells.run(
        "photo-train",
        "photo-check",
        photo_body=photo_body,
        photo_head=photo_head,
        random_pieces=random_pieces,
    )
    assert counts == [32] * 150 + [200]
    assert ran.printed.startswith("100% of other pieces")


def test_shares_of_the_maps_on_the_photos(cells):
    cat, coffee = torch.zeros(2, 4), torch.zeros(2, 4)
    cat[0] = torch.tensor([3.0, 1, 1, 0])
    coffee[1] = torch.tensor([0, 1.0, 4, 5])
    printed = cells.run("photo-cam-check", cams=[cat, coffee]).printed
    assert printed == "share of each map on its own photo: cat 80%, coffee 90%\n"
