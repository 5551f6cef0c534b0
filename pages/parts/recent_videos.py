"""Videos page: the videos of this browser. The browser keeps their tokens; the server keeps no list."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from emojify.packs.store import list_packs
from emojify.settings import Settings
from emojify.video.jobs import Job, JobStore
from pages.parts.browser_storage import merge_into_stored_list, parse_text, request_text
from pages.parts.messages import escape_markdown
from pages.parts.video_jobs import delete_job, describe_version, open_job
from pages.parts.video_result import show_download

STORED_AS = "emojify-videos"
MAX_VIDEOS = 20
POLL_INTERVAL_S = 2.0
STATES = {
    "waiting": "starting …",
    "estimated": "waits for your Start",
    "done": "done",
    "failed": "failed",
    "stopped": "canceled",
    "lost": "stopped unexpectedly",
}


def remember_videos(store: JobStore, opened: Job | None) -> None:
    """Exchange the tokens with the browser. Call it once in each run of the page.

    Args:
        store: of all jobs.
        opened: the job that the page shows. It joins the list.
    """
    tokens = st.session_state.setdefault("video_tokens", [])
    if opened is not None and opened.token not in tokens:
        tokens.insert(0, opened.token)
    if st.session_state.get("videos_restored"):
        merge_into_stored_list(STORED_AS, [job.token for job in recent_videos(store)])
    else:
        request_text(STORED_AS, restore)


def restore(stored: object) -> None:
    """Add the tokens that the browser has stored to those of this session."""
    st.session_state.videos_restored = True
    tokens = parse_text(stored)
    known = [token for token in tokens if isinstance(token, str)] if isinstance(tokens, list) else []
    st.session_state.video_tokens = list(dict.fromkeys([*st.session_state.get("video_tokens", []), *known]))


def recent_videos(store: JobStore) -> list[Job]:
    """Return this browser's jobs that still exist, the newest first."""
    jobs = [store.get(token) for token in st.session_state.get("video_tokens", [])]
    existing = [job for job in jobs if job is not None]
    return sorted(existing, key=lambda job: -job.added_s)[:MAX_VIDEOS]


@st.fragment(run_every=POLL_INTERVAL_S)
def show_recent_videos(store: JobStore, settings: Settings) -> None:
    """List this browser's videos, each with what can be done with it."""
    jobs = recent_videos(store)
    if not jobs:
        return
    st.subheader("Your recent videos", anchor=False)
    pack_names = list_packs(settings.emojis).labels
    for job in jobs:
        _show_row(job, pack_names.get(job.request.pack, job.request.pack))


def _show_row(job: Job, pack_name: str) -> None:
    report = job.report()
    state = STATES.get(report["state"]) or f"{report.get('share') or 0.0:.0%} done"
    details = f"{datetime.fromtimestamp(job.added_s):%H:%M} · {pack_name} · {describe_version(job.request)} · {state}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"row_{job.token}"):
        st.markdown(f"**{escape_markdown(job.request.name)}**  \n{escape_markdown(details)}", width="stretch")
        if report["state"] == "done":
            show_download(job, is_primary=False)
        if st.button("Open", key=f"open_{job.token}", icon=":material/visibility:"):
            open_job(job)
            st.rerun()
        if st.button("Delete", key=f"delete_{job.token}", icon=":material/delete:"):
            delete_job(job)
