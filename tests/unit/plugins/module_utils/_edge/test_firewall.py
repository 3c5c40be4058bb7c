# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The rules of a host are read from both tools, or from one of them, or not at all."""

from __future__ import annotations

import errno
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._connectivity.firewall import Packet
from ansible_collections.kvmops.network.plugins.module_utils._edge.firewall import read_backend, read_firewall

CAPTURED = Path(__file__).parents[1] / "_connectivity/fixtures"
OUT = Packet(hook="forward", incoming="virbr0", outgoing="eth0", source="192.168.122.2", protocol="tcp")
NFT, SAVE, SAVE6 = "nft -j list ruleset", "iptables-save", "ip6tables-save"


class Host:
    """A host with some of the tools, each of which prints a text, or fails with one."""

    def __init__(self, outputs: dict[str, str], failures: dict[str, str]) -> None:
        self.outputs, self.failures = outputs, failures
        self.commands: list[str] = []

    def run(self, command: list[str]) -> tuple[int, str, str]:
        line = " ".join(command)
        self.commands.append(line)
        if line in self.failures:
            return 1, "", self.failures[line]
        if line not in self.outputs:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", command[0])
        return 0, self.outputs[line], ""


def host(outputs: dict[str, str], **failures: str) -> Host:
    found = {line: (CAPTURED / name).read_text() if name else "" for line, name in outputs.items()}
    return Host(found, {line: failures[key] for line, key in ((NFT, "nft"), (SAVE, "save"), (SAVE6, "save6")) if key in failures})


def test_both_tools_are_asked_and_iptables_knows_its_own_tables_better() -> None:
    ufw = host({NFT: "ufw.nftables-1.1.3.json", SAVE: "ufw.iptables-1.8.11.txt", SAVE6: ""})
    ruleset, reason = read_firewall(ufw.run)
    assert ufw.commands == [NFT, SAVE, SAVE6]
    assert reason == ""
    assert ruleset is not None
    block = ruleset.find_block(OUT)
    assert block is not None
    assert block.chain.place == ("ip", "filter", "FORWARD")
    # libvirt's own table is nft's alone, and so are ufw's rules for IPv6 where ip6tables shows none
    assert {(family, table) for family, table, _name in ruleset.chains} == {
        ("ip", "libvirt_network"),
        ("ip6", "libvirt_network"),
        ("ip", "filter"),
        ("ip6", "filter"),
    }


@pytest.mark.parametrize(
    "outputs",
    [
        {NFT: "nftables-backend.nftables-1.1.3.json"},
        {SAVE: "iptables-backend.iptables-1.8.7.txt"},
        {SAVE: "iptables-backend.iptables-1.8.11.txt", SAVE6: "iptables-backend.ip6tables-1.8.11.txt"},
    ],
)
def test_one_tool_is_enough(outputs: dict[str, str]) -> None:
    ruleset, reason = read_firewall(host(outputs).run)
    assert reason == ""
    assert ruleset is not None
    assert ruleset.find_block(OUT) is None
    assert any(rule.matches for _chain, rule in ruleset.reached("forward", "ip"))


def test_no_rules_are_not_the_same_as_nothing_to_read() -> None:
    ruleset, reason = read_firewall(host({NFT: "", SAVE: "", SAVE6: ""}).run)
    assert (ruleset is not None, reason) == (True, "")
    assert read_firewall(host({}).run) == (
        None,
        "'nft -j list ruleset' failed: No such file or directory; 'iptables-save' failed: No such file or directory; "
        "'ip6tables-save' failed: No such file or directory",
    )
    refused = host({}, nft="Operation not permitted (you must be root)\n", save="Permission denied (you must be root)")
    assert read_firewall(refused.run)[1].startswith(
        "'nft -j list ruleset' failed: Operation not permitted (you must be root); 'iptables-save' failed: Permission denied"
    )


def test_an_answer_that_is_none() -> None:
    assert read_firewall(Host({NFT: "Error: JSON support not compiled-in"}, {}).run) == (
        None,
        "'nft -j list ruleset' failed: its answer is no JSON; 'iptables-save' failed: No such file or directory; "
        "'ip6tables-save' failed: No such file or directory",
    )


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        ("", ""),
        ('# firewall_backend = "nftables"\n', ""),
        ('firewall_backend = "nftables"\n', "nftables"),
        ("firewall_backend='iptables' # so be it\n", "iptables"),
        ('other = "nftables"\nfirewall_backend="iptables"\nfirewall_backend = "nftables"\n', "nftables"),
        ("firewall_backend\n", ""),
    ],
)
def test_what_libvirt_is_told(tmp_path: Path, text: str, backend: str) -> None:
    path = tmp_path / "network.conf"
    path.write_text(text)
    assert read_backend(str(path)) == backend


def test_nobody_has_told_libvirt_anything(tmp_path: Path) -> None:
    nowhere: t.Any = tmp_path / "network.conf"
    assert read_backend(str(nowhere)) == ""
