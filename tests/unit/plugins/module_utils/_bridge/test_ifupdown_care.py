# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What of ifupdown's files is refused, and which files it reads."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._bridge.ifupdown_care import check_stanzas, takes_file
from ansible_collections.kvmops.network.plugins.module_utils._bridge.interfaces_file import parse
from ansible_collections.kvmops.network.plugins.module_utils._errors import RefusedError

PATH = "/etc/network/interfaces.d/kvmops-br0"
DHCP = "auto eth0\niface eth0 inet dhcp\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("source /etc/network/interfaces.d/*", True),
        ("source interfaces.d/*", True),
        ("source /etc/network/interfaces.d/kvmops-*", True),
        ("source /etc/network/*/*", True),
        ("source /elsewhere/* /etc/network/interfaces.d/*", True),
        ("source /etc/network/interfaces.d/*.cfg", False),
        ("source /etc/network/*", False),
        ("source /etc/network/interfaces.d", False),
        ("source-directory /etc/network/interfaces.d", True),
        ("source-directory interfaces.d/", True),
        ("source-dir /etc/network/interfaces.*", True),
        ("source-directory /etc/network", False),
        ("auto /etc/network/interfaces.d/*", False),
    ],
)
def test_whether_a_line_takes_the_file(line: str, expected: bool) -> None:
    [stanza] = parse(line)
    assert takes_file(stanza, PATH, folder="/etc/network") == expected


def test_a_folder_takes_no_file_with_a_dot() -> None:
    [stanza] = parse("source-directory /etc/network/interfaces.d")
    assert not takes_file(stanza, "/etc/network/interfaces.d/kvmops-br0.7", folder="/etc/network")


@pytest.mark.parametrize(
    "text",
    [
        DHCP,
        "iface eth0 inet static\n address 192.0.2.1/24\niface eth0 inet6 auto\n",
        "iface eth0 inet manual\niface eth0.7 inet dhcp\n",
        f"{DHCP}mapping eth1\n script x\niface eth1:0 inet dhcp\niface eth1 inet ppp\n wpa-ssid x\n",
    ],
)
def test_what_can_be_moved(text: str) -> None:
    check_stanzas(parse(text), uplink="eth0", bridge="br0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"{DHCP}iface br0 inet dhcp\n bridge_ports eth1\n",
            "name: ifupdown's files have a stanza for br0 already, which was not made by host_bridge. Choose another name, or "
            "take the stanza out.",
        ),
        (
            f"mapping eth1 eth*\n script /usr/local/sbin/where\n{DHCP}",
            "ifupdown has a mapping for eth0 ('mapping eth1 eth*'), so that its script decides what is configured. Take eth0 out "
            "of it, and write down its configuration as 'iface eth0'.",
        ),
        (
            f"{DHCP}iface eth0:1 inet static\n address 192.0.2.9/24\n",
            "ifupdown has the alias eth0:1, which would be an address of the port. Make it a second stanza 'iface eth0' first: "
            "an interface may have several.",
        ),
        (
            "iface eth0 inet dhcp inherits usual\n",
            "'iface eth0 inet dhcp inherits usual' takes its options from another stanza, which cannot be followed. Write all of "
            "them down in one stanza first.",
        ),
        (
            "iface eth0 inet ppp\n",
            "'iface eth0 inet ppp' cannot be moved to a bridge: the methods that can are static, manual, dhcp, "
            "and auto for inet6.",
        ),
        (
            "iface eth0 inet auto\n",
            "'iface eth0 inet auto' cannot be moved to a bridge: the methods that can are static, manual, dhcp, "
            "and auto for inet6.",
        ),
        (
            "iface eth0 can static\n",
            "'iface eth0 can static' cannot be moved to a bridge: the methods that can are static, manual, dhcp, "
            "and auto for inet6.",
        ),
        (
            f"{DHCP} wpa_ssid home\n",
            "'iface eth0 inet dhcp' has the option wpa_ssid, and neither Wi-Fi nor its kind of login works over a bridge's port. "
            "Take it out of there first, or use another interface.",
        ),
        (
            "iface eth0 inet static\n address 192.0.2.9\n pointopoint 192.0.2.1\n",
            "'iface eth0 inet static' has the option pointopoint, and a bridge has no single other end. Give eth0 an address in "
            "a subnet first.",
        ),
    ],
)
def test_what_cannot(text: str, sentence: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_stanzas(parse(text), uplink="eth0", bridge="br0")
    assert str(caught.value) == sentence
