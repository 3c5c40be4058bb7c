# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What the keeper of the rules does, whatever others do to the firewall: on a model of the kernel, and on the kernel itself.

Each test has a `place`, whose `run` is that of the keeper, and which has no more than what the test gives it.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._forward import keeper
from ansible_collections.kvmops.network.plugins.module_utils._forward.files import FOLDER, wanted_files
from ansible_collections.kvmops.network.plugins.module_utils._forward.rules import make_rules
from ansible_collections.kvmops.network.tests.unit.plugins.module_utils._forward.builders import PROGRAMS, forward, forward6

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._forward.forward import Forward

NAME = "kvmops_port_forwards"
OWN = f"the table 'inet {NAME}'"
IN_LIBVIRT = "the first rule of the chain 'ip libvirt_network forward'"
IN_LIBVIRT6 = "the first rule of the chain 'ip6 libvirt_network forward'"
IN_IPTABLES = "the first rule of the chain FORWARD of iptables"
IN_IPTABLES6 = "the first rule of the chain FORWARD of ip6tables"
LOCALNET = "route_localnet of virbr0"
SEVERAL = [forward(), forward("range", "7000-7001", "8000-8001", protocols=("tcp", "udp"))]


class Place:
    """A network namespace, and the folder that the keeper has its files in."""

    def __init__(self, root: Path, run: t.Callable[[list[str]], tuple[int, str, str]]) -> None:
        """Begin without files."""
        self.root, self.run = root, run
        self.folder = root / "folder"
        self.folder.mkdir()
        for name, value in {"default": "0", "virbr0": "0"}.items():
            setting = root / f"proc/sys/net/ipv4/conf/{name}/route_localnet"
            setting.parent.mkdir(parents=True)
            setting.write_text(f"{value}\n")

    def do(self, *commands: str) -> None:
        """Run commands, each of which has to succeed."""
        for command in commands:
            program, _space, rest = command.partition(" ")
            code, output, errors = self.run([program, rest] if program == "nft" else command.split())
            assert code == 0, (command, output, errors)

    def has_libvirt(self, *families: str) -> None:
        """Have the table that libvirt makes with nftables."""
        for family in families or ("ip", "ip6"):
            self.do(
                f"nft add table {family} libvirt_network",
                f"nft add chain {family} libvirt_network forward {{ type filter hook forward priority 0; policy accept; }}",
                f"nft add chain {family} libvirt_network guest_cross",
                f"nft add rule {family} libvirt_network forward jump guest_cross",
            )

    def has_docker(self, *programs: str) -> None:
        """Have what makes tables with iptables."""
        for program in programs or ("iptables",):
            self.do(f"{program} -w -N DOCKER-USER", f"{program} -w -I FORWARD 1 -j DOCKER-USER")

    def wanted(self, *forwards: Forward) -> dict[str, t.Any]:
        """Write the files for forwards, and return what the keeper reads of them."""
        for path in self.folder.iterdir():
            path.unlink()
        for name, text in wanted_files({each.name: each for each in forwards}, PROGRAMS).items():
            if name.startswith(FOLDER):
                (self.folder / name.rpartition("/")[2]).write_text(text)
        found: dict[str, t.Any] = json.loads((self.folder / "rules.json").read_text())
        return found

    def put(self, wanted: dict[str, t.Any]) -> list[str]:
        """Have the keeper put the rules there, all of which are there then."""
        missing = keeper.faults(wanted, self.run)
        assert keeper.put(wanted, str(self.folder), self.run) == missing
        assert keeper.faults(wanted, self.run) == []
        return missing

    def localnet(self, bridge: str = "virbr0") -> str:
        """Return what a bridge's setting is."""
        return (self.root / f"proc/sys/net/ipv4/conf/{bridge}/route_localnet").read_text().strip()

    def chain(self, where: str) -> list[str]:
        """Return whom the rules of a chain jump to, or what they do."""
        code, output, _errors = self.run(["nft", "-j", "list", "chain", *where.split()])
        assert code == 0, where
        rules = [entry["rule"] for entry in json.loads(output)["nftables"] if "rule" in entry]
        return [next((part["jump"]["target"] for part in rule["expr"] if "jump" in part), "other") for rule in rules]

    def has(self, where: str) -> bool:
        """Say whether there is a table or a chain."""
        what = "chain" if where.count(" ") == 2 else "table"
        return self.run(["nft", "-j", "list", what, *where.split()])[0] == 0

    def trace(self) -> list[str]:
        """Return what of ours is there."""
        chains = [f"{family} {table} {NAME}" for family in ("ip", "ip6") for table in ("libvirt_network", "filter")]
        return [where for where in (f"inet {NAME}", *chains) if self.has(where)]


def inside(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the keeper find the kernel's files under a folder."""
    monkeypatch.setattr(keeper, "open", _open_under(root), raising=False)


def _open_under(root: Path) -> t.Callable[..., t.Any]:
    def open_there(path: str, *more: t.Any, **options: t.Any) -> t.Any:
        return open(f"{root}{path}" if path.startswith("/proc/") else path, *more, **options)

    return open_there


class Cases:
    """The tests, for those who have a place."""

    def test_all_is_missing_and_is_put_there_once(self, place: Place) -> None:
        place.has_libvirt()
        place.has_docker("iptables", "ip6tables")
        wanted = place.wanted(*SEVERAL, forward6())
        assert place.trace() == []
        assert place.put(wanted) == [OWN, IN_LIBVIRT, IN_IPTABLES, IN_LIBVIRT6, IN_IPTABLES6, LOCALNET]
        assert place.put(wanted) == []
        for family in ("ip", "ip6"):
            assert place.chain(f"{family} libvirt_network forward") == [NAME, "guest_cross"]
            assert place.chain(f"{family} filter FORWARD") == [NAME, "DOCKER-USER"]
        assert place.localnet() == "1"
        assert len(place.trace()) == 5

    def test_nothing_is_made_where_others_have_nothing(self, place: Place) -> None:
        wanted = place.wanted(*SEVERAL, forward6())
        assert place.put(wanted) == [OWN, LOCALNET]
        assert place.trace() == [f"inet {NAME}"]
        assert not place.has("ip filter")
        assert not place.has("ip6 libvirt_network")

    def test_only_the_families_that_are_needed(self, place: Place) -> None:
        place.has_libvirt()
        place.has_docker("iptables", "ip6tables")
        place.put(place.wanted(forward(), forward6()))
        assert place.put(place.wanted(forward6())) == [OWN, IN_LIBVIRT6, IN_IPTABLES6]
        assert place.trace() == [f"inet {NAME}", f"ip6 libvirt_network {NAME}", f"ip6 filter {NAME}"]
        assert place.chain("ip filter FORWARD") == ["DOCKER-USER"]

    def test_the_whole_ruleset_is_flushed(self, place: Place) -> None:
        place.has_docker()
        wanted = place.wanted(forward())
        place.put(wanted)
        place.do("nft flush ruleset")
        assert place.put(wanted) == [OWN]
        place.has_libvirt("ip")
        place.has_docker()
        assert place.put(wanted) == [IN_LIBVIRT, IN_IPTABLES]

    @pytest.mark.parametrize(
        "command",
        [
            f"nft delete table inet {NAME}",
            f"nft flush table inet {NAME}",
            f"nft flush chain inet {NAME} to_guests",
            f"nft flush chain inet {NAME} guard",
            f'nft add rule inet {NAME} to_guests accept comment "web"',
            f"nft insert rule inet {NAME} to_guests accept",
        ],
    )
    def test_somebody_changes_our_own_table(self, place: Place, command: str) -> None:
        wanted = place.wanted(*SEVERAL)
        place.put(wanted)
        place.do(command)
        assert place.put(wanted) == [OWN]
        assert place.put(wanted) == []

    def test_docker_puts_itself_in_front(self, place: Place) -> None:
        place.has_docker()
        wanted = place.wanted(forward())
        place.put(wanted)
        place.do("iptables -w -N DOCKER-FORWARD", "iptables -w -I FORWARD 1 -j DOCKER-FORWARD")
        assert place.put(wanted) == [IN_IPTABLES]
        assert place.chain("ip filter FORWARD") == [NAME, "DOCKER-FORWARD", "DOCKER-USER"]

    def test_somebody_puts_himself_in_front_in_libvirts_table(self, place: Place) -> None:
        place.has_libvirt("ip")
        wanted = place.wanted(forward())
        place.put(wanted)
        place.do("nft insert rule ip libvirt_network forward jump guest_cross")
        assert place.put(wanted) == [IN_LIBVIRT]
        assert place.chain("ip libvirt_network forward") == [NAME, "guest_cross", "guest_cross"]

    def test_our_jump_is_there_twice(self, place: Place) -> None:
        place.has_libvirt("ip")
        place.has_docker()
        wanted = place.wanted(forward())
        place.put(wanted)
        place.do(
            f"iptables -w -A FORWARD -j {NAME}",
            f"iptables -w -I FORWARD 1 -j {NAME}",
            f"nft add rule ip libvirt_network forward jump {NAME}",
            f"nft insert rule ip libvirt_network forward jump {NAME}",
        )
        assert place.put(wanted) == [IN_LIBVIRT, IN_IPTABLES]
        assert place.chain("ip libvirt_network forward") == [NAME, "guest_cross"]
        assert place.chain("ip filter FORWARD") == [NAME, "DOCKER-USER"]

    @pytest.mark.parametrize(
        ("command", "fault"),
        [
            (f"nft flush chain ip libvirt_network {NAME}", IN_LIBVIRT),
            (f"iptables -w -F {NAME}", IN_IPTABLES),
            ("iptables -w -F FORWARD", IN_IPTABLES),
            ("nft flush chain ip libvirt_network forward", IN_LIBVIRT),
            (f"nft add rule ip libvirt_network {NAME} drop", IN_LIBVIRT),
            (f"iptables -w -A {NAME} -j DROP", IN_IPTABLES),
        ],
    )
    def test_somebody_changes_our_chains(self, place: Place, command: str, fault: str) -> None:
        place.has_libvirt("ip")
        place.has_docker()
        wanted = place.wanted(forward())
        place.put(wanted)
        place.do(command)
        assert place.put(wanted) == [fault]

    def test_libvirt_makes_its_table_later_and_anew(self, place: Place) -> None:
        wanted = place.wanted(forward())
        place.put(wanted)
        place.has_libvirt("ip")
        assert place.put(wanted) == [IN_LIBVIRT]
        place.do("nft delete table ip libvirt_network")
        assert place.put(wanted) == []
        place.has_libvirt("ip")
        assert place.put(wanted) == [IN_LIBVIRT]

    def test_other_forwards(self, place: Place) -> None:
        place.has_libvirt("ip")
        place.has_docker()
        place.put(place.wanted(forward()))
        wanted = place.wanted(forward(guest_ports="80"), forward("ssh", "22"))
        assert place.put(wanted) == [OWN, IN_LIBVIRT, IN_IPTABLES]
        assert place.chain("ip libvirt_network forward") == [NAME, "guest_cross"]
        assert place.chain(f"ip libvirt_network {NAME}") == place.chain(f"ip filter {NAME}") == ["other"] * 4
        _code, output, _errors = place.run(["nft", "-j", "list", "table", "inet", NAME])
        entries = json.loads(output)["nftables"]
        revision = make_rules([forward(guest_ports="80"), forward("ssh", "22")]).revision
        assert [entry["chain"]["name"] for entry in entries if "revision" in entry.get("chain", {}).get("name", "")] == [
            f"revision_{revision}"
        ]

    def test_a_network_of_mode_open(self, place: Place) -> None:
        place.has_libvirt("ip")
        place.has_docker()
        wanted = place.wanted(forward(method="open"), forward6(method="open"))
        assert place.put(wanted) == [OWN, IN_LIBVIRT, IN_IPTABLES, LOCALNET]
        assert place.put(wanted) == []

    def test_nothing_is_left(self, place: Place) -> None:
        place.has_libvirt()
        place.has_docker("iptables", "ip6tables")
        wanted = place.wanted(*SEVERAL, forward6())
        place.put(wanted)
        place.do(f"iptables -w -A FORWARD -j {NAME}", f"nft add rule ip libvirt_network forward jump {NAME}")
        keeper.remove(wanted, place.run)
        assert place.trace() == []
        assert place.localnet() == "0"
        for family in ("ip", "ip6"):
            assert place.chain(f"{family} libvirt_network forward") == ["guest_cross"]
            assert place.chain(f"{family} filter FORWARD") == ["DOCKER-USER"]
        keeper.remove(wanted, place.run)

    def test_nothing_is_there_to_be_removed(self, place: Place) -> None:
        keeper.remove(place.wanted(*SEVERAL, forward6()), place.run)
        assert place.trace() == []
        assert not place.has("ip filter")

    def test_a_bridge_that_is_gone(self, place: Place) -> None:
        (place.root / "proc/sys/net/ipv4/conf/virbr0/route_localnet").unlink()
        wanted = place.wanted(forward())
        assert place.put(wanted) == [OWN]
        keeper.remove(wanted, place.run)

    def test_a_bridge_gets_what_is_usual_on_this_host(self, place: Place) -> None:
        wanted = place.wanted(forward())
        place.put(wanted)
        (place.root / "proc/sys/net/ipv4/conf/default/route_localnet").write_text("1\n")
        keeper.forget_bridge("virbr0")
        assert place.localnet() == "1"

    def test_an_address_of_the_host_alone_needs_no_loopback(self, place: Place) -> None:
        assert place.put(place.wanted(forward(host_address="203.0.113.4"))) == [OWN]
        assert place.localnet() == "0"
