"""helpers.data.load_emoji: the images, their classes, and the split; the program that made them."""

import itertools
import json
import pickle
import tarfile
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from helpers import data
from tests.support.scripts import load

tool = load("tools/make_emoji_sample.py")


@pytest.fixture(scope="module")
def parts():
    return data.load_emoji(train=True), data.load_emoji(train=False)


def test_parts(parts):
    train, test = parts
    assert (len(train), len(test)) == (1520, 386)
    assert train.classes == test.classes
    assert (len(set(train.classes)), train.classes[0], train.classes[-1]) == (
        9,
        "Smileys & Emotion",
        "Flags",
    )
    for part in parts:
        assert part.images.shape == (len(part), 3, 32, 32)
        assert part.images.dtype == torch.uint8
        assert part.targets.dtype == torch.int64
        assert len(part.names) == len(part)
        # Mixed: the first hundred have all classes.
        assert part.targets[:100].unique().tolist() == list(range(9))
    whole = train.targets.bincount() + test.targets.bincount()
    assert ((test.targets.bincount() / whole - 0.2).abs() < 0.02).all()
    assert "1,520 images in 9 classes" in repr(train)


def test_an_item_is_a_picture_in_colour_and_its_class(parts):
    train, _ = parts
    place = train.names.index("japan flag")
    image, label = train[place]
    assert (image.shape, image.dtype) == ((3, 32, 32), torch.float32)
    assert train.classes[label] == "Flags"
    red, green, blue = image[:, 16, 16]
    assert red > 0.6 > 0.3 > max(green, blue)  # the sun
    assert (image[:, 0, 0] == 1).all()  # white around the flag
    assert torch.equal((image * 255).round().byte(), train.images[place])


def test_a_loader_gives_the_same_as_item_by_item(parts):
    test = parts[1]
    images, labels = next(iter(DataLoader(test, batch_size=5)))
    assert images.shape == (5, 3, 32, 32)
    for i in range(5):
        assert torch.equal(images[i], test[i][0])
        assert labels[i] == test[i][1]
    assert torch.equal(pickle.loads(pickle.dumps(test)).images, test.images)


def test_a_transform_takes_each_image(parts):
    turned = data.load_emoji(train=False, transform=lambda image: image.flip(2))
    assert torch.equal(turned[3][0], parts[1][3][0].flip(2))
    assert torch.equal(turned.__getitems__([3])[0][0], parts[1][3][0].flip(2))


def test_no_test_image_is_nearly_a_training_image(parts):
    train, test = (255 - part.images.flatten(1).double() for part in parts)
    apart = torch.cdist(test, train) / train.shape[1] ** 0.5
    ink = (test.pow(2).mean(1)[:, None] + train.pow(2).mean(1)) / 2
    alike = (apart < tool.ALIKE - 1) & (apart < (tool.ALIKE_OF_INK - 0.03) * ink.sqrt())
    # The palette moves a colour by a little, so a little is left to it.
    assert not alike.any()


def test_women_and_men_are_on_the_same_side(parts):
    women, men = (
        [{name.removeprefix(sex) for name in part.names if name.startswith(sex)} for part in parts]
        for sex in ("woman ", "man ")
    )
    for here, there in ((0, 1), (1, 0)):
        assert women[here] & men[here]
        assert not women[here] & men[there]


@pytest.mark.parametrize("damage", ["no picture", "half a picture", "no facts", "other facts"])
def test_damaged_files(monkeypatch, tmp_path, damage):
    picture = (data.SAMPLES / "emoji.png").read_bytes()
    facts = (data.SAMPLES / "emoji.json").read_text("utf-8")
    monkeypatch.setattr(data, "SAMPLES", tmp_path)
    if damage != "no picture":
        (tmp_path / "emoji.png").write_bytes(picture[: 5000 if "half" in damage else None])
    if damage != "no facts":
        (tmp_path / "emoji.json").write_text("[]" if "other" in damage else facts, "utf-8")
    with pytest.raises(
        data.DataUnavailableError, match=r"emoji\.png and emoji\.json.*git checkout"
    ):
        data.load_emoji()


def test_train_is_true_or_false():
    with pytest.raises(ValueError, match="train='test'"):
        data.load_emoji("test")


# the program, on a package of eight emoji


@pytest.fixture
def package(tmp_path):
    """Four kinds of drawing, in two classes; two of them twice, nearly alike."""
    entries, drawings = [], {}
    codes = ["1F468-200D-1F680", "1F469-200D-1F680", "26BD", "26BE", "26C4", "26C5", "26EA", "26F2"]
    rng = np.random.default_rng(0)
    for i, code in enumerate(codes):
        drawing = rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)
        drawing[..., 3] = 255
        if code == "26BE":  # nearly as the ball before it
            drawing = drawings["26BD.png"].copy()
            drawing[0, 0, :3] ^= 255
        if code == "26C4":
            drawing[..., 3] = 0
        drawings[f"{code}.png"] = drawing
        kind = "People" if i < 2 else "Things"
        entries.append(
            {
                "name": f"THING  {code}",
                "unified": code,
                "image": f"{code}.png",
                "category": kind,
                "sort_order": 10 - i if i < 2 else 20 + i,
            }
        )
    entries.append({"category": "Component", "sort_order": 0})
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "package/emoji.json", json.dumps(entries).encode())
        for name, drawing in drawings.items():
            file = BytesIO()
            Image.fromarray(drawing).save(file, "png")
            add(archive, f"package/img/google/64/{name}", file.getvalue())
    return path


def add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, BytesIO(content))


def test_the_program_reads_orders_and_shrinks(package):
    entries, pictures = tool.read_package(package)
    assert [entry["unified"][:5] for entry in entries[:3]] == ["1F469", "1F468", "26BD"]
    assert pictures.shape == (8, 32, 32, 3)
    assert (pictures[4] == 255).all()  # a drawing that is all transparent is white
    square = np.zeros((64, 64, 4), np.uint8)
    square[:2, :2] = [[[10, 0, 0, 255], [20, 0, 0, 255]], [[30, 0, 0, 255], [40, 0, 0, 255]]]
    square[0, 2:4] = [100, 100, 100, 51]  # a fifth opaque: 0.2 · 100 + 0.8 · 255 = 224
    small = tool.shrink(square)
    assert small[0, 0].tolist() == [25, 0, 0]
    assert small[0, 1].tolist() == [240, 240, 240]  # (224 + 224 + 255 + 255) / 4 = 239.5


def test_families(package):
    entries, pictures = tool.read_package(package)
    assert tool.families(entries, pictures).tolist() == [0, 0, 2, 2, 4, 5, 6, 7]


def test_whole_families_test_until_there_is_a_fifth():
    labels = np.array([0] * 10 + [1] * 6)
    family = np.arange(16) // 2 * 2
    test = tool.choose_test(labels, family)
    for one in np.unique(family):
        assert len(set(test[family == one].tolist())) == 1
    for label, least in ((0, 2), (1, 2)):
        count = test[labels == label].sum()
        assert least <= count < least + 2


def test_the_program_writes_and_checks(package, tmp_path, capsys):
    run = [str(package), "--output", str(tmp_path)]
    assert tool.main(run) == 0
    assert tool.main([*run, "--check"]) == 0
    facts = json.loads((tmp_path / "emoji.json").read_text("utf-8"))
    assert facts["classes"] == ["People", "Things"]
    assert sorted(itertools.chain(facts["train"], facts["test"])) == list(range(8))
    assert facts["names"][2] == "thing 26bd"
    facts["labels"][0] = 1
    (tmp_path / "emoji.json").write_text(json.dumps(facts), "utf-8")
    assert tool.main([*run, "--check"]) == 1
    assert "holds other emoji" in capsys.readouterr().out
