"""The command `mscam simulate`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mscam_tf.cli.console import explain_errors, make_progress, say
from mscam_tf.errors import MscamError

if TYPE_CHECKING:
    from mscam_tf.simulation import Plan


def simulate(
    out: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where to write; must be free.", show_default=False),
    ],
    images: Annotated[int, typer.Option(min=1, help="How many.")] = 371,
    image_size: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="H W", help="Pixels; 256 256, or 2048 4096 for frames."),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="scale: none, scale1, scale2, scale3; binary: none, bone; findings: any of bone, "
            "metal and void in an image, such as bone|void."
        ),
    ] = "scale",
    balance: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS=WEIGHT,...",
            help="Shares, such as none=3,scale1=1; by default the classes are equally frequent.",
        ),
    ] = None,
    difficulty: Annotated[float, typer.Option(help="Divides the bones' contrast.")] = 1.0,
    hard_negatives: Annotated[
        float, typer.Option(help="Probability of each kind of thing that looks like a bone.")
    ] = 0.5,
    bit_depth: Annotated[int, typer.Option(min=8, max=16)] = 16,
    pixel_pitch: Annotated[float, typer.Option(help="mm a pixel.")] = 0.25,
    frames: Annotated[
        bool, typer.Option("--frames", help="Whole fillets with many bones, instead of patches.")
    ] = False,
    groups: Annotated[
        int | None,
        typer.Option(min=0, help="Groups of bones (rows, pieces of spine) in a frame; 20."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same bytes.")] = 0,
    processes: Annotated[
        int | None, typer.Option(min=1, help="By default one for each processor.")
    ] = None,
) -> None:
    """Simulate radiographs of fish fillets, with the truth about every bone.

    X-rays pass through muscle, fat and bone (Beer-Lambert), are blurred, counted and digitised.
    The classes go by the projected diameter of the bones: scale1 0.3 to 0.6 mm, scale2 0.6 to
    1.2 mm, scale3 1.2 to 3 mm and vertebrae; at 0.25 mm a pixel. The contrast is drawn whatever
    the size; only vertebrae have more.

    Writes one folder of PNG images per class, `manifest.csv`, `masks/` (each pixel has the number
    of its bone), `boxes.csv` and `bones.csv`. With --labels findings one folder of images, their
    manifest, and a mask for each finding; train on it with `mscam train DIR --several`.

    Example: `mscam simulate bones --images 371 --seed 0`, then `mscam train bones --out run`
    """
    with explain_errors(tensorflow=False):
        if groups is not None and not frames:
            raise MscamError("--groups is for whole frames; add --frames. Received: --groups")
        if balance is not None and frames:
            raise MscamError("--balance is for patches; frames have no class. Received: --balance")
        if labels == "findings" and (balance is not None or frames):
            raise MscamError(
                "Of --labels findings all combinations are equally frequent, in patches. "
                f"Received: {'--frames' if frames else '--balance'}"
            )
        plan = _make_plan(
            images=images,
            image_size=image_size or ((2048, 4096) if frames else (256, 256)),
            labels=labels,
            balance=balance,
            difficulty=difficulty,
            hard_negatives=hard_negatives,
            bit_depth=bit_depth,
            pixel_pitch=pixel_pitch,
            groups=(20 if groups is None else groups) if frames else None,
            seed=seed,
        )
        _write(out, plan, processes or os.cpu_count() or 1, findings=labels == "findings")


def _make_plan(
    *,
    images: int,
    image_size: tuple[int, int],
    labels: str,
    balance: str | None,
    difficulty: float,
    hard_negatives: float,
    bit_depth: int,
    pixel_pitch: float,
    groups: int | None,
    seed: int,
) -> "Plan":
    from mscam_tf.simulation import Plan, SimulationConfig

    config = SimulationConfig(
        image_size=image_size,
        pixel_pitch=pixel_pitch,
        bit_depth=bit_depth,
        difficulty=difficulty,
        hard_negatives=hard_negatives,
    )
    kept = "scale" if labels == "findings" else labels
    return Plan(images, config, kept, _parse_balance(balance), groups, seed)


def _parse_balance(text: str | None) -> dict[str, float] | None:
    """Read `none=3,scale1=1`; classes that are not named do not occur."""
    if text is None:
        return None
    try:
        pairs = [item.split("=") for item in text.split(",")]
        return {name.strip(): float(weight) for name, weight in pairs}
    except ValueError:
        raise MscamError(
            f"--balance must look like none=3,scale1=1. Received: --balance {text}"
        ) from None


def _write(out: Path, plan: "Plan", processes: int, *, findings: bool) -> None:
    from mscam_tf.folders import write_whole_folder
    from mscam_tf.outputs import NEW_FOLDER, claim
    from mscam_tf.simulation import write_findings, write_radiographs

    claim(out, NEW_FOLDER)
    with make_progress() as progress:
        task = progress.add_task("simulating", total=plan.num_images)
        with write_whole_folder(out) as partial:
            options: dict[str, Any] = {
                "processes": processes,
                "on_progress": lambda count: progress.advance(task, count),
            }
            if findings:
                write_findings(partial, plan.num_images, plan.config, plan.seed, **options)
            else:
                write_radiographs(partial, plan, **options)
    say(f"Wrote {plan.num_images} images to {out}")
