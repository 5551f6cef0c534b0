"""What a sweep is to do, as it is kept in its folder: ``<runs>/.sweeps/<name>/sweep.json``."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.files import new_folder, read_json, write_json
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.runs.config import FitConfig, default_config
from emojify.sweeps.space import Choice, Domain, check_space, parse_space

FOLDER = ".sweeps"  # hidden: the other folders beside it are runs
PLAN = "sweep.json"
MAX_TRIALS = 1000


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep is to do.

    Attributes:
        name: also the prefix of its runs.
        data: absolute path of the data set.
        network: one of :data:`~emojify.runs.networks.NETWORKS`.
        settings: the settings to try, as on the command line: ``NAME=LOW..HIGH``, ``NAME=A,B,C`` or ``NAME=VALUE``.
        trials: the number of fits.
        seeds: fit the same settings with the seeds 1 to this, to the end, as members of an ensemble; 0: try different
            settings, and stop fits that are worse than the others at the same epoch.
        added_data: a second data set, joined to the first; empty for none.

    Raises:
        EmojifyError: on creation, if no fit can have these settings.
    """

    name: str
    data: str
    network: str
    settings: tuple[str, ...]
    trials: int
    seeds: int = 0
    added_data: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", self.name):
            raise EmojifyError(
                f"{self.name!r} is no name for a sweep: use small letters, digits and hyphens, at most 40."
            )
        if not 1 <= self.trials <= MAX_TRIALS:
            raise EmojifyError(f"A sweep has 1 to {MAX_TRIALS} trials, not {self.trials}.")
        varied = [name for name, domain in self.space.items() if len(domain.ends) > 1 or name == "seed"]
        if self.seeds and varied:
            raise EmojifyError(f"With the same recipe for all seeds, {varied[0]} can't vary.")
        if not self.seeds and not varied:
            raise EmojifyError("Nothing varies: give a range or a choice, such as --set learning_rate=0.01..0.1.")
        check_space(self.space, self.data, self.network)

    @property
    def space(self) -> dict[str, Domain]:
        return parse_space(self.settings)

    @property
    def epochs(self) -> int:
        """The most epochs that a fit may have."""
        domain = self.space.get("epochs", Choice((default_config(self.data, self.network).epochs,)))
        return int(max(domain.ends))

    def config(self, values: dict[str, object]) -> FitConfig:
        """Return the settings of the fit that tries these values."""
        return default_config(self.data, self.network, added_data=self.added_data, **values)

    def run_folders(self, runs: Path) -> list[Path]:
        """Return the folders of the sweep's runs that exist, ``<name>-<number>``."""
        prefix = f"{self.name}-"
        return [path for path in sorted(runs.glob(f"{prefix}*")) if path.name.removeprefix(prefix).isdigit()]

    @admin_only
    def save(self, runs: Path) -> Path:
        """Write a new sweep's plan; return the sweep's folder.

        Raises:
            EmojifyError: if there is a sweep of this name, or a run that it would take for its own, or the folder can't
                be written.
        """
        folder = runs / FOLDER / self.name
        if folder.exists():
            raise EmojifyError(
                f"There is a sweep {self.name!r} already. Continue it with --resume, or choose another name."
            )
        if others := self.run_folders(runs):
            raise EmojifyError(f"There is a run {others[0].name!r} already. Choose another name for the sweep.")
        with readable_os_errors(f"The sweep can't be written to {runs}"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with new_folder(folder) as new:
                write_json(new / PLAN, asdict(self))
        return folder

    @classmethod
    def read(cls, runs: Path, name: str) -> SweepPlan:
        """Read the plan of a sweep.

        Raises:
            EmojifyError: if there is no such sweep, or its plan was edited.
        """
        try:
            content = read_json(runs / FOLDER / name / PLAN)
            return cls(**{**content, "settings": tuple(content["settings"])})
        except OSError as error:
            known = sorted(path.parent.name for path in (runs / FOLDER).glob(f"*/{PLAN}"))
            raise EmojifyError(f"There is no sweep {name!r}. There are: {', '.join(known) or 'none'}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise EmojifyError(f"The plan of the sweep {name!r} was edited and can't be read.") from error
