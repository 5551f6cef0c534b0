"""The command ``python -m emojify refit``."""

from __future__ import annotations

import argparse
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.training.fit_cli import DATA_HELP, load_tensorflow


def add_refit_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``refit`` to a parser's commands."""
    refit = commands.add_parser(
        "refit",
        help="refit a network's last layer to what people see, in minutes",
        description="Refit the last layer of a trained network by logistic regression on a mixture of labels and FER+ "
        "votes, and export it as a new model. Takes about as long as an export.",
    )
    refit.add_argument("source", metavar="MODEL|RUN", help="whose network; it stays as it is")
    refit.add_argument("--id", required=True, dest="model_id", help="the new model's folder under models/")
    refit.add_argument("--name", default="", help="what people see; default: the id")
    refit.add_argument("--data", type=Path, metavar="DIR|ZIP|CSV", help=f"{DATA_HELP}; default: the run's own")
    refit.add_argument(
        "--ferplus-weight", type=float, default=0.7, metavar="SHARE",
        help="share of the FER+ votes in the target, 0 to 1; the rest is the label; default: 0.7",
    )  # fmt: skip
    refit.add_argument(
        "--logit-adjustment", type=float, default=0.5, metavar="STRENGTH",
        help="how much rare emotions are preferred: 0 not at all, 1 as if all were equally common; default: 0.5",
    )  # fmt: skip
    refit.add_argument("--crop-margin", type=float, default=0.0, help="share of the face's box to add on each side")
    refit.set_defaults(run=_refit)


def _refit(options: argparse.Namespace) -> None:
    if not 0 <= options.ferplus_weight <= 1:
        raise EmojifyError(f"--ferplus-weight must lie between 0 and 1, not {options.ferplus_weight}.")
    if not 0 <= options.logit_adjustment <= 5:
        raise EmojifyError(f"--logit-adjustment must lie between 0 and 5, not {options.logit_adjustment}.")
    from emojify.models import new_model_folder
    from emojify.settings import Settings

    models = Settings.from_environment().models
    new_model_folder(models, options.model_id)  # refuses a bad id before TensorFlow is loaded
    print("Loading TensorFlow", flush=True)
    load_tensorflow()
    from emojify.training.export import ExportOptions
    from emojify.training.refit import RefitOptions, refit

    print("Reading the pictures, refitting the last layer, converting the network and measuring it", flush=True)
    target = refit(
        options.source,
        options.data,
        models / options.model_id,
        RefitOptions(options.ferplus_weight, options.logit_adjustment),
        ExportOptions(options.name, options.crop_margin),
    )
    print(f"{target} is ready. Put it live: python -m emojify models promote {options.model_id}")
