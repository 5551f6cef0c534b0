"""Folders with spaces and letters of any alphabet, on the command line with the C locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from PIL import Image
from skimage import data

from emojify.settings import ROOT
from tests.helpers.pack_files import pack_zip
from tests.helpers.workspace import Workspace


def emojify(workspace: Workspace, *arguments: str) -> str:
    """Run a command and return its output."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", **workspace.environment}
    command = [sys.executable, "-m", "emojify", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_accept_any_folder_name(workspace: Workspace) -> None:
    picture = workspace.root / "Ich — мы.png"
    Image.fromarray(data.astronaut()).save(picture)
    (answer,) = json.loads(emojify(workspace, "predict", str(picture), "--json"))
    assert answer["file"] == str(picture)
    assert len(answer["faces"]) == 1

    zip_path = workspace.root / "Katzen 猫.zip"
    zip_path.write_bytes(pack_zip())
    assert "is added" in emojify(workspace, "packs", "add", str(zip_path))
    emojify(workspace, "packs", "export", "squares", "--out", str(workspace.root / "Würfel.zip"))
    assert (workspace.root / "Würfel.zip").is_file()
    assert "Third" in emojify(workspace, "models")
