# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""A forward as results and diffs show it."""

from __future__ import annotations

from ansible_collections.kvmops.network.plugins.module_utils._forward.files import KEEPER_UNIT
from ansible_collections.kvmops.network.plugins.module_utils._forward.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._forward.view import describe_forward, make_diff
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import (
    MAC,
    forward,
    host,
    network,
    request,
    reserved,
)

KEPT = network("default", "nat", reserved("192.168.122.10"))
FOLDER = "/var/lib/kvmops-network/port-forwards"
SHOWN = {
    "name": "web",
    "exists": True,
    "protocols": ["tcp"],
    "host_address": None,
    "host_ports": "8080",
    "host_port": 8080,
    "domain": "web",
    "network": "default",
    "address": "192.168.122.10",
    "guest_ports": "8080",
    "method": "rules",
}


def test_one_that_is_there() -> None:
    assert describe_forward("web", forward()) == SHOWN
    several = forward(host_ports="80-81", protocols=("tcp", "udp"), domain="", host_address="203.0.113.4")
    assert describe_forward("web", several) == {
        **SHOWN,
        "protocols": ["tcp", "udp"],
        "host_address": "203.0.113.4",
        "host_ports": "80-81",
        "host_port": 80,
        "domain": None,
        "guest_ports": "80-81",
    }


def test_one_that_is_not() -> None:
    shown = describe_forward("web", None)
    assert shown == {**dict.fromkeys(SHOWN), "name": "web", "exists": False}


def test_a_new_one() -> None:
    first, *files = make_diff(make_plan(request(address="192.168.122.10"), host()))
    assert (first["before_header"], first["after_header"]) == ("port forward web", "port forward web")
    assert first["before"] == "state: absent\n"
    assert first["after"] == (
        "protocols: tcp\nhost_address: any\nhost_ports: 8080\ndomain: web\nnetwork: default\naddress: 192.168.122.10\n"
        f"guest_ports: 8080\nmethod: rules\nreserve: 192.168.122.10 on the network 'default' for {MAC}\n"
    )
    assert [(each["before_header"], each["after_header"]) for each in files] == [
        (f"{FOLDER}/{name} (not there)", f"{FOLDER}/{name}") for name in ("ip.iptables", "rules.nft")
    ]
    assert all(each["before"] == "" for each in files)
    assert "dnat ip to 192.168.122.10" in files[1]["after"]


def test_one_by_a_proxy_that_goes() -> None:
    first, *files = make_diff(make_plan(request(state="absent"), host(KEPT, forwards=[forward(method="proxy")])))
    assert first["before"].endswith("method: proxy\n")
    assert first["after"] == "state: absent\n"
    assert [each["after_header"] for each in files] == ["/etc/systemd/system/kvmops-port-forward-web.socket (removed)"]
    assert "ListenStream=0.0.0.0:8080\n" in files[0]["before"]


def test_one_that_changes() -> None:
    first, *files = make_diff(make_plan(request(guest_port="80"), host(KEPT, forwards=[forward()])))
    assert first["before"].replace("guest_ports: 8080", "guest_ports: 80") == first["after"]
    assert [each["before_header"] for each in files] == [f"{FOLDER}/ip.iptables", f"{FOLDER}/rules.nft"]


def test_one_that_is_put_back() -> None:
    table = "the table 'inet kvmops_port_forwards'"
    (only,) = make_diff(make_plan(request(), host(KEPT, forwards=[forward()], idle=(KEEPER_UNIT,), faults=(table,))))
    assert only["before"] == only["after"] + f"{KEEPER_UNIT} does not run, or does not at boot\n{table} is not as it was made\n"
