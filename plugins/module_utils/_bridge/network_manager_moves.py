# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""How NetworkManager is made to follow its files, as commands.

While links and addresses move, it is stopped, which leaves all as it is. What it finds then it takes over, without a gap and with
no address gone, since a note for each link says which profile that is. Without notes it would only look on ("externally"). The
notes are those that it writes for its own restarts; their format is its own affair, so that it is checked whether it understood
them. Where it did not, the profile is activated, which cuts off ports of guests for a moment: these are put back.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move

__all__ = ["INFINITE", "Profiles", "activate", "prepare"]

INFINITE = 2147483647  # seconds, of the setting dhcp-timeout

_SERVICE = "NetworkManager.service"


@dataclass(frozen=True)
class Profiles:
    """The UUIDs of the profiles of the bridge, of its port, and of the uplink without a bridge; and the files of our two."""

    bridge: str
    port: str
    origin: str
    bridge_path: str
    port_path: str


def prepare(move: Move, profiles: Profiles, *, kernel_hears_routers: bool) -> list[Command]:
    """Return the commands that stop NetworkManager and note down what it shall take over.

    `kernel_hears_routers` says that the profile leaves IPv6 to the kernel. Else NetworkManager does what routers say, and the
    kernel must not do it as well on a link that comes up before it.
    """
    if not move.fresh:
        return []
    record = move.record
    hears = "1" if kernel_hears_routers else ""
    script = (
        ("sh", "-c", _NOTE_BRIDGE, "note", record.name, record.uplink, profiles.bridge, hears, profiles.port, record.mac)
        if move.to_bridge
        else ("sh", "-c", _NOTE_UPLINK, "note", record.uplink, record.name, profiles.origin, hears)
    )
    return [("systemctl", "stop", _SERVICE), script]


def activate(move: Move, profiles: Profiles) -> list[Command]:
    """Return the commands that start NetworkManager, or make it read its files anew."""
    record = move.record
    start: Command = ("systemctl", "start", _SERVICE)
    if not move.to_bridge:
        return [
            ("sh", "-c", _CLEAR, "clear", record.name),
            start,
            ("sh", "-c", _FOLLOW_UPLINK, "follow", record.uplink, profiles.origin),
        ]
    names = (record.name, profiles.bridge, record.uplink, profiles.port)
    if move.fresh:
        return [("sh", "-c", _CLEAR, "clear", record.uplink), start, ("sh", "-c", _FOLLOW_BRIDGE, "follow", *names)]
    return [start, ("sh", "-c", _FOLLOW_CHANGE, "follow", *names, profiles.bridge_path, profiles.port_path)]


_NOTE_FUNCTIONS = """\
# note down what NetworkManager shall take over
carrier=$1 other=$2 uuid=$3 hears=$4
net=/sys/class/net notes=/run/NetworkManager/devices leases=/var/lib/NetworkManager
note() {
    index=$(cat "$net/$1/ifindex") || return 0
    mkdir -p "$notes" && printf '[device]\\nmanaged=true\\nconnection-uuid=%s\\nnm-owned=%s\\n' "$2" "$3" >"$notes/$index"
}
forget() { [ ! -e "$net/$1/ifindex" ] || rm -f "$notes/$(cat "$net/$1/ifindex")"; }
quieten() {
    [ -z "$hears" ] || return 0
    echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_ra"
    ip link set dev "$1" addrgenmode none
}
# the address to ask the server for
note_lease() {
    address=$(ip -o -4 address show dev "$other" scope global | sed -n '/ dynamic/s/.* inet \\([0-9.]*\\).*/\\1/p' | head -n 1)
    [ -z "$address" ] || printf 'ADDRESS=%s\\n' "$address" >"$leases/internal-$uuid-$carrier.lease"
}
"""

_NOTE_BRIDGE = f"""\
{_NOTE_FUNCTIONS}\
port_uuid=$5 mac=$6
[ -e "$net/$carrier" ] || ip link add name "$carrier" address "$mac" type bridge stp_state 0 forward_delay 0
quieten "$carrier"
note_lease
note "$carrier" "$uuid" true
note "$other" "$port_uuid" false
:
"""

_NOTE_UPLINK = f"""\
{_NOTE_FUNCTIONS}\
quieten "$carrier"
note_lease
note "$carrier" "$uuid" false
forget "$other"
:
"""

# NetworkManager leaves addresses that no profile of its own has given
_CLEAR = """\
# clear the link of addresses that have not moved with the others
[ ! -e "/sys/class/net/$1" ] || ip address flush dev "$1" scope global
"""

_FOLLOW_FUNCTIONS = """\
# have NetworkManager follow its files
# follows LINK UUID: whether the profile is in use there, and is not only looked on. Servers may still be asked.
follows() {
    nmcli -t -e no -f GENERAL.STATE,GENERAL.CON-UUID device show "$1" 2>/dev/null | {
        state='' used=''
        while IFS=: read -r key value; do
            case $key in
            GENERAL.STATE) state=$value ;;
            GENERAL.CON-UUID) used=$value ;;
            esac
        done
        [ "$used" = "$2" ] || exit 1
        case $state in
        *externally*) exit 1 ;;
        [4-9]0\\ * | 100\\ *) exit 0 ;;
        esac
        exit 1
    }
}
# waits until NetworkManager has made up its mind
wait_for() {
    tries=20
    while [ $tries -gt 0 ] && ! follows "$1" "$2"; do
        nmcli -t -f GENERAL.STATE device show "$1" 2>/dev/null | grep -q externally && return 1
        sleep 0.2
        tries=$((tries - 1))
    done
    follows "$1" "$2"
}
up() { nmcli --wait 8 connection up uuid "$2" ifname "$1" || :; }
"""

_BRIDGE_FUNCTIONS = f"""\
{_FOLLOW_FUNCTIONS}\
net=/sys/class/net bridge=$1 uuid=$2 port=$3 port_uuid=$4
guests=$(ls "$net/$bridge/brif" 2>/dev/null)
up_bridge() {{
    up "$bridge" "$uuid"
    for guest in $guests; do
        [ -e "$net/$bridge/brif/$guest" ] || [ "$guest" = "$port" ] || ip link set dev "$guest" master "$bridge" || :
    done
}}
# some addresses that come to a profile while it is in use are only set when it is activated
has_addresses() {{
    for address in $(nmcli -e no -g ipv4.addresses,ipv6.addresses connection show uuid "$uuid" | tr ',|' '  '); do
        ip -o address show dev "$bridge" | grep -qF " $address " || return 1
    done
}}
wait_for_addresses() {{
    tries=10
    while [ $tries -gt 0 ] && ! has_addresses; do sleep 0.2; tries=$((tries - 1)); done
    has_addresses
}}
finish() {{
    wait_for_addresses || up_bridge
    wait_for "$port" "$port_uuid" || up "$port" "$port_uuid"
    wait_for "$bridge" "$uuid" && wait_for "$port" "$port_uuid"
}}
"""

_FOLLOW_BRIDGE = f"""\
{_BRIDGE_FUNCTIONS}\
wait_for "$bridge" "$uuid" || up_bridge
finish
"""

_FOLLOW_CHANGE = f"""\
{_BRIDGE_FUNCTIONS}\
nmcli connection load "$5" "$6"
known=$(nmcli -t -e no -f UUID,FILENAME connection show)
for pair in "$uuid:$5" "$port_uuid:$6"; do
    printf '%s\\n' "$known" | grep -qxF "$pair" || {{ echo "NetworkManager did not take $pair, see its log"; exit 1; }}
done
follows "$bridge" "$uuid" && nmcli --wait 8 device reapply "$bridge" || up_bridge
# the bridge may have brought it along meanwhile
follows "$port" "$port_uuid" && nmcli --wait 8 device reapply "$port" || up "$port" "$port_uuid"
finish
"""

# After 45 seconds without an answer NetworkManager takes the address away that the host had. Nothing but the setting that is in
# use is changed, until the profile is activated again; that alone makes NetworkManager ask anew, without the address.
_FOLLOW_UPLINK = f"""\
{_FOLLOW_FUNCTIONS}\
is_asking() {{ nmcli -t -f GENERAL.STATE device show "$1" 2>/dev/null | grep -q ':70 '; }}
keep_asking() {{
    tries=15
    while [ $tries -gt 0 ] && is_asking "$1"; do sleep 0.2; tries=$((tries - 1)); done
    is_asking "$1" && kept=$(mktemp -d) || return 0
    ip -4 address save dev "$1" >"$kept/addresses"
    ip -4 route save dev "$1" >"$kept/routes"
    nmcli --wait 8 device modify "$1" ipv4.dhcp-timeout {INFINITE} || :
    tries=10
    while [ $tries -gt 0 ]; do
        sleep 0.2
        ip address restore <"$kept/addresses" 2>/dev/null || :
        ip route restore <"$kept/routes" 2>/dev/null || :
        tries=$((tries - 1))
    done
    rm -r "$kept"
}}
wait_for "$1" "$2" || up "$1" "$2"
wait_for "$1" "$2" || nmcli --wait 8 device connect "$1" || :
keep_asking "$1"
case $(nmcli -t -e no -f GENERAL.STATE device show "$1") in
*externally* | *:[0-3]0\\ *) exit 1 ;;
esac
"""
