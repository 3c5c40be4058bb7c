# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""The scalar values of libvirt's XML formats, in one canonical form each.

A codec turns the text of an XML attribute (C(from_text)) or the value of an option (C(from_option)) into the canonical value,
and the canonical value into text again (C(to_text)). The first two raise ValueError with the end of a sentence that begins with
the value: "'1.2.3' is not an IP address; …". Of what type the option is, C(option_type) says in Ansible's words.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
import uuid as _uuid
from dataclasses import dataclass

__all__ = [
    "ADDRESS",
    "FILLED",
    "FILLED_LINE",
    "LINE",
    "LINES",
    "MAC",
    "NETMASK",
    "ON_OFF",
    "TEXT",
    "UUID",
    "YES_NO",
    "BusNumber",
    "Choice",
    "Codec",
    "Number",
]

# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAC = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}")
# 192.168.101.01 is an address to Python before 3.9.5 only (Debian 11 has 3.9.2); others read such numbers as octal ones.
_PADDED_OCTET = re.compile(r"(^|[.:])0\d+\.|\.0\d+$")


class Codec:
    """Text, kept as it is."""

    option_type = "str"

    def from_text(self, text: str) -> t.Any:
        """Return the canonical value of an XML attribute's or element's text."""
        return self.from_option(text)

    def from_option(self, value: t.Any) -> t.Any:
        """Return the canonical value of an option's value."""
        if not isinstance(value, str):
            raise ValueError("is not a text")
        if _NOT_XML.search(value):
            raise ValueError("holds a character that XML cannot hold; remove control characters")
        return value

    def to_text(self, value: t.Any) -> str:
        """Return the text that stands for the canonical value in XML."""
        return str(value)


class _Filled(Codec):
    """Text on one line that is not empty."""

    def from_option(self, value: t.Any) -> str:
        text: str = super().from_option(value)
        if not text.strip() or "\n" in text or "\r" in text:
            raise ValueError("is empty or has a line break; give a text on one line")
        return text


class _Lines(Codec):
    """Text in lines that end with a line feed, which is what XML makes of other ends."""

    def from_option(self, value: t.Any) -> str:
        text: str = super().from_option(value)
        return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class _Line(Codec):
    """Text on one line without tabs, as an attribute holds it unchanged; `least` is its length."""

    least: int

    def from_text(self, text: str) -> str:
        return text

    def from_option(self, value: t.Any) -> str:
        text: str = super().from_option(value)
        if len(text.strip()) < self.least or re.search(r"[\t\r\n]", text):
            raise ValueError(f"{'is empty or ' if self.least else ''}has a tab or a line break; give a text on one line")
        return text


@dataclass(frozen=True)
class _Flag(Codec):
    """A boolean that XML writes with two words."""

    true: str
    false: str

    option_type = "bool"

    def from_text(self, text: str) -> bool:
        if text not in (self.true, self.false):
            raise ValueError(f"is neither '{self.true}' nor '{self.false}'")
        return text == self.true

    def from_option(self, value: t.Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError("is neither true nor false")
        return value

    def to_text(self, value: t.Any) -> str:
        return self.true if value else self.false


@dataclass(frozen=True)
class Number(Codec):
    """A whole number between two bounds, both included. With `any_base`, libvirt takes 0x1f and 017 in a document as well."""

    low: int
    high: int
    any_base: bool = False

    option_type = "int"

    def from_text(self, text: str) -> int:
        if self.any_base:
            number = _read_c_number(text.strip())
        else:
            number = int(text) if re.fullmatch(r"[0-9]{1,20}", text.strip()) else None
        if number is None:
            raise ValueError(f"is not a whole number from {self.low} to {self.high}")
        return self.from_option(number)

    def from_option(self, value: t.Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(f"is not a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True)
class Choice(Codec):
    """One of some words. With `grows`, a document may have others, which a newer libvirt knows.

    `since` are pairs of a word and the libvirt that was the first to know it.
    """

    words: tuple[str, ...]
    grows: bool = False
    since: tuple[tuple[str, str], ...] = ()

    def from_text(self, text: str) -> str:
        return text if self.grows else self.from_option(text)

    def from_option(self, value: t.Any) -> str:
        if value not in self.words:
            raise ValueError(f"is none of {', '.join(self.words)}")
        return str(value)


class _Address(Codec):
    """An IPv4 or IPv6 address without a prefix, in its shortest form and lower case."""

    def from_option(self, value: t.Any) -> str:
        if not isinstance(value, str) or "%" in value:
            raise ValueError("is not an IP address; give one such as 192.168.101.1 or fd00:101::1")
        try:
            if _PADDED_OCTET.search(value):
                raise ValueError
            return str(ipaddress.ip_address(value))
        except ValueError:
            hint = "; the length of the prefix has an option of its own" if "/" in value else ""
            raise ValueError(f"is not an IP address; give one such as 192.168.101.1 or fd00:101::1{hint}") from None


class _Netmask(Codec):
    """An IPv4 netmask; its canonical value is the length of the prefix."""

    def from_option(self, value: t.Any) -> int:
        try:
            if not isinstance(value, str) or _PADDED_OCTET.search(value):
                raise ValueError
            mask = int(ipaddress.IPv4Address(value))
            length = bin(mask).count("1")
            if mask != (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF:
                raise ValueError
        except ValueError:
            raise ValueError("is not an IPv4 netmask; give one such as 255.255.255.0") from None
        return length

    def to_text(self, value: t.Any) -> str:
        return str(ipaddress.IPv4Network((0, value)).netmask)


class _Mac(Codec):
    """A MAC address in lower case, two digits for each byte; libvirt takes and keeps one digit as well."""

    def from_option(self, value: t.Any) -> str:
        text = value.lower() if isinstance(value, str) else ""
        if re.fullmatch(r"[0-9]{3,}", text):
            raise ValueError("is a number, which YAML takes digits and colons for; put the MAC address in quotation marks")
        if not _MAC.fullmatch(text):
            raise ValueError("is not a MAC address; give one such as 52:54:00:6b:3c:58")
        return ":".join(part.zfill(2) for part in text.split(":"))


class _Uuid(Codec):
    """A UUID in lower case, with dashes."""

    def from_option(self, value: t.Any) -> str:
        try:
            if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Fa-f-]{32,36}", value):
                raise ValueError
            return str(_uuid.UUID(value))
        except ValueError:
            raise ValueError("is not a UUID; give one such as 1b4f0c34-3a39-4a26-a21f-6f0a3b1e0a6e") from None


@dataclass(frozen=True)
class BusNumber(Codec):
    """A part of a PCI address: a number that libvirt writes with so many hexadecimal digits, and reads as C does."""

    high: int
    digits: int

    def from_option(self, value: t.Any) -> str:
        number = _read_c_number(str(value).strip())
        if number is None or number > self.high:
            raise ValueError(f"is not a number from 0 to 0x{self.high:x}; give one such as '0x{min(self.high, 31):x}'")
        return f"0x{number:0{self.digits}x}"


def _read_c_number(text: str) -> int | None:
    """Read a number as C does: 0x1f is hexadecimal, 017 is octal."""
    for pattern, base in (("0[xX][0-9A-Fa-f]{1,16}", 16), ("0[0-7]{0,22}", 8), ("[1-9][0-9]{0,19}", 10)):
        if re.fullmatch(pattern, text):
            return int(text, base)
    return None


TEXT = Codec()
FILLED = _Filled()
LINE = _Line(0)
FILLED_LINE = _Line(1)
LINES = _Lines()
YES_NO = _Flag("yes", "no")
ON_OFF = _Flag("on", "off")
ADDRESS = _Address()
NETMASK = _Netmask()
MAC = _Mac()
UUID = _Uuid()
