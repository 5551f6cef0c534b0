"""Targets for Atheris: each decodes bytes into files and passes them to an oracle.

No target loads TensorFlow or opens a model.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from tests.fuzz import oracles
from tests.fuzz.valid_files import CSV, RUN_FILES
from tests.helpers.pack_files import HAPPY, with_manifest


def pack(content: bytes) -> None:
    """Read a zip that is uploaded as a pack."""
    oracles.check_pack(content)


def manifest(content: bytes) -> None:
    """Read ``pack.json`` of a pack whose pictures are valid."""
    oracles.check_pack(with_manifest(content))


def entries(content: bytes) -> None:
    """Read file names, one a line, as those of a zip's valid pictures and of dropped files."""
    names = content.decode("utf-8", "replace").split("\n")[:20]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name
            archive.writestr(info, HAPPY)
    oracles.check_pack(buffer.getvalue())
    oracles.check_dropped_files([(name, HAPPY) for name in names])


def picture(content: bytes) -> None:
    """Read a picture."""
    oracles.check_picture(content)


def faces_zip(content: bytes) -> None:
    """Read a data set that is a zip."""
    oracles.check_dataset({"faces.zip": content})


def faces_csv(content: bytes) -> None:
    """Read a data set that is a csv."""
    oracles.check_dataset({"faces.csv": content})


def labels(content: bytes) -> None:
    """Read ``labels.csv`` of a valid csv."""
    oracles.check_dataset({"faces.csv": CSV, "labels.csv": content})


def votes(content: bytes) -> None:
    """Read FER+'s ``fer2013new.csv`` of a valid csv."""
    oracles.check_dataset({"faces.csv": CSV, "fer2013new.csv": content})


def run(content: bytes) -> None:
    """Read a run's folder. The first byte chooses the file that the other bytes replace."""
    name = RUN_FILES[(content[:1] or b"\0")[0] % len(RUN_FILES)]
    oracles.check_run({name: content[1:]})


def recording(content: bytes) -> None:
    """Read ``recording.json`` of a valid picture."""
    oracles.check_recording(content, HAPPY)


def job(content: bytes) -> None:
    """Read a video's ``job.json`` and, after the first line break, ``report.json``."""
    request, _, report = content.partition(b"\n")
    oracles.check_job(request, report)


def card(content: bytes) -> None:
    """Read a model's ``card.json`` and, after the first line break, ``live.json``."""
    content, _, live = content.partition(b"\n")
    oracles.check_card(content, live)


def settings(content: bytes) -> None:
    """Read environment variables, one a line, without their prefix."""
    pairs = (line.partition("=") for line in content.decode("utf-8", "replace").split("\n"))
    oracles.check_settings({f"EMOJIFY_{name}": value for name, _, value in pairs})


Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (pack, manifest, entries, picture, faces_zip, faces_csv, labels, votes, run, recording, job, card,
                   settings)
}  # fmt: skip
