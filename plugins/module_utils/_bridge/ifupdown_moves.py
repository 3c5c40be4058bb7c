# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""What is run around a move of links and addresses on a host of ifupdown, so that it finds all as it would have made it.

`ifdown` takes addresses away, so that it is never run on the host's links. What ifupdown believes of them is corrected by its own
program in a network namespace that has none of them. Then the real `ifup` runs, whose commands find everything there already, and
which passes over what they say of that.

DHCP clients would give their lease back when they end in order: they are killed. The next one is the same to the server, and is
given the same address. It is started in a control group of its own, since all that the transaction started ends with it.

The scripts run in the transaction's folder, where they keep what they have seen.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.kvmops.network.plugins.module_utils._bridge.backend import Command, Move

__all__ = ["activate", "prepare"]


def prepare(move: Move, *, path: str) -> list[Command]:
    """Return the commands that end DHCP clients and keep what they know; `path` is the file that makes the bridge."""
    record = move.record
    if not move.fresh:
        return [("sh", "-c", _NOTE, "note", record.name, path)]
    link, other = (record.uplink, record.name) if move.to_bridge else (record.name, record.uplink)
    return [("sh", "-c", _HAND_OVER, "hand-over", link, other)]


def activate(move: Move, *, path: str) -> list[Command]:
    """Return the commands that have ifupdown follow its files, with its state as it is to be."""
    record = move.record
    names = (record.name, record.uplink, f"{record.uplink}-kvmops-{record.name}", _UP)
    if not move.to_bridge:
        return [("sh", "-c", _FOLLOW_UPLINK, "follow", *names)]
    if move.fresh:
        return [("sh", "-c", _FOLLOW_BRIDGE, "follow", *names)]
    return [("sh", "-c", _FOLLOW_CHANGE, "follow", *names, path)]


_CLIENT_FUNCTIONS = """\
# the processes that have the interface as one of their arguments: clients of DHCP, and an ifup that waits for one
clients_of() {
    for file in $(grep -lxE 'ifup|dhclient' /proc/[0-9]*/comm 2>/dev/null); do
        process=${file%/comm}
        tr '\\000' '\\n' <"$process/cmdline" 2>/dev/null | grep -qxF "$1" && echo "${process#/proc/}"
    done
    for file in "/run/dhcpcd/$1.pid" "/run/dhcpcd/$1"-[46].pid "/run/dhcpcd-$1.pid"; do
        number=$(cat "$file" 2>/dev/null) || continue
        [ "$(cat "/proc/$number/comm" 2>/dev/null)" != dhcpcd ] || echo "$number"
    done
}
# killed, they can neither take the address away nor give it back
end_clients() {
    tries=10
    while [ $tries -gt 0 ]; do
        found=$(clients_of "$1")
        [ -n "$found" ] || break
        kill -KILL $found 2>/dev/null
        sleep 0.1
        tries=$((tries - 1))
    done
    rm -f "/run/dhclient.$1.pid" "/run/dhclient6.$1.pid"
    for end in "" -4 -6; do rm -f "/run/dhcpcd/$1$end.pid" "/run/dhcpcd/$1$end.sock" "/run/dhcpcd/$1$end.unpriv.sock"; done
}
lease_of() { sed -n 's/^ *expire \\(.*\\);/\\1/p' "/var/lib/dhcp/dhclient.$1.leases" 2>/dev/null | tail -n 1; }
# what is to be known when it is followed; a DHCP client writes over name servers, which the way back puts back
note() {
    [ -e reverting ] || cp -p /etc/resolv.conf resolv.conf 2>/dev/null || :
    lease_of "$1" >lease
    ip -o -4 address show dev "$1" scope global 2>/dev/null | sed -n '/ dynamic/s/.* inet \\([0-9./]*\\).*/\\1/p' >leased
}
"""

_HAND_OVER = f"""\
# end DHCP clients, and hand over what they know
{_CLIENT_FUNCTIONS}\
from=$1 to=$2
note "$from"
end_clients "$from"
end_clients "$to"
# who the host is to servers, but not its lease: a client that has one takes the address away where no server confirms it
for name in dhclient dhclient6; do
    file=/var/lib/dhcp/$name.$from.leases
    if [ -e "$file" ]; then grep '^default-duid ' "$file" >"/var/lib/dhcp/$name.$to.leases"; fi
done
for folder in /var/lib/dhcpcd /var/lib/dhcpcd5; do rm -f "$folder/$to.lease" "$folder/$to.lease6"; done
# whose name servers they are
for file in /run/dhcpcd/hook-state/resolv.conf/"$from".*; do
    [ ! -e "$file" ] || mv -f "$file" "${{file%/*}}/$to${{file#"${{file%/*}}/$from"}}"
done
:
"""

_UP = f"""\
# ifup, and what is left of the host's leases
{_CLIENT_FUNCTIONS}\
link=$1
ip -4 route save dev "$link" >"routes-$link"
timeout 300 ifup --force --ignore-errors "$link"
[ $? -lt 124 ] || exit 0
# where no server answers, dhcpcd exchanges the default route for one of its own making
ip -4 route show default dev "$link" | grep -q ' via ' || ip -4 route restore <"routes-$link" 2>/dev/null
# what dhclient has heard is on the address, which it does not touch where it finds it
expires=$(lease_of "$link")
file=/var/lib/dhcp/dhclient.$link.leases
if [ -n "$expires" ] && [ "$expires" != "$(cat lease)" ]; then
    address=$(sed -n 's/^ *fixed-address \\(.*\\);/\\1/p' "$file" | tail -n 1)
    time=$(sed -n 's/^ *option dhcp-lease-time \\([0-9]*\\);/\\1/p' "$file" | tail -n 1)
    found=$(ip -o -4 address show dev "$link" to "$address" | sed -n 's/.* inet \\([0-9./]*\\).*/\\1/p' | head -n 1)
    [ -z "$found" ] || [ -z "$time" ] ||
        ip -4 address change "$found" dev "$link" valid_lft "$time" preferred_lft "$time"
fi
# the server has given another one
for old in $(cat leased); do
    ip -o -4 address show dev "$link" dynamic | grep -q . || break
    ip -o -4 address show dev "$link" permanent | grep -qF " $old " && ip address del "$old" dev "$link"
done
:
"""

# ifdown does nothing harmful where there are no links. Names that it does not know are no error.
_FOLLOW_FUNCTIONS = f"""\
{_CLIENT_FUNCTIONS}\
bridge=$1 port=$2 mapped=$3 up=$4
forget() {{
    printf 'iface %s inet manual\\n' "$bridge" "$port" "$mapped" >interfaces
    timeout 5 unshare --net ifdown --force --ignore-errors --no-scripts --interfaces interfaces "$@" >/dev/null 2>&1 || :
}}
put_name_servers_back() {{
    [ -e reverting ] && [ -e resolv.conf ] && ! cmp -s resolv.conf /etc/resolv.conf || return 0
    cat resolv.conf >/etc/resolv.conf
}}
# up LINK: a server may take its time, and its client outlives this script
up() {{
    systemd-run --quiet --collect --scope --unit="kvmops-network-ifup-$1-$$" \\
        --description="ifup $1, by kvmops.network.host_bridge" --property=Before=network.target \\
        sh -c "$up" up "$1" </dev/null &
    pid=$! tries=15
    while [ $tries -gt 0 ] && kill -0 $pid 2>/dev/null; do sleep 0.2; tries=$((tries - 1)); done
}}
"""

_FOLLOW_BRIDGE = f"""\
# have ifupdown follow its files
{_FOLLOW_FUNCTIONS}\
ip address flush dev "$port"
forget "$port" "$bridge"
put_name_servers_back
up "$port"
up "$bridge"
"""

_FOLLOW_UPLINK = f"""\
# have ifupdown follow its files
{_FOLLOW_FUNCTIONS}\
[ ! -e "/sys/class/net/$bridge" ] || ip address flush dev "$bridge" scope global
forget "$port" "$bridge"
# a link-local address is made anew, which has the kernel ask routers
ip -6 address flush dev "$port" scope link
cat /proc/sys/net/ipv6/conf/default/addr_gen_mode >"/proc/sys/net/ipv6/conf/$port/addr_gen_mode" || :
put_name_servers_back
up "$port"
"""

_NOTE = f"""\
# note down what the bridge has by its file
{_CLIENT_FUNCTIONS}\
sed -n 's/^\\t\\(address\\|gateway\\) /\\1 /p' "$2" >old 2>/dev/null || :
note "$1"
end_clients "$1"
"""

_FOLLOW_CHANGE = f"""\
# have ifupdown follow its files
{_FOLLOW_FUNCTIONS}\
path=$5
while read -r what value; do
    grep -qxF "	$what $value" "$path" && continue
    case $what in
    address) ip address del "$value" dev "$bridge" 2>/dev/null ;;
    gateway) ip route del default via "$value" dev "$bridge" 2>/dev/null ;;
    esac
done <old
grep -q "^iface $bridge inet dhcp" "$path" || for address in $(cat leased); do
    ip address del "$address" dev "$bridge" 2>/dev/null
done
forget "$port" "$bridge"
put_name_servers_back
up "$port"
up "$bridge"
"""
