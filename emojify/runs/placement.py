"""Where a run is fitted: on this machine, or on a Ray cluster whose address is in ``<run>/cluster.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.files import write_json
from emojify.public import admin_only
from emojify.runs.reading import read_json_or_empty
from emojify.settings import parse_ray_address

CLUSTER = "cluster.json"
LOCAL = "local"
"""In place of an address: this machine."""


@dataclass(frozen=True)
class Placement:
    """A Ray cluster that fits a run, and what the fit asks a machine of it for.

    Attributes:
        address: of the cluster.
        cpus: processors; less if no machine has so many.
        gpus: GPUs, or a share of one.

    Raises:
        EmojifyError: on creation, if a value can't be meant.
    """

    address: str
    cpus: float = 4.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if not parse_ray_address(self.address, "The address"):
            raise EmojifyError("The address of the cluster is missing.")
        if not 0 < self.cpus <= 4096 or not 0 <= self.gpus <= 64:
            raise EmojifyError("A fit can ask for up to 4096 processors and 64 GPUs.")


def read_placement(run: Path) -> Placement | None:
    """Return where a run is fitted; None for this machine, also if the file was edited and can't be read."""
    try:
        return Placement(**read_json_or_empty(run / CLUSTER))
    except (EmojifyError, TypeError):
        return None


@admin_only
def write_placement(run: Path, placement: Placement | None) -> None:
    """Record where a run is fitted from now on; None for this machine.

    Raises:
        OSError: if the run's folder can't be written.
    """
    if placement:
        write_json(run / CLUSTER, asdict(placement))
    else:
        (run / CLUSTER).unlink(missing_ok=True)
