# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""libvirt_port_forward, from the task to a forward that is so, with libvirt's test driver and a model of the host."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmops.network.plugins.module_utils._guest.addresses import hashed_address
from ansible_collections.kvmops.network.tests.unit.plugins.support.forward_host import FOLDER, KEEPER, MAC, ForwardHost
from ansible_collections.kvmops.network.tests.unit.plugins.support.nics import define_guest, define_network, make_nic, reserved

ADDRESS = hashed_address("web", "192.168.122.0/24")
TABLE = ("inet", "kvmops_port_forwards")
LIBVIRT = "nft add table ip libvirt_network; add chain ip libvirt_network forward; add chain ip libvirt_network cross"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: libvirt.virConnect) -> ForwardHost:
    return ForwardHost(tmp_path, monkeypatch, driver)


def ways(host: ForwardHost) -> list[str]:
    """Return what leads to guests."""
    table = host.firewall.tables.get(TABLE)
    return [] if table is None else [rule.words.partition(" dport ")[2] for rule in table.chains["to_guests"]]


# --- made, repeated, changed, removed -------------------------------------------------------------------------------------------


def test_made_changed_and_gone_without_a_trace(host: ForwardHost) -> None:
    host.firewall(LIBVIRT.split(" ", 1))
    empty = host.state()
    made = host.step(changed=True, host_port="2222", guest_port="22")
    assert made.data["actions"] == [
        f"reserve: {ADDRESS} on the network 'default' for {MAC}",
        f"add: * tcp 2222 -> {ADDRESS}:22",
    ]
    assert made.data["reason"] == "the network 'default' is of mode nat, whose guests can answer"
    assert made.data["forward"] == {
        "name": "web",
        "exists": True,
        "protocols": ["tcp"],
        "host_address": None,
        "host_ports": "2222",
        "host_port": 2222,
        "domain": "web",
        "network": "default",
        "address": ADDRESS,
        "guest_ports": "22",
        "method": "rules",
    }
    assert ways(host) == [f"2222 dnat ip to {ADDRESS}:22"]
    assert (host.active, host.enabled) == ({KEEPER}, {KEEPER})
    assert reserved(host.driver, "default") == [f"{ADDRESS} {MAC}"]
    assert host.firewall.tables["ip", "libvirt_network"].chains["forward"][0].target == "kvmops_port_forwards"
    assert host.read("/proc/sys/net/ipv4/conf/virbr0/route_localnet").strip() == "1"
    assert [each["after_header"] for each in made.data["diff"]] == [
        "port forward web",
        f"{FOLDER}/ip.iptables",
        f"{FOLDER}/rules.nft",
    ]

    changed = host.step(changed=True, host_port="2222", guest_port="2022", protocols=["tcp", "udp"])
    assert changed.data["actions"] == [
        f"change: * tcp+udp 2222 -> {ADDRESS}:2022, instead of * tcp 2222 -> {ADDRESS}:22",
    ]
    assert ways(host) == [f"2222 dnat ip to {ADDRESS}:2022"] * 2
    assert (host.active, host.enabled) == ({KEEPER}, {KEEPER})

    gone = host.step(changed=True, state="absent")
    assert gone.data["actions"] == [f"remove: * tcp+udp 2222 -> {ADDRESS}:2022"]
    assert gone.data["forward"] == {**dict.fromkeys(made.data["forward"]), "name": "web", "exists": False}
    assert gone.data["reason"] == ""
    # the reservation stays
    assert reserved(host.driver, "default") == [f"{ADDRESS} {MAC}"]
    left = host.state()
    assert {key: left[key] for key in ("files", "units", "rules", "localnet")} == {
        key: empty[key] for key in ("files", "units", "rules", "localnet")
    }


def test_absent_from_the_start(host: ForwardHost) -> None:
    host.step(changed=False, state="absent")


def test_of_two_the_other_stays(host: ForwardHost) -> None:
    host.step(changed=True, host_port="80")
    alone = host.state()
    host.step(changed=True, name="dns", host_port="53", protocols=["udp", "tcp"])
    assert len(ways(host)) == 3
    host.step(changed=True, name="dns", state="absent")
    assert host.state() == alone


def test_the_keeper_is_not_stopped_for_a_change(host: ForwardHost) -> None:
    host.apply(host_port="80")
    host.apply(host_port="81")
    assert [step for step in host.steps if step.startswith("systemctl")] == [
        f"systemctl enable {KEEPER}",
        f"systemctl reload {KEEPER}",
        f"systemctl start {KEEPER}",
    ]


def test_a_newer_keeper_is_started(host: ForwardHost) -> None:
    host.apply(host_port="80")
    host.write(f"{FOLDER}/keeper.py", "# older\n")
    again = host.step(changed=True, host_port="80")
    assert again.data["actions"] == [f"write: {FOLDER}/keeper.py differs from what was written"]


def test_the_unit_outlives_an_upgrade_of_python(host: ForwardHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/python/bin/python")
    host.apply(host_port="80")
    unit = f"/etc/systemd/system/{KEEPER}"
    assert f"ExecStart=/opt/python/bin/python -I {FOLDER}/keeper.py watch\n" in host.read(unit)
    host.links = {"/usr/bin/python3": "/usr/bin/python3.11", sys.executable: "/usr/bin/python3.11"}
    host.step(changed=True, host_port="80")
    assert f"ExecStart=/usr/bin/python3 -I {FOLDER}/keeper.py watch\n" in host.read(unit)


def test_by_a_proxy(host: ForwardHost) -> None:
    define_guest(host.driver, "db", make_nic("52:54:00:00:00:02", "network='inside'"), running=True)
    empty = host.state()
    options: dict[str, t.Any] = {"name": "db", "domain": "db", "host_address": "127.0.0.1", "host_port": "5432"}
    made = host.step(changed=True, **options)
    assert made.data["forward"]["method"] == "proxy"
    assert made.data["reason"] == "the network 'inside' is isolated, so that its guests can answer nobody but the host"
    assert host.active == host.enabled == {"kvmops-port-forward-db.socket"}
    assert host.firewall.tables == {}
    # the address, the number of ports, and back
    host.step(changed=True, **{**options, "host_address": "0.0.0.0"})
    host.step(changed=True, **{**options, "host_port": "5432-5433"})
    assert host.active == {"kvmops-port-forward-db:5432.socket", "kvmops-port-forward-db:5433.socket"}
    host.step(changed=True, **options)
    host.step(changed=True, name="db", state="absent")
    assert {key: value for key, value in host.state().items() if key != "networks"} == {
        key: value for key, value in empty.items() if key != "networks"
    }


def test_a_proxys_service_is_stopped_when_it_leads_elsewhere(host: ForwardHost) -> None:
    # its name is one that could be taken for a unit's
    options: dict[str, t.Any] = {"name": "a.socket", "method": "proxy", "host_port": "80"}
    host.apply(**options)
    host.apply(**options, guest_port="81")
    unit = "kvmops-port-forward-a.socket"
    assert f"systemctl stop {unit}.service {unit}.socket" in host.steps
    host.apply(name="a.socket", state="absent")
    assert f"systemctl stop {unit}.service" in host.steps


def test_from_rules_to_a_proxy_and_back(host: ForwardHost) -> None:
    host.step(changed=True, host_port="80")
    by_rules = host.state()
    host.step(changed=True, host_port="80", method="proxy")
    assert host.firewall.tables == {}
    assert host.active == {"kvmops-port-forward-web.socket"}
    host.step(changed=True, host_port="80")
    assert host.state() == by_rules


# --- ports ----------------------------------------------------------------------------------------------------------------------


def test_a_free_port_is_chosen_recorded_and_kept(host: ForwardHost) -> None:
    host.listen("127.0.0.1:10000")
    host.apply(name="other", host_port="10001")
    made = host.step(changed=True, guest_port="5900")
    assert made.data["forward"]["host_port"] == 10002
    record = json.loads(host.read(f"{FOLDER}/forwards.json"))
    assert {each["name"]: each["host_ports"] for each in record["forwards"]}["web"] == {"first": 10002, "last": 10002}
    # others come and go
    host.listeners.clear()
    host.apply(name="other", state="absent")
    host.listen("0.0.0.0:10002")
    assert host.step(changed=False, guest_port="5900").data["forward"]["host_port"] == 10002
    assert host.step(changed=True, guest_port="5901").data["forward"]["host_port"] == 10002
    # and once it was gone, any
    host.apply(state="absent")
    assert host.apply(guest_port="5900").data["forward"]["host_port"] == 10000


@pytest.mark.parametrize("check", [True, False])
def test_a_port_that_is_taken(host: ForwardHost, check: bool) -> None:
    host.listen("0.0.0.0:8080")
    host.apply(name="other", host_port="9000-9010")
    before = host.state()
    process = host.task(host_port="8080", check=check)
    assert process.msg == (
        "host_port: 8080 is in use on this host (sshd (process 7) at 0.0.0.0 tcp 8080), which nobody would reach any more; "
        "choose another port, or give the host_address that is meant."
    )
    other = host.task(host_port="9005", check=check)
    assert other.msg == (
        f"host_port: 9005 belongs to the forward 'other' (* tcp 9000-9010 -> {ADDRESS}:9000-9010); choose another port, leave "
        "host_port out to get a free one, or remove that forward."
    )
    free = host.task(guest_port="22", host_port_range="8080-8080", check=check)
    assert free.msg == ("host_port_range: of the ports 8080 none is left for 'web'; give another range, or remove a forward.")
    assert process.failed
    assert other.failed
    assert free.failed
    assert host.state() == before
    assert host.steps == []


# --- the guest's address --------------------------------------------------------------------------------------------------------


def test_the_lease_is_reserved(host: ForwardHost) -> None:
    lease = {"mac": MAC, "ipaddr": "192.168.122.150", "prefix": 24, "hostname": None, "clientid": None, "expirytime": 0}
    host.leases.append(lease)
    made = host.step(changed=True, host_port="80")
    assert made.data["forward"]["address"] == "192.168.122.150"
    assert reserved(host.driver, "default") == [f"192.168.122.150 {MAC}"]
    # it has another one later, and is told of it
    host.leases[:] = [{**lease, "ipaddr": "192.168.122.151"}]
    again = host.step(changed=False, host_port="80")
    assert again.own_warnings == [
        "The guest 'web' has 192.168.122.151 at the moment, and the forward leads to 192.168.122.150: it works when the guest "
        "has asked for its address anew, at the latest when it is started anew."
    ]


def test_it_leads_where_the_guest_is_reserved_next(host: ForwardHost) -> None:
    # the test driver shows of a network that runs what runs alone, without the mark of what a task reserved
    host.driver.lookupByName("web").destroy()
    host.driver.networkLookupByName("default").destroy()
    host.apply(host_port="80")
    moved = host.step(changed=True, host_port="80", address="192.168.122.20")
    assert moved.data["actions"] == [
        f"release: {ADDRESS} on the network 'default', no longer for {MAC}",
        f"reserve: 192.168.122.20 on the network 'default' for {MAC}",
        f"change: * tcp 80 -> 192.168.122.20:80, instead of * tcp 80 -> {ADDRESS}:80",
    ]
    # without an address it is the one that is reserved
    host.step(changed=False, host_port="80")


def test_the_network_and_the_address_alone(host: ForwardHost) -> None:
    made = host.step(changed=True, network="default", address="192.168.122.5", host_port="53")
    assert made.data["forward"]["domain"] is None
    assert reserved(host.driver, "default") == []


# --- what others do -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "actions"),
    [
        (
            lambda host: host.firewall.tables.clear(),
            ["put back: the table 'inet kvmops_port_forwards' is not as it was made"],
        ),
        (
            lambda host: host.write("/proc/sys/net/ipv4/conf/virbr0/route_localnet", "0\n"),
            ["put back: route_localnet of virbr0 is not as it was made"],
        ),
        (lambda host: host.enabled.clear(), [f"start: {KEEPER} does not run, or does not at boot"]),
        (
            lambda host: (host._stop(KEEPER), host.enabled.clear()),
            [
                f"start: {KEEPER} does not run, or does not at boot",
                "put back: the table 'inet kvmops_port_forwards' is not as it was made",
                "put back: route_localnet of virbr0 is not as it was made",
            ],
        ),
        (
            lambda host: host.write(f"{FOLDER}/rules.nft", "flush ruleset\n"),
            [f"write: {FOLDER}/rules.nft differs from what was written"],
        ),
        (
            lambda host: (host.root / f"etc/systemd/system/{KEEPER}").unlink(),
            [f"write: /etc/systemd/system/{KEEPER} is not there"],
        ),
        (
            lambda host: host.write(f"{FOLDER}/more", ""),
            [f"remove: {FOLDER}/more is of no forward"],
        ),
    ],
)
def test_is_put_back(host: ForwardHost, deed: t.Callable[[ForwardHost], object], actions: list[str]) -> None:
    host.apply(host_port="80")
    good = host.state()
    deed(host)
    result = host.step(changed=True, host_port="80")
    assert result.data["actions"] == actions
    assert result.data["diff"][0]["before"] != result.data["diff"][0]["after"]
    assert host.state() == good


def test_a_network_that_is_made_anew_on_another_bridge(host: ForwardHost) -> None:
    host.apply(host_port="80")
    xml = host.driver.networkLookupByName("default").XMLDesc(0).replace("virbr0", "virbr5")
    host.driver.networkLookupByName("default").destroy()
    host.driver.networkLookupByName("default").undefine()
    host.driver.networkDefineXML(xml).create()
    host.write("/proc/sys/net/ipv4/conf/virbr5/route_localnet", "0\n")
    assert host.step(changed=True, host_port="80").changed
    assert host.read("/proc/sys/net/ipv4/conf/virbr0/route_localnet").strip() == "0"
    assert host.read("/proc/sys/net/ipv4/conf/virbr5/route_localnet").strip() == "1"


def test_a_name_of_a_network_cannot_break_out(host: ForwardHost) -> None:
    name = 'open" drop; flush ruleset; #'
    content = _document("<forward mode='open'/><bridge name='virbr9'/><ip address='10.9.0.1' prefix='24'/>")
    define_network(host.driver, name.replace('"', "&quot;"), content, running=True)
    host.step(changed=True, network=name, address="10.9.0.5", host_port="80", method="open")
    assert name not in host.read(f"{FOLDER}/rules.nft")


def _document(content: str) -> str:
    assert ElementTree.fromstring(f"<network>{content}</network>") is not None
    return content
