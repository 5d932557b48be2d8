"""Imported last by the process that workers are forked from: its forks are cheap, and share it."""

from grader.judging.job import prepare_to_fork

prepare_to_fork()
