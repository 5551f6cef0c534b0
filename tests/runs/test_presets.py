"""The settings of the presets, the estimates, and the command line that does the same."""

import argparse
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from emojify.runs.config import FitConfig
from emojify.runs.machine import cpu_name
from emojify.runs.presets import (
    PRESETS,
    Preset,
    TrainingSpeed,
    command_line,
    estimated_s,
    format_duration,
    preset_config,
    training_speed,
)
from emojify.runs.run import read_run
from emojify.training import fit_cli

FER2013_PICTURES = {"train": 28709, "public": 3589}
FAST, SLOW = TrainingSpeed(1000.0, True), TrainingSpeed(80.0, True)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
@pytest.mark.parametrize("has_votes", [True, False])
def test_preset_config_is_valid(preset: Preset, has_votes: bool) -> None:
    config = preset_config(preset, Path("fer2013.zip"), speed=FAST, pictures=FER2013_PICTURES, has_votes=has_votes)
    assert config.network == preset.network
    assert has_votes or config.ferplus_weight == config.ferplus_head == 0


@pytest.mark.parametrize(("speed", "limit_s"), [(FAST, 120), (TrainingSpeed(250.0, True), 120), (SLOW, 200)])
def test_trial_takes_about_two_minutes(speed: TrainingSpeed, limit_s: float) -> None:
    config = preset_config(PRESETS[0], Path("fer2013.zip"), speed=speed, pictures=FER2013_PICTURES, has_votes=False)
    assert estimated_s(config, speed, FER2013_PICTURES) <= limit_s
    assert config.epochs >= 3


@pytest.mark.parametrize(
    "changes",
    [{}, {"epochs": 3, "learning_rate": 5e-05, "flip": True, "shift": 0.125}, {"schedule": "cosine", "pictures": 100}],
)
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_command_line_gives_same_config(
    preset: Preset, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "my faces; rm.zip"
    config = preset_config(preset, data, speed=FAST, pictures=FER2013_PICTURES, has_votes=False)
    config = replace(config, **changes)  # type: ignore[arg-type]
    configs: list[FitConfig] = []
    monkeypatch.setattr(fit_cli, "_train", lambda options: configs.append(fit_cli._train_config(options)))
    parser = argparse.ArgumentParser()
    fit_cli.add_fit_commands(parser.add_subparsers())
    words = shlex.split(command_line(config))
    assert words[:3] == ["python", "-m", "emojify"]
    options = parser.parse_args(words[3:])
    options.run(options)
    assert configs == [config]


def test_training_speed_uses_newest_run_on_this_machine(tmp_path: Path) -> None:
    for number, (cpu, seconds) in enumerate([(cpu_name(), 20.0), ("another", 1.0), (cpu_name(), 10.0)]):
        run = tmp_path / str(number)
        run.mkdir()
        (run / "config.json").write_text(json.dumps({"data": "x", "epochs": 3}))
        environment = {"cpu": cpu, "pictures": {"data": "FER-2013", "train": 1000, "public": 300}}
        (run / "environment.json").write_text(json.dumps(environment))
        checkpoint = {"epoch": 3, "best_epoch": 3, "best_public_accuracy": 0.5, "weights": "w"}
        (run / "checkpoint.json").write_text(json.dumps(checkpoint))
        (run / "w").touch()
        lines = [{"epoch": epoch, "epochs": 3, "seconds": 99.0 if epoch == 1 else seconds} for epoch in (1, 2, 3)]
        (run / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    runs = [read_run(tmp_path / name, disk_free_bytes=10**12) for name in ("1", "0", "2")]
    assert training_speed("seed", runs, train=9000) == TrainingSpeed(
        1100 / 20, measured=True
    )  # the first epoch warms up and does not count
    assert not training_speed("seed", runs, train=28_000).measured  # the runs had too few pictures
    assert not training_speed("residual", runs, train=9000).measured


def test_training_speed_skips_run_without_counts(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"data": "x", "epochs": 3}))
    (tmp_path / "environment.json").write_text(json.dumps({"cpu": cpu_name(), "pictures": {"train": "many"}}))
    (tmp_path / "checkpoint.json").write_text(
        json.dumps({"epoch": 3, "best_epoch": 3, "best_public_accuracy": 0.5, "weights": "config.json"})
    )
    assert not training_speed("seed", [read_run(tmp_path, disk_free_bytes=10**12)], train=9).measured


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (45, "45 s"),
        (120, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (9000, "2 h 30 min"),
        (90_000, "25 h"),
    ],
)
def test_format_duration_rounds(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
