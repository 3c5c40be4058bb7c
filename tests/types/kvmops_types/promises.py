# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What is promised of each type of network, and how it is on the lab's hosts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    """What two guests on a network reach, and who reaches them."""

    guest_to_host: bool
    host_to_guest: bool
    guest_to_outside: bool
    lan_to_guest: bool
    guest_to_guest: bool
    dhcp: str  # who answers: `host`, `LAN` or `none`


_YES, _NO = True, False

# fmt: off
PROMISED = {
    #                       guest   host     guest       LAN      guest
    #                       ->host  ->guest  ->outside   ->guest  <->guest  DHCP
    # seed 002-2, 002-3, 002-4, 002-6, 002-23
    "nat":           Answers(_YES,  _YES,    _YES,       _NO,     _YES,     "host"),
    # seed 002-7, 002-8, 002-9, 002-10, 002-24
    "isolated":      Answers(_YES,  _YES,    _NO,        _NO,     _YES,     "host"),
    # seed 002-11, 002-13, 002-25
    "very_isolated": Answers(_NO,   _NO,     _NO,        _NO,     _YES,     "none"),
    # seed 002-15, 002-16, 002-17, 002-26
    "bridge":        Answers(_YES,  _YES,    _YES,       _YES,    _YES,     "LAN"),
    # seed 002-18, 002-19, 002-20, 002-27
    "macvtap":       Answers(_NO,   _NO,     _YES,       _YES,    _YES,     "LAN"),
    # seed 002-22
    "macvtap_shim":  Answers(_YES,  _YES,    _YES,       _YES,    _YES,     "LAN"),
}
# fmt: on


@dataclass(frozen=True)
class NetworkType:
    """A type of network, as it is on the lab's hosts."""

    title: str
    network: str
    interface: str  # the host's end: a bridge, a NIC, or the NIC's shim
    gateway: str
    subnet: str = ""  # of a private network
    static: tuple[str, str] | None = None  # the guests' addresses where nobody gives them any
    guests_of: str = ""  # the interface that the guests are named after, if it is another one
    lent_address: str = ""  # the host gets it on the interface for the time of the questions

    @property
    def guests(self) -> tuple[str, str]:
        """The names of its two guests."""
        prefix = self.guests_of or self.interface
        return f"{prefix}-a", f"{prefix}-b"


TYPES = {
    "nat": NetworkType("NAT", "red_nat_lab", "virbr101", "192.168.101.1", "192.168.101.0/24"),
    "isolated": NetworkType("isolated", "red_aislada_dev", "virbr102", "192.168.102.1", "192.168.102.0/24"),
    # seed 002-12
    "very_isolated": NetworkType(
        "very isolated",
        "red_muy_aislada",
        "virbr103",
        "192.168.103.1",
        "192.168.103.0/24",
        static=("192.168.103.11/24", "192.168.103.12/24"),
    ),
    "bridge": NetworkType("external bridge", "red_bridge", "br0", "10.77.0.1"),
    "macvtap": NetworkType("macvtap", "red_macvtap", "eth1", "10.77.0.1", lent_address="10.77.0.5/32"),
    "macvtap_shim": NetworkType("macvtap with shim", "red_macvtap", "shim0", "10.77.0.1", guests_of="eth1"),
}
