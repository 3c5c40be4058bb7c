# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
from __future__ import annotations

import pytest
from kvmops_lab import apt_sources
from kvmops_lab.errors import LabError

ONE_LINE = """\
# deb http://commented.example/debian trixie main
deb-src http://source.example/debian trixie main
deb [arch=amd64 signed-by=/usr/share/keyrings/other.gpg] https://packages.example/tools stable main
deb http://first.example/debian/ trixie main contrib
deb http://second.example/debian trixie main
"""

DEB822 = """\
Types: deb
# a comment inside
URIs: http://disabled.example/debian
Suites: trixie
Enabled: no

Types: deb deb-src
URIs: http://one.example/debian
 http://two.example/debian
Suites: trixie trixie-updates
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://source.example/debian
Suites: trixie
"""


def test_one_line_sources_are_read_without_comments_and_sources() -> None:
    assert list(apt_sources.one_line_addresses(ONE_LINE)) == [
        "https://packages.example/tools",
        "http://first.example/debian/",
        "http://second.example/debian",
    ]


def test_deb822_sources_are_read_unless_disabled() -> None:
    assert list(apt_sources.deb822_addresses(DEB822)) == ["http://one.example/debian", "http://two.example/debian"]


def test_the_mirror_is_the_first_debian_archive(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("KVMOPS_LAB_MIRROR", raising=False)
    monkeypatch.setattr(apt_sources, "_APT", tmp_path)
    (tmp_path / "sources.list").write_text(ONE_LINE)
    assert apt_sources.machine_mirror() == "http://first.example/debian"


def test_a_machine_without_debian_sources_is_told_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("KVMOPS_LAB_MIRROR", raising=False)
    monkeypatch.setattr(apt_sources, "_APT", tmp_path)
    with pytest.raises(LabError, match="KVMOPS_LAB_MIRROR"):
        apt_sources.machine_mirror()
    monkeypatch.setenv("KVMOPS_LAB_MIRROR", "http://mine.example/debian")
    assert apt_sources.machine_mirror() == "http://mine.example/debian"
