"""The ``packs`` command: ``python -m emojify packs list | check | add | remove | export``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import write_atomically
from emojify.os_errors import readable_os_errors
from emojify.packs.importer import Draft, read_zip_file
from emojify.packs.store import add_pack, export_pack, list_packs, remove_pack
from emojify.settings import Settings
from emojify.tables import print_table


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the ``packs`` command to a parser.

    Each action sets ``run``, a function that takes the parsed arguments and may raise EmojifyError.
    """
    packs = commands.add_parser(
        "packs",
        help="list, check, add, remove and export emoji packs",
        description="List the emoji packs: id, name, author and license in each line. An action changes them.",
        epilog="example: %(prog)s add cats.zip",
    )
    packs.set_defaults(run=_list)
    actions = packs.add_subparsers(metavar="list|check|add|remove|export")
    actions.add_parser("list", help="list the packs (as without an action)").set_defaults(run=_list)
    check = actions.add_parser(
        "check",
        help="check whether a zip can be added; changes nothing",
        description="Check whether FILE can be added as a pack. Prints its name, or one sentence about what is wrong.",
        epilog="example: %(prog)s cats.zip",
    )
    check.set_defaults(run=_check)
    add = actions.add_parser(
        "add",
        help="add a pack from a zip with seven pictures",
        description="Add a pack from FILE, a zip with one picture for each emotion (angry.png, disgusted.png, "
        "fearful.png, happy.png, neutral.png, sad.png, surprised.png). Prints the id of the new pack.",
        epilog="example: %(prog)s cats.zip --fill-missing",
    )
    add.set_defaults(run=_add)
    for command in (check, add):
        command.add_argument("file", metavar="FILE", type=Path, help="a zip of pictures")
        command.add_argument(
            "--fill-missing", action="store_true", help="use the neutral picture for emotions without one"
        )
    remove = actions.add_parser("remove", help="delete a pack", epilog="example: %(prog)s cats")
    remove.add_argument("pack", metavar="ID", help="as listed")
    remove.set_defaults(run=_remove)
    export = actions.add_parser("export", help="write a pack as a zip", epilog="example: %(prog)s cats backup/cats.zip")
    export.add_argument("pack", metavar="ID", help="as listed")
    target = export.add_mutually_exclusive_group()
    target.add_argument("file", metavar="FILE", nargs="?", type=Path, help="file to write (default: ID.zip here)")
    target.add_argument("--out", metavar="FILE", dest="file", type=Path, help="the same")
    export.set_defaults(run=_export)


def _list(options: argparse.Namespace) -> None:
    found = list_packs(Settings.from_environment().emojis)
    print_table([(pack.id, pack.name, f"{pack.author}, {pack.license}") for pack in found.packs])
    for problem in found.problems:
        print(f"emojify: {problem}", file=sys.stderr)


def _read_draft(options: argparse.Namespace) -> Draft:
    draft = read_zip_file(options.file)
    missing = draft.missing
    if options.fill_missing:
        draft = draft.fill_missing()
    if draft.missing and draft.problems:
        raise EmojifyError(" ".join(draft.problems))
    draft.check_complete()
    for note in (*draft.problems, *draft.notes):
        print(f"emojify: {note}", file=sys.stderr)
    if missing:
        names = ", ".join(emotion.label for emotion in missing)
        print(f"emojify: {names}: the {Emotion.NEUTRAL.label} picture is used.", file=sys.stderr)
    return draft


def _check(options: argparse.Namespace) -> None:
    print(f"{options.file}: {_read_draft(options).manifest.name!r} is a whole pack of {len(Emotion)} pictures.")


def _add(options: argparse.Namespace) -> None:
    pack = add_pack(Settings.from_environment().emojis, _read_draft(options))
    print(f"{pack.id} is added: {pack.name}")


def _remove(options: argparse.Namespace) -> None:
    remove_pack(Settings.from_environment().emojis, options.pack)
    print(f"{options.pack} is removed.")


def _export(options: argparse.Namespace) -> None:
    pack = list_packs(Settings.from_environment().emojis).get(options.pack)
    path = options.file or Path(f"{pack.id}.zip")
    if path.exists():
        raise EmojifyError(f"{path} already exists. Name another file.")
    with readable_os_errors(f"{path} cannot be written"):
        write_atomically(path, export_pack(pack))
    print(f"{path} is written.")
