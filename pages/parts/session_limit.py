"""The limit of sessions with live video that a public copy measures when it starts."""

from __future__ import annotations

import os
import sys

from streamlit import secrets

from emojify.errors import EmojifyError
from emojify.settings import MEASURED, Settings


def measure_session_limit() -> None:
    """Replace ``EMOJIFY_MAX_SESSIONS=auto`` by a number for this process. Call it before the server answers.

    Prints the number. An invalid setting changes nothing: the page shows the error.
    """
    secrets.load_if_toml_exists()
    try:
        settings = Settings.from_environment()
        if settings.max_sessions != MEASURED:
            return
        from emojify.deploy.capacity import measure_sessions  # loads the model

        sessions = measure_sessions(settings)
    except EmojifyError as error:
        print(f"emojify: the number of sessions can't be measured: {error}", file=sys.stderr)
        return
    os.environ["EMOJIFY_MAX_SESSIONS"] = str(sessions)
    print(f"Up to {sessions} sessions with live video, as measured.", flush=True)
