"""The command `mscam simulate`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mscam_tf.cli.console import explain_errors, make_progress, say
from mscam_tf.cli.options import add_options, make_settings
from mscam_tf.errors import MscamError
from mscam_tf.simulation import CardPlan, Plan, SimulationConfig

_GROUPS = 20  # In a whole fillet.


def _parse_balance(text: Any) -> Any:
    """Read `none=3,scale1=1`; what is no text stays as it is."""
    if not isinstance(text, str):
        return text
    try:
        pairs = [item.split("=") for item in text.split(",")]
        shares = {name.strip(): float(weight) for name, weight in pairs}
        if len(shares) < len(pairs):
            raise ValueError("a class is named twice")
        return shares
    except ValueError:
        raise typer.BadParameter(
            f"it looks like none=3,scale1=1, each class once. Received: {text!r}"
        ) from None


_OF_CARDS: dict[str, dict[str, Any]] = {
    "repeats": {"default": None, "show_default": False},
    "good_images": {"default": None, "show_default": False},
}


@add_options(
    Plan,
    num_images={"name": "--images"},
    labels={
        "metavar": "scale|binary|findings",
        "help": "How images are labelled: `scale` (none, scale1, scale2, scale3), `binary` (none, "
        "bone), or `findings`, any of bone, metal and void in one image, such as bone|void.",
    },
    balance={"metavar": "CLASS=SHARE,...", "parser": _parse_balance},
    frame_groups={
        "name": "--groups",
        "help": f"Number of groups of bones (rows, pieces of spine) in each frame, with --frames; "
        f"by default {_GROUPS}.",
    },
)
@add_options(CardPlan, only=("repeats", "good_images"), **_OF_CARDS)
@add_options(
    SimulationConfig,
    image_size={
        "default": None,
        "help": "Height and width of each image in pixels; by default 256 256, and 2048 4096 with "
        "--frames.",
    },
)
def simulate(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder to write; it must be empty or missing.",
            show_default=False,
        ),
    ],
    frames: Annotated[
        bool,
        typer.Option("--frames", help="Simulate whole fillets with many bones, not patches."),
    ] = False,
    test_pieces: Annotated[
        bool,
        typer.Option(
            "--test-pieces",
            help="Simulate balls and rods of steel, glass, stone and bone, in the sizes of test "
            "cards, one in each image; and good images.",
        ),
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Number of processes; by default one for each processor."),
    ] = None,
    **settings: Any,
) -> None:
    """Simulate radiographs of fish fillets, with the truth about every bone.

    X-rays pass through muscle, fat and bone (Beer-Lambert), and are blurred, counted and digitised.
    The class of an image is that of its bones by their projected diameter: 0.3 to 0.6 mm is
    scale1, 0.6 to 1.2 mm is scale2, and 1.2 to 3 mm, like all vertebrae, is scale3. A pixel has
    0.25 mm. The contrast of a bone does not depend on its diameter; only vertebrae have more.

    It writes a folder of PNG images for each class, `manifest.csv`, `masks/` (each pixel has the
    number of its bone), `boxes.csv` and `bones.csv`. With --labels findings it writes one folder
    of images, their manifest, and a mask for each finding; `mscam train DIR --several` takes them.

    With --test-pieces it writes one folder for each material and one of good images, and
    `objects.csv` with shape, sizes in mm and pixels, contrast and box of each piece. Give the
    --pixel-pitch of your system; `mscam pod` says which sizes a run finds.

    Example: `mscam simulate bones --images 371 --seed 0`, then `mscam train bones --out run`; or
    `mscam simulate pieces --test-pieces --pixel-pitch 0.1`
    """
    with explain_errors(tensorflow=False):
        _check_combination(settings, frames, test_pieces)
        processes = processes or os.cpu_count() or 1
        if test_pieces:
            _write(out, _plan_cards(settings), processes)
            return
        plan = _make_plan(settings, frames)
        _write(out, plan, processes, findings=settings["labels"] == "findings")


def _check_combination(settings: Mapping[str, Any], frames: bool, test_pieces: bool) -> None:
    """Refuse options that would have no effect."""
    given = [f"--{name.replace('_', '-')}" for name in _OF_CARDS if settings[name] is not None]
    if given and not test_pieces:
        raise MscamError(f"{given[0]} is for test pieces; add --test-pieces. Received: {given[0]}")
    if test_pieces and (frames or settings["labels"] != "scale" or settings["balance"]):
        raise MscamError(
            "With --test-pieces the labels are the materials, one piece in each image. "
            "Received: --frames, --labels or --balance"
        )
    balance = settings["balance"] is not None
    if settings["frame_groups"] is not None and not frames:
        raise MscamError("--groups is for whole frames; add --frames. Received: --groups")
    if balance and frames:
        raise MscamError("--balance is for patches; frames have no class. Received: --balance")
    if settings["labels"] == "findings" and (balance or frames):
        raise MscamError(
            "With --labels findings all combinations are equally frequent, in patches. "
            f"Received: {'--frames' if frames else '--balance'}"
        )


def _make_plan(settings: dict[str, Any], frames: bool) -> Plan:
    size = settings["image_size"] or ((2048, 4096) if frames else (256, 256))
    if frames and settings["frame_groups"] is None:
        settings = {**settings, "frame_groups": _GROUPS}
    if settings["labels"] == "findings":  # Which have a plan of their own.
        settings = {**settings, "labels": "scale"}
    config = make_settings(SimulationConfig, settings, image_size=size)
    return make_settings(Plan, settings, config=config)


def _plan_cards(settings: Mapping[str, Any]) -> CardPlan:
    given = {name: value for name, value in settings.items() if value is not None}
    config = make_settings(SimulationConfig, given)
    return make_settings(CardPlan, given, config=config)


def _write(out: Path, plan: Plan | CardPlan, processes: int, *, findings: bool = False) -> None:
    from mscam_tf.folders import write_whole_folder
    from mscam_tf.outputs import NEW_FOLDER, claim
    from mscam_tf.simulation import write_findings, write_radiographs, write_test_pieces

    claim(out, NEW_FOLDER)
    with make_progress() as progress:
        task = progress.add_task("simulating", total=plan.num_images)
        with write_whole_folder(out) as partial:
            options: dict[str, Any] = {
                "processes": processes,
                "on_progress": lambda count: progress.advance(task, count),
            }
            if isinstance(plan, CardPlan):
                write_test_pieces(partial, plan, **options)
            elif findings:
                write_findings(partial, plan.num_images, plan.config, plan.seed, **options)
            else:
                write_radiographs(partial, plan, **options)
    say(f"Wrote {plan.num_images} images to {out}")
