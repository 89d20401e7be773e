"""Find the devices that share a training, and meet the processes that hold them."""

import os
from contextlib import suppress

import keras
import tensorflow as tf

from mscam_tf.errors import MscamError
from mscam_tf.settings import Choice, check_value
from mscam_tf.training.distributing import ALONE, Team

DEVICES = ("one", "all", "cluster")


def open_team(devices: str = "one") -> Team:
    """Find the devices that share a training. Call it before anything is computed.

    Args:
        devices: `one`; `all` of this machine; or `cluster`, those of all processes that a launcher
            started. SLURM and Open MPI tell a process which one it is; otherwise the variables
            `KERAS_DISTRIBUTION_JOB_ADDRESSES` (`HOST:PORT` of the first process),
            `KERAS_DISTRIBUTION_NUM_PROCESSES` and `KERAS_DISTRIBUTION_PROCESS_ID` do.

    Raises:
        MscamError: If the backend is not JAX, or nothing says which process this is.

    Examples:
        >>> open_team("one")
        Team(devices=1, processes=1, process=0)
    """
    check_value("devices", devices, Choice(DEVICES))
    backend = keras.backend.backend()
    if backend == "jax":
        with suppress(RuntimeError):  # TensorFlow feeds, and would take the memory of the GPU.
            tf.config.set_visible_devices([], "GPU")
    if devices == "one":
        return ALONE
    if backend != "jax":
        raise MscamError(
            "Several devices need the JAX backend: install the extra `jax` "
            "(pip install 'mscam-tf[jax]'), and set KERAS_BACKEND=jax. "
            f"Received: devices={devices!r} with the backend {backend!r}"
        )
    if devices == "cluster":
        _join()
    import jax

    return Team(jax.device_count(), jax.process_count(), jax.process_index())


def _join() -> None:
    """Meet the other processes."""
    import jax

    if jax.distributed.is_initialized():
        return
    try:
        keras.distribution.initialize()
    except (RuntimeError, TypeError, ValueError) as error:
        known = {n: v for n, v in os.environ.items() if n.startswith("KERAS_DISTRIBUTION_")}
        raise MscamError(
            "The processes of a cluster must be started by SLURM or Open MPI, or with "
            "KERAS_DISTRIBUTION_JOB_ADDRESSES=HOST:PORT of the first one, "
            "KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID. "
            f"Received: {known}: {error}"
        ) from error
