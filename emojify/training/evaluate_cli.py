"""The commands ``evaluate`` and ``models figures``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emojify.errors import EmojifyError
from emojify.training.fit_cli import DATA_HELP

if TYPE_CHECKING:  # a command imports these when it runs, so that --help stays fast
    from emojify.models import Model
    from emojify.training.dataset import Dataset
    from emojify.training.figures import Figures


def add_evaluate_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``evaluate``."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a model on pictures that it was not trained on",
        description="Measure a model on a split of a data set. Prints the share of faces that it reads right, the "
        "figures of each emotion and the confusion matrix.",
        epilog="example: %(prog)s --data fer2013.zip --split private --clean",
    )
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR|ZIP|CSV", help=DATA_HELP)
    evaluate.add_argument(
        "--split",
        choices=("public", "private", "all"),
        default="private",
        help="default: private; all: every picture of a folder by emotion, without any split",
    )
    evaluate.add_argument("--clean", action="store_true", help="leave out blank pictures and copies of training ones")
    evaluate.add_argument("--mirrored", action="store_true", help="average with each picture's mirror image")
    evaluate.add_argument(
        "--detector-margin",
        type=float,
        metavar="MARGIN",
        help="crop every face with the live detector and this margin; default: the model's own margin, and only in "
        "pictures that are not 48x48",
    )
    evaluate.add_argument("--model", metavar="ID", help="default: the live model")
    evaluate.add_argument("--picture", type=Path, metavar="PNG", help="draw the confusion matrix to this file")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(run=_evaluate)


def add_figures_command(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``figures`` to the actions of ``models``."""
    figures = actions.add_parser(
        "figures",
        help="print the figures of the model cards as Markdown tables",
        epilog="example: %(prog)s --data fer2013.zip --write",
    )
    figures.add_argument("model", nargs="*", metavar="ID", help="default: all models")
    figures.add_argument("--data", type=Path, metavar="DIR|ZIP|CSV", help="measure again on this data set")
    figures.add_argument("--write", action="store_true", help="write the new figures into the cards; needs --data")
    figures.set_defaults(run=_print_figures)


def _evaluate(options: argparse.Namespace) -> None:
    margin = options.detector_margin
    if margin is not None and not 0 <= margin <= 1:
        raise EmojifyError(f"--detector-margin must be between 0 and 1, not {margin}.")
    if options.picture and (options.picture.suffix.lower() != ".png" or not options.picture.parent.is_dir()):
        raise EmojifyError(f"{options.picture} can't be written. Its folder must exist and its name end in .png.")
    import cv2

    from emojify.models import ModelStore
    from emojify.settings import Settings
    from emojify.training.evaluate import EvaluationOptions, evaluate
    from emojify.training.plots import confusion_plot

    store = ModelStore(Settings.from_environment().models)
    model = store.get(options.model or store.live_id)
    data = _load(options, model.open().crop_margin)  # open() compares the file with its card
    evaluation = EvaluationOptions(options.clean, options.mirrored, margin)
    figures = evaluate(_tflite(model), data, options.split, evaluation)
    if options.picture and not cv2.imwrite(str(options.picture), confusion_plot(figures.confusion)):
        raise EmojifyError(f"{options.picture} can't be written. Check that its folder is writable and has room.")
    if options.json:
        conditions = {"model": model.id, "data": data.name, "split": options.split, "clean": options.clean}
        conditions |= {"mirrored": options.mirrored, "detector_margin": margin}
        print(json.dumps(conditions | figures.as_dict()))
        return
    clean = ", clean" if options.clean else ""
    print(f"{model.name} on {options.split}{clean}, {figures.n:,} pictures of {data.name}")
    print(figures)
    if data.other_class:
        print(f"left out: {len(data.other_class):,} pictures in folders that are not named after an emotion")


def _load(options: argparse.Namespace, crop_margin: float) -> Dataset:
    from emojify.training.check import mark_clean
    from emojify.training.dataset import load, load_unsplit

    if options.split == "all":
        margin = crop_margin if options.detector_margin is None else options.detector_margin
        data = load_unsplit(options.data, crop_margin=margin)
    else:
        data = load(options.data)
    return mark_clean(data) if options.clean else data


def _print_figures(options: argparse.Namespace) -> None:
    if options.write and not options.data:
        raise EmojifyError("--write needs --data: the data set to measure the models on.")
    from emojify.models import CARD, ModelStore
    from emojify.settings import Settings
    from emojify.training.card import figure_entries, markdown_tables

    store = ModelStore(Settings.from_environment().models)
    models = [store.get(model_id) for model_id in options.model] if options.model else store.models()
    data = _load_with_marks(options.data) if options.data else None
    for number, model in enumerate(models):
        card: dict[str, Any] = model.card
        if data is not None:
            model.open()  # compares the file with its card
            card = card | figure_entries(_measure(model, data))
        if options.write:
            from emojify.files import write_json

            write_json(model.folder / CARD, card)
        print(markdown_tables(card), end="\n\n" if number < len(models) - 1 else "\n")


def _load_with_marks(path: Path) -> Dataset:
    from emojify.training.check import mark_clean
    from emojify.training.dataset import load

    return mark_clean(load(path))


def _measure(model: Model, data: Dataset) -> dict[str, Figures]:
    from emojify.training.evaluate import measure_held_out, predict

    return measure_held_out(data, lambda images: predict(_tflite(model), images))


def _tflite(model: Model) -> Path:
    return model.folder / str(model.card["tflite"]["file"])
