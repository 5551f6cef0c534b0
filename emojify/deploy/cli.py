"""The command ``python -m emojify deploy``: write the files that run the app in several processes behind nginx."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import string
import sys
from collections.abc import Sequence
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.files import new_folder
from emojify.os_errors import readable_os_errors
from emojify.settings import ROOT

FIRST_PORT = 8601
MAX_PROCESSES = 64
NGINX, SERVICE, TARGET, ENVIRONMENT = "nginx.conf", "emojify@.service", "emojify.target", "emojify.env"
_TEMPLATES = Path(__file__).parent
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_NEXT_STEPS = """\
{folder} has the files for {processes} processes on this machine. As root:

  useradd --system {user}                      # if the user does not exist; it must be able to read {root}
  install -D -m 600 {folder}/{ENVIRONMENT} /etc/emojify/{ENVIRONMENT}
  install -m 644 {folder}/{SERVICE} {folder}/{TARGET} /etc/systemd/system/
  install -m 644 {folder}/{NGINX} /etc/nginx/conf.d/emojify.conf    # it names your certificate: change that
  systemctl daemon-reload && systemctl enable --now emojify.target && systemctl reload nginx"""


class _Template(string.Template):
    """A template with ``@@{name}``: nginx and systemd use ``$`` and ``%`` themselves."""

    delimiter = "@@"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``deploy`` to a parser's commands."""
    deploy = commands.add_parser(
        "deploy",
        help="write the files that run a public copy in several processes behind nginx",
        description="Write systemd units and nginx's configuration for several processes of a public copy on this "
        "machine, into a new folder. Prints the commands that install them; changes nothing else.",
        epilog="example: %(prog)s emojify.example.org --processes 4",
    )
    deploy.add_argument("host", metavar="HOST", help="the name in the copy's address, such as emojify.example.org")
    deploy.add_argument(
        "--processes",
        type=int,
        metavar="N",
        default=min(os.cpu_count() or 1, MAX_PROCESSES),
        help="default: one for each core (%(default)s)",
    )
    deploy.add_argument(
        "--first-port", type=int, metavar="N", default=FIRST_PORT, help="the others follow it (default: %(default)s)"
    )
    deploy.add_argument("--user", default="emojify", help="system user that runs them (default: %(default)s)")
    deploy.add_argument("--output", metavar="FOLDER", type=Path, default=Path("deploy"), help="default: %(default)s")
    deploy.set_defaults(run=_deploy)


def render_files(host: str, ports: Sequence[int], user: str) -> dict[str, str]:
    """Return the text of each file by its name.

    Args:
        host: the name in the copy's address.
        ports: a port of this machine for each process.
        user: the system user that runs the processes.
    """
    values = {
        "host": host,
        "user": user,
        "root": str(ROOT).replace("%", "%%"),
        "python": sys.executable.replace("%", "%%"),
        "servers": "\n".join(f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;" for port in ports),
        "wants": "\n".join(f"Wants=emojify@{port}.service" for port in ports),
    }
    files = {
        name: _Template((_TEMPLATES / name).read_text(encoding="utf-8")).substitute(values)
        for name in (NGINX, SERVICE, TARGET)
    }
    return files | {ENVIRONMENT: _environment(host, len(ports))}


def _environment(host: str, processes: int) -> str:
    """Return the settings of all processes. They share the secret, so that a visitor's cookie is valid in each."""
    return (
        "EMOJIFY_PUBLIC=1\n"
        "EMOJIFY_MAX_SESSIONS=auto\n"
        f"EMOJIFY_PROCESSES={processes}\n"
        f"STREAMLIT_SERVER_ALLOWED_HOSTS={host}\n"
        f"STREAMLIT_SERVER_COOKIE_SECRET={secrets.token_urlsafe(32)}\n"
    )


def _deploy(options: argparse.Namespace) -> None:
    ports = range(options.first_port, options.first_port + options.processes)
    if not _HOST.fullmatch(options.host):
        raise EmojifyError(f"{options.host!r} is not the name of a host, such as emojify.example.org.")
    if not 1 <= options.processes <= MAX_PROCESSES:
        raise EmojifyError(f"--processes must lie between 1 and {MAX_PROCESSES}, not {options.processes}.")
    if ports.start < 1024 or ports.stop > 65536:
        raise EmojifyError(f"The ports must lie between 1024 and 65535, not {ports.start} to {ports.stop - 1}.")
    if not _USER.fullmatch(options.user):
        raise EmojifyError(f"{options.user!r} is not the name of a system user.")
    with readable_os_errors(f"{options.output} can't be written"), new_folder(options.output, mode=0o700) as folder:
        for name, text in render_files(options.host, ports, options.user).items():
            (folder / name).write_text(text, encoding="utf-8")
    print(
        _NEXT_STEPS.format(
            folder=options.output,
            processes=options.processes,
            user=options.user,
            root=ROOT,
            ENVIRONMENT=ENVIRONMENT,
            SERVICE=SERVICE,
            TARGET=TARGET,
            NGINX=NGINX,
        )
    )
