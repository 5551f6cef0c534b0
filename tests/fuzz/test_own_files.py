"""Damaged files that the app itself wrote: settings, models, runs, recordings and video jobs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emojify.settings import ROOT
from tests.fuzz import oracles
from tests.fuzz.strategies import corrupted, fuzz_settings, json_files
from tests.fuzz.valid_files import CARD, LIVE, RECORDING, REPORT, REQUEST, RUN, to_json

TINY_TFLITE = (ROOT / "tests" / "data" / "tiny.tflite").read_bytes()
TINY_CARD = CARD | {"tflite": {"file": "model.tflite", "sha256": hashlib.sha256(TINY_TFLITE).hexdigest()}}
FACE_PNG = cv2.imencode(".png", np.eye(60, dtype=np.uint8) * 200)[1].tobytes()
VARIABLES = ["EMOJIFY_PUBLIC", "EMOJIFY_MAX_SESSIONS", "EMOJIFY_ICE_SERVERS", "EMOJIFY_MODELS", "EMOJIFY_DATA"]
PROGRESS_LINES: tuple[dict[str, Any], ...] = (
    {"time": 1.0, "phase": "loading"},
    {"time": 2.0, "epoch": 0, "batch": 1, "batches": 4, "loss": 2.0, "accuracy": 0.2},
    RUN["progress.jsonl"],
)
DAMAGED_RUN_FILES = {
    **{name: json_files(content) for name, content in RUN.items()},
    "process.json": json_files(RUN["process.json"] | {"pid": os.getpid()}),  # a process that exists
    "progress.jsonl": st.lists(st.one_of(*[json_files(line) for line in PROGRESS_LINES]), max_size=4).map(b"\n".join),
}


@fuzz_settings
@given(st.dictionaries(
    st.sampled_from(VARIABLES),
    st.text() | json_files({"urls": "turn:a"}).map(lambda content: f"[{content.decode('utf-8', 'replace')}]")
    | st.sampled_from(["0", "1", "9" * 5000]),
))  # fmt: skip
def test_settings_accept_or_refuse_any_environment(environment: Mapping[str, str]) -> None:
    oracles.check_settings(environment)


@fuzz_settings
@given(json_files(TINY_CARD), corrupted(TINY_TFLITE) | st.just(TINY_TFLITE), json_files(LIVE))
def test_model_store_opens_a_model_beside_damaged_files(card: bytes, tflite: bytes, live: bytes) -> None:
    oracles.check_card(card, live)
    oracles.check_models(card, tflite, live, TINY_TFLITE)


@fuzz_settings
@given(st.dictionaries(st.sampled_from(sorted(DAMAGED_RUN_FILES)), st.none(), min_size=1), st.data())
def test_run_store_lists_and_deletes_damaged_runs(changed: dict[str, None], data: st.DataObject) -> None:
    valid = {name: to_json(RUN[name]) for name in ("config.json", "checkpoint.json", "best.json")}
    oracles.check_run(valid | {name: data.draw(DAMAGED_RUN_FILES[name]) for name in changed})


@fuzz_settings
@given(json_files(RECORDING), corrupted(FACE_PNG))
def test_sample_store_names_and_deletes_damaged_recordings(manifest: bytes, picture: bytes) -> None:
    oracles.check_recording(manifest, picture)


@fuzz_settings
@given(json_files(REQUEST), json_files(REPORT))
def test_job_store_skips_damaged_jobs(request: bytes, report: bytes) -> None:
    oracles.check_job(request, report)
