"""The `course` command: setting up, opening the lessons, checking, updating."""
