# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Which back end keeps an interface, and which files there are about it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.host import Host, Parent
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.keeping import (
    BACKENDS,
    choose_backend,
    foreign_files,
    kept_by,
    kept_mac,
    owned_patterns,
    wanted_files,
    wanted_tap,
)
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.request import Tap
from ansible_collections.kvmops.network.plugins.module_utils._macvtap.wanted import wanted_interface
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._macvtap.builders import (
    ADDITION,
    HEARS,
    MAC,
    MANAGER,
    NETDEV,
    NETWORK,
    NETWORKD,
    OPENS,
    OURS,
    PROFILE,
    SERVICE,
    STARTS,
    host,
    kept,
    on_eth1,
    request,
    tap_option,
)

BOTH = Parent("eth1", ("networkd", "networkmanager"), "10-eth1.network")
GIVEN = Parent(
    "eth1",
    ("networkd",),
    "10-eth1.network",
    foreign=("address replace 192.0.2.77/24 dev eth1", "route replace 10.0.0.0/8 proto boot dev eth1"),
)


def choose(there: Host, **options: t.Any) -> str:
    asked = request(**options)
    backend = choose_backend(asked, wanted_interface(asked, there), there)
    return backend.name if backend is not None else "none"


def test_all_files() -> None:
    assert owned_patterns("mv0") == [
        NETDEV,
        NETWORK,
        "/etc/systemd/network/*.network.d/kvmops-mv0.conf",
        PROFILE,
        HEARS,
        SERVICE,
        STARTS,
        OPENS,
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({NETDEV: None, SERVICE: None}, None),
        ({NETDEV: b""}, "networkd"),
        ({PROFILE: b"", OPENS: b"", NETWORK: b""}, "networkmanager"),
        ({SERVICE: b"", STARTS: b"", NETDEV: None}, "unit"),
        ({NETWORK: b"", ADDITION: b"", STARTS: b"", OPENS: b""}, None),  # what makes it is gone
        ({"/etc/systemd/network/0-kvmops-mv01.netdev": b""}, None),
    ],
)
def test_who_keeps_it_now(files: dict[str, bytes | None], expected: str | None) -> None:
    found = kept_by("mv0", files)
    assert (found.name if found is not None else None) == expected


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("values", [{}, {"mode": "source", "source_macs": ("02:00:00:00:00:01",)}])
def test_the_mac_address_in_the_file_that_keeps_it(backend: str, values: dict[str, t.Any]) -> None:
    written = BACKENDS[backend].files(kept(**values))
    assert kept_mac("mv0", {path: text.encode() for path, text in written.items()}) == MAC


@pytest.mark.parametrize("backend", ["networkmanager", "unit"])
def test_the_mac_address_of_passthru_is_the_parents(backend: str) -> None:
    written = BACKENDS[backend].files(kept(mode="passthru"))
    assert any(MAC in text for text in written.values())
    assert kept_mac("mv0", {path: text.encode() for path, text in written.items()}) == ""


def test_no_mac_address_in_a_file() -> None:
    assert kept_mac("mv0", {}) == ""
    assert kept_mac("mv0", {SERVICE: None, STARTS: b" address 02:00:00:00:00:01"}) == ""
    assert kept_mac("mv0", {SERVICE: OURS}) == ""
    assert kept_mac("mv0", {NETDEV: b"\xff\nSourceMACAddress=02:00:00:00:00:01\n"}) == ""


def test_files_of_others() -> None:
    other = OURS.replace(b"mv0", b"mv1")
    found = {SERVICE: b"[Unit]\n", STARTS: OURS + b"rule", NETDEV: b"", NETWORK: None, PROFILE: other, OPENS: OURS}
    assert foreign_files("mv0", found) == sorted([SERVICE, NETDEV, PROFILE])
    for backend in BACKENDS.values():
        written = {path: text.encode() for path, text in backend.files(kept()).items()}
        assert foreign_files("mv0", written) == []


CHOICES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "whoever manages the parent: networkd": ({"parent": NETWORKD, "networkd": 257}, {}, "networkd"),
    "whoever manages the parent: NetworkManager": ({"parent": MANAGER}, {}, "networkmanager"),
    "nobody": ({}, {}, "unit"),
    "both": ({"parent": BOTH, "networkd": 257}, {}, "unit"),
    "a manager that cannot": ({"parent": NETWORKD, "networkd": 257}, {"mode": "passthru"}, "unit"),
    "another manager that cannot": ({"parent": MANAGER}, {"queues": 4}, "unit"),
    "a networkd that never forgets": ({"parent": NETWORKD, "networkd": 256}, {}, "unit"),
    "an old networkd that does now": ({"parent": NETWORKD, "networkd": 252, "files": {NETDEV: b""}}, {}, "networkd"),
    "what does now": ({"parent": NETWORKD, "networkd": 257, "files": {SERVICE: b""}}, {}, "unit"),
    "what does now: networkd": ({"parent": NETWORKD, "networkd": 257, "files": {NETDEV: b""}}, {}, "networkd"),
    "one that somebody made, and networkd would have to make anew": (
        {"devices": [on_eth1()], "parent": NETWORKD, "networkd": 257},
        {},
        "unit",
    ),
    "one that somebody made, and NetworkManager": ({"devices": [on_eth1()], "parent": MANAGER}, {}, "networkmanager"),
    "one that networkd made": (
        {"devices": [on_eth1()], "parent": NETWORKD, "networkd": 257, "files": {NETDEV: b""}},
        {},
        "networkd",
    ),
    "what does now, beside another manager": (
        {"parent": BOTH, "networkd": 257, "files": {PROFILE: b""}},
        {},
        "networkmanager",
    ),
    "what did, and does not manage the parent any more": ({"parent": MANAGER, "files": {NETDEV: b""}}, {}, "networkmanager"),
    "what does now, and the parent is out of its hands for a moment: networkd": (
        {"networkd": 257, "files": {NETDEV: b""}},
        {},
        "networkd",
    ),
    "what does now, and the parent is out of its hands for a moment: NetworkManager": (
        {"devices": [on_eth1()], "files": {PROFILE: b""}},
        {},
        "networkmanager",
    ),
    "what does now, and cannot any more, without a manager": ({"files": {PROFILE: b""}}, {"queues": 4}, "unit"),
    "what does now, and another one took the parent": (
        {"devices": [on_eth1()], "parent": NETWORKD, "networkd": 257, "files": {PROFILE: b""}},
        {},
        "unit",  # networkd would have to make it anew
    ),
    "what somebody else gave the parent would go": ({"parent": GIVEN, "networkd": 257}, {}, "unit"),
    "what somebody else gave the parent went before": (
        {"parent": GIVEN, "networkd": 257, "files": {NETDEV: b""}},
        {},
        "networkd",
    ),
    "named, and it keeps it already": (
        {"parent": GIVEN, "networkd": 257, "files": {NETDEV: b""}},
        {"backend": "networkd"},
        "networkd",
    ),
    "what does now, and cannot any more": (
        {"parent": NETWORKD, "networkd": 257, "files": {NETDEV: b""}},
        {"link": "down"},
        "unit",
    ),
    "named: networkd": ({"parent": BOTH, "networkd": 257}, {"backend": "networkd"}, "networkd"),
    "named: NetworkManager": ({"parent": BOTH}, {"backend": "networkmanager"}, "networkmanager"),
    "named: unit": ({"parent": NETWORKD, "networkd": 257}, {"backend": "unit"}, "unit"),
    "named: none": ({"parent": NETWORKD, "networkd": 257, "files": {SERVICE: b""}}, {"backend": "none"}, "none"),
    "none without systemd": ({"has_systemd": False}, {"backend": "none"}, "none"),
    "NetworkManager without systemd": ({"parent": MANAGER, "has_systemd": False}, {}, "networkmanager"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choice(name: str) -> None:
    there, options, expected = CHOICES[name]
    values = dict(there)
    assert choose(host(*values.pop("devices", []), **values), **options) == expected


REFUSALS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], type[Exception], str]] = {
    "networkd does not manage the parent": (
        {"parent": MANAGER},
        {"backend": "networkd"},
        RefusedError,
        "backend: eth1 is managed by networkmanager, and not by networkd. Leave backend out, or set it to unit.",
    ),
    "nobody manages the parent": (
        {},
        {"backend": "networkmanager"},
        RefusedError,
        "backend: eth1 is managed by nobody, and not by networkmanager. Leave backend out, or set it to unit.",
    ),
    "networkd is too old": (
        {"parent": NETWORKD, "networkd": 256},
        {"backend": "networkd"},
        RefusedError,
        "backend: this host has systemd-networkd 256, which does not follow when such an interface changes; 257 does. Leave "
        "backend out, or set it to unit.",
    ),
    "networkd would take away what somebody else gave the parent": (
        {"parent": GIVEN, "networkd": 257},
        {"backend": "networkd"},
        RefusedError,
        "backend: systemd-networkd would configure eth1 again for this, and take away what somebody else gave it (address "
        "192.0.2.77/24 dev eth1, route 10.0.0.0/8 proto boot dev eth1). Put that into its configuration first, leave backend "
        "out, or set it to unit.",
    ),
    "networkd cannot": (
        {"parent": NETWORKD, "networkd": 257},
        {"backend": "networkd", "mode": "source", "flags": ["nodst"], "queues": 4, "bcqueuelen": 5, "link": "down"},
        InputError,
        "backend: systemd-networkd cannot express queues, bcqueuelen, flags: nodst, link: down. Leave backend out, or set it to "
        "unit.",
    ),
    "NetworkManager cannot": (
        {"parent": MANAGER},
        {"backend": "networkmanager", "mode": "source", "source_macs": ["02:00:00:00:00:01"]},
        InputError,
        "backend: NetworkManager cannot express source_macs. Leave backend out, or set it to unit.",
    ),
    **{
        f"no systemd with {backend}": (
            {"has_systemd": False},
            {"backend": backend},
            RefusedError,
            "backend: this host does not run systemd, which would make the interface at boot. Set it to none.",
        )
        for backend in ("auto", "unit")
    },
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    there, options, error, sentence = REFUSALS[name]
    with pytest.raises(error) as caught:
        choose(host(**there), **options)
    assert caught.type is error
    assert str(caught.value) == sentence


def files(there: Host, backend: str | None, **options: t.Any) -> dict[str, str | None]:
    asked = request(**options)
    wanted = wanted_interface(asked, there) if asked.state == "present" else None
    return wanted_files(asked, wanted, BACKENDS[backend] if backend is not None else None, there)


class TestFiles:
    """Those that there shall be, and those that shall go."""

    def test_of_networkd(self) -> None:
        there = host(parent=NETWORKD, networkd=257)
        found = files(there, "networkd")
        assert set(found) == {NETDEV, NETWORK, ADDITION}
        assert "Unmanaged" not in (found[NETWORK] or "")

    def test_networkd_leaves_what_a_unit_makes_alone(self) -> None:
        found = files(host(parent=NETWORKD, networkd=257), "unit")
        assert set(found) == {SERVICE, STARTS, NETWORK}
        assert (found[NETWORK] or "").endswith("[Match]\nName=mv0\n\n[Link]\nUnmanaged=yes\n")

    def test_and_what_nobody_keeps(self) -> None:
        assert set(files(host(networkd=252), None)) == {NETWORK}

    def test_where_networkd_does_not_run(self) -> None:
        assert set(files(host(), "unit")) == {SERVICE, STARTS}
        assert files(host(), None) == {}

    def test_of_another_back_end_they_go(self) -> None:
        there = host(parent=MANAGER, files={NETDEV: b"1", NETWORK: b"2", ADDITION: b"3", OPENS: b"4"})
        found = files(there, "networkmanager")
        assert {path: text is None for path, text in found.items()} == {
            NETDEV: True,
            NETWORK: True,
            ADDITION: True,
            OPENS: True,
            PROFILE: False,
            HEARS: False,
        }

    def test_of_another_parent_they_go(self) -> None:
        there = host(parent=NETWORKD, networkd=257, files={"/etc/systemd/network/old.network.d/kvmops-mv0.conf": b"1"})
        found = files(there, "networkd")
        assert found["/etc/systemd/network/old.network.d/kvmops-mv0.conf"] is None
        assert found[ADDITION] is not None

    def test_the_parents_file_is_known_from_the_addition(self) -> None:
        # networkd has the parent out of its hands for a moment
        there = host(networkd=257, files={"/etc/systemd/network/70-lan.network.d/kvmops-mv0.conf": OURS, NETDEV: OURS})
        found = files(there, "networkd")
        assert "MACVTAP=mv0" in (found["/etc/systemd/network/70-lan.network.d/kvmops-mv0.conf"] or "")

    def test_with_the_interface_all_go(self) -> None:
        there = host(networkd=257, files={SERVICE: b"1", OPENS: b"2", NETWORK: None})
        assert files(there, None, state="absent") == {SERVICE: None, OPENS: None}

    def test_the_rule_for_the_device_node(self) -> None:
        found = files(host(), None, tap=tap_option("qemu", "107", "0660"))
        assert found == {
            OPENS: (
                "# Written by the Ansible module kvmops.network.macvtap_iface, for the interface mv0.\n"
                "# Changes are found and undone by its next run.\n"
                'ACTION!="remove", SUBSYSTEM=="macvtap", KERNELS=="mv0", OWNER="qemu", GROUP="107", MODE="0660"\n'
            )
        }

    def test_the_parents_mtu_is_not_written_down(self) -> None:
        # or it would be another one than the parent's some day
        assert " mtu " not in (files(host(), "unit")[SERVICE] or "")
        assert " mtu 1400 " in (files(host(), "unit", mtu=1400)[SERVICE] or "")

    def test_the_parent_has_the_tasks_name(self) -> None:
        found = files(host(on_eth1("mv1"), parent=NETWORKD, networkd=257), "unit", parent="mv1")
        assert 'ENV{INTERFACE}=="mv1"' in (found[STARTS] or "")


@pytest.mark.parametrize(
    ("options", "there", "expected"),
    [
        ({}, {}, None),
        ({}, {OPENS: None}, None),
        ({}, {OPENS: b"a rule"}, Tap()),  # what an earlier task gave is taken back
        ({"tap": tap_option(group="kvm", mode="0660")}, {}, Tap(group="kvm", mode=0o660)),
        ({"tap": tap_option(group="kvm", mode="0660")}, {OPENS: b"a rule"}, Tap(group="kvm", mode=0o660)),
        ({"kind": "macvlan"}, {OPENS: b"a rule"}, None),
        ({"state": "absent"}, {OPENS: b"a rule"}, None),
    ],
)
def test_who_may_open_the_device_node(options: dict[str, t.Any], there: dict[str, bytes | None], expected: Tap | None) -> None:
    assert wanted_tap(request(**options), there) == expected
