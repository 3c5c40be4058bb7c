# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whether cloud-init writes a host's network configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge.cloud_init import writes_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cloud.cfg.d").mkdir()
    (tmp_path / "cloud.cfg").write_text("users:\n  - default\ndisable_root: true\n")
    return tmp_path


def test_it_does_unless_it_is_told_otherwise(folder: Path) -> None:
    assert writes_network(str(folder))


def test_without_cloud_init_nobody_does(folder: Path) -> None:
    (folder / "cloud.cfg").unlink()
    assert not writes_network(str(folder))


def test_it_is_switched_off(folder: Path) -> None:
    (folder / "cloud-init.disabled").touch()
    assert not writes_network(str(folder))


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("network: {config: disabled}\n", False),
        ('network: {"config": "disabled"}\n', False),
        ("network:{config: disabled}", False),
        ("# by hand\nnetwork:\n  config: disabled\n", False),
        ("network:\n    # why\n    config: disabled\n", False),
        ("# network: {config: disabled}\n", True),
        ("network:\n  version: 2\n", True),
        ("other: {config: disabled}\n", True),
        ("network:\n  version: 2\nother:\n  config: disabled\n", True),
    ],
)
@pytest.mark.parametrize("name", ["cloud.cfg", "cloud.cfg.d/99-disable-network-config.cfg"])
def test_its_network_is_switched_off(folder: Path, name: str, text: str, writes: bool) -> None:
    (folder / name).write_text(text)
    assert writes_network(str(folder)) == writes


def test_a_name_that_it_does_not_read(folder: Path) -> None:
    (folder / "cloud.cfg.d/99.txt").write_text("network: {config: disabled}\n")
    assert writes_network(str(folder))
