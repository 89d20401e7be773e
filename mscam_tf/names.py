"""Names of files and classes are data: they are shown, and never obeyed."""

import re
import unicodedata
from pathlib import Path


def clean(text: str) -> str:
    r"""Show what cannot be printed as an escape.

    Examples:
        >>> print(clean("red \x1b[31m, bell \x07"))
        red \x1b[31m, bell \x07
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def has_control(text: str) -> bool:
    r"""Whether a text has line breaks, tabs or other control characters.

    Examples:
        >>> has_control("bone\n"), has_control("뼈, large"), has_control("\x1b[31m")
        (True, False, True)
    """
    return any(unicodedata.category(sign) == "Cc" for sign in text)


def show_place(path: str | Path) -> str:
    """Name a file or folder in a message: in full where it is written as `.`, `..` or nothing.

    Examples:
        >>> show_place("data/labels.csv"), show_place(".") == str(Path.cwd())
        ('data/labels.csv', True)
    """
    path = Path(path)
    return str(path.resolve() if path.name in ("", "..") else path)


def quote(text: str) -> str:
    r"""Show a name in Markdown as it is, whatever is in it: as a span of code.

    References:
        [CommonMark](https://spec.commonmark.org/0.31.2/#code-spans), section 6.1.

    Examples:
        >>> print(quote("a_b.png"), quote("<b>*x*|`y`"), quote("two\nlines"))
        `a_b.png` `` <b>*x*|`y` `` `two\nlines`
    """
    shown = clean(text).replace("\n", r"\n")
    marks = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    # One space at each end belongs to the marks, if there is one at both.
    space = " " if shown[:1] in "` " or shown[-1:] in "` " else ""
    return f"{marks}{space}{shown}{space}{marks}"
