"""What Streamlit's server does by itself and should not, and has no setting for. Not a page of its own.

Streamlit 1.67: when a page of another site wants a connection, ``server_util`` asks ``net_util`` for this machine's
addresses: one by a socket, the other from a service on the internet, for up to two seconds in which all sessions wait.
"""

from __future__ import annotations

import sys

from starlette.formparsers import MultiPartParser
from streamlit import net_util


def ask_nobody_for_the_address() -> None:
    """Pages of this app connect all the same; other sites that may are named in ``server.corsAllowedOrigins``.

    What is asked for when the server starts, ``browser.serverAddress`` in .streamlit/config.toml answers.
    """
    net_util.get_external_ip = net_util.get_internal_ip = _unknown


def _unknown() -> None:
    return None


def keep_uploads_in_memory() -> None:
    """Never on the disk. Streamlit holds all of it in memory afterwards; until then Starlette puts files of more than
    1 MB into the system's temporary folder.
    """
    MultiPartParser.spool_max_size = sys.maxsize
