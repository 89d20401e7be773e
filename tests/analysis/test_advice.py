from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from mscam_tf.analysis.advice import write_advice
from tests.analysis.fakes import make_confusion, make_overlap

HIGH, LOW = [0.5, 0.7, 0.6, 0.55, 0.65], [0.1, 0.3, 0.2, 0.15, 0.25]


@pytest.mark.parametrize(
    ("wrong", "right", "like", "words"),
    [
        (HIGH, LOW, LOW, "claim the same region"),
        (HIGH, LOW, [], "claim the same region"),
        (HIGH, LOW, HIGH, "lie as on any image of `b`"),
        (LOW, HIGH, HIGH, "further apart than usual"),
        ([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5], LOW, "no clear difference"),
        (HIGH[:4], LOW, LOW, "too few to judge"),
    ],
)
def test_the_advice_follows_the_figures(wrong, right, like, words):
    text = write_advice(20, [make_confusion(wrong, right, like)])
    assert f"{len(wrong)} of 20 images are wrong" in text
    assert words in text
    assert "## `a` taken for `b`" in text


def test_many_pairs_need_more_evidence():
    """One of ten pairs with p = 0.016 is what chance gives."""
    close = make_confusion([0.3, 0.32, 0.34, 0.36, 0.18], [0.1, 0.12, 0.14, 0.16, 0.19])
    assert close.p_value == pytest.approx(4 / 252)
    assert "claim the same region" in write_advice(20, [close])
    nothing = make_confusion([0.1, 0.5, 0.3, 0.2, 0.4], [0.2, 0.4, 0.3, 0.1, 0.5])
    assert "claim the same region" not in write_advice(20, [close] + 9 * [nothing])


def test_what_to_label_next_is_listed():
    text = write_advice(3, [], [make_overlap("x.png", "", np.array([0.5, 0.3, 0.2]))])
    assert "1. `x.png`: `a` or `b` (margin 0.20)" in text


ODD = [
    *("$x$", "[b](c)", "<script>", "**a**_b_", "`tick`", "``", "a|b", "# a", "- a", "&lt;", "\\"),
    *(" a ", "뼈", "=cmd", "{epoch}", "two\nlines", "a" * 255),
]


def list_code(text):
    """Return the spans of code of a Markdown text, and what else is in it but plain words."""
    spans, others = [], set()
    for token in MarkdownIt().parse(text):
        for part in token.children or []:
            spans += [part.content] if part.type == "code_inline" else []
            others |= {part.type} - {"code_inline", "text", "softbreak"}
    return spans, others


@pytest.mark.parametrize("name", ODD)
def rename(images, name):
    path = Path(f"x/{name}.png")
    return [replace(image, path=path, class_names=[name, "b", "c"]) for image in images]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_as_they_are(name):
    found, shown = make_confusion(HIGH, LOW, LOW), name.replace("\n", r"\n")
    parts = {part: rename(getattr(found, part), name) for part in ("images", "right", "like")}
    found = replace(found, true=name, stacks=[found.mean] * 2, **parts)
    ranked = rename([make_overlap("", "", np.array([0.5, 0.3, 0.2]))], name)
    spans, others = list_code(write_advice(20, [found], ranked))
    assert others == set()
    assert set(spans) == {shown, "b", f"x/{shown}.png"}
