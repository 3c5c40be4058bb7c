# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What no forward can be, each time with the sentence that says so: wrong values, and values that try to be something else."""

from __future__ import annotations

import typing as t

__all__ = ["WRONG_INPUTS"]

_NO_PORT = "{}: '{}' is no port; write a number such as 8080, or a range such as 8000-8010."
_NO_NAME = (
    "name: {!r} is no name of a forward; use up to 63 letters, digits, '-', '_' and '.', and begin with a letter or a digit."
)
_NO_ADDRESS = "{}: '{}' is no IP address; write it like 192.168.122.10."
_UNREACHED = "{}: '{}' is no address that a {} can be reached at."
_EMPTY = "{}: it is empty; give a value, or leave it out."
_NO_TARGET = "The task does not say where the forward 'web' leads: give domain, or network and address."
_DIFFERENT = (
    "host_address: '{}' and address '{}' are of different versions of IP, and a forward cannot lead from one to the other; give "
    "two of the same."
)

_NAMES = (
    *("", " ", "-web", ".web", "_web", "web ssh", 'web"', "web'", "$(reboot)", "`id`", "web;reboot", "web\nweb", "web\n"),
    *("{web}", "web}", "../../etc/passwd", "web/ssh", "web@1", "web%n", "web:80", "w\u00e9b", "web\x00", "\u0661", "w" * 64),
)
_PORTS = (
    *("http", "80 ", "80\n443", "80;81", "80,81", "$(id)", "{ 80 }", '80"', "-80", "80-", "80:81", "\u0668\u0660", "8\x000"),
    "9" * 40,
)
_ADDRESSES = (
    *("localhost", "192.168.122", "192.168.122.256", "192.168.122.10/24", "192.168.122.10 ", "192.168.122.10\n", "3232266762"),
    *("fe80::1%eth0", "::1%lo\n}", "[::1]", '192.168.122.10" drop', "192.168.122.10; reboot", "$(id)", "} drop", "10.0.0.1\x00"),
    "\u0661.1.1.1",
)

WRONG_INPUTS: dict[str, tuple[dict[str, t.Any], str]] = {
    **{f"name {name!r}": ({"name": name}, _NO_NAME.format(name)) for name in _NAMES},
    **{f"host_port {text!r}": ({"host_port": text}, _NO_PORT.format("host_port", text)) for text in _PORTS},
    **{f"guest_port {text!r}": ({"guest_port": text}, _NO_PORT.format("guest_port", text)) for text in _PORTS},
    **{
        f"host_port_range {text!r}": (
            {"host_port": None, "guest_port": "22", "host_port_range": text},
            _NO_PORT.format("host_port_range", text),
        )
        for text in ("", *_PORTS)
    },
    **{f"host_address {text!r}": ({"host_address": text}, _NO_ADDRESS.format("host_address", text)) for text in _ADDRESSES},
    **{f"address {text!r}": ({"address": text}, _NO_ADDRESS.format("address", text)) for text in _ADDRESSES},
    **{
        f"host_address {text!r}": ({"host_address": text}, _UNREACHED.format("host_address", text, "host"))
        for text in ("224.0.0.1", "255.255.255.255", "ff02::1", "fe80::1", "::ffff:192.0.2.1")
    },
    **{
        f"address {text!r}": ({"address": text}, _UNREACHED.format("address", text, "guest"))
        for text in ("0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1", "255.255.255.255", "ff02::1", "fe80::1", "::ffff:10.0.0.1")
    },
    **{
        f"{option} {text!r}": ({option: text}, _EMPTY.format(option))
        for option in ("domain", "network", "address", "host_address", "host_port", "guest_port")
        for text in ("", " \n")
    },
    "host port 0": ({"host_port": "0"}, "host_port: there is no port 0; ports are 1 to 65535."),
    "host port 65536": ({"host_port": "65536"}, "host_port: there is no port 65536; ports are 1 to 65535."),
    "a guest's port beyond all": ({"guest_port": "8000-70000"}, "guest_port: there is no port 70000; ports are 1 to 65535."),
    "reversed": ({"host_port": "8010-8000"}, "host_port: '8010-8000' ends before it begins; write 8000-8010."),
    "reversed range": (
        {"host_port": None, "guest_port": "22", "host_port_range": "19999-10000"},
        "host_port_range: '19999-10000' ends before it begins; write 10000-19999.",
    ),
    "nowhere": ({"domain": None}, _NO_TARGET),
    "a network alone": ({"domain": None, "network": "default"}, _NO_TARGET),
    "an address alone": ({"domain": None, "address": "192.168.122.10"}, _NO_TARGET),
    "no port at all": (
        {"host_port": None},
        "guest_port: is needed where host_port is left out; say which port of the guest is meant, such as 22.",
    ),
    "no protocol": ({"protocols": []}, "protocols: the list is empty; give tcp, udp, or both."),
    "more of the host's ports": (
        {"host_port": "8000-8002", "guest_port": "80"},
        "guest_port: '80' is 1 port, and host_port '8000-8002' is 3 ports; give as many of both.",
    ),
    "more of the guest's ports": (
        {"host_port": "8000", "guest_port": "80-81"},
        "guest_port: '80-81' is 2 ports, and host_port '8000' is 1 port; give as many of both.",
    ),
    "a range that is too small": (
        {"host_port": None, "guest_port": "80-82", "host_port_range": "9000-9001"},
        "host_port_range: '9000-9001' is 2 ports, and guest_port '80-82' needs 3; give a wider range.",
    ),
    "IPv6 to IPv4": ({"host_address": "2001:db8::1", "address": "10.0.0.1"}, _DIFFERENT.format("2001:db8::1", "10.0.0.1")),
    "IPv4 to IPv6": ({"host_address": "203.0.113.4", "address": "fd00::1"}, _DIFFERENT.format("203.0.113.4", "fd00::1")),
    "any IPv6 to IPv4": ({"host_address": "::", "address": "10.0.0.1"}, _DIFFERENT.format("::", "10.0.0.1")),
    "any IPv4 to IPv6": ({"host_address": "0.0.0.0", "address": "fd00::1"}, _DIFFERENT.format("0.0.0.0", "fd00::1")),
    "the loopback of IPv6": (
        {"host_address": "::1"},
        "host_address: the kernel forwards nothing that is sent to ::1; use 127.0.0.1, or method: proxy.",
    ),
    "many ports with other numbers": (
        {"host_port": "10000-11024", "guest_port": "20000-21024"},
        "guest_port: 1025 ports whose numbers change are too many, at most 1024 can; use the same numbers for the host and the "
        "guest, or several forwards.",
    ),
    "many free ports": (
        {"host_port": None, "guest_port": "20000-21024"},
        "guest_port: 1025 ports whose numbers change are too many, at most 1024 can; use the same numbers for the host and the "
        "guest, or several forwards.",
    ),
    "UDP by a proxy": (
        {"method": "proxy", "protocols": ["tcp", "udp"]},
        "protocols: a proxy passes TCP on alone; leave udp out, or choose another method.",
    ),
    "many ports by a proxy": (
        {"method": "proxy", "host_port": "8000-8016"},
        "guest_port: a proxy takes 16 ports at most, and '8000-8016' is 17 ports; choose another method, or several forwards.",
    ),
}
