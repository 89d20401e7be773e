"""Simulated radiographs of fish fillets, with the truth about every bone in them."""

from mscam_tf.data.simulation.dataset import Plan, write_radiographs
from mscam_tf.data.simulation.radiograph import (
    CLASS_NAMES,
    Radiograph,
    SimulationConfig,
    simulate_frame,
    simulate_radiograph,
)

__all__ = [
    "CLASS_NAMES",
    "Plan",
    "Radiograph",
    "SimulationConfig",
    "simulate_frame",
    "simulate_radiograph",
    "write_radiographs",
]
