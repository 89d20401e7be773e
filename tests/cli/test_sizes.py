import pytest
import typer
from typer.testing import CliRunner

from mscam_tf.cli.sizes import SIZE, Command, join_sizes, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("256", (256, 256)), ("256x192", (256, 192)), ("256X192", (256, 192))]
)
def test_sizes(text, size):
    assert parse_size(text) == size
    assert parse_size(size) == size
    assert parse_size(None) is None


@pytest.mark.parametrize("text", ["", "x", "256x", "1x2x3", "256.5", "-256", "big"])
def test_what_is_no_size(text):
    with pytest.raises(typer.BadParameter, match=f"256x192. Received: {text!r}"):
        parse_size(text)


@pytest.mark.parametrize(
    "args", [["--seed", "3", "4"], ["--image-size"], ["256", "192"], ["--image-size", "a", "1"], []]
)
def test_nothing_else_is_joined(args):
    assert join_sizes(args, {"--image-size"}) == args


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["data", "--image-size", "256"], "(256, 256) data"),
        (["--image-size", "256", "data"], "(256, 256) data"),
        (["data", "--image-size", "256", "192"], "(256, 192) data"),
        (["--image-size", "256", "192", "data"], "(256, 192) data"),
        (["--image-size=256x192", "data"], "(256, 192) data"),
        (["--image-size=256", "192", "data"], "(256, 192) data"),
        (["data"], "(64, 32) data"),
    ],
)
def test_commands_take_one_number_or_two(args, shown):
    app = typer.Typer()

    @app.command(cls=Command)
    def show(data: str, image_size: str = typer.Option((64, 32), metavar=SIZE, parser=parse_size)):
        typer.echo(f"{image_size} {data}")

    result = CliRunner().invoke(app, args)
    assert result.output.strip() == shown
