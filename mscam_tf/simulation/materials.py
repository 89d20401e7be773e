r"""How much radiation gets through: attenuation coefficients, a spectrum, and Beer-Lambert's law.

The spectrum of a 60 kV tube behind 3 mm of aluminium is reduced to three lines. The linear
attenuation coefficients at these energies, in 1/cm, are the products of density and mass
attenuation coefficient of the tables of Hubbell and Seltzer (NISTIR 5632, 1995; ICRU-44
compositions). Fish bone has less mineral in it than the cortical bone of the tables, and rays pass
through more of a bone that is oblique to the beam; each bone has one factor for both.
"""

from collections.abc import Mapping

import numpy as np

ENERGIES = (30.0, 40.0, 50.0)  # keV
SPECTRUM = (0.3, 0.45, 0.25)  # Share of the detected intensity.
MATERIALS = {  # 1/cm at the three energies.
    "muscle": (0.397, 0.282, 0.238),  # 1.05 g/cm3
    "fat": (0.291, 0.228, 0.202),  # 0.95 g/cm3
    "bone": (2.556, 1.278, 0.814),  # cortical, 1.92 g/cm3
    "stone": (2.35, 1.26, 0.86),  # silica, 2.7 g/cm3
    "glass": (2.51, 1.33, 0.88),  # soda-lime, 2.5 g/cm3, of its oxides
    "aluminium": (3.05, 1.53, 0.99),  # 2.7 g/cm3
    "steel": (64.3, 28.6, 15.4),  # iron, 7.87 g/cm3
}


def transmit(thickness: Mapping[str, np.ndarray]) -> np.ndarray:
    r"""Return the share of the intensity that gets through.

    `T = sum_e s_e exp(-sum_m mu_m(e) t_m)` over the lines `e` of the spectrum and the materials
    `m` on the way.

    Args:
        thickness: For each material of `MATERIALS` the length of the way through it, in cm, all
            of one shape. Negative where a material is displaced by another.

    Returns:
        Array of that shape, float32, in `(0, 1]` for thicknesses of zero and more.

    Examples:
        >>> import numpy as np
        >>> transmit({"muscle": np.array([0.0, 2.0])}).round(3)
        array([1.   , 0.547], dtype=float32)
    """
    lines = [
        np.float32(share) * np.exp(-_optical_depth(thickness, line))
        for line, share in enumerate(SPECTRUM)
    ]
    total: np.ndarray = np.sum(lines, axis=0)
    return total


def bone_thickness(contrast: float) -> float:
    """Return how many cm of bone in place of muscle attenuate by `contrast` more (mean of lines).

    Examples:
        >>> round(bone_thickness(0.1), 4)
        0.0807
    """
    return contrast / (mean_attenuation("bone") - mean_attenuation("muscle"))


def mean_attenuation(material: str) -> float:
    """Return the linear attenuation coefficient in 1/cm, averaged over the spectrum's lines.

    Examples:
        >>> round(mean_attenuation("muscle"), 4)
        0.3055
    """
    return sum(share * mu for share, mu in zip(SPECTRUM, MATERIALS[material], strict=True))


def exchange(material: str | None, own: str, thickness: float) -> float:
    """Return what a thin layer of a material in place of another adds to the depth, in 1/cm.

    Behind much material the spectrum is harder, and contrasts are lower.

    Args:
        material: What is there now; `None` for nothing.
        own: What was there.
        thickness: Of what was there, in all, in cm.

    Examples:
        >>> round(exchange(None, "aluminium", 0.0), 3), round(exchange(None, "aluminium", 1.0), 3)
        (-1.851, -1.39)
    """
    shares = np.asarray(SPECTRUM) * np.exp(-np.asarray(MATERIALS[own]) * thickness)
    added = np.asarray(MATERIALS[material] if material else 0.0) - np.asarray(MATERIALS[own])
    return float((shares * added).sum() / shares.sum())


def _optical_depth(thickness: Mapping[str, np.ndarray], line: int) -> np.ndarray:
    depths = [np.float32(MATERIALS[name][line]) * np.float32(t) for name, t in thickness.items()]
    total: np.ndarray = np.sum(depths, axis=0)
    return total
