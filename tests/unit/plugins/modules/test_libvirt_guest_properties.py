# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What holds for guests in any order of tasks, shown with the real module and libvirt's test driver."""

from __future__ import annotations

import shutil
import typing as t

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, clear
from ansible_collections.kvmops.network.tests.unit.plugins.support.guests import (
    Host,
    Options,
    alter_virt_install,
    guest_info,
    guest_task,
    make_host,
)
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import reserved

if t.TYPE_CHECKING:
    from pathlib import Path

# The fixture is one connection for all examples of a test; each example clears it first.
examples = settings.default.max_examples
driven = settings(max_examples=examples // 10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

# test-vm and wso-test have one address by their names
names = st.sampled_from(["test-vm", "wso-test", "wso-3332a2"])
tasks = st.lists(
    st.tuples(
        names,
        st.fixed_dictionaries(
            {"state": st.sampled_from(["present", "present", "absent"])},
            optional={
                "vcpus": st.integers(1, 4),
                "memory": st.sampled_from(["64MiB", "1GiB", "1.5G"]),
                "address": st.sampled_from(["auto", "none", "192.168.100.9", "192.168.100.22"]),
                "isolated": st.booleans(),
                "autostart": st.booleans(),
                "boot": st.sampled_from(["kernel", "iso"]),
                "configured": st.booleans(),
            },
        ),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    alter_virt_install(monkeypatch)
    return tmp_path / "host"


def begin(driver: libvirt.virConnect, folder: Path) -> Host:
    clear(driver)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return make_host(driver, folder)


def options_of(host: Host, name: str, said: Options) -> Options:
    if said["state"] == "absent":
        return {"name": name, "state": "absent"}
    boot = {"iso": {"iso": host.path("install.iso")}, "kernel": {"kernel": host.path("vmlinuz")}}[said.get("boot", "kernel")]
    rest = {option: value for option, value in said.items() if option not in ("boot", "configured")}
    configured = said.get("configured", False) and said.get("address") != "none"
    configuration = {"configuration": {**host.configuration, "seed": False}} if configured else {}
    return {"name": name, "disk": host.disk, "network": "guests", **boot, **rest, **configuration}


def run(host: Host, options: Options) -> Result:
    """Predict and apply a task; either both are refused or both say the same."""
    before = host.see()
    predicted = guest_task(check=True, **options)
    assert host.see() == before
    real = guest_task(**options)
    assert (predicted.failed, predicted.msg, predicted.data.get("actions")) == (real.failed, real.msg, real.data.get("actions"))
    if real.failed:
        assert "should not have happened" not in real.msg
        assert host.see() == before
        return real
    assert {**predicted.data, "diff": None} == {**real.data, "diff": None}
    assert (host.see() != before) is real.changed
    again = guest_task(**options)
    assert (again.failed, again.changed) == (False, False), again.data
    return real


@driven
@given(sequence=tasks)
def test_guests_come_change_and_go(driver: libvirt.virConnect, folder: Path, sequence: list[tuple[str, Options]]) -> None:
    host = begin(driver, folder)
    there: dict[str, Options] = {}
    for name, said in sequence:
        result = run(host, options_of(host, name, said))
        if not result.failed and said["state"] == "absent":
            there.pop(name, None)
        elif not result.failed:
            there[name] = {**there.get(name, {}), **said}
        shown = {guest["name"]: guest for guest in guest_info().data["guests"]}
        assert shown.keys() == there.keys()
        for guest, wanted in there.items():
            for option in ("vcpus", "autostart"):
                if option in wanted:
                    assert shown[guest][option] == wanted[option]
        # each address is one guest's, and who has one is there
        addresses = [each["ip_address"] for each in shown.values() if each["ip_address"]]
        assert len(addresses) == len(set(addresses))
        assert sorted(line.split()[0] for line in reserved(driver, "guests")) == sorted(addresses)
        files = {path.name.partition("-netconfig")[0] for path in (folder / "configuration").glob("*")}
        assert files <= there.keys()


@settings(driven, max_examples=max(1, examples // 30))
@given(order=st.permutations([f"guest{number}" for number in range(6)]))
def test_what_is_reserved_stays_in_whatever_order(driver: libvirt.virConnect, folder: Path, order: list[str]) -> None:
    host = begin(driver, folder)
    # so few that their addresses meet
    network = driver.networkLookupByName("guests")
    text = network.XMLDesc(0).replace("prefix='24'", "prefix='28'")
    network.undefine()
    driver.networkDefineXML(text)
    options = {name: {**host.new, "name": name, "state": "present", "address": "auto"} for name in order}
    first = {name: run(host, options[name]).data["ip_address"] for name in order}
    assert len(set(first.values())) == len(order)
    assert {name: run(host, options[name]).data["ip_address"] for name in sorted(order)} == first
