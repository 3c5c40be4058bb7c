# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What guests there are, ours and others'."""

from __future__ import annotations

import typing as t

from ansible_collections.kvmops.network.tests.unit.plugins.support.guests import (
    alter_virt_install,
    apply_guest,
    guest_info,
    make_host,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest, make_nic

if t.TYPE_CHECKING:
    from pathlib import Path

    import libvirt
    import pytest


def test_all_guests_and_some(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alter_virt_install(monkeypatch)
    host = make_host(driver, tmp_path)
    made = apply_guest(**host.new, state="present")
    define_guest(driver, "web", make_nic("52:54:00:00:00:07", "bridge='br0'", kind="bridge"))
    driver.createXML("<domain type='test'><name>bare</name><memory>8192</memory><os><type>hvm</type></os></domain>", 0)
    for check in (True, False):
        bare, web, ours = guest_info(check=check).data["guests"]
        assert {key: ours[key] for key in made.data["guest"]} == made.data["guest"]
        for key in ("ip_address", "network_name", "bridge_name", "mac"):
            assert ours[key] == made.data[key]
        assert (web["name"], web["managed"], web["bridge_name"], web["network_name"]) == ("web", False, "br0", None)
        assert (bare["state"], bare["persistent"], bare["mac"], bare["memory"]) == ("running", False, None, 8)
    some = guest_info(names=["web", "nobody"]).data
    assert ([each["name"] for each in some["guests"]], some["missing"]) == (["web"], ["nobody"])


def test_what_waits(driver: libvirt.virConnect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alter_virt_install(monkeypatch)
    host = make_host(driver, tmp_path, running=True)
    apply_guest(**host.new)
    apply_guest(name="wso-3332a2", memory="1GiB")
    [guest] = guest_info().data["guests"]
    assert (guest["state"], guest["memory"], guest["pending_changes"]) == ("running", 1024, ["memory"])
