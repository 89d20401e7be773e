"""The rules of the house, read off its sources: doors, names, mirrors and sizes."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mscam_tf"
FOLDERS = {path.parent for path in PACKAGE.rglob("__init__.py")}
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))
LONGEST = 250
# Do not add to these: part the module instead.


def list_sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def name(path):
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def find(tree, kind):
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def is_private(word):
    return re.fullmatch(r"_[^_]\w*", word) is not None


def list_public(stub):
    """Return the public names of a door, each with the place that it comes from."""
    nodes = find(parse(stub), ast.ImportFrom)
    return {alias.name: node.module for node in nodes for alias in node.names}


def list_defined(path):
    """Return the names that a module defines, or a door offers."""
    if path.is_dir():
        return set(list_public(path / "__init__.pyi"))
    names = set()
    for node in parse(path.with_suffix(".py")).body:
        names |= {node.name} if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else set()
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        names |= {one.id for target in targets if target for one in find(target, ast.Name)}
    return names


def find_room(words):
    """Return the innermost folder on the way to a module, and what follows it."""
    count = max(n for n in range(len(words) + 1) if PACKAGE.joinpath(*words[:n]) in FOLDERS)
    return PACKAGE.joinpath(*words[:count]), words[count:]


def goes_past_a_door(dotted, names, own=None):
    """Whether `from dotted import names` reaches into a folder that is not the importer's own."""
    words = dotted.split(".")[1:]
    room, rest = find_room(words)
    if room in (PACKAGE, own):
        return False
    modules = {path.stem for path in room.glob("*.py")}
    return bool(rest) or any(one in modules for one in names)


def list_imports(path):
    """Return the imports from the package, as pairs of a module and the names taken from it."""
    found = [(node.module or "", [a.name for a in node.names]) for node in find_froms(path)]
    found += [(a.name, []) for node in find(parse(path), ast.Import) for a in node.names]
    return [(module, names) for module, names in found if module.split(".")[0] == "mscam_tf"]


def find_froms(path):
    return [node for node in find(parse(path), ast.ImportFrom) if node.level == 0]


def list_trespasses(path, own=None):
    imports = list_imports(path)
    return [f"{name(path)}: {m} {n}" for m, n in imports if goes_past_a_door(m, n, own)]


def test_other_folders_are_entered_by_their_door():
    wrong = [x for path in list_sources("mscam_tf") for x in list_trespasses(path, path.parent)]
    for folder in ("benchmarks", "docs", "examples"):
        wrong += [x for path in list_sources(folder) for x in list_trespasses(path)]
    assert wrong == []


def list_prose():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.rst")]
    for path in pages:
        yield path, path.read_text(encoding="utf-8")
    for path in (ROOT / "examples").rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path, "\n".join("".join(cell["source"]) for cell in cells)


def test_pages_and_notebooks_name_what_stands_at_a_door():
    wrong = []
    for path, text in list_prose():
        for dotted in re.findall(r"\bmscam_tf(?:\.[A-Za-z_]\w*)+(?!\w*[./]\w)", text):
            room, rest = find_room(dotted.split(".")[1:])
            hidden = rest and rest[0] in {module.stem for module in room.glob("*.py")}
            if hidden and room != PACKAGE:
                wrong.append(f"{name(path)}: {dotted}")
    assert wrong == []


@pytest.mark.parametrize("stub", STUBS, ids=name)
def test_a_door_offers_what_is_there(stub):
    for public, place in list_public(stub).items():
        assert public in list_defined(stub.parent.joinpath(*place.split("."))), public


@pytest.mark.parametrize("stub", STUBS, ids=name)
def test_no_module_has_the_name_of_a_public_one(stub):
    """The door would give the module in its place."""
    modules = {path.stem for path in stub.parent.iterdir() if path.suffix in ("", ".py")}
    assert modules & set(list_public(stub)) == set()


def list_private(path):
    """Return the private names that a test takes, patches or looks at."""
    tree = parse(path)
    for node in find(tree, ast.ImportFrom):
        yield from (alias.name for alias in node.names if is_private(alias.name))
    for node in find(tree, ast.Attribute):
        if is_private(node.attr) and getattr(node.value, "id", "") not in ("self", "cls"):
            yield node.attr
    for node in find(tree, ast.Call):
        function = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if function in ("setattr", "delattr", "getattr", "patch", "object"):
            texts = [word.value for word in node.args if isinstance(word, ast.Constant)]
            yield from (t for t in texts if any(map(is_private, str(t).split("."))))


def test_tests_use_public_names_only():
    wrong = [
        f"{name(path)}: {word}" for path in list_sources("tests") for word in list_private(path)
    ]
    assert wrong == []


def test_tests_mirror_modules():
    """`tests/a/test_b.py` tests `mscam_tf/a/b.py`, and `test_package.py` a folder's door."""
    about_all = {f"tests/test_{what}.py" for what in ("docs", "house", "results", "saved")}
    lone = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        module = path.stem.removeprefix("test_").replace("package", "__init__")
        mirrored = PACKAGE / path.relative_to(ROOT / "tests").with_name(f"{module}.py")
        if name(path) not in about_all and not mirrored.exists():
            lone.append(name(path))
    assert lone == []


def test_modules_are_short():
    paths = [*list_sources("mscam_tf"), *list_sources("benchmarks")]
    counts = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path for path, count in counts.items() if count > LONGEST} == set()
