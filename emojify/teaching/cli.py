"""``python -m emojify teach``: what the page's button does. Nothing heavy is imported before it runs."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser's; it sets ``run`` as the others do."""
    teach = commands.add_parser("teach", help="teach a model the pictures that were recorded in the app")
    teach.add_argument("--base", metavar="ID", help="default: the live model, or what that was made from")
    teach.add_argument("--folder", type=Path, help="write a draft there, for the app; default: keep it, put it live")
    teach.set_defaults(run=_teach)


def _teach(options: argparse.Namespace) -> None:
    from emojify import processes
    from emojify.errors import EmojifyError
    from emojify.models import ModelStore
    from emojify.settings import Settings
    from emojify.teaching import drafts
    from emojify.teaching.teach import NOT_LEARNED, PROGRESS, teach

    settings = Settings.from_environment()
    latest = drafts.find_latest(settings)
    if options.folder is None and latest is not None and latest.running:
        raise EmojifyError("It is learning already, from the app or another terminal. Wait until that is done.")
    folder = options.folder or settings.data / "teachings" / time.strftime("%Y%m%d-%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if options.folder is None:  # else whoever started this has recorded it
            processes.register(folder)
        progress = (folder / PROGRESS).open("a", encoding="utf-8")
    except OSError as error:
        raise EmojifyError(f"{folder} can't be written: {error.strerror}.") from error

    def say(**line: Any) -> None:
        progress.write(json.dumps(line) + "\n")
        progress.flush()

    with progress:
        try:
            base = drafts.base_model(ModelStore(settings.models), options.base)
            result = teach(
                base, drafts.sample_store(settings), folder, lambda done, doing: say(done=round(done, 3), doing=doing)
            )
        except EmojifyError as error:
            say(error=str(error))
            raise
        except OSError as error:
            say(error=f"It could not be done: {error.strerror}. Nothing was changed.")
            raise EmojifyError(f"It could not be done: {error.strerror}.") from error
    _print(result)
    if options.folder is None and not result["learned"]:
        shutil.rmtree(folder, ignore_errors=True)  # an earlier draft of the app's stays
        raise EmojifyError(f"{NOT_LEARNED} Nothing was changed.")
    if options.folder is None:
        found = drafts.find_latest(settings)
        assert found is not None
        print(f"{drafts.promote(settings, found).id} is live. Undo: python -m emojify models rollback")


def _print(result: dict[str, Any]) -> None:
    for title, figures in (("your held-out pictures", result["own"]), ("everyone else", result["others"])):
        if figures is None:
            print(f"{title}: no figure; record an emotion twice to get one")
        else:
            print(f"{title}: {figures['before']:.1%} -> {figures['after']:.1%} of {figures['n']}")
    print(f"{result['seconds']} s", file=sys.stderr)
