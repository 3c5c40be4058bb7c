# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The shell script that configures a guest's network from within. Nothing here touches a host.

It runs with dash and with busybox' shell, and needs nothing but what Alpine and Debian have: `ip`, awk, sed and grep.
"""

from __future__ import annotations

import shlex
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["render"]

_HEAD = """\
#!/bin/sh
# Gives this guest its address, now and at each boot. Copy it into the guest and run it there as root.
# Running it again changes nothing.

"""

_BODY = r"""
set -eu
umask 022
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

interfaces=/etc/network/interfaces

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# The name of the interface: eth0, enp1s0 or whatever this system calls it.
find_interface() {
    for path in /sys/class/net/*; do
        [ -r "$path/address" ] || continue
        [ "$(cat "$path/address")" = "$mac" ] || continue
        # VLANs and bridges have the address of what they are made of
        for lower in "$path"/lower_*; do
            if [ -e "$lower" ]; then continue 2; fi
        done
        printf '%s\n' "${path##*/}"
        return
    done
}

# Gives a file new content if that differs. Its owner and mode stay. Half a file is never there.
put() {
    if [ -f "$1" ] && [ ! -L "$1" ] && [ "$(cat "$1")" = "$2" ]; then return; fi
    rm -f "$1.new"
    if [ -f "$1" ]; then cp -p "$1" "$1.new"; fi
    if [ -n "$2" ]; then printf '%s\n' "$2"; fi > "$1.new"
    mv -f "$1.new" "$1"
}

# A file of ifupdown without the IPv4 configuration of this interface; all else as it is.
without_interface() {
    INTERFACE=$interface awk '
        function handle(text,    copy, words, count, at, left) {
            copy = text
            gsub(/\\\n/, " ", copy)
            count = split(copy, words, " ")
            if (count == 0 || words[1] ~ /^#/) {
                # a comment at the end of a stanza may belong to the next one
                if (mine) held = held text "\n"; else print text
                return
            }
            if (words[1] !~ /^(iface|auto|allow-.*|mapping|source|source-directory|rename|template|no-auto-down|no-scripts)$/) {
                if (mine) held = ""; else print text
                return
            }
            printf "%s", held
            held = ""
            mine = words[1] == "iface" && words[2] == name && (count == 2 || words[3] ~ /^(inet|inherits)$/)
            if (mine) return
            if (words[1] ~ /^(auto|allow-.*)$/) {
                left = words[1]
                for (at = 2; at <= count; at++) if (words[at] != name) left = left " " words[at]
                if (left == words[1] && count > 1) return
                if (split(left, words, " ") != count) text = left
            }
            print text
        }
        BEGIN { name = ENVIRON["INTERFACE"] }
        {
            whole = whole $0
            if ($0 ~ /\\$/ && $0 !~ /^[ \t]*#/) { whole = whole "\n"; next }
            handle(whole)
            whole = ""
        }
        END {
            if (whole != "") handle(whole)
            printf "%s", held
        }
    ' "$1"
}

# What is configured at each boot, in the words of ifupdown, which Debian and Alpine have.
write_interfaces() {
    mkdir -p /etc/network
    if grep -qs '^[[:space:]]*source.*interfaces\.d' "$interfaces"; then
        for file in /etc/network/interfaces.d/*; do
            [ -f "$file" ] || continue
            kept=$(without_interface "$file")
            if [ "$kept" != "$(cat "$file")" ]; then put "$file" "$kept"; fi
        done
    fi
    kept=
    if [ -f "$interfaces" ]; then kept=$(without_interface "$interfaces"); fi
    content=$(
        if ! grep -Eqs '^[[:space:]]*iface[[:space:]]+lo([[:space:]]|$)' "$interfaces" /etc/network/interfaces.d/*; then
            printf 'auto lo\niface lo inet loopback\n\n'
        fi
        if [ -n "$kept" ]; then printf '%s\n\n' "$kept"; fi
        printf 'auto %s\niface %s inet static\n' "$interface" "$interface"
        printf '    address %s\n    netmask %s\n' "$address" "$netmask"
        if [ -n "$gateway" ]; then printf '    gateway %s\n' "$gateway"; fi
        # for resolvconf, where it is installed
        if [ -n "$nameservers" ]; then printf '    dns-nameservers %s\n' "$nameservers"; fi
    )
    put "$interfaces" "$content"
    # Alpine brings interfaces up at boot only if it is told to
    if [ -e /etc/init.d/networking ] && command -v rc-update > /dev/null; then
        if ! ls /etc/runlevels/*/networking > /dev/null 2>&1; then rc-update -q add networking boot; fi
    elif ! command -v ifup > /dev/null; then
        printf '%s\n' "There is no ifup here, so that nobody reads $interfaces at the next boot: install ifupdown." >&2
    fi
}

write_resolvers() {
    [ -n "$nameservers" ] || return 0
    kept=
    # a link leads to a file that another program writes
    if [ -f /etc/resolv.conf ] && [ ! -L /etc/resolv.conf ]; then
        kept=$(sed '/^[[:space:]]*nameserver[[:space:]]/d' /etc/resolv.conf)
    fi
    content=$(
        if [ -n "$kept" ]; then printf '%s\n' "$kept"; fi
        for server in $nameservers; do printf 'nameserver %s\n' "$server"; done
    )
    put /etc/resolv.conf "$content"
}

addresses() {
    ip -4 -o addr show dev "$interface" | awk '$3 == "inet" && / scope global/ { print $4 }'
}

has_route() {
    ip -4 route show | INTERFACE=$interface awk -v gateway="$gateway" '
        $1 == "default" && $3 == gateway && $5 == ENVIRON["INTERFACE"] { found = 1 }
        END { exit !found }
    '
}

configure_now() {
    ip link set dev "$interface" up
    for other in $(addresses); do
        # one that goes may take others with it
        if [ "$other" != "$address/$prefix" ]; then ip -4 addr del "$other" dev "$interface" 2> /dev/null || :; fi
    done
    if [ "$(addresses)" != "$address/$prefix" ]; then
        ip -4 addr add "$address/$prefix" broadcast + dev "$interface"
    fi
    if [ -n "$gateway" ] && ! has_route; then ip -4 route replace default via "$gateway" dev "$interface"; fi
    [ "$(addresses)" = "$address/$prefix" ] || fail "$interface has other addresses still: $(addresses)"
}

[ "$(id -u)" = 0 ] || fail "Only root can configure the network; run this as root."
interface=$(find_interface)
[ -n "$interface" ] || fail "No interface here has the address $mac. Is this the guest that the script was made for?"
[ ! -e "/sys/class/net/$interface/master" ] || fail "$interface is a port of another interface; take it out of that first."

write_interfaces
write_resolvers
configure_now
printf 'Network configured: %s\n' "$address"
"""


def render(values: Mapping[str, str]) -> str:
    """Return the script. `values` are its variables: mac, address, prefix, netmask, gateway and nameservers."""
    return _HEAD + "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()) + _BODY
