# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The real modules for a host's bridge on a host that is files under a temporary folder, and what `ip` says of its links."""

from __future__ import annotations

import functools
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils import _module
from ansible_collections.kvmops.network.plugins.module_utils._bridge import (
    networkd as networkd_texts,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge import (
    reading,
    survey,
    view,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge import (
    record as record_texts,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge import (
    transaction as transaction_texts,
)
from ansible_collections.kvmops.network.plugins.module_utils._bridge.record import Record
from ansible_collections.kvmops.network.plugins.module_utils._edge import (
    host_state,
    ifupdown,
    links,
    lock,
    networkd,
    records,
    transaction,
)
from ansible_collections.kvmops.network.plugins.modules import host_bridge, host_bridge_info, host_bridge_transaction
from ansible_collections.kvmops.network.tests.unit.plugins.support.driver import Result, run_module

CAPTURED = Path(__file__).parents[1] / "module_utils/_edge/fixtures/networkd.systemd-257.json"
MAC = "02:77:50:12:a8:4f"  # of eth0 there
ADDRESS = "10.77.0.106/24"
ROUTER = "10.77.0.1"

_ADDR = "ip -j -d addr show"
_READING = ("ip -j ", "systemctl is-active --quiet ", "nmcli ", "ifup --version", "ifquery ")
_READING += ("nft -j list ruleset", "iptables-save", "ip6tables-save")


class UplinkHost:
    """A lab host with Debian 13, whose eth0 has a lease and is managed by networkd, and whose eth1 is down."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        captured = json.loads(CAPTURED.read_text())
        self.root = root
        self.answers: dict[str, t.Any] = captured["commands"]
        self.commands: list[list[str]] = []
        self.missing: set[str] = {"nmcli"}
        self.failing: set[str] = set()
        self.wireless: set[str] = set()
        self.bridges = f"{root}{record_texts.FOLDER}"
        self.transaction = f"{root}{transaction_texts.FOLDER}"
        for path, text in captured["files"].items():
            self.write(path, text.replace("NETWORK_FILE=/", f"NETWORK_FILE={root}/"))
        self.write("/run/lock/empty", "")
        self._move(monkeypatch)

    def _move(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have all that is read or written be under the temporary folder."""
        root = self.root
        for module, names in (
            (record_texts, ("FOLDER",)),
            (view, ("FOLDER",)),
            (records, ("FOLDER",)),
            (networkd_texts, ("_FOLDER",)),
            (networkd, ("_STATE", "_LEASE")),
            (host_state, ("_SYSCTL",)),
            (transaction_texts, ("FOLDER", "BOOT_UNIT_PATH", "BOOT_UNIT_LINK", "BOOTED")),
            (transaction, ("FOLDER", "BOOT_UNIT_PATH", "BOOT_UNIT_LINK", "BOOTED")),
        ):
            for name in names:
                monkeypatch.setattr(module, name, f"{root}{getattr(module, name)}")
        for module, name in ((networkd, "_FOLDERS"), (ifupdown, "_FILES"), (ifupdown, "_PROGRAMS")):
            monkeypatch.setattr(module, name, tuple(f"{root}{path}" for path in getattr(module, name)))
        read_records = functools.partial(records.read_records, self.bridges)
        for module in (survey, reading):
            monkeypatch.setattr(module, "read_records", read_records)
        monkeypatch.setattr(transaction, "read_state", functools.partial(transaction.read_state, self.transaction))
        monkeypatch.setattr(_module, "host_lock", functools.partial(lock.host_lock, path=f"{root}/run/lock/kvmops"))
        monkeypatch.setattr(links, "_is_wireless", lambda name: name in self.wireless)
        monkeypatch.setattr(AnsibleModule, "run_command", lambda _module, command, **_more: self._run(command))
        monkeypatch.setattr(
            AnsibleModule, "get_bin_path", lambda _module, tool, *_more: None if tool in self.missing else f"/usr/bin/{tool}"
        )

    def _run(self, command: list[str]) -> tuple[int, str, str]:
        line = " ".join(command)
        self.commands.append(command)
        if command[0] in self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        if any(line.startswith(start) for start in self.failing):
            return 1, "", "it failed\n"
        return 0, json.dumps(self.answers[line]) if line in self.answers else "", ""

    @property
    def changing_commands(self) -> list[str]:
        """What was run that does more than read."""
        lines = [" ".join(command) for command in self.commands]
        return [line for line in lines if not line.startswith(_READING)]

    @property
    def disk(self) -> dict[str, bytes]:
        """All files but the lock, which is empty."""
        found = {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
        return {name: content for name, content in sorted(found.items()) if name != "run/lock/kvmops"}

    def write(self, path: str, text: str) -> Path:
        """Write a file of the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    # --- its links --------------------------------------------------------------------------------------------------------

    def link(self, name: str) -> dict[str, t.Any]:
        """Return what `ip` says of a link, to be changed."""
        found: dict[str, t.Any] = next(entry for entry in self.answers[_ADDR] if entry["ifname"] == name)
        return found

    def add_link(self, name: str, *addresses: str, kind: str = "", **more: t.Any) -> None:
        """Add a link that is up, an Ethernet one if nothing else is said."""
        entry = {
            **self.link("eth1"),
            "ifname": name,
            "ifindex": 10 + len(self.answers[_ADDR]),
            "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            "addr_info": [self._address(text) for text in addresses],
            **({"linkinfo": {"info_kind": kind}} if kind else {}),
            **more,
        }
        if not kind and "linkinfo" not in more:
            entry.pop("linkinfo")
        entry.pop("link_index", None)
        entry.pop("link_netnsid", None)
        self.answers[_ADDR].append(entry)

    def _address(self, text: str) -> dict[str, t.Any]:
        local, _slash, prefix = text.partition("/")
        return {"local": local, "prefixlen": int(prefix), "scope": "global", "valid_life_time": 4294967295}

    def add_default_route(self, link: str, *, version: int = 4, gateway: str = "192.0.2.1") -> None:
        """Add a better default route than there is."""
        self.answers[f"ip -j -{version} route show table all"].append(
            {"dst": "default", "gateway": gateway, "dev": link, "metric": 1}
        )

    def add_shared_route(self, *names: str) -> None:
        """Add a route with a next hop over each of these links."""
        hops = [{"gateway": "10.77.0.9", "dev": name, "weight": 1, "flags": []} for name in names]
        self.answers["ip -j -4 route show table all"].append({"dst": "10.98.0.0/16", "flags": [], "nexthops": hops})

    def without_routes(self) -> None:
        """Take all routes away."""
        for version in (4, 6):
            self.answers[f"ip -j -{version} route show table all"] = []

    def managed_by(self, *managers: str) -> None:
        """Say who configures eth0: networkd, netplan, ifupdown."""
        path = "/etc/systemd/network/10-eth0.network"
        if "netplan" in managers:
            path = "/run/systemd/network/10-netplan-eth0.network"
            self.write(path, "[Network]\nDHCP=ipv4\n")
        state = "configured" if {"networkd", "netplan"} & set(managers) else "unmanaged"
        shown = path if "netplan" in managers else f"{self.root}{path}"
        self.write("/run/systemd/netif/links/2", f"ADMIN_STATE={state}\nNETWORK_FILE={shown}\n")
        if "ifupdown" in managers:
            self.write("/usr/sbin/ifup", "")
            self.write("/etc/network/interfaces", "iface eth0 inet dhcp\n")

    def filter_bridges(self, *settings: str) -> None:
        """Have the firewall, which lets nothing be forwarded, get to see frames on bridges."""
        for name in settings:
            self.write(f"/proc/sys/net/bridge/bridge-nf-call-{name}", "1\n")
        chain = {"family": "inet", "table": "strict", "name": "forward", "hook": "forward", "prio": 0, "policy": "drop"}
        self.answers["nft -j list ruleset"] = {"nftables": [{"chain": chain}]}

    # --- what host_bridge made --------------------------------------------------------------------------------------------

    def remember(self, record: Record) -> None:
        """Write down a bridge as one that was made here."""
        path = Path(record_texts.path_of(record.name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record.to_text())

    def finish(self, *, state: str = "confirmed") -> None:
        """Carry out the change that was started: its files, and the links with the lease; then decide about it."""
        folder = Path(self.transaction)
        bridge = json.loads((folder / "plan.json").read_text())["bridge"]
        placed = 0
        for line in (folder / "apply").read_text().splitlines():
            # go_on; STEP || give_up STEP
            words = line.partition(" || ")[0].replace("go_on; ", "", 1).split()
            if words[:1] == ["place"]:
                placed += 1
                Path(words[2]).parent.mkdir(parents=True, exist_ok=True)
                Path(words[2]).write_bytes((folder / words[1]).read_bytes())
            elif words[:1] == ["remove"]:
                Path(words[1]).unlink(missing_ok=True)
        assert placed, "the change writes no file, or its script is not understood here any more"
        eth0 = self.link("eth0")
        self.add_link(
            bridge, address=eth0["address"], linkinfo={"info_kind": "bridge", "info_data": {"stp_state": 0, "forward_delay": 0}}
        )
        self.link(bridge)["addr_info"], eth0["addr_info"] = eth0["addr_info"], []
        eth0["master"] = bridge
        for version in (4, 6):
            for route in self.answers[f"ip -j -{version} route show table all"]:
                route["dev"] = bridge if route.get("dev") == "eth0" else route.get("dev")
        (folder / "applied").touch()
        if state != "armed":
            (folder / "armed").rename(folder / state)

    # --- the modules ------------------------------------------------------------------------------------------------------

    def task(self, *, check: bool = False, diff: bool = True, **options: t.Any) -> Result:
        """Run host_bridge, whether it fails or not."""
        return self._run_main(host_bridge.main, options, check=check, diff=diff)

    def decide(self, *, check: bool = False, **options: t.Any) -> Result:
        """Run host_bridge_transaction, whether it fails or not."""
        return self._run_main(host_bridge_transaction.main, options, check=check, diff=False)

    def info(self, *, check: bool = False) -> Result:
        """Run host_bridge_info, whether it fails or not."""
        return self._run_main(host_bridge_info.main, {}, check=check, diff=False)

    def _run_main(self, main: t.Callable[[], t.NoReturn], options: dict[str, t.Any], *, check: bool, diff: bool) -> Result:
        return run_module(main, options, check=check, diff=diff)
