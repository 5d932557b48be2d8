"""What moves on a page: a step-through, filters, networks to explore, to train and to draw for.

A piece is HTML with its script, style and numbers inside: it needs no running kernel and no
connection. Where scripts do not run (an untrusted notebook, a code host), tables stay readable.
"""
