# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Parts of the script for guests, each held against many inputs: its values, and how it edits ifupdown's files."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.configuration import Configuration
from ansible_collections.kvmops.network.plugins.module_utils._guest.script import render

NAMES = ("mac", "address", "prefix", "netmask", "gateway", "nameservers")
# What comes after the functions, and does something.
MAIN = '[ "$(id -u)" = 0 ]'
SHELLS = (["dash"], ["busybox", "sh"])

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NASTY = TEXTS | st.sampled_from(["'", "'; reboot; '", "$(reboot)", "`reboot`", "a\nb", "\\", "'\\''", "-n", "a b", '"', "\n"])


def functions() -> str:
    before, main, _after = render(dict.fromkeys(NAMES, "")).partition(MAIN)
    assert main
    return before


def run(program: str, shell: list[str], *, given: str = "") -> str:
    done = subprocess.run([*shell, "-c", program], input=given.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@given(values=st.tuples(*[NASTY] * len(NAMES)))
@settings(max_examples=50)
def test_values_are_quoted_whatever_they_are(shell: list[str], values: tuple[str, ...]) -> None:
    head, body, _after = render(dict(zip(NAMES, values))).partition("\nset -eu\n")
    assert body
    program = head + "\n" + "".join(f"printf '%s\\0' \"${name}\"\n" for name in NAMES)
    assert run(program, shell) == "".join(value + "\0" for value in values)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("hostname", "mac", "address", "gateway"), NASTY)))
def test_what_is_no_value_never_gets_into_a_script(wrong: dict[str, str]) -> None:
    right: dict[str, t.Any] = {"hostname": "web", "mac": "52:54:00:14:25:51", "address": "192.168.100.229/24"}
    try:
        made = Configuration.read(**{**right, **wrong})
    except InputError:
        return
    head = made.script.partition("\nset -eu\n")[0].splitlines()[4:-1]
    assert all(set(line) <= set("abcdefghijklmnopqrstuvwxyz0123456789.:=' ") for line in head), head


# Stanzas of ifupdown, each a list of lines; those that begin so are this interface's.
OURS = st.sampled_from(
    [
        ["iface eth0 inet dhcp"],
        ["iface eth0 inet static", "    address 10.0.0.2", "    netmask 255.255.255.0"],
        ["iface eth0", "    use dhcp"],
        ["  iface eth0 inet static", "\taddress 10.0.0.2/24", "\tup ip route add 10.1.0.0/16 \\", "\t  via 10.0.0.1"],
        ["auto eth0"],
        ["allow-hotplug eth0"],
        ["allow-auto \\", "  eth0"],
    ]
)
OTHERS = st.sampled_from(
    [
        ["auto lo"],
        ["iface lo inet loopback"],
        ["auto eth1 eth00"],
        ["allow-hotplug eth1"],
        ["iface eth1 inet static", "    address 10.9.0.2", "    # a comment", "    netmask 255.255.255.0"],
        ["iface eth1 inet manual", "    up ip link set eth1 up \\", "    mtu 9000"],
        ["iface eth0 inet6 auto", "    privext 2"],
        ["iface eth00 inet dhcp"],
        ["iface veth0 inet dhcp"],
        ["mapping eth0", "    script /bin/true"],
        ["source /etc/network/interfaces.d/*"],
        ["no-auto-down eth0"],
    ]
)
BETWEEN = st.sampled_from([[], [""], ["# a comment about eth0"], ["", "# iface eth0 inet dhcp", ""], ["# a path \\"]])


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@given(stanzas=st.lists(st.tuples(BETWEEN, OURS.map(lambda lines: (True, lines)) | OTHERS.map(lambda lines: (False, lines)))))
@settings(max_examples=50)
def test_only_this_interface_goes(shell: list[str], stanzas: list[tuple[list[str], tuple[bool, list[str]]]]) -> None:
    before = [line for between, (_ours, lines) in stanzas for line in (*between, *lines)]
    after = [line for between, (ours, lines) in stanzas for line in (*between, *([] if ours else lines))]
    program = functions() + "interface=eth0\nwithout_interface /dev/stdin\n"
    kept = run(program, shell, given="".join(line + "\n" for line in before))
    assert kept.splitlines() == after
    assert run(program, shell, given=kept) == kept


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("auto lo eth0 eth1\n", "auto lo eth1\n"),
        ("auto eth0 \\\n  eth1\n", "auto eth1\n"),
        ("auto eth0 eth0\n", ""),
        # a last line without its end
        ("auto eth1\niface eth0 inet dhcp", "auto eth1\n"),
        ("iface eth0 inet dhcp \\", ""),
        # comments in the stanza go with it, those at its end may belong to the next one
        ("iface eth0 inet dhcp\n  # in it\n  metric 5\n\n# after it\n", "\n# after it\n"),
        ("auto\n", "auto\n"),
        ("", ""),
    ],
)
def test_lines_that_others_share(shell: list[str], before: str, after: str) -> None:
    assert run(functions() + "interface=eth0\nwithout_interface /dev/stdin\n", shell, given=before) == after


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a\\b", "a$b", "a&b", "a*b", "a.b"])
def test_names_of_interfaces_are_taken_as_they_are(name: str) -> None:
    """The kernel lets an interface have any of these."""
    file = f"auto {name}\niface {name} inet dhcp\nauto axb\n"
    program = functions() + "interface=$1\nwithout_interface /dev/stdin\n"
    done = subprocess.run(["dash", "-c", program, "sh", name], input=file, capture_output=True, text=True, check=True)
    assert done.stdout == "auto axb\n"
