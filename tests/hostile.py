"""Model files as someone who means harm would write them."""

import zipfile

import h5py
import keras
import numpy as np


def save_lambda(path):
    """Save a model with code in it, which would run as the model is loaded."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: 2 * x)])
    model.save(path)


def link_elsewhere(path, name):
    """Let one array of an HDF5 file stand in another file."""
    secret = path.with_name("secret.h5")
    with h5py.File(path, "a") as file, h5py.File(secret, "w") as other:
        other["values"] = np.full(file[name].shape, 42, "float32")
        del file[name]
        file[name] = h5py.ExternalLink(secret, "/values")


def declare_more(path, name, shape):
    """Let one array of an HDF5 file say that it is huge, with nothing stored."""
    with h5py.File(path, "a") as file:
        del file[name]
        file.create_dataset(name, shape, "float32", chunks=True, compression="gzip")


def edit_weights(path, edit, *arguments):
    """Edit the weights within a `.keras` file: `edit(HDF5 file, *arguments)`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = path.with_name("edited.h5")
    weights.write_bytes(members["model.weights.h5"])
    edit(weights, *arguments)
    members["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def add_bomb(path, mebibytes):
    """Add a file to a `.keras` file that is small as long as it is not unpacked."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("assets/bomb", bytes(mebibytes << 20))
