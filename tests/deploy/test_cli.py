"""The files that ``emojify deploy`` writes; tests/browser/test_nginx.py runs nginx and the app with them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from emojify.cli import run
from emojify.deploy.cli import ENVIRONMENT, NGINX, SERVICE, TARGET
from emojify.settings import MEASURED, Settings

HOST = "emojify.example.org"


def read_environment(folder: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (folder / ENVIRONMENT).read_text().splitlines())


def test_deploy_writes_a_unit_and_a_server_for_each_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    assert run(["deploy", HOST, "--processes", "3", "--first-port", "9000", "--output", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted([NGINX, SERVICE, TARGET, ENVIRONMENT])
    assert (folder / NGINX).read_text().count("    server 127.0.0.1:90") == 3
    assert f"server_name {HOST};" in (folder / NGINX).read_text()
    wanted = [line for line in (folder / TARGET).read_text().splitlines() if line.startswith("Wants=")]
    assert wanted == [f"Wants=emojify@{port}.service" for port in (9000, 9001, 9002)]
    assert f"install -D -m 600 {folder}/{ENVIRONMENT}" in capsys.readouterr().out


def test_deployed_environment_is_valid_public_and_private_to_its_owner(tmp_path: Path) -> None:
    for name in ("one", "other"):
        assert run(["deploy", HOST, "--processes", "2", "--output", str(tmp_path / name)]) == 0
    one, other = read_environment(tmp_path / "one"), read_environment(tmp_path / "other")
    settings = Settings.from_environment(one)
    assert (settings.public, settings.max_sessions, settings.processes) == (True, MEASURED, 2)
    assert one["STREAMLIT_SERVER_ALLOWED_HOSTS"] == HOST
    assert len(one["STREAMLIT_SERVER_COOKIE_SECRET"]) >= 32
    assert one["STREAMLIT_SERVER_COOKIE_SECRET"] != other["STREAMLIT_SERVER_COOKIE_SECRET"]
    if os.name == "posix":
        assert (tmp_path / "one" / ENVIRONMENT).stat().st_mode & 0o077 == 0


def test_deploy_changes_no_existing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy", HOST, "--output", str(tmp_path)]) == 2
    assert "the name is already taken" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emojify.example.org; return 301"], "is not the name of a host"),
        ([HOST, "--processes", "0"], "--processes must lie between 1 and 64, not 0."),
        ([HOST, "--first-port", "80"], "The ports must lie between 1024 and 65535, not 80 to 81."),
        ([HOST, "--first-port", "65535"], "not 65535 to 65536."),
        ([HOST, "--user", "root\nGroup=wheel"], "is not the name of a system user."),
    ],
)
def test_deploy_refuses_bad_values(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["deploy", "--processes", "2", "--output", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    folder = tmp_path / "out"
    assert run(["deploy", HOST, "--user", "root", "--processes", "2", "--output", str(folder)]) == 0
    instance = folder / "emojify@8601.service"
    shutil.copy(folder / SERVICE, instance)
    result = subprocess.run([program, "verify", instance, folder / TARGET], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
