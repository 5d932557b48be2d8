"""Bring the catalogues of the translations up to date: `course translate`."""
