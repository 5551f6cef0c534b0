"""``python -m emojify teach``, which the Teach page also starts in the background.

Heavy modules are imported when the command runs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emojify.settings import Settings


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``teach`` command to a parser's subcommands. Its ``run`` is called with the options."""
    teach = commands.add_parser(
        "teach",
        help="teach a model the pictures that were recorded in the app",
        description="Teach a model the faces that were recorded on the Teach page, and put the new model live. Prints "
        "how many of the pictures it reads right before and after.",
        epilog="example: %(prog)s --base residual",
    )
    teach.add_argument("--base", metavar="ID", help="model to teach; default: the live one, or its own base")
    teach.add_argument(
        "--folder", type=Path, help="write a draft into this folder, for the app; default: put the model live"
    )
    teach.set_defaults(run=_teach)


def _teach(options: argparse.Namespace) -> None:
    from emojify.errors import EmojifyError
    from emojify.settings import Settings
    from emojify.teaching import drafts
    from emojify.teaching.teach import NOT_LEARNED

    settings = Settings.from_environment()
    if options.folder is not None:  # the app started this process and recorded it
        _print(_run(settings, options.base, options.folder, register=False))
        return
    latest = drafts.find_latest(settings)
    if latest is not None and latest.running:
        raise EmojifyError("A model is learning already, in the app or another terminal. Wait until that is done.")
    folder = settings.data / "teachings" / time.strftime("%Y%m%d-%H%M%S")
    result = _run(settings, options.base, folder, register=True)
    _print(result)
    if not result["learned"]:
        shutil.rmtree(folder, ignore_errors=True)  # so that an earlier draft is shown in the app again
        raise EmojifyError(f"{NOT_LEARNED} Nothing was changed.")
    found = drafts.find_latest(settings)
    assert found is not None
    print(f"{drafts.promote(settings, found).id} is live. Undo: python -m emojify models rollback")


def _run(settings: Settings, base_id: str | None, folder: Path, *, register: bool) -> dict[str, Any]:
    """Teach, and write the progress, the draft and errors into ``folder``. Return the result."""
    from emojify import processes
    from emojify.errors import EmojifyError
    from emojify.models import ModelStore
    from emojify.os_errors import readable_os_errors
    from emojify.teaching import drafts
    from emojify.teaching.teach import PROGRESS, teach

    with readable_os_errors(f"{folder} can't be written"):
        folder.mkdir(parents=True, exist_ok=True)
        if register:
            processes.register(folder)
        progress = (folder / PROGRESS).open("a", encoding="utf-8")

    def write(**line: Any) -> None:
        progress.write(json.dumps(line) + "\n")
        progress.flush()

    with progress:
        try:
            with readable_os_errors("Teaching failed, and nothing was changed"):
                base = drafts.base_model(ModelStore(settings.models), base_id)
                samples = drafts.sample_store(settings)
                return teach(base, samples, folder, lambda done, step: write(done=round(done, 3), doing=step))
        except EmojifyError as error:
            write(error=str(error))
            raise


def _print(result: dict[str, Any]) -> None:
    for title, figures in (("your held-out pictures", result["own"]), ("everyone else", result["others"])):
        if figures is None:
            print(f"{title}: no figure; record an emotion twice to get one")
        else:
            print(f"{title}: {figures['before']:.1%} -> {figures['after']:.1%} of {figures['n']}")
    print(f"{result['seconds']} s", file=sys.stderr)
