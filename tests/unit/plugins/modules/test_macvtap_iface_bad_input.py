# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Wrong input: each with its sentence, in check mode and for real, and nothing is changed."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.tests.unit.plugins.support.macvtap_host import MacvtapHost

Change = t.Callable[[MacvtapHost], t.Any]
Case = t.Union[tuple[dict[str, t.Any], str], tuple[dict[str, t.Any], str, Change]]

TOO_LONG = "is longer than 15 bytes, the kernel's limit for the name of an interface."
NO_NAME = (
    "is no name for an interface that is managed here; use letters, digits, '-', '_' and '.', and not the kernel's own words."
)
NO_ROUTE = "is no subnet and no address; write it as 192.0.2.128/25 or 192.0.2.7."
NO_MAC = "is no MAC address; write it as 52:54:00:12:34:56."
CUT_OFF = "which would be cut off. Stop that first, or set force: true."
NO_KERNEL = (
    "The kernel of this host has no {} (kernels for clouds leave it out). Install one that has, on Debian the package "
    "linux-image-amd64, and boot it."
)
PARENT_MAC = "02:00:00:00:aa:02"
MAC = "52:54:00:7a:00:01"
OWN = {"addresses": ["192.0.2.250/32"]}
GUEST = "the guest web (process 7)"


def tap(**values: t.Any) -> dict[str, t.Any]:
    return {"tap": values}


def route(**values: t.Any) -> dict[str, t.Any]:
    return {**OWN, "routes": [{"destination": "198.51.100.0/24", **values}]}


def each(*changes: Change) -> Change:
    """Return several changes as one."""

    def make(host: MacvtapHost) -> None:
        for change in changes:
            change(host)

    return make


def in_use(host: MacvtapHost) -> None:
    host.make()
    host.holders = [GUEST]


def set_to(name: str, value: t.Any) -> Change:
    return lambda host: setattr(host, name, value)


def add(name: str, *addresses: str, **values: t.Any) -> Change:
    return lambda host: host.kernel.add(name, *addresses, **values)


def port_of(name: str, kind: str) -> Change:
    return each(add(name, kind=kind), lambda host: host.kernel.links["eth1"].more.update(master=name))


def foreign_route(destination: str, **more: t.Any) -> Change:
    return lambda host: host.kernel.foreign_routes.append({"dst": destination, "dev": "eth2", "protocol": "static", **more})


def managed(manager: str, version: int = 257) -> Change:
    def make(host: MacvtapHost) -> None:
        if manager == "networkd":
            host.networkd = version
            host.manage(host.kernel.links["eth1"], "10-eth1.network")
        else:
            host.missing.clear()
            host.managed_by_network_manager.add("eth1")

    return make


INJECTIONS = {
    "a space": "mv 0",
    "a line break": "mv0\nlink",
    "a line break at its end": "mv0\n",
    "a slash": "../mv0",
    "single quotes": "mv'0",
    "double quotes": 'mv"0',
    "a command": "$(reboot)",
    "a command in backticks": "`reboot`",
    "a variable": "${IFS}",
    "a semicolon": "mv0;reboot",
    "a specifier": "mv%n",
    "a pattern": "mv*",
    "a colon": "mv0:1",
    "a backslash": "mv\\0",
    "a letter that is no ASCII": "mvü",
}

WRONG: dict[str, Case] = {
    # --- names
    "empty name": ({"name": ""}, "name: it is empty; name an interface, such as br0."),
    "name of 16 characters": ({"name": "mv01234567890123"}, f"name: 'mv01234567890123' {TOO_LONG}"),
    "name of 16 bytes": ({"name": "mvü123456789012"}, f"name: 'mvü123456789012' {TOO_LONG}"),
    "name of a port's file": (
        {"name": "mv0-port"},
        "name: 'mv0-port' ends in -port, as the files of bridges' ports do; choose another name.",
    ),
    **{f"name {name}": ({"name": name}, f"name: '{name}' {NO_NAME}") for name in (".", "..", "auto", "all", "default", "lo")},
    **{f"name with {what}": ({"name": name}, f"name: '{name}' {NO_NAME}") for what, name in INJECTIONS.items()},
    **{
        f"absent, name with {what}": ({"name": name, "state": "absent"}, f"name: '{name}' {NO_NAME}")
        for what, name in INJECTIONS.items()
    },
    **{f"parent with {what}": ({"parent": name}, f"parent: '{name}' {NO_NAME}") for what, name in INJECTIONS.items()},
    **{
        f"name of {what}, {state}": (
            {"name": name, "parent": "eth2", "state": state},
            f"name: {name} is {kind} on this host, which is left alone. Choose another name.",
            add("br0", kind="bridge"),
        )
        for what, name, kind in (("a NIC", "eth1", "a NIC"), ("a bridge", "br0", "an interface of the kind bridge"))
        for state in ("present", "absent")
    },
    # --- parents
    "no parent": ({"parent": None}, "parent: it is missing; name the interface that this one stands on, such as eth1."),
    "itself": ({"parent": "mv0"}, "parent: 'mv0' is the interface itself; name the one that it stands on."),
    "a parent that is not there": (
        {"parent": "eth9"},
        "parent: there is no interface eth9 on this host. There are eth1, eth2.",
    ),
    "a Wi-Fi parent": (
        {},
        "parent: eth1 is a Wi-Fi interface, and an access point takes no frames of guests from it. Use a wired one, or give the "
        "guests a NAT network.",
        lambda host: host.wireless.add("eth1"),
    ),
    "a bridge's port": (
        {"kind": "macvlan"},
        "parent: eth1 is a port of br0, and an interface cannot be a bridge's port and carry macvtap. Name br0 as the parent, or "
        "another NIC.",
        port_of("br0", "bridge"),
    ),
    "a bond's port": (
        {},
        "parent: eth1 is a port of bond0, and an interface is no parent then. Name bond0 as the parent, or another NIC.",
        port_of("bond0", "bond"),
    ),
    "a port of what is not seen": (
        {},
        "parent: eth1 is a port of ovs-system, and an interface is no parent then. Name another.",
        lambda host: host.kernel.links["eth1"].more.update(master="ovs-system"),
    ),
    "no Ethernet": (
        {"parent": "wg0"},
        "parent: wg0 is no Ethernet interface, and the kernel puts no macvtap on it.",
        add("wg0", kind="wireguard", more={"link_type": "none"}),
    ),
    "a parent with ipvlan": (
        {},
        "parent: eth1 carries the ipvlan ip0, and the kernel puts no macvtap beside that. Remove it, or use another NIC.",
        add("ip0", kind="ipvlan", parent="eth1"),
    ),
    "a parent of its own": (
        {},
        "parent: mv1 has eth1 for itself (mode passthru). Choose another parent, or remove it first.",
        lambda host: host.make("mv1", mode="passthru"),
    ),
    # --- modes and flags
    "passthru beside another": (
        {"mode": "passthrough"},
        "mode: with passthru an interface has eth1 for itself, and there is mv1 on it. Choose another mode, or another parent.",
        lambda host: host.make("mv1"),
    ),
    "nopromisc without passthru": (
        {"flags": ["nopromisc"]},
        "flags: nopromisc is for mode passthru, and the mode is bridge; leave it out or change the mode.",
    ),
    "nodst without source": (
        {"flags": ["nodst"], "mode": "passthru"},
        "flags: nodst is for mode source, and the mode is passthru; leave it out or change the mode.",
    ),
    "sources without source": (
        {"source_macs": [MAC]},
        "source_macs: they are for mode source, and the mode is bridge; leave them out or change the mode.",
    ),
    "unknown mode": ({"mode": "router"}, "value of mode must be one of:"),
    "unknown flag": ({"flags": ["nofoo"]}, "value of flags must be one or more of:"),
    "unknown kind": ({"kind": "ipvlan"}, "value of kind must be one of: macvtap, macvlan, got: ipvlan"),
    # --- MAC addresses
    **{
        f"MAC address {mac!r}": ({"mac": mac}, f"mac: '{mac}' {NO_MAC}")
        for mac in ("", "52:54:00:7a:00", "52-54-00-7a-00-01", f"{MAC}\nlink", f"{MAC} mtu 68", "$(reboot)", f'{MAC}"', "mac")
    },
    "group address": (
        {"mac": "01:54:00:7a:00:01"},
        "mac: '01:54:00:7a:00:01' is a group address (its first byte is odd), which no interface can have.",
    ),
    "MAC address of zeros": ({"mac": "00:00:00:00:00:00"}, "mac: '00:00:00:00:00:00' is no address of an interface."),
    "the parent's MAC address": (
        {"mac": PARENT_MAC},
        f"mac: '{PARENT_MAC}' is the address of eth1, and two interfaces on one link cannot share it. Choose another one, or "
        "leave mac out.",
    ),
    "a sibling's MAC address": (
        {"mac": MAC},
        f"mac: '{MAC}' is the address of mv1, and two interfaces on one link cannot share it. Choose another one, or leave mac "
        "out.",
        lambda host: host.make("mv1", kind="macvlan", mac=MAC),
    ),
    "a host without an identity": (
        {},
        "mac: this host has no /etc/machine-id, from which an address could be made. Give one, or run systemd-machine-id-setup.",
        lambda host: host.write("/etc/machine-id", "uninitialized\n"),
    ),
    "source that is no MAC address": (
        {"mode": "source", "source_macs": [MAC, "flush\nlink delete dev eth1"]},
        f"source_macs: 'flush\nlink delete dev eth1' {NO_MAC}",
    ),
    "source that is a group": (
        {"mode": "source", "source_macs": ["ff:ff:ff:ff:ff:ff"]},
        "source_macs: 'ff:ff:ff:ff:ff:ff' is a group address (its first byte is odd), which no interface can have.",
    ),
    # --- numbers
    **{f"MTU {mtu}": ({"mtu": mtu}, f"mtu: '{mtu}' is not from 68 to 65535.") for mtu in (67, -1, 65536)},
    "MTU above the parent's": (
        {"mtu": 9000},
        "mtu: '9000' is more than the 1500 of eth1, below which it has to stay. Raise that first.",
    ),
    "MTU below IPv6's": (
        {"mtu": 1000, "addresses": ["2001:db8::1/64"]},
        "mtu: '1000' is too little for IPv6, which needs 1280. Raise it, or leave IPv6 addresses out.",
    ),
    "MTU that is no number": ({"mtu": "1500; reboot"}, "argument 'mtu' is of type"),
    **{f"{queues} queues": ({"queues": queues}, f"queues: '{queues}' is not from 1 to 256.") for queues in (0, -4, 257)},
    **{
        f"bcqueuelen {length}": ({"bcqueuelen": length}, f"bcqueuelen: '{length}' is not from 0 to 4294967295.")
        for length in (-1, 2**32)
    },
    "no time for the lock": ({"lock_timeout": -1}, "lock_timeout: '-1' is less than nothing; give seconds, 0 for not waiting."),
    # --- addresses
    **{
        f"address {text!r}": ({"addresses": [text]}, f"addresses: '{text}' {sentence}")
        for text, sentence in (
            ("192.0.2.250", "has no prefix; write it as 192.0.2.10/24."),
            ("192.0.2.250/33", "is no address; write it as 192.0.2.10/24."),
            ("fe80::1%eth0\nlink/64", "is no address; write it as 192.0.2.10/24."),
            ("192.0.2.250/32 dev eth1", "is no address; write it as 192.0.2.10/24."),
            ("$(reboot)", "is no address; write it as 192.0.2.10/24."),
            ("fe80::1/64", "cannot be a host's address in a LAN."),
            ("224.0.0.1/32", "cannot be a host's address in a LAN."),
            ("198.51.100.0/24", "is the network's or the broadcast address of 198.51.100.0/24, not one of a host."),
        )
    },
    "address twice": (
        {"addresses": ["192.0.2.250/32", "192.0.2.250/24"]},
        "addresses: an address is given twice: 192.0.2.250/24, 192.0.2.250/32.",
    ),
    "address of the host": (
        {"addresses": ["192.0.2.10/32"]},
        "addresses: eth1 has 192.0.2.10 already. Give the interface an address of its own.",
    ),
    "IPv6 on a host without": (
        {"addresses": ["2001:db8::1/64"]},
        "addresses: IPv6 is off in the kernel of this host. Leave IPv6 addresses out.",
        lambda host: setattr(host.kernel, "has_ipv6", False),
    ),
    # --- routes
    **{
        f"route to {text!r}": (route(destination=text), f"routes.destination: '{text}' {NO_ROUTE}")
        for text in ("default", "", "198.51.100.1/24", "198.51.100.0/24 dev eth1", "$(reboot)", "198.51.100.0/24\nlink", "a'b")
    },
    "route to everything": (
        route(destination="0.0.0.0/0"),
        "routes.destination: '0.0.0.0/0' is a default route, which belongs to the host's uplink; name subnets.",
    ),
    "route to a group": (
        route(destination="224.0.0.0/4"),
        "routes.destination: '224.0.0.0/4' is nothing that guests have; name their addresses or subnets.",
    ),
    **{
        f"router {text!r}": (route(gateway=text), f"routes.gateway: '{text}' is no address; write one without a prefix.")
        for text in ("192.0.2.1/24", "", "192.0.2.1 onlink", "fe80::1%eth0\nx", "$(reboot)")
    },
    "router of the other IP": (
        route(gateway="2001:db8::1"),
        "routes.gateway: '2001:db8::1' is an IPv6 address, and the destination is IPv4.",
    ),
    "metric": (route(metric=-1), "routes.metric: '-1' is not from 0 to 4294967295."),
    "route without an address": (
        {"routes": [{"destination": "198.51.100.0/24"}]},
        "routes: 198.51.100.0/24 needs an IPv4 address of this interface, from which the host sends; give one in addresses.",
    ),
    "route while it is down": (
        {**route(), "link": "down"},
        "routes: the kernel has no routes over an interface that is down; leave them out, or set link: up.",
    ),
    "route twice": (
        {**OWN, "routes": [{"destination": "198.51.100.0/24"}, {"destination": "198.51.100.0/24", "gateway": "192.0.2.1"}]},
        "routes: a destination is given twice with one metric; leave one out, or give them different metrics.",
    ),
    "route to its own subnet": (
        {"addresses": ["198.51.100.1/24"], "routes": [{"destination": "198.51.100.0/24"}]},
        "routes: 198.51.100.0/24 is there by itself, with the address 198.51.100.1/24; leave it out.",
    ),
    "route to the host": (
        route(destination="192.0.2.10"),
        "routes: 192.0.2.10 is the host's own address on eth1. Name the addresses of guests.",
    ),
    "somebody's route": (
        route(),
        "routes: 198.51.100.0/24 is reached over eth2 already. Take that route away, or give this one another metric (the lowest "
        "is used).",
        foreign_route("198.51.100.0/24"),
    ),
    "route without a destination": ({**OWN, "routes": [{"gateway": "192.0.2.1"}]}, "missing required arguments: destination"),
    # --- the device node
    "device node of a macvlan": (
        {"kind": "macvlan", **tap()},
        "tap: a macvlan has no device node; leave it out, or set kind: macvtap.",
    ),
    **{
        f"{option} {name!r}": (tap(**{option: name}), f"tap.{option}: '{name}' is no name of a user or a group.")
        for option in ("owner", "group")
        for name in ("", "a b", 'a", RUN+="/bin/reboot', "a\nRUN", "$(reboot)", "$kernel", "-1", "4294967295", "²", "a'b", "ü")
    },
    "owner that is not there": (tap(owner="nobody2"), "tap.owner: there is no user nobody2 on this host."),
    "group that is not there": (tap(group="nogroup2"), "tap.group: there is no group nogroup2 on this host."),
    **{
        f"permissions {mode!r}": (
            tap(mode=mode),
            f"tap.mode: '{mode}' is no octal number from 0 to 0777; write it as '0660', in quotes.",
        )
        for mode in ("rw-rw----", "0888", "01777", "-1", "", '0660", RUN+="x', 660, 0o660, 0)
    },
    # --- what keeps it
    "networkd does not manage the parent": (
        {"backend": "networkd"},
        "backend: eth1 is managed by nobody, and not by networkd. Leave backend out, or set it to unit.",
    ),
    "another manager": (
        {"backend": "networkd"},
        "backend: eth1 is managed by networkmanager, and not by networkd. Leave backend out, or set it to unit.",
        managed("networkmanager"),
    ),
    "networkd cannot": (
        {"backend": "networkd", "mode": "passthru", "queues": 2},
        "backend: systemd-networkd cannot express queues, mode: passthru (it would give the parent another MAC address). Leave "
        "backend out, or set it to unit.",
        managed("networkd"),
    ),
    "networkd is too old": (
        {"backend": "networkd"},
        "backend: this host has systemd-networkd 252, which does not follow when such an interface changes; 257 does. Leave "
        "backend out, or set it to unit.",
        managed("networkd", 252),
    ),
    "networkd would take away what somebody gave the parent": (
        {"backend": "networkd"},
        "backend: systemd-networkd would configure eth1 again for this, and take away what somebody else gave it (address "
        "192.0.2.77/24 dev eth1, route 10.0.0.0/8 proto boot scope link dev eth1). Put that into its configuration first, leave "
        "backend out, or set it to unit.",
        each(
            managed("networkd"),
            lambda host: host.kernel.do("address add 192.0.2.77/24 dev eth1"),
            lambda host: host.kernel.do("route add 10.0.0.0/8 dev eth1"),
        ),
    ),
    "NetworkManager cannot": (
        {"backend": "networkmanager", "link": "down"},
        "backend: NetworkManager cannot express link: down. Leave backend out, or set it to unit.",
        managed("networkmanager"),
    ),
    "no systemd": (
        {},
        "backend: this host does not run systemd, which would make the interface at boot. Set it to none.",
        set_to("has_systemd", False),
    ),
    "unknown back end": ({"backend": "netplan"}, "value of backend must be one of:"),
    # --- what is on the host
    "no macvtap in the kernel": ({}, NO_KERNEL.format("macvtap"), lambda host: host.lacking.add("macvtap")),
    "no macvlan in the kernel": (
        {"kind": "macvlan"},
        NO_KERNEL.format("macvlan"),
        lambda host: host.lacking.add("macvlan"),
    ),
    "an old iproute2": (
        {"bcqueuelen": 500},
        "The program ip of this host does not know bcqueuelen. Leave the option out, or install iproute2 5.11 or later.",
        set_to("help", "Usage: ... link macvtap [ mode MODE ]"),
    ),
    "no ip": (
        {},
        "'ip -j -d addr show' failed on this host: No such file or directory. Install iproute2 (4.14 or later).",
        lambda host: host.missing.add("ip"),
    ),
    "a file that cannot be read": (
        {},
        "@/etc/systemd/system/kvmops-mv0.service cannot be read: Is a directory. Run the task as root (become: true).",
        lambda host: (host.root / "etc/systemd/system/kvmops-mv0.service").mkdir(parents=True),
    ),
    "somebody else's file": (
        {},
        "name: /etc/systemd/system/kvmops-mv0.service is there already, and this module did not write it. Choose another name, "
        "or remove it.",
        lambda host: host.write("/etc/systemd/system/kvmops-mv0.service", "[Unit]\n"),
    ),
    "somebody else's files": (
        {"backend": "none"},
        "name: /etc/systemd/network/0-kvmops-mv0.network, /etc/udev/rules.d/70-kvmops-mv0.rules is there already, and this "
        "module did not write it. Choose another name, or remove it.",
        each(
            lambda host: host.write("/etc/udev/rules.d/70-kvmops-mv0.rules", ""),
            lambda host: host.write("/etc/systemd/network/0-kvmops-mv0.network", "[Match]\nName=mv0\n"),
        ),
    ),
    # --- in use
    **{
        f"a guest's interface, {option} {value}": (
            {option: value},
            f"mv0 is in use by {GUEST}, which would be cut off: {said}. Stop that first, or set force: true.",
            in_use,
        )
        for option, value, said in (
            ("mac", MAC, f"the MAC address becomes {MAC}"),
            ("link", "down", "the link goes down"),
            ("mode", "source", "frames from some come in no more"),
        )
    },
    "a guest's interface to be removed": ({"state": "absent"}, f"mv0 is in use by {GUEST}, {CUT_OFF}", in_use),
    **{
        f"a guest's interface to be made anew: {option}": (
            {option: value},
            f"mv0 has to be made anew ({reason}), and it is in use by {GUEST}, {CUT_OFF}",
            in_use,
        )
        for option, value, reason in (
            ("kind", "macvlan", "it is a macvtap and not a macvlan"),
            ("parent", "eth2", "it stands on eth1 and not on eth2"),
            ("queues", 2, "it has 1/1 queues and not 2/2"),
            ("mode", "passthru", "its mode is bridge and not passthru"),
        )
    },
    "unknown option": ({"paremt": "eth1"}, "Unsupported parameters for"),
    "unknown state": ({"state": "up"}, "value of state must be one of: present, absent, got: up"),
}

# Ansible's own words, which differ between its versions.
SAID_BY_ANSIBLE = {
    "unknown mode",
    "unknown flag",
    "unknown kind",
    "unknown back end",
    "unknown option",
    "unknown state",
    "MTU that is no number",
    "route without a destination",
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MacvtapHost:
    return MacvtapHost(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(host: MacvtapHost, name: str) -> None:
    options, sentence, *change = WRONG[name]
    for make in change:
        make(host)
    before = host.state()
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
        assert host.done == []
        assert host.state() == before


def test_the_table_is_long_enough() -> None:
    assert len(WRONG) >= 100


def test_the_host_itself_is_no_wrong_input(host: MacvtapHost) -> None:
    """What the table changes is what is refused."""
    assert not host.task(check=True).failed


def test_a_module_that_is_not_there_after_all(host: MacvtapHost) -> None:
    """In containers the kernel's modules are not seen, so that only the real run finds out."""
    host.kernel.kinds.clear()
    before = host.state()
    assert not host.task(check=True).failed
    result = host.task()
    assert result.msg == f"{NO_KERNEL.format('macvtap')} All is as it was before."
    assert "exception" not in result.data
    assert host.state() == before
