# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

from pathlib import Path

import pytest
from kvmops_lab import lan, layer, leftovers, namespace
from kvmops_lab.cgroup import ControlGroup
from kvmops_lab.paths import Paths


def test_a_lab_whose_name_goes_on_after_this_ones_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "netns"
    named.mkdir()
    for name in ("lab-lan", "lab-host-a", "lab-b-lan", "lab-b-host-a", "other-lan"):
        (named / name).touch()
    monkeypatch.setattr(namespace, "_NAMED", named)
    # what it does to the machine's processes and mounts is seen where the lab is used
    monkeypatch.setattr(leftovers.lifecycle, "remove", lambda host: namespace.delete(host.namespace))
    monkeypatch.setattr(lan, "remove", lambda paths: namespace.delete(paths.lan_namespace))
    monkeypatch.setattr(layer, "remove_abandoned", lambda _paths: None)
    monkeypatch.setattr(ControlGroup, "kill", lambda _group: None)
    assert leftovers.remove_everything(Paths(state=tmp_path / "lab", prefix="lab", cache=tmp_path / "cache")) == ["a"]
    assert sorted(path.name for path in named.iterdir()) == ["lab-b-host-a", "lab-b-lan", "other-lan"]
