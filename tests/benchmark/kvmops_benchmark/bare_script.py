# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""The least that a program has to do, with nothing but libvirt-python: it runs on a host, in a process of its own.

Its argument says what to do, its input is the file of variables that the playbooks get. It prints how many seconds that took,
without the start of Python and the connection to the daemon.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import libvirt

XML = """
<network>
  <name>{name}</name>
  <forward mode="{forward[mode]}"/>
  <bridge name="{bridge[name]}"/>
  <ip address="{ips[0][address]}" prefix="{ips[0][prefix]}">
    <dhcp><range start="{ips[0][dhcp][ranges][0][start]}" end="{ips[0][dhcp][ranges][0][end]}"/></dhcp>
  </ip>
</network>
"""


def create(connection: Any, networks: list[dict[str, Any]]) -> None:
    for options in networks:
        network = connection.networkDefineXML(XML.format(**options))
        network.setAutostart(1)
        network.create()


def read(connection: Any, networks: list[dict[str, Any]]) -> None:
    for options in networks:
        network = connection.networkLookupByName(options["name"])
        network.XMLDesc(0)
        network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)


def remove(connection: Any, networks: list[dict[str, Any]]) -> None:
    """Also what an interrupted run left half-made."""
    names = {options["name"] for options in networks}
    for network in connection.listAllNetworks():
        if network.name() in names:
            if network.isActive():
                network.destroy()
            if network.isPersistent():
                network.undefine()


def main() -> None:
    networks = json.load(sys.stdin)["networks"]
    action = {"create": create, "read": read, "remove": remove}[sys.argv[1]]
    connection = libvirt.open("qemu:///system")
    connection.listAllNetworks()  # a daemon that was asleep is awake now
    began = time.perf_counter()
    action(connection, networks)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
