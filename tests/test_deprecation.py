import importlib
import sys

import pytest

import mscam_tf
from mscam_tf.deprecation import MOVED_IN_0_2, rename_argument, warn_moved

# What the reference of version 0.1.0 documented below `mscam_tf` itself.
DOCUMENTED_IN_0_1 = [
    "mscam_tf.data.builders.GdxrayFishbones",
    "mscam_tf.data.builders.GdxrayWelds",
    "mscam_tf.data.builders.GdxrayWeldsConfig",
    "mscam_tf.data.builders.MscamSimulatedBones",
    "mscam_tf.data.builders.SimulatedBonesConfig",
    "mscam_tf.data.builders.export_dataset",
    "mscam_tf.data.builders.prepare_dataset",
    "mscam_tf.data.duplicates.find_duplicates",
    "mscam_tf.data.duplicates.take_fingerprint",
    "mscam_tf.data.findings.encode_findings",
    "mscam_tf.data.findings.list_findings",
    "mscam_tf.data.simulation.FindingsImage",
    "mscam_tf.data.simulation.Plan",
    "mscam_tf.data.simulation.Radiograph",
    "mscam_tf.data.simulation.SimulationConfig",
    "mscam_tf.data.simulation.scenes.Scene",
    "mscam_tf.data.simulation.scenes.simulate_scene",
    "mscam_tf.data.simulation.simulate_findings",
    "mscam_tf.data.simulation.simulate_frame",
    "mscam_tf.data.simulation.simulate_radiograph",
    "mscam_tf.data.simulation.write_findings",
    "mscam_tf.data.simulation.write_radiographs",
    "mscam_tf.data.sizes.measure_boxes",
    "mscam_tf.data.sizes.measure_mask",
    "mscam_tf.data.sources.resolve_source",
    "mscam_tf.experiments.reproduction.ReproductionConfig",
    "mscam_tf.experiments.reproduction.reproduce",
    "mscam_tf.experiments.trials.Trial",
    "mscam_tf.explanation.describe_logit",
    "mscam_tf.failures.analysis.measure_range",
    "mscam_tf.failures.analysis.stack_evidence",
    "mscam_tf.layers.RelevanceCombine",
    "mscam_tf.overlap.center_maps",
    "mscam_tf.pretrained.read_pretrained",
    "mscam_tf.pretrained.write_pretrained",
    "mscam_tf.pretraining.PretrainConfig",
    "mscam_tf.pretraining.pretrain",
]


@pytest.fixture(autouse=True)
def _import_anew():
    """Forget the old modules, which warn when they are imported first."""
    forget()
    yield
    forget()


def forget():
    for name in MOVED_IN_0_2:
        sys.modules.pop(name, None)
        parent, _, last = name.rpartition(".")
        vars(sys.modules.get(parent, mscam_tf)).pop(last, None)


@pytest.mark.filterwarnings("ignore:`mscam_tf:DeprecationWarning")
@pytest.mark.parametrize("name", DOCUMENTED_IN_0_1)
def test_names_of_the_last_release_are_still_there(name):
    module, _, last = name.rpartition(".")
    assert getattr(importlib.import_module(module), last).__doc__


@pytest.mark.parametrize("old", MOVED_IN_0_2)
def test_every_old_module_imports_and_names_the_new_one(old):
    new = MOVED_IN_0_2[old]
    parent = old.rpartition(".")[0]
    with pytest.warns(DeprecationWarning, match="is now") as caught:
        module = importlib.import_module(old)
    assert f"`{old}` is now `{new}`" in str(caught[-1].message)
    assert len(caught) == 1 + (parent in MOVED_IN_0_2)
    assert module.__getattr__("__name__") == new


def test_the_warning_shows_the_line_that_imports():
    with pytest.warns(DeprecationWarning, match="is now `mscam_tf.simulation`") as caught:
        from mscam_tf.data.simulation import SimulationConfig
    assert caught[0].filename == __file__
    assert SimulationConfig is importlib.import_module("mscam_tf.simulation").SimulationConfig


def test_an_old_module_is_an_attribute_of_the_package_too():
    with pytest.warns(DeprecationWarning, match="is now `mscam_tf.models`"):
        layer = mscam_tf.layers.RelevanceCombine
    assert layer is mscam_tf.RelevanceCombine


def test_what_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        importlib.import_module("mscam_tf.data.nothing")
    with pytest.raises(AttributeError, match="nothing"):
        mscam_tf.nothing  # noqa: B018
    with (
        pytest.warns(DeprecationWarning, match="is now"),
        pytest.raises(ImportError, match="nothing"),
    ):
        from mscam_tf.layers import nothing  # noqa: F401


def test_new_names_do_not_warn():
    for new in set(MOVED_IN_0_2.values()):
        importlib.import_module(new)


@rename_argument("colour", "color")
def paint(shape, color="black"):
    return shape, color


def test_an_old_argument_is_taken_with_a_warning():
    assert paint("disc", color="red") == ("disc", "red")
    assert paint("disc", "blue") == ("disc", "blue")
    with pytest.warns(DeprecationWarning, match="`colour` is now `color`") as caught:
        assert paint("disc", colour="red") == ("disc", "red")
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="old name of `color`"):
        paint("disc", color="red", colour="red")


def test_a_renamed_function_warns_where_it_is_called():
    def draw():
        warn_moved("draw", "paint")
        return paint("disc")

    with pytest.warns(DeprecationWarning, match="`draw` is now `paint`") as caught:
        assert draw() == ("disc", "black")
    assert caught[0].filename == __file__
