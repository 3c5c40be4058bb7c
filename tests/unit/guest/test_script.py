# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The script for guests, run as a guest would, by dash with Debian's commands and by busybox with its own.

Not among the modules' tests: those run on lab hosts too, where there is no busybox.
"""

from __future__ import annotations

import subprocess
import textwrap
import typing as t

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._guest.configuration import Configuration

if t.TYPE_CHECKING:
    from conftest import Guest, Run

MAC = "52:54:00:14:25:51"


def script(**values: t.Any) -> str:
    options: dict[str, t.Any] = {
        "hostname": "wso-3332a2",
        "mac": MAC,
        "address": "192.168.100.229/24",
        "gateway": "192.168.100.1",
        "nameservers": ["8.8.8.8", "8.8.4.4"],
    }
    return Configuration.read(**{**options, **values}).script


def text(lines: str) -> str:
    return textwrap.dedent(lines).lstrip("\n")


OURS = text("""
    auto eth0
    iface eth0 inet static
        address 192.168.100.229
        netmask 255.255.255.0
        gateway 192.168.100.1
        dns-nameservers 8.8.8.8 8.8.4.4
""")
LOOPBACK = "auto lo\niface lo inet loopback\n\n"


def succeeded(runs: tuple[Run, Run], address: str = "192.168.100.229") -> Run:
    """Both runs were right, and the second changed nothing."""
    first, second = runs
    assert (first.code, first.output) == (0, f"Network configured: {address}\n"), first.errors
    assert second == first
    return first


# seed 003-9, 003-43, 003-44, 003-46, 003-47
def test_a_guest_without_any_configuration(guest: Guest) -> None:
    result = succeeded(guest.run(script()))
    assert result.addresses["eth0"] == ["192.168.100.229/24"]
    assert "eth0" in result.up
    assert [(route["dst"], route["gateway"], route["dev"]) for route in result.routes] == [
        ("default", "192.168.100.1", "eth0"),
        ("192.168.100.0/24", None, "eth0"),
    ]
    assert guest.read("network/interfaces") == LOOPBACK + OURS
    assert guest.read("resolv.conf") == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"


def test_the_interface_has_the_name_that_the_system_gives_it(guest: Guest) -> None:
    result = succeeded(guest.run(script(), nic="enp1s0"))
    assert result.addresses["enp1s0"] == ["192.168.100.229/24"]
    assert guest.read("network/interfaces") == LOOPBACK + OURS.replace("eth0", "enp1s0")


def test_the_mac_address_may_be_written_in_capitals(guest: Guest) -> None:
    succeeded(guest.run(script(mac=MAC.upper())))


def test_a_network_without_a_way_out(guest: Guest) -> None:
    result = succeeded(guest.run(script(gateway=None, nameservers=[])))
    assert [route["dst"] for route in result.routes] == ["192.168.100.0/24"]
    assert guest.read("network/interfaces") == LOOPBACK + OURS.partition("    gateway")[0]
    assert not (guest.etc / "resolv.conf").exists()


def test_a_subnet_of_another_size(guest: Guest) -> None:
    result = succeeded(guest.run(script(address="10.7.246.110/20", gateway="10.7.240.1")), "10.7.246.110")
    assert result.addresses["eth0"] == ["10.7.246.110/20"]
    assert "    netmask 255.255.240.0\n" in guest.read("network/interfaces")


def test_what_is_there_of_other_interfaces_stays(guest: Guest) -> None:
    """Comments, IPv6 and interfaces of others; the NIC's old configuration goes, wherever it is written."""
    guest.write(
        "network/interfaces",
        text("""
            # This file describes the network interfaces.
            source /etc/network/interfaces.d/*

            auto lo eth0 eth1
            iface lo inet loopback

            # The primary network interface
            allow-hotplug eth0
            iface eth0 inet dhcp
                hostname guest
                # in the stanza
                metric 5

            # the second one
            iface eth1 inet static
                address 10.9.0.2
                netmask 255.255.255.0
                up ip route add 10.10.0.0/16 \\
                    via 10.9.0.1

            iface eth0 inet6 auto
                privext 2

            iface eth00 inet manual
            mapping eth0
                script /bin/true
            iface eth0 inet static
                address 10.0.0.9/24
            # the end

        """),
    )
    unrelated = guest.write("network/interfaces.d/eth2", "auto eth2\niface eth2 inet dhcp\n\n\n")
    link = guest.etc / "network/interfaces.d/link"
    link.symlink_to("eth2")
    guest.write("network/interfaces.d/eth0", "allow-hotplug eth0\niface eth0 inet dhcp\n")
    guest.write("network/interfaces.d/mixed", "auto \\\n  eth0 eth3\niface eth3 inet dhcp\niface eth0 inet dhcp\n")
    before = (unrelated.stat().st_ino, unrelated.stat().st_mtime_ns)
    succeeded(guest.run(script()))
    assert (
        guest.read("network/interfaces")
        == text("""
        # This file describes the network interfaces.
        source /etc/network/interfaces.d/*

        auto lo eth1
        iface lo inet loopback

        # The primary network interface

        # the second one
        iface eth1 inet static
            address 10.9.0.2
            netmask 255.255.255.0
            up ip route add 10.10.0.0/16 \\
                via 10.9.0.1

        iface eth0 inet6 auto
            privext 2

        iface eth00 inet manual
        mapping eth0
            script /bin/true
        # the end

    """)
        + OURS
    )
    assert guest.read("network/interfaces.d/eth0") == ""
    assert guest.read("network/interfaces.d/mixed") == "auto eth3\niface eth3 inet dhcp\n"
    assert (unrelated.stat().st_ino, unrelated.stat().st_mtime_ns) == before
    assert link.is_symlink()


def test_files_that_nobody_reads_are_left_alone(guest: Guest) -> None:
    guest.write("network/interfaces", "auto lo\niface lo inet loopback\n")
    guest.write("network/interfaces.d/eth0", "iface eth0 inet dhcp\n")
    succeeded(guest.run(script()))
    assert guest.read("network/interfaces.d/eth0") == "iface eth0 inet dhcp\n"


def test_alpines_short_form_is_replaced_too(guest: Guest) -> None:
    guest.write("network/interfaces", LOOPBACK + "auto eth0\niface eth0\n    use dhcp\n")
    succeeded(guest.run(script()))
    assert guest.read("network/interfaces") == LOOPBACK + OURS


def test_the_file_keeps_its_owner_and_mode(guest: Guest) -> None:
    file = guest.write("network/interfaces", LOOPBACK)
    file.chmod(0o640)
    succeeded(guest.run(script()))
    assert file.stat().st_mode & 0o777 == 0o640
    assert (guest.etc / "resolv.conf").stat().st_mode & 0o777 == 0o644


def test_another_address_than_before(guest: Guest) -> None:
    """The old address is the first one of the subnet, so that the kernel takes all others of it away together with it."""
    before = """
        ip link set dev eth0 up
        ip addr add 192.168.100.22/24 dev eth0
        ip addr add 192.168.100.229/24 dev eth0
        ip addr add 192.168.100.30/24 dev eth0
        ip addr add 10.5.0.1/16 dev eth0
        ip route add default via 192.168.100.254 dev eth0
    """
    result = succeeded(guest.run(script(), before=before))
    assert result.addresses["eth0"] == ["192.168.100.229/24"]
    assert [route["gateway"] for route in result.routes if route["dst"] == "default"] == ["192.168.100.1"]


def test_another_gateway_than_before(guest: Guest) -> None:
    before = """
        ip link set dev eth0 up
        ip addr add 192.168.100.229/24 dev eth0
        ip route add default via 192.168.100.254 dev eth0
    """
    result = succeeded(guest.run(script(), before=before))
    assert [route["gateway"] for route in result.routes if route["dst"] == "default"] == ["192.168.100.1"]


def test_another_subnet_than_before(guest: Guest) -> None:
    first = succeeded(guest.run(script(address="192.168.101.229/24", gateway="192.168.101.1")), "192.168.101.229")
    assert first.addresses["eth0"] == ["192.168.101.229/24"]
    result = succeeded(guest.run(script(), before="ip link set eth0 up; ip addr add 192.168.101.229/24 dev eth0"))
    assert result.addresses["eth0"] == ["192.168.100.229/24"]
    assert guest.read("network/interfaces") == LOOPBACK + OURS


def test_what_the_guest_has_already_is_not_touched(guest: Guest) -> None:
    """An address that DHCP gave stays the one it is, with its lifetime, and so does a route with a metric."""
    before = """
        ip link set dev eth0 up
        ip addr add 192.168.100.229/24 dev eth0 valid_lft 3600 preferred_lft 3600
        ip route add default via 192.168.100.1 dev eth0 metric 100
    """
    first, _second = guest.run(script(), before=before)
    assert first.code == 0
    assert first.addresses["eth0"] == ["192.168.100.229/24"]
    assert [route["metric"] for route in first.routes if route["dst"] == "default"] == [100]


def test_a_link_local_address_is_no_other_address(guest: Guest) -> None:
    result = succeeded(guest.run(script(), before="ip addr add 169.254.7.7/16 dev eth0 scope link"))
    assert sorted(result.addresses["eth0"]) == ["169.254.7.7/16", "192.168.100.229/24"]


def test_other_interfaces_keep_their_addresses(guest: Guest) -> None:
    result = succeeded(guest.run(script(), before="ip addr add 10.5.0.1/16 dev host0"))
    assert result.addresses["host0"] == ["10.5.0.1/16"]


def test_what_else_is_said_of_name_servers_stays(guest: Guest) -> None:
    guest.write("resolv.conf", "# mine\nsearch example.org\nnameserver 10.0.0.1\n nameserver 10.0.0.2\noptions rotate\n")
    succeeded(guest.run(script()))
    assert guest.read("resolv.conf") == "# mine\nsearch example.org\noptions rotate\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n"


@pytest.mark.parametrize("target", ["/run/systemd/resolve/stub-resolv.conf", "stub", "same"])
def test_a_link_to_another_programs_file_is_replaced(guest: Guest, target: str) -> None:
    stub = guest.write("stub", "# do not edit\nnameserver 127.0.0.53\n")
    guest.write("same", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n")
    (guest.etc / "resolv.conf").symlink_to(target)
    succeeded(guest.run(script()))
    assert not (guest.etc / "resolv.conf").is_symlink()
    assert guest.read("resolv.conf") == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
    assert stub.read_text() == "# do not edit\nnameserver 127.0.0.53\n"


def test_alpine_is_told_to_bring_interfaces_up_at_boot(guest: Guest) -> None:
    guest.write("init.d/networking", "")
    (guest.etc / "runlevels/boot").mkdir(parents=True)
    command = guest.path / "applets/rc-update"
    command.write_text('#!/bin/sh\n: > "/etc/runlevels/$4/$3"\necho "$@" >> /etc/calls\n')
    command.chmod(0o755)
    succeeded(guest.run(script()))
    assert guest.read("calls") == "-q add networking boot\n"


def test_a_guest_that_does_not_read_the_file_at_boot_is_told(guest: Guest) -> None:
    first, second = guest.run(script())
    lacks = guest.shell != "busybox"
    expected = "There is no ifup here, so that nobody reads /etc/network/interfaces at the next boot: install ifupdown.\n"
    assert first.errors == second.errors == (expected if lacks else "")


def refused(runs: tuple[Run, Run], guest: Guest, sentence: str) -> None:
    """Both runs ended with the sentence, and nothing was changed."""
    for run in runs:
        assert (run.code, run.output, run.errors) == (1, "", sentence + "\n")
        assert run.addresses["eth0"] == []
        assert run.files == (guest.path / "files.0").read_text()


def test_another_guest_is_left_alone(guest: Guest) -> None:
    runs = guest.run(script(mac="52:54:00:00:00:01"))
    refused(runs, guest, "No interface here has the address 52:54:00:00:00:01. Is this the guest that the script was made for?")


def test_a_port_of_a_bridge_is_left_alone(guest: Guest) -> None:
    """Its bridge has the same MAC address, and a name that comes first."""
    runs = guest.run(script(), before="ip link add br0 type bridge; ip link set eth0 master br0")
    refused(runs, guest, "eth0 is a port of another interface; take it out of that first.")


def test_an_interface_on_the_nic_is_not_the_nic(guest: Guest) -> None:
    """It has the same MAC address, and a name that comes first."""
    result = succeeded(guest.run(script(), before="ip link add a0 link eth0 type macvlan mode passthru"))
    assert result.addresses["eth0"] == ["192.168.100.229/24"]
    assert result.addresses["a0"] == []


def test_only_root_can_do_it(guest: Guest) -> None:
    runs = guest.run(script(), wrapper=("setpriv", "--reuid=65534", "--clear-groups"))
    refused(runs, guest, "Only root can configure the network; run this as root.")


def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", "-"], input=script(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
