"""Odd names, for what must hold for any: quotes, commas, spaces, Hangul, a leading `=`."""

from pathlib import PurePosixPath

from hypothesis import strategies as st

from mscam_tf.names import has_control


def is_like_rows(text):
    """Lines with commas in a cell are taken for rows that a stray quotation mark has joined."""
    return "\n" in text and "," in text


LETTERS = st.sampled_from([*"ab1.,;='\"|[]{}$%\\ \t\n", "뼈", "é", "\u3000"])
WORDS = st.text(LETTERS, min_size=1, max_size=6)
LABELS = WORDS.filter(
    lambda word: word == word.strip() and word != "none" and not has_control(word)
)
FOLDERS = WORDS.filter(lambda word: not word.startswith("."))  # Those are hidden.
FILES = FOLDERS.map(lambda word: f"{word}.png")
PATHS = st.builds(
    lambda folders, file: PurePosixPath(*folders, file).as_posix(),
    st.lists(FOLDERS, max_size=2),
    FILES,
).filter(lambda path: not is_like_rows(path))
