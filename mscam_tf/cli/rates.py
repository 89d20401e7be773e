"""Print how often good images are rejected, and others missed."""

from collections.abc import Mapping
from typing import Any

from mscam_tf.cli.console import CONSOLE, make_table


def print_rates(rates: Mapping[str, Mapping[str, Any]]) -> None:
    """Print rates, from `mscam_tf.evaluation.Rate.to_json`, by their names."""
    columns = ("at the operating point", "groups", "share", "95 % interval", "at most, at 95 %")
    rows = [
        (
            name.replace("_", " "),
            f"{rate['count']} of {rate['groups']}",
            f"{rate['count'] / rate['groups']:.2%}",
            f"{rate['low']:.2%} to {rate['high']:.2%}",
            f"{rate['bound']:.2%}",
        )
        for name, rate in rates.items()
    ]
    CONSOLE.print(make_table("", *columns, rows=rows))
