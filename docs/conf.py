import inspect
import re
from importlib.metadata import version as get_version
from typing import Any

from sphinx.util.inspect import stringify_signature

project = "mscam-tf"
author = "mscam-tf contributors"
project_copyright = author
release = version = get_version("mscam-tf")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "jupyter_execute", "**.ipynb_checkpoints"]
default_role = "code"  # Docstrings are Markdown: single backticks are code.

html_theme = "furo"
html_title = f"mscam-tf {release}"

myst_heading_anchors = 3

# The notebooks are stored without outputs; one that raises fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_inherit_docstrings = False  # Those of Keras are long and in its own markup.
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
napoleon_custom_sections = ["Input shape", "Output shape"]
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True

_LINK = re.compile(r"(?<!`)\[([^\[\]`]+)\]\((https?://[^()\s]+)\)")
_ROW = re.compile(r"\s*\|.*\|\s*$")


def setup(app: Any) -> None:
    """Convert docstrings before napoleon (priority 500) reads them."""
    app.connect("autodoc-process-docstring", _convert_docstring, priority=400)
    app.connect("autodoc-process-signature", _show_init)


def _show_init(*event: Any) -> tuple[str, None] | None:
    """Show the arguments of `__init__` where the `__new__` of Keras hides them."""
    what, layer, shown = event[1], event[3], event[5]
    if what != "class" or shown != "(*args, **kwargs)":
        return None
    signature = inspect.signature(layer.__init__)
    parameters = list(signature.parameters.values())[1:]
    signature = signature.replace(parameters=parameters, return_annotation=signature.empty)
    return stringify_signature(signature), None


def _convert_docstring(*event: Any) -> None:
    """Turn the Markdown of a docstring that is not reStructuredText too into the latter."""
    what, lines = event[1], event[-1]
    converted: list[str] = []
    table: list[str] = []
    for line in [*lines, ""]:
        if _ROW.match(line):
            table.append(line)
            continue
        converted += _convert_table(table)
        table = []
        converted.append(_LINK.sub(r"`\1 <\2>`__", line))
    lines[:] = [
        _empty_type(line) if _may_have_type(what, before) else line
        for before, line in zip([None, *converted], converted, strict=False)
    ]


def _may_have_type(what: str, before: str | None) -> bool:
    """Whether napoleon would take the words before a colon in the line after this for a type."""
    return what in ("attribute", "property") if before is None else before.strip() == "Returns:"


def _empty_type(line: str) -> str:
    return re.sub(r"^(\s*)(?=\S)", r"\1: ", line)


def _convert_table(rows: list[str]) -> list[str]:
    """Turn the lines of a Markdown table into a `list-table`, indented like its first line."""
    if not rows:
        return []
    indent = rows[0][: len(rows[0]) - len(rows[0].lstrip())]
    cells = [[cell.strip() for cell in row.strip()[1:-1].split("|")] for row in rows]
    head, _, *body = cells
    out = [f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for row in [head, *body]:
        out += [f"{indent}   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return [*out, ""]
