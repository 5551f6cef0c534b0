"""What the presets ask for and cost, and that the command line shown does the same."""

import argparse
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from emojify.runs.config import FitConfig
from emojify.runs.machine import cpu_name
from emojify.runs.presets import (
    FER2013_PICTURES,
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
from emojify.training import cli

QUICK, SLOW = TrainingSpeed(1000.0, True), TrainingSpeed(80.0, True)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
@pytest.mark.parametrize("voted", [True, False])
def test_every_preset_can_be_fitted(preset: Preset, voted: bool) -> None:
    config = preset_config(preset, Path("fer2013.zip"), rate=QUICK, pictures=FER2013_PICTURES, voted=voted)
    assert config.network == preset.network
    assert voted or config.ferplus_weight == config.ferplus_head == 0


@pytest.mark.parametrize(("rate", "limit_s"), [(QUICK, 120), (TrainingSpeed(250.0, True), 120), (SLOW, 200)])
def test_trial_preset_takes_about_two_minutes(rate: TrainingSpeed, limit_s: float) -> None:
    config = preset_config(PRESETS[0], Path("fer2013.zip"), rate=rate, pictures=FER2013_PICTURES, voted=False)
    assert estimated_s(config, rate, FER2013_PICTURES) <= limit_s
    assert config.epochs >= 3


@pytest.mark.parametrize(
    "changes",
    [{}, {"epochs": 3, "learning_rate": 5e-05, "flip": True, "shift": 0.125}, {"schedule": "cosine", "pictures": 100}],
)
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_the_command_line_asks_for_the_very_same_fit(
    preset: Preset, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "my faces; rm.zip"
    config = preset_config(preset, data, rate=QUICK, pictures=FER2013_PICTURES, voted=False)
    config = replace(config, **changes)  # type: ignore[arg-type]
    asked: list[FitConfig] = []
    monkeypatch.setattr(cli, "_train", lambda options: asked.append(cli._config(options)))
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    words = shlex.split(command_line(config))
    assert words[:3] == ["python", "-m", "emojify"]
    options = parser.parse_args(words[3:])
    options.run(options)
    assert asked == [config]


def test_the_rate_is_that_of_the_newest_run_of_the_network_on_this_machine(tmp_path: Path) -> None:
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
    assert not training_speed("seed", runs, train=28_000).measured  # from so few pictures nothing follows for so many
    assert not training_speed("residual", runs, train=9000).measured


def test_a_run_that_tells_nothing_useful_is_passed_over(tmp_path: Path) -> None:
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
def test_durations_are_as_precise_as_they_deserve(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
