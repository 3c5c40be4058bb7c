# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
from kvmops_lab import layer
from kvmops_lab.cgroup import ControlGroup
from kvmops_lab.errors import LabError
from kvmops_lab.paths import Paths


@pytest.fixture
def paths(tmp_path, monkeypatch) -> Paths:
    monkeypatch.setattr(layer, "build_group", lambda kind, release: ControlGroup(tmp_path / "cgroup" / f"{kind}-{release}"))
    return Paths(state=tmp_path / "lab", prefix="lab", cache=tmp_path / "cache")


def fill(folder) -> None:
    (folder / "file").write_text("content")


def test_the_key_changes_with_each_input(tmp_path) -> None:
    file = tmp_path / "file"
    keys = []
    for texts, content, mode in (
        (["a", "b"], "x", 0o644),
        (["ab"], "x", 0o644),
        (["a", "b"], "y", 0o644),
        (["a", "b"], "x", 0o755),
    ):
        file.write_text(content)
        file.chmod(mode)
        keys.append(layer.key_of(texts=texts, files=[file], relative_to=tmp_path))
    assert len(set(keys)) == 4


def test_a_layer_is_built_once(paths) -> None:
    wanted = layer.Layer("bare", "trixie", "1")
    assert (layer.ensure(wanted, paths, build=fill, in_use=set) / "file").read_text() == "content"
    layer.ensure(wanted, paths, build=lambda _folder: pytest.fail("built twice"), in_use=set)


def test_a_failed_build_leaves_no_layer_and_the_next_one_starts_afresh(paths) -> None:
    wanted = layer.Layer("bare", "trixie", "1")

    def fail(folder) -> None:
        (folder / "half").write_text("")
        raise LabError("no")

    with pytest.raises(LabError):
        layer.ensure(wanted, paths, build=fail, in_use=set)
    assert not wanted.directory(paths).exists()
    assert [path.name for path in layer.ensure(wanted, paths, build=fill, in_use=set).iterdir()] == ["file"]


def test_abandoned_builds_are_removed(paths) -> None:
    (paths.layers / "unfinished-bare-trixie-1").mkdir(parents=True)
    (paths.layers / "bare-trixie-2").mkdir()
    layer.remove_abandoned(paths)
    assert [path.name for path in paths.layers.iterdir()] == ["bare-trixie-2"]


def test_older_layers_go_except_those_in_use_and_the_last_one(paths) -> None:
    def build(key: str, in_use=frozenset()) -> None:
        layer.ensure(layer.Layer("bare", "trixie", key), paths, build=fill, in_use=lambda: in_use)

    build("1")
    build("2")
    build("3", in_use={paths.layers / "bare-trixie-1"})
    assert {path.name for path in paths.layers.iterdir()} == {"bare-trixie-1", "bare-trixie-2", "bare-trixie-3"}
    build("4")
    assert {path.name for path in paths.layers.iterdir()} == {"bare-trixie-3", "bare-trixie-4"}


def test_a_layer_in_use_is_not_rebuilt(paths) -> None:
    wanted = layer.Layer("bare", "trixie", "1")
    layer.ensure(wanted, paths, build=fill, in_use=set)
    with pytest.raises(LabError, match="in use"):
        layer.ensure(wanted, paths, build=fill, in_use=lambda: {wanted.directory(paths)}, rebuild=True)
