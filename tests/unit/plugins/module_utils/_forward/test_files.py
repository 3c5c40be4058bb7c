# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The files that make forwards."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import replace

from hypothesis import given

from ansible_collections.kvmops.network.plugins.module_utils._forward.files import (
    KEEPER_UNIT,
    RECORD,
    RULES,
    keeper_unit_of,
    owned_patterns,
    proxy_sockets,
    sockets_of,
    wanted_files,
)
from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward, read_record
from ansible_collections.kvmops.network.plugins.module_utils._forward.rules import make_rules
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import PROGRAMS, forward, forward6
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.strategies import sets_of_forwards

FOLDER = "/var/lib/kvmops-network/port-forwards"
UNITS = "/etc/systemd/system"
HEAD = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Written by kvmops.network.libvirt_port_forward, which writes it anew: do not edit.
"""


def files(*forwards: Forward) -> dict[str, str]:
    return wanted_files({each.name: each for each in forwards}, PROGRAMS)


def test_nothing_is_left_for_no_forwards() -> None:
    assert files() == {}


def test_of_rules() -> None:
    found = files(forward())
    assert sorted(found) == [
        f"{UNITS}/{KEEPER_UNIT}",
        *(f"{FOLDER}/{name}" for name in ("forwards.json", "ip.iptables", "keeper.py", "rules.json", "rules.nft")),
    ]
    rules = make_rules([forward()])
    assert json.loads(found[RULES]) == rules.to_json()
    assert found[f"{FOLDER}/rules.nft"] == HEAD + rules.table()
    assert found[f"{FOLDER}/ip.iptables"] == HEAD + rules.iptables("ip")
    assert found[f"{FOLDER}/keeper.py"] == PROGRAMS.keeper
    assert (
        found[f"{UNITS}/{KEEPER_UNIT}"]
        == f"""\
{HEAD}# While it runs, ports of this host lead into guests; when it is stopped, they do not.
[Unit]
Description=Ports of this host that lead into guests
After=libvirtd.service virtnetworkd.service nftables.service netfilter-persistent.service firewalld.service ufw.service \
docker.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/bin/python3 -I {FOLDER}/keeper.py watch
ExecReload=/usr/bin/python3 -I {FOLDER}/keeper.py put
# not before the keeper has ended, which would put back what is taken away
ExecStopPost=/usr/bin/python3 -I {FOLDER}/keeper.py stopped
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
    )


def test_of_ipv6() -> None:
    assert f"{FOLDER}/ip6.iptables" in files(forward6())
    assert f"{FOLDER}/ip.iptables" not in files(forward6())


def test_of_a_proxy() -> None:
    found = files(forward(method="proxy", guest_ports="80", host_address="127.0.0.1"))
    assert sorted(found) == [f"{UNITS}/kvmops-port-forward-web.service", f"{UNITS}/kvmops-port-forward-web.socket", RECORD]
    what = "Port 8080 of this host, which leads to 192.168.122.10 port 80 (forward web)"
    assert (
        found[f"{UNITS}/kvmops-port-forward-web.socket"]
        == f"""\
{HEAD}[Unit]
Description={what}

[Socket]
ListenStream=127.0.0.1:8080
FreeBind=true
BindIPv6Only=ipv6-only

[Install]
WantedBy=sockets.target
"""
    )
    assert (
        found[f"{UNITS}/kvmops-port-forward-web.service"]
        == f"""\
{HEAD}[Unit]
Description={what}
Requires=kvmops-port-forward-web.socket
After=kvmops-port-forward-web.socket

[Service]
ExecStart={PROGRAMS.proxy} 192.168.122.10:80
DynamicUser=yes
PrivateDevices=yes
ProtectHome=yes
"""
    )


def test_of_a_proxy_for_ipv6_and_several_ports() -> None:
    six = forward6(method="proxy", host_ports="80-81", guest_ports="90-91")
    found = files(six)
    assert sockets_of(six) == ["kvmops-port-forward-six:80.socket", "kvmops-port-forward-six:81.socket"]
    for port, guest in ((80, 90), (81, 91)):
        assert f"ListenStream=[::]:{port}\n" in found[f"{UNITS}/kvmops-port-forward-six:{port}.socket"]
        assert f" [fd00:7a::10]:{guest}\n" in found[f"{UNITS}/kvmops-port-forward-six:{port}.service"]


def test_any_address_of_a_version() -> None:
    assert "ListenStream=0.0.0.0:8080\n" in files(forward(method="proxy"))[f"{UNITS}/kvmops-port-forward-web.socket"]


def test_no_two_forwards_have_units_of_the_same_name() -> None:
    names = ["a", "a-8000", "a.8000", "a-8001", "a8000", "a.socket", "a.service", "a_8000", "s"]
    found = [forward(name, "8000-8001" if number % 2 else "8000", method="proxy") for number, name in enumerate(names)]
    found += [forward("A", "8000-8001", method="proxy"), forward("a", "8000-8001", method="proxy")]
    units = [name for each in found[1:] for name in sockets_of(each)]
    assert len(units) == len(set(units))
    assert set(units) == set(proxy_sockets(files(*found)))


@given(sets_of_forwards())
def test_all_is_ours_and_is_found_again(found: dict[str, Forward]) -> None:
    written = wanted_files(found, PROGRAMS)
    for path in written:
        assert any(fnmatch.fnmatchcase(path, pattern) for pattern in owned_patterns())
        assert path.count("/") == (5 if path.startswith("/var") else 4)
        assert len(path.rpartition("/")[2]) < 255
    assert read_record(written.get(RECORD), path=RECORD) == found
    sockets = sorted(name for each in found.values() if not each.by_rules for name in sockets_of(each))
    assert proxy_sockets(written) == sockets == sorted(set(sockets))
    assert bool(keeper_unit_of(written)) is any(each.by_rules for each in found.values())
    for name in sockets:
        assert f"{UNITS}/{name[: -len('.socket')]}.service" in written


@given(sets_of_forwards())
def test_each_line_of_a_unit_says_what_it_shall(found: dict[str, Forward]) -> None:
    for path, text in wanted_files(found, PROGRAMS).items():
        if path.startswith(UNITS):
            lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
            assert all(line.partition("=")[0].isalnum() for line in lines)
            assert "%" not in text


def test_units_that_are_gone_are_none() -> None:
    paths = {f"{UNITS}/{KEEPER_UNIT}": None, f"{UNITS}/kvmops-port-forward-web.socket": None}
    assert keeper_unit_of(paths) == proxy_sockets(paths) == []


def test_a_forward_of_another_name_changes_no_unit_of_the_first() -> None:
    one = forward(method="proxy")
    both = files(one, replace(one, name="other"))
    assert {path: both[path] for path in files(one) if path != RECORD} == {
        path: text for path, text in files(one).items() if path != RECORD
    }
