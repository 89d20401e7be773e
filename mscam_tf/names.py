"""Names of files and classes are data: they are shown, and never obeyed."""


def clean(text: str) -> str:
    r"""Show what cannot be printed as an escape.

    Examples:
        >>> print(clean("red \x1b[31m, bell \x07"))
        red \x1b[31m, bell \x07
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
