import inspect
import subprocess
import sys
from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mscam_tf import ReadOptions, TrainConfig
from mscam_tf.cli import app
from mscam_tf.cli.options import add_options, make_settings, pick
from mscam_tf.pretraining import PretrainConfig
from mscam_tf.simulation import SimulationConfig


@dataclass(frozen=True)
class Example:
    """An example.

    Attributes:
        epochs: Number of epochs, not more than the
            `patience`.
        patience: Number of epochs to wait.
        model: Which of `multiscale` and `epochs`.
        balance: Weigh.
        xla: Compile.
        taps: Layers.
        window: Two numbers.
        page: The page.
        learning_rate: The rate.
        image_size: The size.
    """

    epochs: int = 20
    patience: int = 10
    model: str = "multiscale"
    balance: bool = True
    xla: bool = False
    taps: tuple[str, ...] | None = None
    window: tuple[float, float] | None = None
    page: int | None = None
    learning_rate: float = 0.5
    image_size: tuple[int, int] | None = None


def run(*args, settings=Example, only=None, **changes):
    """Return the settings that a command gets, or what it prints if it fails."""
    application, got = typer.Typer(rich_markup_mode="markdown"), {}

    @application.command()
    @add_options(settings, only, **changes)
    def command(data: str, out: Annotated[str, typer.Option()] = "x", **settings):
        got.update(settings)
        assert (data, out) == ("DATA", "x")

    result = CliRunner().invoke(application, ["DATA", *args], env={"COLUMNS": "200"})
    return (
        got if result.exit_code == 0 and got else " ".join(result.output.replace("│", "").split())
    )


def test_defaults_are_those_of_the_class_or_of_an_instance():
    assert make_settings(Example, run()) == Example()
    other = Example(epochs=3, window=(1, 2), image_size=(64, 32), balance=False)
    assert make_settings(Example, run(settings=other)) == other


def test_values_have_the_types_of_the_fields():
    options = "--epochs 3 --model single --no-balance --xla --taps a,b --window 0 2.5 --page 0"
    got = run(*options.split(), "--learning-rate", "1e-3", "--image-size", "96x64")
    assert make_settings(Example, got) == Example(
        epochs=3,
        model="single",
        balance=False,
        xla=True,
        taps=("a", "b"),
        window=(0.0, 2.5),
        page=0,
        learning_rate=1e-3,
        image_size=(96, 64),
    )


def test_help_comes_from_the_docstring_and_the_table():
    text = run("--help")
    assert "Number of epochs, not more than the --patience." in text
    assert "Which of multiscale and --epochs." in text
    assert "multiscale|single" in text
    assert "x>=1" in text
    assert "[default: 20]" in text
    assert "--no-balance" in text
    assert "--no-xla" not in text
    assert "LOW HIGH" in text


def test_ranges_are_checked_by_the_command():
    for wrong in ("0", "many", "2.5"):
        assert "Invalid value for '--epochs'" in run("--epochs", wrong)


def test_only_some_settings_and_changes():
    got = run("--rounds", "4", only=("epochs", "page"), epochs={"name": "--rounds"})
    assert got == {"epochs": 4, "page": None}
    got = run(only=["epochs"], epochs={"default": None, "help": "By default all."})
    assert got == {"epochs": None}
    got = run("--page", "1", "--page", "2", only=["page"], page={"type": list[int]})
    assert pick(got, ["page"]) == {"page": (1, 2)}


@pytest.mark.parametrize(
    ("command", "configs"),
    [
        ("train", (TrainConfig, ReadOptions)),
        ("pretrain", (PretrainConfig,)),
        ("simulate", (SimulationConfig,)),
    ],
)
def test_every_setting_has_an_option(command, configs):
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    for config in configs:
        for field in fields(config):
            if field.name != "read":
                assert f"--{field.name.replace('_', '-')} " in result.output


@pytest.mark.parametrize("command", ["", "train", "pretrain", "simulate", "reproduce", "tile"])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom mscam_tf.cli import app\n"
        f"assert CliRunner().invoke(app, {[*filter(None, [command]), '--help']}).exit_code == 0\n"
        "heavy = ('keras', 'tensorflow', 'matplotlib', 'numpy', 'scipy', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_required_arguments_come_first_and_own_options_last():
    @add_options(ReadOptions)
    def command(data: str, overwrite: bool = False, **settings):
        pass

    names = list(inspect.signature(command).parameters)
    assert names == ["data", "window", "invert", "page", "max_pixels", "overwrite"]
