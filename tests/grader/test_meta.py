"""The shorter ways of operators on the device "meta": they give what PyTorch gives there."""

import itertools

import pytest
import torch

from grader.sandbox.inside import meta

OPERATORS = {
    "relu": torch.nn.functional.relu,
    "pow": lambda x: x**0.75,
    "pow with a whole number": lambda x: x**2,
    "empty_like": torch.empty_like,
    "empty_like on another device": lambda x: torch.empty_like(x, device="cpu"),
    "empty_like of another type": lambda x: torch.empty_like(x, dtype=torch.int32),
    "empty_like in another order": lambda x: torch.empty_like(
        x, memory_format=torch.contiguous_format
    ),
    "uniform_": lambda x: x.detach().uniform_(-1, 2),
    "response": lambda x: torch.nn.functional.local_response_norm(x, 5),
}
OPERATORS_OF_TWO = {
    "mul": torch.mul,
    "add": torch.add,
    "add twice": lambda x, y: torch.add(x, y, alpha=2),
    "div": torch.div,
}
NUMBERS = (2, 0.5, True, 2j)


def kinds():
    x = torch.empty(2, 3, 5, 7, device="meta")
    return {
        "in order": x,
        "permuted": x.permute(0, 2, 3, 1),
        "channels last": x.to(memory_format=torch.channels_last),
        "a part": x[:, ::2],
        "to be learned": x.double().requires_grad_(),
        "learned": torch.nn.Parameter(x),
        "half": x.half(),
        "a number": x.half()[0, 0, 0, 0],
        "a double number": x.double()[0, 0, 0, 0],
        "a number in the other memory": torch.tensor(2.0, dtype=torch.float64),
        "numbers in the other memory": torch.zeros(2, 3, 5, 7),
        "one row": x[:1, :1, :1],
        "none": x[:0],
        "whole": x.long(),
        "truth": x.bool(),
        "complex": x.to(torch.complex64),
        "a complex number": x.to(torch.complex64)[0, 0, 0, 0],
    }


def fact(operator, *args):
    """What there is to know of a result without numbers, or the type of the error."""
    try:
        y = operator(*args)
    except Exception as error:
        return type(error)
    return y.shape, y.stride(), y.dtype, y.device, y.requires_grad, type(y)


def facts():
    things = kinds()
    found = {
        (name, kind): fact(operator, things[kind])
        for name, operator in OPERATORS.items()
        for kind in things
    }
    for name, operator in OPERATORS_OF_TWO.items():
        for one, two in itertools.product(things, repeat=2):
            found[name, one, two] = fact(operator, things[one], things[two])
        for one, number in itertools.product(things, NUMBERS):
            found[name, one, number] = fact(operator, things[one], number)
            found[name, number, one] = fact(lambda x, n, by=operator: by(n * x, x), things[one], 1)
    return found


@pytest.fixture
def lightened():
    libraries = []
    yield lambda: libraries.append(meta.lighten(torch))
    for library in libraries:
        library._destroy()


def test_results_are_those_of_torch(lightened):
    before = facts()
    lightened()
    after = facts()
    assert {key: (before[key], after[key]) for key in before if before[key] != after[key]} == {}
    assert sum(not isinstance(value, type) for value in before.values()) > 0.5 * len(before)


@pytest.mark.parametrize("name", ["relu", "pow", "empty_like", "uniform_", "mul", "add", "div"])
def test_the_usual_case_is_answered_at_once(lightened, monkeypatch, name):
    def never(operators):
        return dict.fromkeys(operators)

    monkeypatch.setattr(torch._decomp, "get_decompositions", never)
    lightened()
    x = torch.empty(2, 3, device="meta")
    made = fact(OPERATORS[name], x) if name in OPERATORS else fact(OPERATORS_OF_TWO[name], x, x)
    assert made[0] == x.shape


def test_gradients_go_through(lightened):
    lightened()
    x = torch.empty(1, 6, 4, 4, device="meta", requires_grad=True)
    (gradient,) = torch.autograd.grad((torch.relu(x) ** 2 * x / 3 + x).sum(), x)
    assert gradient.shape == x.shape
