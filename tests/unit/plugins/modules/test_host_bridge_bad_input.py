# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input: each with its sentence, in check mode and for real, and nothing is changed."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge import survey
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Origin, Record
from ansible_collections.kvmops.network.tests.unit.plugins.support.uplink_host import ADDRESS, MAC, UplinkHost

Change = t.Callable[[UplinkHost], t.Any]
Case = t.Union[tuple[dict[str, t.Any], str], tuple[dict[str, t.Any], str, Change]]

TOO_LONG = "is longer than 15 bytes, the kernel's limit for the name of an interface."
NO_NAME = (
    "is no name for an interface that is managed here; use letters, digits, '-', '_' and '.', and not the kernel's own words."
)
NO_ADDRESS = {4: "is no address; write it as 192.0.2.10/24.", 6: "is no address; write it as 2001:db8::10/64."}
TAKE_OUT = "Take it out of there first."
KNOWN = sorted(survey.BACKENDS)
CARRIES = (
    "and the kernel makes no interface a bridge's port that does. Stop the guests that use it, or give them NICs on the bridge, "
    "then run this again."
)
FOREIGN = (
    "and it was not made by host_bridge, which therefore leaves it alone. Guests can use it as it is. To have it managed, take "
    "it down by hand and run this again over eth0, or choose another name."
)
ORIGIN = Origin("10-eth0.network", "/etc/systemd/network/10-eth0.network", "[Network]")
RECORD = Record("br0", "eth0", "networkd", MAC, 1500, ORIGIN)
GOAL = {"bridge": "br0", "uplink": "eth0", "bridged": True}
PLAN = {"id": "3f9a01c2", "bridge": "br0", "until": 0, "goal": GOAL, "check_gateway": True}


def static(version: int, *addresses: str, gateway: str | None = None, method: str = "static") -> dict[str, t.Any]:
    return {f"ipv{version}": {"method": method, "addresses": list(addresses), "gateway": gateway}}


def dns(**values: t.Any) -> dict[str, t.Any]:
    return {"dns": values}


def each(*changes: Change) -> Change:
    """Return several changes as one."""

    def make(host: UplinkHost) -> None:
        for change in changes:
            change(host)

    return make


def remembered(*ports: str) -> Change:
    """Make br0 there, over eth0 and with guests' interfaces."""

    def make(host: UplinkHost) -> None:
        host.remember(RECORD)
        host.add_link("br0", kind="bridge", address=MAC)
        host.link("eth0")["master"] = "br0"
        for port in ports:
            host.add_link(port, kind="tun", master="br0")

    return make


def with_master(name: str, kind: str) -> Change:
    def make(host: UplinkHost) -> None:
        host.add_link(name, kind=kind)
        host.link("eth0")["master"] = name

    return make


def foreign_bridge(host: UplinkHost) -> None:
    host.add_link("br0", kind="bridge")
    host.link("eth1")["master"] = "br0"


def open_transaction(state: str) -> Change:
    def make(host: UplinkHost) -> None:
        host.write("/var/lib/kvmops-network/transaction/plan.json", json.dumps(PLAN))
        host.write(f"/var/lib/kvmops-network/transaction/{state}", "")

    return make


WRONG: dict[str, Case] = {
    # --- names
    "empty name": ({"name": ""}, "name: it is empty; name an interface, such as br0."),
    "name of 16 characters": ({"name": "br01234567890123"}, f"name: 'br01234567890123' {TOO_LONG}"),
    "name of 16 bytes": ({"name": "brü0123456789012"[:15]}, f"name: 'brü012345678901' {TOO_LONG}"),
    **{
        f"name with {word}": ({"name": name}, f"name: '{name}' {NO_NAME}")
        for word, name in (
            ("a slash", "br/0"),
            ("a space", "br 0"),
            ("a line break at its end", "br0\n"),
            ("a line break", "br\n0"),
            ("single quotes", "br'0"),
            ("double quotes", 'br"0'),
            ("a command", "$(reboot)"),
            ("a variable", "$HOME"),
            ("a semicolon", "br;0"),
            ("a pattern", "br*"),
            ("a colon", "br:0"),
            ("a letter that is no ASCII", "brü"),
        )
    },
    **{f"name {name}": ({"name": name}, f"name: '{name}' {NO_NAME}") for name in (".", "..", "auto", "all", "default", "lo")},
    "name of a port's file": (
        {"name": "br0-port"},
        "name: 'br0-port' ends in -port, as the names of ports' files do; choose another name.",
    ),
    "name of an interface": (
        {"name": "eth1"},
        "name: this host has an interface eth1 already, and it is no bridge. Choose another name.",
    ),
    "name of somebody's bridge with a port": (
        {},
        f"name: the bridge br0 is there already, with the port eth1, {FOREIGN}",
        foreign_bridge,
    ),
    "name of somebody's bridge with an address": (
        {},
        f"name: the bridge br0 is there already, with addresses of its own, {FOREIGN}",
        lambda host: host.add_link("br0", "192.168.122.1/24", kind="bridge"),
    ),
    "name of the uplink": (
        {"name": "eth0"},
        "name: this host has an interface eth0 already, and it is no bridge. Choose another name.",
    ),
    "name of the uplink that is named": (
        {"name": "eth0", "uplink": "eth0"},
        "uplink: 'eth0' is the bridge itself; name the interface that shall become its port.",
    ),
    # --- the uplink
    "empty uplink": ({"uplink": ""}, "uplink: it is empty; name an interface, such as br0."),
    "uplink with a line break": ({"uplink": "eth0\n"}, f"uplink: 'eth0\n' {NO_NAME}"),
    "uplink that is a command": ({"uplink": "`reboot`"}, f"uplink: '`reboot`' {NO_NAME}"),
    "uplink of 16 characters": ({"uplink": "enp0s31f6b123456"}, f"uplink: 'enp0s31f6b123456' {TOO_LONG}"),
    "uplink lo": ({"uplink": "lo"}, f"uplink: 'lo' {NO_NAME}"),
    "uplink that is not there": (
        {"uplink": "eth7"},
        "uplink: there is no interface eth7 on this host. There are eth0, eth1.",
    ),
    # seed P6
    "Wi-Fi": (
        {"uplink": "wlan0"},
        "uplink: wlan0 is a Wi-Fi interface, and an access point takes no frames of guests from it. Use a wired one, or give "
        "the guests a NAT network.",
        each(lambda host: host.add_link("wlan0"), lambda host: host.wireless.add("wlan0")),
    ),
    "port of a bridge": (
        {},
        f"uplink: eth0 is a port of the bridge br9 already. {TAKE_OUT}",
        with_master("br9", "bridge"),
    ),
    "port of a bond": (
        {},
        f"uplink: eth0 is a port of the bond bond0 already. {TAKE_OUT}",
        with_master("bond0", "bond"),
    ),
    "port of a VRF": ({}, f"uplink: eth0 is a port of the vrf red already. {TAKE_OUT}", with_master("red", "vrf")),
    "uplink of a route with several next hops": (
        {},
        "uplink: a route with several next hops leads over eth0, and such a route cannot be moved without a gap. Replace it by "
        "one with a single next hop first.",
        lambda host: host.add_shared_route("eth1", "eth0"),
    ),
    "uplink of another bridge": (
        {"name": "br1"},
        "uplink: eth0 is the uplink of br0. Take that back first (state: absent).",
        lambda host: host.remember(RECORD),
    ),
    **{
        f"{kind} as uplink": (
            {"uplink": "mv0"},
            f"uplink: mv0 is no Ethernet interface ({kind}), and cannot be a port.",
            lambda host, kind=kind: host.add_link("mv0", kind=kind, link="eth1"),
        )
        for kind in ("macvlan", "macvtap", "ipvlan")
    },
    "carries macvtaps": (
        {},
        f"uplink: eth0 carries the macvtap macvtap0, the macvlan mv1, {CARRIES}",
        each(
            lambda host: host.add_link("macvtap0", kind="macvtap", link="eth0"),
            lambda host: host.add_link("mv1", kind="macvlan", link="eth0"),
        ),
    ),
    "uplink that is a bridge": (
        {"uplink": "br9"},
        "uplink: br9 is a bridge already. Guests can be plugged into it as it is, or name one of its ports.",
        lambda host: host.add_link("br9", kind="bridge"),
    ),
    "default route over a bridge": (
        {},
        "uplink: br9 is a bridge already. Guests can be plugged into it as it is, or name one of its ports.",
        each(
            lambda host: host.add_link("br9", kind="bridge"),
            lambda host: host.add_default_route("br9"),
        ),
    ),
    "tap": (
        {"uplink": "tap0"},
        "uplink: tap0 is no Ethernet interface (tun), and cannot be a port.",
        lambda host: host.add_link("tap0", kind="tun"),
    ),
    "WireGuard": (
        {"uplink": "wg0"},
        "uplink: wg0 is no Ethernet interface (wireguard), and cannot be a port.",
        lambda host: host.add_link("wg0", kind="wireguard", link_type="none", address=""),
    ),
    "InfiniBand": (
        {"uplink": "ib0"},
        "uplink: ib0 is no Ethernet interface (the kernel says so), and cannot be a port.",
        lambda host: host.add_link("ib0", link_type="infiniband"),
    ),
    "no default route": (
        {},
        "uplink: the host has no default route by which 'auto' could find its uplink. Name the interface.",
        lambda host: host.without_routes(),
    ),
    "another uplink than the bridge's": (
        {"uplink": "eth1"},
        "uplink: br0 has eth0 as its uplink, and the task names eth1. Take the bridge back first (state: absent), then make it "
        "over eth1.",
        remembered(),
    ),
    "uplink that is gone": (
        {},
        "The uplink eth0 of br0 is gone. Put the interface back, or see to it that it has its name again. If it is gone for "
        "good, take the bridge down by hand: its files are @/etc/systemd/network/0-kvmops-br0.netdev, "
        "@/etc/systemd/network/0-kvmops-br0.network, @/etc/systemd/network/0-kvmops-br0-port.network, "
        "@/var/lib/kvmops-network/bridges/br0.json.",
        each(remembered(), lambda host: host.link("eth0").update(ifname="enp1s0")),
    ),
    # --- who manages it
    "two managers": (
        {},
        "eth0 is managed by ifupdown and by networkd, and what one of them does the other undoes. Leave it to one: take eth0 out "
        "of the other's configuration.",
        lambda host: host.managed_by("networkd", "ifupdown"),
    ),
    "no manager": (
        {},
        f"Nobody manages eth0: neither {' nor '.join(KNOWN)} has a configuration for it that is in use. Give it one, so that "
        "there is something to move.",
        lambda host: host.managed_by(),
    ),
    "no systemd": (
        {},
        f"Nobody manages eth0: neither {' nor '.join(KNOWN)} has a configuration for it that is in use. Give it one, so that "
        "there is something to move.",
        lambda host: host.missing.add("systemctl"),
    ),
    "another ifup than Debian's": (
        {},
        "The ifup of this host is not that of Debian's ifupdown (it says ''), for which alone there is a back end. Let another "
        "program manage the uplink.",
        lambda host: host.managed_by("ifupdown"),
    ),
    "another manager than the one that is named": (
        {"backend": "networkmanager"},
        "backend: eth0 is managed by networkd, not by networkmanager. Leave backend out, or name networkd.",
    ),
    "another back end than the bridge's": (
        {"backend": "networkmanager"},
        "backend: br0 was made with networkd, and the task names networkmanager. Take the bridge back first (state: absent).",
        remembered(),
    ),
    "unknown back end": (
        {"backend": "wicked"},
        "value of backend must be one of: auto, ifupdown, netplan, networkd, networkmanager, got: wicked",
    ),
    "a file of networkd that is gone": (
        {},
        "networkd configured eth0 from /nowhere.network, which cannot be read now (No such file or directory). Put it back, and "
        "run 'networkctl reload'.",
        lambda host: host.write("/run/systemd/netif/links/2", "ADMIN_STATE=configured\nNETWORK_FILE=/nowhere.network\n"),
    ),
    "an uplink that has a macvlan by its file": (
        {},
        "@/etc/systemd/network/10-eth0.network has MACVLAN=mv0 for eth0, which cannot be a bridge's port as well. Take that "
        "out, or put it on the bridge afterwards.",
        lambda host: host.write("/etc/systemd/network/10-eth0.network", "[Network]\nMACVLAN=mv0\n"),
    ),
    # --- the bridge's own
    **{
        f"mac {mac}": ({"mac": mac}, f"mac: '{mac}' is no MAC address; write it as 52:54:00:12:34:56.")
        for mac in ("52:54:00:12:34", "52-54-00-12-34-56", "525400123456", "52:54:00:12:34:5g", "52:54:00:12:34:56\n", "")
    },
    "mac of a group": (
        {"mac": "01:00:5E:00:00:01"},
        "mac: '01:00:5E:00:00:01' is a group address (its first byte is odd), which no interface can have.",
    ),
    "mac of all": (
        {"mac": "ff:ff:ff:ff:ff:ff"},
        "mac: 'ff:ff:ff:ff:ff:ff' is a group address (its first byte is odd), which no interface can have.",
    ),
    "mac of nobody": ({"mac": "00:00:00:00:00:00"}, "mac: '00:00:00:00:00:00' is no address of an interface."),
    **{
        f"mtu {mtu}": ({"mtu": mtu}, f"mtu: '{mtu}' is not from 576 to 65535, the limits of IPv4.") for mtu in (-1, 0, 575, 65536)
    },
    "mtu that is no number": ({"mtu": "big"}, "argument 'mtu' is of type"),
    **{
        f"forward_delay {delay} with stp": (
            {"stp": True, "forward_delay": delay},
            f"forward_delay: '{delay}' is not from 2 to 30 seconds, which is what the kernel takes with stp: true.",
        )
        for delay in (-1, 0, 1, 31)
    },
    **{
        f"forward_delay {delay}": ({"forward_delay": delay}, f"forward_delay: '{delay}' is not from 0 to 30 seconds.")
        for delay in (-1, 31)
    },
    **{
        f"confirm_timeout {time}": ({"confirm_timeout": time}, f"confirm_timeout: '{time}' is not from 10 to 3600 seconds.")
        for time in (-1, 0, 9, 3601)
    },
    "lock_timeout": ({"lock_timeout": -1}, "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."),
    # --- addresses
    "static without addresses": (
        static(4),
        "ipv4.addresses: method static needs at least one address, such as 192.0.2.10/24.",
    ),
    "static without IPv6 addresses": (
        static(6),
        "ipv6.addresses: method static needs at least one address, such as 2001:db8::10/64.",
    ),
    "no prefix": (static(4, "192.0.2.10"), "ipv4.addresses: '192.0.2.10' has no prefix; write it as 192.0.2.10/24."),
    "no IPv6 prefix": (static(6, "2001:db8::10"), "ipv6.addresses: '2001:db8::10' has no prefix; write it as 2001:db8::10/64."),
    "IPv6 under ipv4": (
        static(4, "2001:db8::10/64"),
        "ipv4.addresses: '2001:db8::10/64' is an IPv6 address; it belongs under ipv6.",
    ),
    "IPv4 under ipv6": (static(6, "192.0.2.10/24"), "ipv6.addresses: '192.0.2.10/24' is an IPv4 address; it belongs under ipv4."),
    **{
        f"address {text!r}": (static(version, text), f"ipv{version}.addresses: '{text}' {NO_ADDRESS[version]}")
        for version, text in (
            (4, "192.0.2.300/24"),
            (4, "192.0.2.10/33"),
            (4, "192.0.2.10/24\n"),
            (4, "host.test"),
            (4, ""),
            (6, "2001:db8::10/129"),
            (6, "2001:db8::10%eth0/64"),
            (6, "2001:db8::10%a\nDHCP=yes/64"),
            (6, ":::/64"),
        )
    },
    **{
        f"{what} address": (
            static(4, text),
            f"ipv4.addresses: '{text}' is the network's or the broadcast address of 192.0.2.0/24, not one of a host.",
        )
        for what, text in (("network", "192.0.2.0/24"), ("broadcast", "192.0.2.255/24"))
    },
    **{
        f"address {text}": (static(version, text), f"ipv{version}.addresses: '{text}' cannot be a host's address in a LAN.")
        for version, text in (
            (4, "224.0.0.1/24"),
            (4, "127.0.0.1/8"),
            (4, "0.0.0.0/0"),
            (6, "ff02::1/64"),
            (6, "::1/128"),
            (6, "::/64"),
            (6, "fe80::1/64"),
        )
    },
    "address twice": (
        static(4, "192.0.2.10/24", "192.0.2.10/25"),
        "ipv4.addresses: an address is given twice: 192.0.2.10/24, 192.0.2.10/25.",
    ),
    "address of another interface": (
        static(4, "198.51.100.7/24"),
        "ipv4.addresses: 198.51.100.7/24 is an address of virbr0 on this host already. Choose another one.",
        lambda host: host.add_link("virbr0", "198.51.100.7/25", kind="bridge"),
    ),
    "IPv6 address of another interface": (
        static(6, "2001:DB8:0::7/64"),
        "ipv6.addresses: 2001:db8::7/64 is an address of virbr0 on this host already. Choose another one.",
        lambda host: host.add_link("virbr0", "2001:db8::7/64", kind="bridge"),
    ),
    **{
        f"addresses with {method}": (
            static(4, ADDRESS, method=method),
            f"ipv4: addresses and gateway are for method static, and method is '{method}'; leave them out or change it.",
        )
        for method in ("dhcp", "none")
    },
    "gateway with auto": (
        static(6, gateway="fe80::1", method="auto"),
        "ipv6: addresses and gateway are for method static, and method is 'auto'; leave them out or change it.",
    ),
    "gateway outside": (
        static(4, "192.0.2.10/24", gateway="198.51.100.1"),
        "ipv4.gateway: '198.51.100.1' is in none of the subnets of 192.0.2.10/24, so the bridge could not reach it.",
    ),
    "gateway that is the host": (
        static(4, "192.0.2.10/24", gateway="192.0.2.10"),
        "ipv4.gateway: '192.0.2.10' is the bridge's own address; name the router.",
    ),
    "gateway with a prefix": (
        static(4, "192.0.2.10/24", gateway="192.0.2.1/24"),
        "ipv4.gateway: '192.0.2.1/24' is no address; write one without a prefix.",
    ),
    "gateway of another family": (
        static(4, "192.0.2.10/24", gateway="fe80::1"),
        "ipv4.gateway: 'fe80::1' is an IPv6 address; it belongs under ipv6.",
    ),
    "gateway with more lines": (
        static(6, "2001:db8::10/64", gateway="fe80::1%a\n[Match]"),
        "ipv6.gateway: 'fe80::1%a\n[Match]' is no address; write one without a prefix.",
    ),
    "unknown method": (static(4, method="auto"), "value of method must be one of: dhcp, static, none, got: auto found in ipv4"),
    "no method": ({"ipv4": {"addresses": [ADDRESS]}}, "missing required arguments: method found in ipv4"),
    # --- names of others
    **{
        f"name server {text!r}": (dns(servers=[text]), f"dns.servers: '{text}' is no address.")
        for text in ("dns.test", "192.0.2.1/24", "", "192.0.2.1\n", "fe80::1%a\nDHCP=yes", "192.0.2.1 192.0.2.2")
    },
    **{
        f"search domain {text!r}": (dns(search=["lan.test", text]), f"dns.search: '{text}' is no domain.")
        for text in ("", "a b", "-a", "a-", "lan.test\n", "$(reboot)", "~", "a,b", "ü.test")
    },
    "unknown option": ({"brige": "br0"}, "Unsupported parameters for"),
    "unknown state": ({"state": "up"}, "value of state must be one of: present, absent, got: up"),
    # --- what is on the host
    **{
        f"no {tool}": (
            {},
            f"{tool} cannot be found on this host. Install what is missing; nothing was changed.",
            t.cast("Change", lambda host, tool=tool: host.missing.add(tool)),
        )
        for tool in ("systemd-run", "timeout", "networkctl", "flock")
    },
    "no ip": (
        {},
        "'ip -j -d addr show' failed on this host: No such file or directory. Install iproute2 (4.14 or later).",
        lambda host: host.missing.add("ip"),
    ),
    "ip that fails": (
        {},
        "'ip -j -6 route show table all' failed on this host: it failed. Install iproute2 (4.14 or later).",
        lambda host: host.failing.add("ip -j -6"),
    ),
    "a record that cannot be read": (
        {"name": "br1"},
        "The file @/var/lib/kvmops-network/bridges/br0.json, in which host_bridge remembers a bridge, cannot be read: it was "
        "changed, or written by another version. Put back what it was (from a backup), or take the bridge back by hand and "
        "remove the file.",
        lambda host: host.write("/var/lib/kvmops-network/bridges/br0.json", "{}"),
    ),
    "an open transaction": (
        {"name": "br1"},
        "A change of br0 on this host (transaction 3f9a01c2) has not been confirmed, and goes back by itself in 0 seconds. Run "
        "the task again after that, or decide now with kvmops.network.host_bridge_transaction.",
        open_transaction("armed"),
    ),
    "a transaction that goes back": (
        {"state": "absent"},
        "A change of br0 on this host (transaction 3f9a01c2) has not been confirmed, and is going back at this moment. Run "
        "the task again after that, or decide now with kvmops.network.host_bridge_transaction.",
        open_transaction("reverting"),
    ),
    # --- absent
    "absent with guests": (
        {"state": "absent"},
        "br0 has other ports than eth0: vnet0, vnet1, which would be cut off. Stop or move the guests that they belong to, or "
        "say force: true.",
        remembered("vnet1", "vnet0"),
    ),
    **{
        f"absent of {what}": (
            {"state": "absent"},
            "name: there is an interface br0 on this host that was not made by host_bridge, which therefore does not remove it. "
            "Take it down with what made it.",
            change,
        )
        for what, change in (
            ("a foreign bridge", foreign_bridge),
            ("a bridge with an address", lambda host: host.add_link("br0", "192.0.2.7/24", kind="bridge")),
            ("a bridge with an IPv6 address", lambda host: host.add_link("br0", "2001:db8::7/64", kind="bridge")),
            ("no bridge", lambda host: host.add_link("br0", kind="dummy")),
        )
    },
    "absent of the loopback": ({"state": "absent", "name": "lo"}, f"name: 'lo' {NO_NAME}"),
}

# Ansible's own words, which differ between its versions.
SAID_BY_ANSIBLE = {"unknown back end", "mtu that is no number", "unknown method", "no method", "unknown option", "unknown state"}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UplinkHost:
    return UplinkHost(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(host: UplinkHost, name: str) -> None:
    options, sentence, *change = WRONG[name]
    for make in change:
        make(host)
    before = host.disk
    for check in (True, False):
        result = host.task(check=check, **options)
        assert result.failed
        assert not result.changed
        if name in SAID_BY_ANSIBLE:
            assert sentence in result.msg
        else:
            assert result.msg == sentence.replace("@", str(host.root))
        assert "Traceback" not in str(result.data)
        assert "exception" not in result.data
        assert host.changing_commands == []
        assert host.disk == before


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 100


@pytest.mark.usefixtures("host")
def test_the_host_itself_is_no_wrong_input(host: UplinkHost) -> None:
    """What the table changes is what is refused."""
    assert not host.task(check=True).failed
