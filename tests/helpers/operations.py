"""Every operation that changes the app's folders, in one table.

The tests of public mode, of full disks and of kills run all of them. A new operation is one more line here.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from emojify import processes
from emojify.emotions import Emotion
from emojify.packs.importer import CheckedPicture, Draft, read_zip
from emojify.packs.store import add_pack, change_avatar, edit_pack, remove_pack, replace_picture
from emojify.runs.golive import go_live
from emojify.teaching import drafts
from tests.helpers.pack_files import HAPPY, pack_zip
from tests.helpers.workspace import CUTOUTS, Workspace


class Kind(Enum):
    """How an operation changes the folders, which decides what a full disk or a kill may leave.

    Attributes:
        ATOMIC: one rename; the folders are as before or complete.
        STEPWISE: several renames; a second call completes it.
        STARTS_PROCESS: also starts or stops a process.
        REFUSED: refused in a fresh workspace, which has no running process and no trained run. Only the tests of
            public mode use it.
    """

    ATOMIC = auto()
    STEPWISE = auto()
    STARTS_PROCESS = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class Operation:
    """One call that changes a workspace."""

    kind: Kind
    run: Callable[[Workspace], object]


def changed_avatar() -> Draft:
    draft = read_zip(pack_zip(), "me.zip")
    return replace(draft, manifest=replace(draft.manifest, name="Me", avatar={"hat": "crown"}))


ATOMIC, STEPWISE, STARTS_PROCESS, REFUSED = Kind
OPERATIONS: dict[str, Operation] = {
    "packs: add": Operation(ATOMIC, lambda it: add_pack(it.settings.emojis, read_zip(pack_zip(), "cats.zip"))),
    "packs: edit": Operation(ATOMIC, lambda it: edit_pack(it.settings.emojis, "squares", "Mine", "me", "")),
    "packs: replace a picture": Operation(
        ATOMIC, lambda it: replace_picture(it.settings.emojis, "squares", Emotion.SAD, CheckedPicture(HAPPY))
    ),
    "packs: change an avatar": Operation(
        STEPWISE, lambda it: change_avatar(it.settings.emojis, "me", changed_avatar())
    ),
    "packs: remove": Operation(ATOMIC, lambda it: remove_pack(it.settings.emojis, "squares")),
    "models: promote": Operation(ATOMIC, lambda it: it.models.promote("third")),
    "models: rollback": Operation(ATOMIC, lambda it: it.models.rollback()),
    "models: withdraw": Operation(ATOMIC, lambda it: it.models.withdraw("other")),
    "models: remove": Operation(ATOMIC, lambda it: it.models.remove("third")),
    "runs: launch": Operation(STARTS_PROCESS, lambda it: it.runs.launch(it.fit())),
    "runs: resume": Operation(STARTS_PROCESS, lambda it: it.runs.resume("one")),
    "runs: start next": Operation(REFUSED, lambda it: it.runs.start_next()),
    "runs: stop": Operation(REFUSED, lambda it: it.runs.stop("one")),
    "runs: kill": Operation(REFUSED, lambda it: it.runs.kill("one")),
    "runs: delete": Operation(ATOMIC, lambda it: it.runs.delete("one", "seed")),
    "runs: go live": Operation(REFUSED, lambda it: go_live(it.runs.get("one"), "", it.models)),
    "data: check": Operation(STARTS_PROCESS, lambda it: it.data.check(it.data.folder / "faces.zip")),
    "data: recheck": Operation(ATOMIC, lambda it: it.data.recheck(it.uploaded_data)),
    "data: upload": Operation(ATOMIC, lambda it: it.data.upload("more.csv", io.BytesIO(b"a,b"), 3, lambda share: None)),
    "data: accept": Operation(STEPWISE, lambda it: it.data.accept(it.uploaded_data)),
    "data: discard": Operation(ATOMIC, lambda it: it.data.discard(it.uploaded_data)),
    "data: delete": Operation(ATOMIC, lambda it: it.data.delete(it.data.folder / "faces.zip")),
    "samples: add": Operation(ATOMIC, lambda it: it.samples.add(Emotion.HAPPY, CUTOUTS)),
    "samples: delete": Operation(ATOMIC, lambda it: it.samples.delete(it.samples.samples()[:1])),
    "samples: delete all": Operation(STEPWISE, lambda it: it.samples.delete_all()),
    "teaching: start": Operation(REFUSED, lambda it: drafts.start(it.settings)),
    "teaching: stop": Operation(REFUSED, lambda it: drafts.stop(it.settings)),
    "teaching: discard": Operation(ATOMIC, lambda it: drafts.discard(it.settings)),
    "teaching: promote": Operation(STEPWISE, lambda it: drafts.promote(it.settings, it.teaching)),
    "teaching: delete all": Operation(STEPWISE, lambda it: drafts.delete_personal_data(it.settings)),
    "videos: add": Operation(ATOMIC, lambda it: it.jobs.add(b"film", it.job.request)),
    "videos: change suffix": Operation(ATOMIC, lambda it: it.jobs.change_suffix(it.job, ".gif")),
    "videos: start": Operation(STARTS_PROCESS, lambda it: it.job.start()),
    "videos: stop": Operation(STARTS_PROCESS, lambda it: it.job.stop()),
    "videos: delete": Operation(ATOMIC, lambda it: it.job.delete()),
    "videos: remove old": Operation(STEPWISE, lambda it: it.jobs.remove_old(now_s=9e9)),
    "processes: start": Operation(REFUSED, lambda it: processes.start(["models"], it.root)),
    "processes: stop": Operation(REFUSED, lambda it: processes.stop(it.root)),
    "processes: kill": Operation(REFUSED, lambda it: processes.kill(it.root)),
}


def names_of(*kinds: Kind) -> list[str]:
    """Return the names of the operations of these kinds."""
    return [name for name, operation in OPERATIONS.items() if operation.kind in kinds]
