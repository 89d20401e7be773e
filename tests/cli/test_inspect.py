import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

import mscam_tf
from mscam_tf.cli import app
from tests.cli.command import call


@pytest.fixture(scope="module")
def export(finished_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspected") / "export"
    mscam_tf.export_run(finished_run, folder, "onnx")
    return folder


def run(*arguments, **options):
    """Run the command in a process of its own."""
    code = (
        "import signal, sys\nfrom mscam_tf.cli import app\n"
        # A job in the background ignores it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n    app()\nfinally:\n"
        "    heavy = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
        "    sys.stderr.write(f'LOADED {sorted(heavy)}')"
    )
    command = [sys.executable, "-c", code, "inspect", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def call_any(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def check_status(result, out):
    status = json.loads((out / "summary.json").read_text())["status"]
    assert result.exit_code == status, result.output
    return status


def test_an_export_is_inspected_without_tensorflow(export, image_folder, tmp_path):
    out = tmp_path / "out"
    process = run(export, image_folder, "--out", out, "--json", "--pictures", "all")
    printed, errors = process.communicate(timeout=120)
    assert "LOADED []" in errors
    lines = [json.loads(line) for line in printed.splitlines()]
    assert len(lines) == 32
    rows = pq.read_table(out / "images").to_pylist()
    assert [line["path"] for line in lines] == [row["path"] for row in rows]
    assert [line["score"] for line in lines] == [row["score"] for row in rows]
    regions = [region for line in lines for region in line["regions"]]
    assert len(regions) == pq.read_table(out / "regions").num_rows
    assert "are resized to it" in errors  # Files of 40 x 40, a run of 64 x 64.
    summary = json.loads((out / "summary.json").read_text())
    assert process.returncode == summary["status"] == (3 if summary["rejected"] else 0)
    assert len(list((out / "pictures").iterdir())) == 32


@pytest.mark.slow
def test_workers_print_the_lines_of_one(export, image_folder, tmp_path):
    alone = call_any("inspect", export, image_folder, "--json", "--out", tmp_path / "one")
    process = run(export, image_folder, "--json", "--workers", 2, "--out", tmp_path / "two")
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == alone.exit_code
    assert printed == alone.stdout
    assert "LOADED []" in errors


@pytest.mark.slow
def test_workers_open_a_run(finished_run, image_folder, tmp_path):
    source, out = finished_run.folder, tmp_path / "two"
    process = run(source, image_folder, "--json", "--workers", 2, "--out", out)
    printed, errors = process.communicate(timeout=240)
    assert "LOADED []" in errors
    assert "oneDNN" not in errors
    call("inspect", source, image_folder, "--out", tmp_path / "one", status=process.returncode)
    lines = [json.loads(line) for line in printed.splitlines()]
    rows = pq.read_table(tmp_path / "one" / "images").to_pylist()
    assert [line["path"] for line in lines] == [row["path"] for row in rows]
    scores = [[row["score"] for row in one] for one in (lines, rows)]
    np.testing.assert_allclose(*scores, atol=1e-4)


def test_a_run_says_what_its_export_says(finished_run, export, image_folder, tmp_path):
    folder = image_folder / "wide"
    status = check_status(
        call_any("inspect", export, folder, "--out", tmp_path / "a"), tmp_path / "a"
    )
    call("inspect", finished_run.folder, folder, "--out", tmp_path / "b", status=status)
    first, second = (pq.read_table(tmp_path / name / "images").to_pylist() for name in "ab")
    np.testing.assert_allclose(
        [row["score"] for row in first], [row["score"] for row in second], atol=1e-4
    )


def test_bad_files_are_said_and_counted(export, image_folder, tmp_path):
    folder = shutil.copytree(image_folder / "none", tmp_path / "scans")
    (folder / "bad.png").write_bytes(b"no image")
    text = call("inspect", export, folder, "--out", tmp_path / "out", status=4)
    assert "Cannot be read: " in text
    assert "1 that cannot be read" in text
    assert "bad.png: expected a PNG" in text
    again = call("inspect", export, folder, "--out", tmp_path / "out", status=4)
    assert "Inspected 0 now" in again


def test_frames(export, tmp_path):
    Image.fromarray(np.zeros((70, 150), np.uint8)).save(tmp_path / "film.png")
    result = call_any("inspect", export, tmp_path / "film.png", "--frames", "--out", tmp_path / "o")
    check_status(result, tmp_path / "o")
    (row,) = pq.read_table(tmp_path / "o" / "images").to_pylist()
    assert (row["width"], row["tiles"]) == (150, 6)
    arguments = ("inspect", export, tmp_path / "film.png", "--out", tmp_path / "p")
    assert "--free-size" in call(*arguments, "--frames", "--tile", "32", status=1)
    assert "add --frames" in call(*arguments, "--tile", "32", status=1)
    assert "--idle needs --watch" in call(*arguments, "--idle", "3", status=1)
    assert "--watch is for this machine alone" in call(
        *arguments, "--watch", "--engine", "ray", status=1
    )
    assert "has an address" in call(*arguments, "--address", "auto", status=1)
    assert "`pictures` must be one of" in call(*arguments, "--pictures", "some", status=1)


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(export, image_folder, tmp_path):
    folder = shutil.copytree(image_folder, tmp_path / "scans")
    process = run(export, folder, "--watch", "--json", "--out", tmp_path / "out")
    first = json.loads(process.stdout.readline())
    assert 0.4 < first["latency"] < 60
    process.send_signal(signal.SIGINT)
    printed = process.stdout.read()  # `communicate` forgets what was read with the first line.
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command goes on" in errors
    count = 1 + len(printed.splitlines())
    assert pq.read_table(tmp_path / "out" / "images").num_rows == count
    call_any("inspect", export, folder, "--out", tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "images").num_rows == 32


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_command_is_gone_on_with(export, image_folder, tmp_path, workers):
    folder = shutil.copytree(image_folder, tmp_path / "scans")
    options = ("--watch", "--json", "--workers", workers, "--out", tmp_path / "out")
    process = run(export, folder, *options)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)  # Workers hold the streams too: they have ended.
    time.sleep(0.1)
    result = call_any("inspect", export, folder, "--out", tmp_path / "out")
    check_status(result, tmp_path / "out")
    paths = pq.read_table(tmp_path / "out" / "images")["path"].to_pylist()
    assert len(paths) == len(set(paths)) == 32
