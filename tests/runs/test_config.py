"""The settings of a fit: limits, and reading those of old and edited runs."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig, default_config, with_current_names
from emojify.runs.networks import NETWORKS


def test_config_of_first_version_is_tutorial(tmp_path: Path) -> None:
    old = {"data": "fer2013.zip", "network": "seed", "epochs": 50, "batch_size": 64, "learning_rate": 0.0001}
    (tmp_path / "config.json").write_text(json.dumps(old | {"decay": 1e-06, "seed": 1}))
    assert FitConfig.read(tmp_path) == FitConfig("fer2013.zip")


def test_config_reads_old_names(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"data": "fer2013.zip", "network": "residual", "crowd_head": 0.5}')
    assert FitConfig.read(tmp_path) == FitConfig("fer2013.zip", network="residual", ferplus_head=0.5)
    card_recipe = {"crowd_head": 0.5, "epochs_done": 3, "lean": {}}
    assert with_current_names(card_recipe) == {"ferplus_head": 0.5, "epochs_done": 3, "logit_bias": {}}


def test_config_survives_json(tmp_path: Path) -> None:
    config = FitConfig("fer2013.zip", teachers=("/runs/one", "/models/two"), teacher_weight=0.5, flip=True)
    (tmp_path / "config.json").write_text(json.dumps(asdict(config)))
    assert FitConfig.read(tmp_path) == config


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0; it must lie between 1 and"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"optimizer": "magic"}, "optimizer is 'magic'; it must be adam or sgd"),
        ({"ferplus_weight": 1.5}, "ferplus_weight is 1.5; it must lie between 0 and 1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"small_side": 40}, "small_side is 40; it must be a multiple of 16"),
        ({"blur": 9.0}, "blur is 9.0; it must lie between 0 and 5"),
        ({"teachers": ("one",)}, "set both, or neither"),
        ({"teacher_weight": 0.5}, "set both, or neither"),
    ],
)
def test_config_rejects_invalid_settings(setting: dict[str, object], sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        FitConfig("data", **setting)  # type: ignore[arg-type]


def test_config_rejects_unknown_settings(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"data": "x", "warp_drive": true}')
    with pytest.raises(EmojifyError, match="warp_drive"):
        FitConfig.read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        '{"network": "seed"}',
        '{"data": "x", "epochs": "ten"}',
        '{"data": "x", "momentum": null}',
        '{"data": "x", "teachers": "one", "teacher_weight": 1}',
        '{"data": "x", "teachers": [1], "teacher_weight": 1}',
    ],
)
def test_config_rejects_values_of_wrong_type(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(EmojifyError):
        FitConfig.read(tmp_path)


@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_valid_recipe(name: str) -> None:
    config = default_config("data", name, epochs=3)
    assert (config.network, config.epochs) == (name, 3)
    assert NETWORKS[name].description.endswith(".")
    assert NETWORKS[name].images_per_s > 0


def test_default_config_names_unknown_network() -> None:
    with pytest.raises(EmojifyError, match=r"no network called 'warp'\. Choose one of: seed, residual"):
        default_config("data", "warp")
