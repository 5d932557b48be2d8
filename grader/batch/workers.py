"""Processes on this machine that execute jobs.

Each imports this module and what it needs, so it imports little.
"""

import concurrent.futures
import multiprocessing
import multiprocessing.util
import os
import signal
import sys

from grader.judging import job
from grader.sandbox.inside import jail


def local_executor(workers, server):
    """Processes for `job.execute`.

    Parameters
    ----------
    workers : int
    server : Server
        The one that all of them use; it may still be starting.

    Returns
    -------
    concurrent.futures.Executor
    """
    return concurrent.futures.ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=begin,
        initargs=(os.getpid(), server.control, server.modules, server.folder is None),
    )


def begin(coordinator, control, modules, locked):
    """Let this worker use a server, and end when the coordinator does, in whatever way it ends."""
    jail.die_with_parent()
    if os.getppid() != coordinator:  # it has ended already
        os._exit(1)
    # Ctrl-C reaches the workers, too: they end, instead of going on with what is queued.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job.share(control, modules, locked)
    multiprocessing.util.Finalize(None, leave, exitpriority=-1000)  # after all others


def leave():
    """End at once: to take apart what torch has imported takes half a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
