"""What runs inside the sandbox: a server that forks a child for each submission.

This folder alone, and not the rest of `grader`, is visible there. Everything a child sends
is untrusted: `wire` and `values` only ever make JSON, arrays of numbers and text of it.
"""
