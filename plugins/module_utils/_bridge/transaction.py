# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""A change of the host's own network that goes back by itself unless somebody confirms it: its files, scripts and units as texts.

It lives in one folder. Whoever renames the file `armed` there first decides: to `confirmed`, or to `reverting`, which becomes
`reverted`. All that the way back needs is on the disk before the first change: a shell script that uses nothing of Ansible, a
timer that runs it, and a unit that runs it at boot. The script may run at any time, again, and by hand.
"""

from __future__ import annotations

import shlex
import textwrap
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command
    from ansible_collections.kvmops.network.plugins.module_utils._file_changes import FileChange

__all__ = [
    "BOOTED",
    "BOOT_UNIT",
    "BOOT_UNIT_LINK",
    "BOOT_UNIT_PATH",
    "FOLDER",
    "Transaction",
    "apply_unit",
    "boot_unit",
    "files_of",
    "revert_unit",
]

FOLDER = "/var/lib/kvmops-network/transaction"
BOOT_UNIT_PATH = "/etc/systemd/system/kvmops-network-revert.service"
BOOT_UNIT_LINK = "/etc/systemd/system/sysinit.target.wants/kvmops-network-revert.service"

# Not there after a boot. systemd starts what sysinit.target wants along with any other unit, once it has read its units anew: the
# unit for the boot must do nothing then.
BOOTED = "/run/kvmops-network-armed"
BOOT_UNIT = BOOT_UNIT_PATH.rpartition("/")[2]

_SETTLE = 0.5  # seconds in which the answer that the change has begun gets back to the controller
_UNTIL_TAKEN_AWAY = 1.5  # seconds
_PATIENCE = 8  # half seconds that a server has to give the host its addresses again


@dataclass(frozen=True)
class Transaction:
    """What is done and what undoes it. `window` is the time for confirming it, in seconds.

    `bridge` is its name and its MAC address. `apply_batch` and `revert_batch` are lines for `ip`, with the back end's commands
    before and after them; files of the paths in `apply_early` and `revert_early` are written or removed before those, others
    between the lines and the last commands. `new_bridge` is removed by the way back, `old_bridge` by the change, unless it has
    ports. `carrier` is the link that has the host's addresses where it goes back to, `leased` those that somebody gave for a
    time. `revert_at_boot` are the back end's commands where the host goes back while it boots.
    """

    id: str
    window: int
    files: tuple[FileChange, ...]
    apply_early: tuple[str, ...]
    apply_batch: tuple[str, ...]
    apply_before: tuple[Command, ...]
    apply_after: tuple[Command, ...]
    revert_early: tuple[str, ...]
    revert_batch: tuple[str, ...]
    revert_before: tuple[Command, ...]
    revert_after: tuple[Command, ...]
    revert_at_boot: tuple[Command, ...]
    bridge: tuple[str, str]
    carrier: str
    leased: tuple[str, ...]
    new_bridge: str = ""
    old_bridge: str = ""


def apply_unit(transaction_id: str) -> str:
    """Return the name of the unit that makes the change."""
    return f"kvmops-network-apply-{transaction_id}"


def revert_unit(transaction_id: str) -> str:
    """Return the name of the timer, and of the unit, that take the change back."""
    return f"kvmops-network-revert-{transaction_id}"


def files_of(transaction: Transaction) -> dict[str, bytes]:
    """Return the content of the transaction's folder, by paths in it."""
    files = {
        "apply": _apply_script(transaction).encode(),
        "revert": _revert_script(transaction).encode(),
        "apply.batch": _lines(transaction.apply_batch),
        "revert.batch": _lines(transaction.revert_batch),
    }
    for number, change in enumerate(transaction.files):
        for folder, content in (("before", change.before), ("after", change.after)):
            if content is not None:
                files[f"{folder}/{number}"] = content
    return files


def boot_unit() -> str:
    """Return the text of the unit that takes an unconfirmed change back when the host boots, before it has a network."""
    return f"""\
# Written by the Ansible module kvmops.network.host_bridge, which removes it when the change is confirmed or taken back.
[Unit]
Description=Take back an unconfirmed change of this host's network
DefaultDependencies=no
RequiresMountsFor={FOLDER} /etc
After=local-fs.target systemd-remount-fs.service
Wants=network-pre.target
Before=network-pre.target systemd-networkd.service NetworkManager.service networking.service
ConditionPathExists=!{BOOTED}
ConditionPathExists=|{FOLDER}/armed
ConditionPathExists=|{FOLDER}/reverting

[Service]
Type=oneshot
ExecStart=/bin/sh {FOLDER}/revert boot

[Install]
WantedBy=sysinit.target
"""


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


_FUNCTIONS = """\
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C.UTF-8
cd @FOLDER@ || exit 1

# a disk that takes nothing more keeps nobody from going on
log=log
(: >>log) 2>/dev/null || log=/dev/null
say() { printf '%s %s\\n' "$(date +%H:%M:%S)" "$*" >>"$log"; }
# of a script only its first line, which says what it does
run() { say "$(printf '%s' "$*" | head -n 1)"; timeout 40 "$@" >>"$log" 2>&1 </dev/null; }
# a file appears whole or not at all, and is on the disk then
place() {
    say "write $2"
    new=${2%/*}/.kvmops-${2##*/}
    { mkdir -p "${2%/*}" && cp -p "$1" "$new" && sync "$new" && mv -f "$new" "$2" && sync "${2%/*}"; } 2>>"$log" && return
    rm -f "$new"
    return 1
}
# with the folder of what overrides parts of a file, once that is empty
remove() {
    say "remove $1"
    [ -e "$1" ] || return 0
    { rm -f "$1" && sync "${1%/*}"; } 2>>"$log" || return
    case ${1%/*} in
    *.network.d) rmdir "${1%/*}" 2>/dev/null && sync "${1%/*/*}" || : ;;
    esac
}
make_bridge() { [ -d "/sys/class/net/$1" ] || run ip link add name "$1" address "$2" type bridge stp_state 0 forward_delay 0; }
# a bridge with ports is left: they are guests'
remove_bridge() {
    [ -d "/sys/class/net/$1/bridge" ] || return 0
    if [ -z "$(ls "/sys/class/net/$1/brif")" ]; then
        run ip link delete dev "$1"
    else
        say "keep $1, it has ports:" $(ls "/sys/class/net/$1/brif")
    fi
}
"""


def _functions() -> str:
    return _FUNCTIONS.replace("@FOLDER@", FOLDER)


def _apply_script(transaction: Transaction) -> str:
    steps = [
        *_file_steps(transaction, back=False, early=True),
        *_command_steps(transaction.apply_before),
        *_move_steps(transaction, "apply.batch", old_bridge=transaction.old_bridge),
        *_file_steps(transaction, back=False, early=False),
        *_command_steps(transaction.apply_after),
    ]
    body = "\n".join(f"go_on; {step} || give_up {shlex.quote(step)}" for step in steps)
    return f"""\
#!/bin/sh
# Changes this host's network, by the Ansible module kvmops.network.host_bridge. The way back is beside it: sh revert
{_functions()}
go_on() {{ [ -e armed ] || exit 0; }}
give_up() {{ printf '%s\\n' "$1" | head -n 1 >failure; say "failed: $(cat failure)"; exec /bin/sh revert failed; }}

sleep {_SETTLE}
go_on
say 'the change begins'
{body}
go_on
touch applied
say 'the change is made, and waits for being confirmed'
"""


def _revert_script(transaction: Transaction) -> str:
    early, late = (_file_steps(transaction, back=True, early=early) for early in (True, False))
    before = [
        *_command_steps(transaction.revert_before),
        *_move_steps(transaction, "revert.batch", old_bridge=transaction.new_bridge),
    ]
    after = _command_steps(transaction.revert_after)
    wait = _wait_for_addresses(transaction) if transaction.leased else ""
    return f"""\
#!/bin/sh
# Takes back a change of this host's network that nobody confirmed. It may be run by hand, and again: sh revert asked
{_functions()}
trap '' HUP
(: >>lock) 2>/dev/null && exec 9>>lock && flock 9
mode=${{1:-asked}}
mv armed reverting 2>/dev/null || [ -e reverting ] || [ -e armed ] || exit 0
say "the way back begins ($mode)"
files=done
not_done() {{ say "not done: $(printf '%s' "$1" | head -n 1)"; printf '%s\\n' "$1" | head -n 1 >>unfinished; }} 2>/dev/null
no_file() {{ files=missing; not_done "$1"; }}
{{ rm -f unfinished; printf '%s\\n' "$mode" >why; }} 2>/dev/null
if [ "$mode" = timeout ] || [ "$mode" = asked ]; then
    systemctl --quiet is-active {apply_unit(transaction.id)}.service && run systemctl stop {apply_unit(transaction.id)}.service
fi
if [ "$mode" != boot ]; then
    (ip -br link; ip -br address; ip route; ip -6 route; bridge link; ip neighbour) >seen 2>&1
fi

{_each(early, "no_file")}
if [ "$mode" != boot ]; then
{textwrap.indent(_each(before, "not_done"), "    ")}
fi
{_each(late, "no_file")}
if [ "$mode" != boot ]; then
{textwrap.indent(_each(after, "not_done") + wait or ":", "    ")}
else
{textwrap.indent(_each(_command_steps(transaction.revert_at_boot), "not_done") or ":", "    ")}
fi

if [ "$files" = missing ]; then
    say 'files are not as they were; this is tried again at the next boot'
    exit 1
fi
# a way back that ends before this needs them again; files of a back end may have passwords in them
{{ mv reverting reverted || mv armed reverted; }} 2>/dev/null && rm -rf before after
rm -f {BOOT_UNIT_LINK} {BOOT_UNIT_PATH}
sync . {BOOT_UNIT_LINK.rpartition("/")[0]} {BOOT_UNIT_PATH.rpartition("/")[0]}
say 'the way back is done'
if [ "$mode" != boot ] && [ "$mode" != timeout ]; then
    run systemctl stop {revert_unit(transaction.id)}.timer
fi
exit 0
"""


def _each(steps: Sequence[str], otherwise: str) -> str:
    return "\n".join(f"{step} || {otherwise} {shlex.quote(step)}" for step in steps)


def _move_steps(transaction: Transaction, batch: str, *, old_bridge: str) -> list[str]:
    """Return the steps that move links and addresses. What came of single lines is looked at before a change is confirmed."""
    name, mac = transaction.bridge
    make = [] if old_bridge or not mac else [f"make_bridge {shlex.join((name, mac))}"]
    return [
        *make,
        f"{{ run ip -force -batch {batch}; true; }}",
        *([f"remove_bridge {shlex.quote(old_bridge)}"] if old_bridge else []),
    ]


def _file_steps(transaction: Transaction, *, back: bool, early: bool) -> list[str]:
    first = transaction.revert_early if back else transaction.apply_early
    steps = []
    for number, change in enumerate(transaction.files):
        content, folder = (change.before, "before") if back else (change.after, "after")
        if (change.path in first) is early:
            path = shlex.quote(change.path)
            steps.append(f"remove {path}" if content is None else f"place {folder}/{number} {path}")
    return steps


def _command_steps(commands: Sequence[Command]) -> list[str]:
    return [shlex.join(("run", *command)) for command in commands]


def _wait_for_addresses(transaction: Transaction) -> str:
    """Return the lines that give the host leased addresses again which nobody gave it anew.

    The back end may take them away first.
    """
    return f"""
# whoever gave the addresses may not answer any more: then the host keeps those that it had
has_addresses() {{
    for address in {shlex.join(transaction.leased)}; do
        ip -o address show dev {shlex.quote(transaction.carrier)} | grep -qF " $address " || return 1
    done
}}
sleep {_UNTIL_TAKEN_AWAY}
tries={_PATIENCE}
while [ $tries -gt 0 ] && ! has_addresses; do sleep 0.5; tries=$((tries - 1)); done
has_addresses || run ip -force -batch revert.batch"""
