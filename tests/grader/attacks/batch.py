"""All attacks in two processes side by side, with honest submissions in between."""

import concurrent.futures
import multiprocessing
import time

from grader.judging import judge
from grader.judging.job import Retry
from grader.sandbox.client import Server
from tests.grader.attacks import in_the_kernel, on_format, on_resources, on_the_sandbox, trial
from tests.grader.attacks.trial import Case

GROUPS = {
    "format": on_format.CASES,
    "kernel": in_the_kernel.CASES,
    "sandbox": on_the_sandbox.CASES,
    "resources": on_resources.CASES,
}
CASES = {f"{group}: {case.name}": case for group in GROUPS for case in GROUPS[group]}
HONEST = "honest"
WORKERS = 2
ONE_IN = 10

_servers = {}


def run(names, places):
    """Run these cases, and an honest submission after every few.

    Parameters
    ----------
    names : list of str
        Of `CASES`.
    places : dict
        See `trial.PLACES`.

    Returns
    -------
    (dict of str to list of str, list of dict)
        What is not as it must be, by case; the results of the honest submissions.
    """
    waiting = []
    for number, name in enumerate(names):
        if number % ONE_IN == 0:
            waiting.append(HONEST)
        waiting.append(name)
    waiting.append(HONEST)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        WORKERS, context, initializer=begin, initargs=(places,)
    ) as pool:
        found, honest = {}, []
        for name, (problems, result) in zip(waiting, pool.map(grade, waiting), strict=True):
            if name == HONEST:
                honest.append(result)
            else:
                found[name] = problems
    return found, honest


def begin(places):
    """Prepare a worker."""
    trial.PLACES.update(places)
    judge.SECONDS_ON_TOP = 0.5


def server(torch):
    """The worker's server, made when it is first needed."""
    if torch not in _servers:
        _servers[torch] = Server() if torch else trial.light_server()
        # The processes that belong to the server itself.
        _servers[torch].own = trial.processes_of(_servers[torch].process.pid)
    return _servers[torch]


def grade(name):
    """(what is not as it must be, what of the result does not vary) for one case."""
    case = Case(HONEST) if name == HONEST else CASES[name]
    mine = server(case.torch)
    start = time.monotonic()
    try:
        results = trial.execute(case, mine)
    except Retry as error:
        _servers.clear()
        return [f"the server was lost: {error}"], None
    problems = trial.problems(case, results, time.monotonic() - start)
    return problems + left_by(mine), trial.lasting(results[0])


def left_by(mine):
    """The processes that a submission has left in a server, as a list of sentences."""
    deadline = time.monotonic() + 3
    while left := trial.processes_of(mine.process.pid) - mine.own:
        if time.monotonic() > deadline:
            return [f"it leaves {len(left)} processes"]
        time.sleep(0.02)
    return []
