"""Texts that come from students, made so that they can be written and shown."""


def writable(text: str) -> str:
    """Text without lone surrogates, which no file, database or terminal takes: each becomes "?".

    JSON and names of files can hold them.
    """
    return text.encode("utf-8", "replace").decode()
