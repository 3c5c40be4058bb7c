# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Whether ifupdown configures a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._edge import ifupdown
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._bridge.builders import device


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ifupdown, "_FILES", tuple(f"{tmp_path}{pattern}" for pattern in ifupdown._FILES))
    monkeypatch.setattr(ifupdown, "_PROGRAMS", tuple(f"{tmp_path}{program}" for program in ifupdown._PROGRAMS))
    (tmp_path / "etc/network/interfaces.d").mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/ifup").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto eth0\niface eth0 inet dhcp\n", True),
        ("  iface\teth0 inet6 auto\n", True),
        ("iface eth0.7 inet dhcp\n", False),
        ("iface eth01 inet dhcp\n", False),
        ("iface xeth0 inet dhcp\n", False),
        ("# iface eth0 inet dhcp\n", False),
        ("auto eth0\n", False),
        ("iface ethX0 inet dhcp\n", False),
        ("source /etc/network/interfaces.d/*\n", False),
        ("\xff\niface eth0 inet dhcp\n", True),
        ("", False),
    ],
)
@pytest.mark.parametrize("name", ["interfaces", "interfaces.d/setup"])
def test_stanzas(root: Path, name: str, text: str, expected: bool) -> None:
    (root / "etc/network" / name).write_text(text, encoding="latin-1")
    assert ifupdown.manages(device("eth0")) == expected


def test_a_name_is_no_pattern(root: Path) -> None:
    (root / "etc/network/interfaces").write_text("iface ethX7 inet dhcp\n")
    assert not ifupdown.manages(device("eth.7"))
    (root / "etc/network/interfaces").write_text("iface eth.7 inet dhcp\n")
    assert ifupdown.manages(device("eth.7"))


def test_without_the_program_nobody_reads_the_file(root: Path) -> None:
    (root / "etc/network/interfaces").write_text("iface eth0 inet dhcp\n")
    (root / "usr/sbin/ifup").unlink()
    assert not ifupdown.manages(device("eth0"))


def test_a_folder_in_the_place_of_a_file(root: Path) -> None:
    (root / "etc/network/interfaces.d/folder").mkdir()
    assert not ifupdown.manages(device("eth0"))
