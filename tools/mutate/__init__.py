"""Seed faults into a copy of the course, one at a time, and see which the tests notice.

`course mutate` runs it. The operators are our own, on the trees of Python's parser: cosmic-ray
brings 28 packages for about as many, mutmut does not run on Windows, and neither knows notebooks,
prose, plots or banks, where most of the course's faults can hide.
"""
