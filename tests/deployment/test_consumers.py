"""The programs beside an export run, and say what the run says."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import mscam_tf
from mscam_tf.deployment import write_consumers


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_the_python_consumer_says_what_the_run_says(
    export, finished_run, image_folder, tmp_path, format
):
    wide = np.asarray(Image.open(image_folder / "wide" / "wide0.png"))
    Image.fromarray(wide.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    paths = [image_folder / "none" / "none0.png", tmp_path / "deep.png"]
    command = [sys.executable, export(format).folder / "consumer.py", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = mscam_tf.open_session(finished_run).explain(paths)
    check_lines(done.stdout, paths, results)


def check_lines(text, paths, results):
    for line, path, result in zip(text.splitlines(), paths, results, strict=True):
        name, probability, place = re.fullmatch(
            f"{path} (.*) (.*) strongest at (.*)", line
        ).groups()
        best = result.predicted
        assert name == result.class_names[best]
        assert float(probability) == pytest.approx(result.probabilities[best], abs=2e-4)
        x, y = (int(part) for part in re.findall(r"\d+", place))
        assert result.maps[y, x, best] == pytest.approx(result.maps[..., best].max(), abs=1e-4)


def test_it_needs_nothing_of_the_library(export):
    text = (export("onnx").folder / "consumer.py").read_text(encoding="utf-8")
    assert not re.search(r"(import|from) (mscam_tf|keras|tensorflow)", text)


@pytest.mark.parametrize("kind", ["savedmodel", "litert"])
def test_other_consumers_are_python_too(finished_run, tmp_path, kind):
    write_consumers(finished_run, tmp_path, kind, "model")
    (path,) = tmp_path.iterdir()
    compile(path.read_text(encoding="utf-8"), path, "exec")


def test_requirements_leave_tensorflow_out(export):
    text = (export("openvino").folder / "requirements.txt").read_text(encoding="utf-8")
    names = re.findall(r"^[\w-]+", text, re.MULTILINE)
    assert {"numpy", "openvino", "pillow", "pyarrow", "typer"} <= set(names)
    assert not {"tensorflow", "keras", "onnxruntime"} & set(names)
    assert f"mscam-tf=={mscam_tf.__version__}" in text


def test_the_consumer_in_cpp_has_the_settings_of_the_run(finished_run, tmp_path):
    read = mscam_tf.ReadOptions(window=(100, 4000), invert=True)
    config = replace(finished_run.config, image_size=(64, 96), read=read)
    run = replace(finished_run, config=config, class_names=['a "b"', "größer"])
    write_consumers(run, tmp_path, "openvino", "model.xml")
    text = (tmp_path / "consumer.cpp").read_text(encoding="utf-8")
    assert r'CLASSES = {"a \"b\"", "größer"};' in text
    assert "HEIGHT = 64, WIDTH = 96;" in text
    assert "low = 100, high = 4000;" in text
    assert "value = 1 - value;" in text
    assert 'compile_model("model.xml"' in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_the_consumer_in_cpp_says_what_the_run_says(export, finished_run, tmp_path):
    utils = pytest.importorskip("openvino.utils")
    folder = shutil.copytree(export("openvino").folder, tmp_path / "export")
    generator = np.random.default_rng(0)
    paths = [folder / "a.pgm", folder / "b.pgm"]
    for path, kind in zip(paths, (">u1", ">u2"), strict=True):
        most = np.iinfo(kind).max
        pixels = (generator.random(finished_run.image_size) * most).astype(kind)
        height, width = pixels.shape
        path.write_bytes(f"P5\n{width} {height}\n{most}\n".encode() + pixels.tobytes())
        Image.fromarray(pixels.astype(kind[1:])).save(path.with_suffix(".png"))
    options = ["-B", "build", "-D", f"OpenVINO_DIR={utils.get_cmake_path()}"]
    for command in (["cmake", *options], ["cmake", "--build", "build"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["build/consumer", *paths], cwd=folder, check=True, capture_output=True, text=True
    )
    pictures = [path.with_suffix(".png") for path in paths]
    check_lines(done.stdout, paths, mscam_tf.open_session(finished_run).explain(pictures))
