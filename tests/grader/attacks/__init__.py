"""Attacks on the grader: answers of dishonest or careless students, and what comes of them.

Each module holds the cases of one kind. All of them run in `tests/grader/test_attacks.py`;
none does harm when it gets through: it says so, and goes no further.
"""
