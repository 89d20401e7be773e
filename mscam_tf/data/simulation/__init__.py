"""Simulated radiographs of fish fillets, with the truth about every bone in them."""

from mscam_tf.data.simulation.dataset import Plan, write_radiographs
from mscam_tf.data.simulation.findings import (
    FINDINGS,
    FindingsImage,
    simulate_findings,
    write_findings,
)
from mscam_tf.data.simulation.radiograph import (
    CLASS_NAMES,
    Radiograph,
    SimulationConfig,
    simulate_frame,
    simulate_radiograph,
)

__all__ = [
    "CLASS_NAMES",
    "FINDINGS",
    "FindingsImage",
    "Plan",
    "Radiograph",
    "SimulationConfig",
    "simulate_findings",
    "simulate_frame",
    "simulate_radiograph",
    "write_findings",
    "write_radiographs",
]
