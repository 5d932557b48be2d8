"""What the errors mean that beginners meet most: each is really raised here."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.assignment.reasons import reason


class Late(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 3)


def reason_for(code):
    """What is said of the error in which this code ends, in a function of its own."""
    space = {"np": np, "torch": torch, "F": F, "nn": nn, "Late": Late}
    lines = "\n    ".join(code.split("\n"))
    exec(f"def student(image, kernel, x, biases):\n    out = np.zeros((3, 3))\n    {lines}", space)
    arrays = np.arange(9).reshape(3, 3), np.ones((2, 2)), np.ones((2, 3, 4)), np.ones(3)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        space["student"](*arrays)
    return reason(caught.value)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("range(6 / 2)", "`//` gives a whole one"),
        ("image.shape[6 / 3]", "`//` gives a whole one"),
        ("np.zeros((6 / 2, 3))", "`//` gives a whole one"),
        ("torch.zeros((6 / 2, 3))", "`//` gives a whole one"),
        ("image[6 / 3]", "`//` gives whole numbers"),
        ("image[0 : 6 / 3]", "`//` gives whole numbers"),
        ("image.tolist()[0, 1]", "np.array(…) makes an array of a list"),
        ("out[0, 0] = 3 + biases", "as in `biases[f]`, or their sum?"),
        (
            "x = torch.ones(2, requires_grad=True).sigmoid(); y = x.sigmoid(); x += 1; "
            "y.sum().backward()",
            "`x = x + y` makes a new one",
        ),
        ("float(biases)", "as in `biases[f]`, or their sum?"),
        ("from math import sqrt\nsqrt(biases)", "NumPy's, such as `np.sqrt`, take each number"),
        ("np.zeros(2, 3)", "3 stands where the type of the numbers belongs."),
        ("out[out == 0] = biases", "those of `x[mask]`"),
        ("out[out == 0] = image", "those of `x[mask]`"),
        ("out[0:-0] = image", "has (0,3): it is empty"),
        ("out[:, 0:-0] = image", "has (3,0): it is empty"),
        ("torch.tensor([1, 2], requires_grad=True)", "with floats only"),
        ("torch.ones(3).item()", "as in `biases[f]`, or their sum?"),
        ("np.array([[1, 2], [3]])", "differ in length or shape"),
        ("[1, 2, 3][image[0]]", "as in `biases[f]`, or their sum?"),
        ("image * kernel", "Here the shapes are (3,3) (2,2)."),
        ("torch.ones(2, 3) * torch.ones(2)", "Along axis 1 they are 3 and 2."),
        ("out[:2, :2] = image", "has the shape (3,3), and the place for it has (2,2)"),
        (
            "image[0, 5]",
            "The size of axis 1 is 3, and its places are numbered from 0. There is no place 5.",
        ),
        ("torch.ones(3)[-4]", "The size of axis 0 is 3, and its places are numbered from 0. There"),
        ("torch.ones(3)[-4]", "There is no place -4."),
        ("out[5:][0]", "There is nothing along axis 0: its size is 0."),
        ("torch.ones(2, 0)[1, 0]", "There is nothing along axis 1: its size is 0."),
        ("image.shape[2]", "A shape has one number for each axis"),
        ("[1, 2][2]", "the places 0 to n − 1"),
        ("a = [1]\na[1] = 2", "the places 0 to n − 1"),
        (
            "image.sum(axis=5)",
            "number of axes is 2, and they are numbered from 0. There is no axis 5.",
        ),
        ("torch.ones(2, 3).sum(dim=2)", "numbered from 0 to 1. There is no axis 2."),
        ("image[0, 0, 0]", "stand 3 places, and the array's number of axes is 2."),
        ("torch.ones(2)[0, 0]", "than the tensor has axes, 1."),
        ("c, h, w = image.shape", "3 names stand on the left of the `=`, and 2 values on"),
        ("h, w = x.shape", "2 names stand on the left of the `=`, and "),
        ("for i in range(3):\n    total += i", "`total` has no value yet"),
        ("2 * None", "if it ends without `return`"),
        ("None.shape", "if it ends without `return`"),
        ("image[(1, 1) - 1]", "is not calculated with"),
        ("(1, 1) + 2", "is not calculated with"),
        ("[1] + 2", "is not calculated with"),
        ("[1] - 2", "is not calculated with"),
        ("[1] * 2.5", "is not calculated with"),
        ("a, b = 3", "This is a single number"),
        ("a, b = np.float64(3)", "This is a single number"),
        ("for i in 3:\n    pass", "This is a single number"),
        ("for i in 2.5:\n    pass", "This is a single number"),
        ("a = 3\na[0]", "This is a single number"),
        ("len(2.5)", "This is a single number"),
        ("len(np.int64(3))", "This is a single number"),
        ("image(0, 0)", "Round brackets behind a value"),
        ("torch.ones(3)(0)", "Round brackets behind a value"),
        ("image.shape(0)", "Round brackets behind a value"),
        ("image.tolist()(0)", "Round brackets behind a value"),
        ("a = 3\na(0)", "Round brackets behind a value"),
        ("a = 2.5\na(0)", "Round brackets behind a value"),
        ("image[0, 0](0)", "Round brackets behind a value"),
        ("if image > 0:\n    pass", "np.where(…) decides for each number"),
        ("if torch.ones(2) > 0:\n    pass", "np.where(…) decides for each number"),
        ("image += 0.5", "It is int64, and float64 does not go into it."),
        ("np.uint8([1]) * -2", "has no room for -2"),
        (
            "F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2).double())",
            "here one is Float and the other Double.",
        ),
        ("nn.Linear(3, 2)(torch.ones(2, 3).double())", "here one is Double and the other Float."),
        (
            "nn.Conv2d(1, 1, 2)(torch.ones(1, 1, 3, 3).byte())",
            "here one is unsigned char and the other float.",
        ),
        ("torch.ones(2, 3) @ torch.ones(3, 2).double()", "here one is float and the other double."),
        ("torch.arange(3).softmax(0)", "with floats only"),
        ("torch.arange(3).mean()", "with floats only"),
        ("F.conv2d(image, kernel)", "this is a NumPy array"),
        ("torch.relu(image)", "this is a NumPy array"),
        ("torch.from_numpy(image[::-1])", "with .copy()"),
        ("torch.ones(3, requires_grad=True).numpy()", "`x.detach().numpy()`"),
        ("F.conv2d(torch.ones(3, 3), torch.ones(1, 1, 2, 2))", "puts an axis of length 1 in front"),
        ("F.conv2d(torch.ones(3, 3), torch.ones(2))", "puts an axis of length 1 in front"),
        ("nn.Conv2d(1, 8, 5)(torch.ones(2, 3, 9, 9))", "made for is 1, and what arrives has 3."),
        ("nn.Linear(400, 40)(torch.ones(3, 784))", "784 arrive, and `in_features` is 400."),
        ("np.ones((2, 3)) @ np.ones((4, 2))", "Here they have 3 and 4 numbers."),
        ("np.dot(np.ones((2, 3)), np.ones((4, 2)))", "Here they have 3 and 4 numbers."),
        ("image.reshape(2, 3)", "9 numbers do not fill the shape (2,3)."),
        ("torch.ones(9).view(2, 3)", "9 numbers do not fill the shape [2, 3]."),
        ("torch.ones(2, 3).T.view(6)", "`reshape` works always"),
        ("torch.ones(3).sum().backward()", "`torch.no_grad()`"),
        ("w = torch.ones(3, requires_grad=True)\nw -= 1", "inside `with torch.no_grad():`"),
        ("out[5:].max()", "of an empty array"),
        ("torch.ones(0).max()", "of an empty array"),
        ("np.stack([image, kernel])", "of one shape only"),
        ("out.flags.writeable = False\nout[0] = 1", "x.copy()"),
        ("out.flags.writeable = False\nnp.add(out, 1, out=out)", "x.copy()"),
        ("def f(n):\n    return f(n)\nf(1)", "A function calls itself, and never stops doing so."),
        ("Late()", "`super().__init__()`"),
        ("(lambda a: a)(1, 2)", "with other arguments than it takes"),
        ("(lambda a: a)()", "with other arguments than it takes"),
        ("(lambda a: a)(b=2)", "with other arguments than it takes"),
        ("return imge", "Did you mean `image`?"),
        ("return kernal", "Did you mean `kernel`?"),
        ("return np.zeroes(3)", "Did you mean `zeros`?"),
        ("return image.shap", "Did you mean `shape`?"),
        ("return math.floor(3)", "A module has to be imported first."),
        ("return quite_unknown", "Is it spelled right"),
        ("image.clone()", "only PyTorch's tensors have `.clone`"),
        ("torch.ones(3).astype(float)", "only NumPy's arrays have `.astype`"),
        ("[1].shape", "np.array(…) makes an array of it"),
        ("x.shape.sum()", "as in `pair[0]`"),
        ("import no_such_module", "are enough for the tasks"),
    ],
)
def test_what_an_error_means(code, says):
    assert says in reason_for(code)


@pytest.mark.parametrize("code", ["1 / 0", "{}['a']", "int('a')", "assert 1 == 2", "'a' + 1"])
def test_of_what_says_it_all_by_itself_nothing_is_said(code):
    assert reason_for(code) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("'numpy.float64' object cannot be interpreted as an integer", "whole number is needed"),
        ("list indices must be integers or slices, not numpy.float64", "whole number is needed"),
        ("zeros(): argument 'size' must be tuple of ints, not float", "whole number is needed"),
        ("empty() argument 1 must be int, but found float", "whole number is needed"),
        ("only length-1 arrays can be converted to Python scalars", "The functions of `math`"),
        ("only size-1 arrays can be converted to Python scalars", "The functions of `math`"),
        ("only one element tensors can be converted to Python scalars", "or their sum?"),
        ("operands could not be broadcast together with remapped shapes (2,) (3,)", "(2,) (3,)."),
        (
            "einsum(): subscript c has size 2 for operand 1 which does not broadcast with "
            "previously seen size 3",
            "`c` has the length 3 in one array and 2 in another.",
        ),
        (
            "too many values to unpack (expected 2, got 3)",
            "2 names stand on the left of the `=`, and 3 values on the right.",
        ),
        ("unsupported operand type(s) for *: 'float' and 'NoneType'", "ends without `return`"),
        ("an integer is required, not NoneType", "ends without `return`"),
        ("'numpy.float32' object is not subscriptable", "This is a single number"),
        *(
            (f"\"mean\" not implemented for '{kind}'", "with floats only")
            for kind in ("Long", "Int", "Short", "Byte", "Char", "Bool")
        ),
        ("argument 'weight' must be Tensor, not ndarray", "this is a NumPy array"),
        ("conv2d() received an invalid combination of arguments - got (ndarray)", "NumPy array"),
        ("some of the strides of a given numpy array are negative", "with .copy()"),
        ("negative strides are not supported", "with .copy()"),
        ("expected m1 and m2 to have the same dtype, but got: float != double", "float and the"),
    ],
)
def test_other_versions_say_the_same_in_other_words(text, says):
    assert says in reason(RuntimeError(text))


@pytest.mark.parametrize(
    "text",
    [
        "Input type (torch.cuda.HalfTensor) and weight type (torch.HalfTensor) should be the same",
        "\"mean\" not implemented for 'Half'",
        "'str' object is not callable",
        "'str' object is not iterable",
    ],
)
def test_what_only_resembles_a_known_error_is_not_explained(text):
    assert reason(RuntimeError(text)) is None


@pytest.mark.parametrize("name", ["np", "torch", "nn", "F", "math"])
def test_a_module_that_was_not_imported_is_told(name):
    error = NameError(f"name '{name}' is not defined", name=name)
    said = f"There is no `{name}` here. A module has to be imported first."
    assert reason(error) == said
    assert reason(NameError(f"name '{name}' is not defined")) == said
    assert reason(NameError("no name")) is None


def test_what_an_array_has_not_and_nothing_resembles_is_not_explained():
    assert reason_for("image.qqqqqq") is None
    assert "Did you mean" not in (reason_for("image._shape") or "")
