"""Names that moved: they work for one release more, with a warning that names the new place."""

import functools
import importlib
import importlib.util
import warnings
from collections.abc import Callable
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Modules of version 0.1.0, and the folders that have their names since 0.2.0. Where a folder has
# the name of the old module, as `metrics` or `training`, it needs no entry.
MOVED_IN_0_2 = {
    "mscam_tf.backbones": "mscam_tf.models",
    "mscam_tf.callbacks": "mscam_tf.training",
    "mscam_tf.cam": "mscam_tf.models",
    "mscam_tf.config": "mscam_tf.runs",
    "mscam_tf.data.boxes": "mscam_tf.data.manifests",
    "mscam_tf.data.builders": "mscam_tf.datasets",
    "mscam_tf.data.checks": "mscam_tf.data.checking",
    "mscam_tf.data.duplicates": "mscam_tf.data.checking",
    "mscam_tf.data.findings": "mscam_tf.data.manifests",
    "mscam_tf.data.frames": "mscam_tf.data.tiling",
    "mscam_tf.data.images": "mscam_tf.data.reading",
    "mscam_tf.data.labels": "mscam_tf.data.labelling",
    "mscam_tf.data.manifest": "mscam_tf.data.manifests",
    "mscam_tf.data.patches": "mscam_tf.data.tiling",
    "mscam_tf.data.simulation": "mscam_tf.simulation",
    "mscam_tf.data.sizes": "mscam_tf.data.labelling",
    "mscam_tf.data.sources": "mscam_tf.datasets",
    "mscam_tf.data.splits": "mscam_tf.data.manifests",
    "mscam_tf.data.windows": "mscam_tf.data.reading",
    "mscam_tf.failures": "mscam_tf.analysis",
    "mscam_tf.failures.analysis": "mscam_tf.analysis",
    "mscam_tf.failures.confusions": "mscam_tf.analysis",
    "mscam_tf.failures.report": "mscam_tf.analysis",
    "mscam_tf.fitting": "mscam_tf.training",
    "mscam_tf.flips": "mscam_tf.models",
    "mscam_tf.gallery": "mscam_tf.explanation",
    "mscam_tf.heads": "mscam_tf.models",
    "mscam_tf.layers": "mscam_tf.models",
    "mscam_tf.norms": "mscam_tf.fused_norms",
    "mscam_tf.overlap": "mscam_tf.metrics",
    "mscam_tf.pooling": "mscam_tf.models",
    "mscam_tf.pretrained": "mscam_tf.models",
    "mscam_tf.transfer": "mscam_tf.models",
} | {
    f"mscam_tf.data.{folder}.{module}": f"mscam_tf.{new}"
    for folder, new, modules in (
        ("builders", "datasets", "export gdxray_fishbones gdxray_welds simulated_bones"),
        ("simulation", "simulation", "carriers dataset findings radiograph scenes stream"),
    )
    for module in modules.split()
}


def warn_moved(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that a name goes with the next release, and name what takes its place.

    Args:
        old: The name that was used.
        new: The name to use.
        stacklevel: Whose line the warning shows: by default, that of the caller's caller.

    Examples:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_moved("mscam_tf.old_name", "mscam_tf.new_name")
        >>> print(caught[0].message)
        `mscam_tf.old_name` is now `mscam_tf.new_name`. The old name will be removed in the next
        release.
    """
    message = f"`{old}` is now `{new}`. The old name will be removed in the next release."
    warnings.warn(message, DeprecationWarning, stacklevel)


def rename_argument(old: str, new: str) -> Callable[[_Function], _Function]:
    """Let a function take an argument by its old name too, with a warning.

    Args:
        old: The old name.
        new: The name that the function has for it.

    Returns:
        A decorator.

    Examples:
        >>> import warnings
        >>> @rename_argument("colour", "color")
        ... def paint(color):
        ...     return color
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     paint(colour="red")
        'red'
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"`{old}` is the old name of `{new}`: give only `{new}`.")
                warn_moved(old, new)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


class MovedFinder(Loader):
    """Makes the modules of the table: each has the names of the folder that took its place."""

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Say how to load an old module."""
        if name not in MOVED_IN_0_2:
            return None
        package = any(other.startswith(f"{name}.") for other in MOVED_IN_0_2)
        return importlib.util.spec_from_loader(name, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Warn, and look names up in the new folder from then on."""
        new = MOVED_IN_0_2[module.__name__]
        warn_moved(module.__name__, new)
        folder = importlib.import_module(new)
        module.__getattr__ = functools.partial(getattr, folder)  # type: ignore[method-assign]
