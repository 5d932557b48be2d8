"""What moves on a page: step through a convolution or a pooling, try a filter, draw a digit.

A piece is HTML with its script, style and numbers inside: it needs no running kernel and no
connection. Where scripts do not run (an untrusted notebook, a code host), tables stay readable.
"""
