# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""nft and iptables on a model of the kernel's firewall: as much of both as those who write rules here use.

test_keeper_kernel.py does the same with the real ones on lab hosts.
"""

from __future__ import annotations

import copy
import json
import re
import shlex
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Firewall"]

_FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_VERDICTS = ("ACCEPT", "DROP", "REJECT")
_NO_CHAIN = "iptables: No chain/target/match by that name."


class _Refused(Exception):
    """What a program says of a command that cannot be."""


@dataclass
class _Rule:
    handle: int
    words: str
    comment: str | None = None

    @property
    def target(self) -> str | None:
        found = re.search(r"(?:^| )(?:jump|-j) (\S+)$", self.words)
        return found[1] if found is not None else None

    def entry(self, family: str, table: str, chain: str) -> dict[str, t.Any]:
        leads = self.target is not None and self.target not in _VERDICTS
        expression: list[dict[str, t.Any]] = [{"jump": {"target": self.target}}] if leads else [{"accept": None}]
        shown: dict[str, t.Any] = {"family": family, "table": table, "chain": chain, "handle": self.handle, "expr": expression}
        if self.comment is not None:
            shown["comment"] = self.comment
        return {"rule": shown}


@dataclass
class _Table:
    chains: dict[str, list[_Rule]] = field(default_factory=dict)


class Firewall:
    """The tables of a network namespace. `missing` are programs that are not installed; `commands` are those that changed it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tables: dict[tuple[str, str], _Table] = {}
        self.missing: set[str] = set()
        self.changes: list[str] = []
        self.failing = ""
        self._last = 0

    def __call__(self, command: list[str]) -> tuple[int, str, str]:
        """Run nft or iptables. Raises FileNotFoundError for one that is missing."""
        program, *words = command
        if program in self.missing:
            raise FileNotFoundError(2, "No such file or directory", program)
        line, before = " ".join(command), copy.deepcopy(self.tables)
        try:
            if self.failing and line.startswith(self.failing):
                raise _Refused("Error: the firewall is on strike")
            output = self._nft(words) if program == "nft" else self._iptables(program, words)
        except _Refused as error:
            self.tables = before
            return 1, "", f"{error}\n"
        if self.tables != before:
            self.changes.append(line)
        return 0, output, ""

    # --- nft --------------------------------------------------------------------------------------------------------------------

    def _nft(self, words: list[str]) -> str:
        if words[:2] == ["-j", "list"]:
            return self._list(words[2], *words[3:])
        if words[0] == "-f":
            self._transaction(Path(words[1]).read_text())
        elif words != ["--version"]:
            self._transaction(" ".join(words))
        return ""

    def _list(self, what: str, family: str, name: str, chain: str = "") -> str:
        table = self._table(family, name)
        if what == "chain":
            self._chain(family, name, chain)
        found: list[dict[str, t.Any]] = [{"metainfo": {"json_schema_version": 1}}]
        for each, rules in table.chains.items():
            if each == chain or what == "table":
                found.append({"chain": {"family": family, "table": name, "name": each, "handle": 1}})
                found += [rule.entry(family, name, each) for rule in rules]
        return json.dumps({"nftables": found})

    def _transaction(self, text: str) -> None:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        for statement in _statements(text):
            self._do(statement)

    def _do(self, statement: str) -> None:
        words = shlex.split(statement, posix=False)
        if words == ["flush", "ruleset"]:
            self.tables.clear()
        elif words[0] == "table":
            self._fill(words[1], words[2], statement)
        elif words[:2] == ["add", "table"]:
            self.tables.setdefault((words[2], words[3]), _Table())
        elif words[:2] == ["delete", "table"]:
            self._table(words[2], words[3])
            del self.tables[words[2], words[3]]
        elif words[:2] == ["flush", "table"]:
            for rules in self._table(words[2], words[3]).chains.values():
                rules.clear()
        elif words[:2] == ["add", "chain"]:
            self._table(words[2], words[3]).chains.setdefault(words[4], [])
        elif words[:2] == ["flush", "chain"]:
            self._chain(words[2], words[3], words[4]).clear()
        elif words[:2] == ["delete", "chain"]:
            self._delete_chain(words[2], words[3], words[4])
        elif words[:2] == ["delete", "rule"]:
            rules, handle = self._chain(words[2], words[3], words[4]), int(words[6])
            rules.remove(next((rule for rule in rules if rule.handle == handle), None) or self._none())
        elif words[0] in ("add", "insert") and words[1] == "rule":
            self._check_target(self._table(words[2], words[3]), words[5:])
            rules = self._chain(words[2], words[3], words[4])
            rules.insert(len(rules) if words[0] == "add" else 0, self._rule(statement.split(None, 5)[5]))
        else:
            raise _Refused(f"Error: syntax error: {statement}")

    def _fill(self, family: str, name: str, statement: str) -> None:
        """Do what a block says that begins with "table"."""
        table = self.tables.setdefault((family, name), _Table())
        for chain, content in re.findall(r"\tchain (\S+) \{\n((?:\t\t.*\n)*)\t\}", statement):
            lines = [line.strip() for line in content.splitlines()]
            rules = [line for line in lines if line and not line.startswith("type ")]
            table.chains.setdefault(chain, []).extend(self._rule(line) for line in rules)

    def _rule(self, text: str) -> _Rule:
        self._last += 1
        found = re.fullmatch(r'(.*?)(?: comment "([^"]*)")?', text.strip())
        assert found is not None
        return _Rule(self._last, found[1], found[2])

    def _table(self, family: str, name: str) -> _Table:
        return self.tables.get((family, name)) or self._none()

    def _chain(self, family: str, name: str, chain: str) -> list[_Rule]:
        chains = self._table(family, name).chains
        return chains[chain] if chain in chains else self._none()

    def _delete_chain(self, family: str, name: str, chain: str) -> None:
        rules = self._chain(family, name, chain)
        chains = self._table(family, name).chains
        if rules or any(rule.target == chain for each in chains.values() for rule in each):
            raise _Refused("Error: Could not process rule: Device or resource busy")
        del chains[chain]

    def _check_target(self, table: _Table, words: list[str]) -> None:
        if words[:1] == ["jump"] and words[1] not in table.chains:
            self._none()

    def _none(self) -> t.NoReturn:
        raise _Refused("Error: Could not process rule: No such file or directory")

    # --- iptables ---------------------------------------------------------------------------------------------------------------

    def _iptables(self, program: str, words: list[str]) -> str:
        words = [word for word in words if word not in ("-w", "-n")]
        family = _FAMILIES[program.replace("-restore", "")]
        table = self.tables.setdefault((family, "filter"), _Table({name: [] for name in ("INPUT", "FORWARD", "OUTPUT")}))
        if program.endswith("-restore"):
            assert words[0] == "--noflush"
            self._restore(table, Path(words[1]).read_text())
            return ""
        verb, chain, *rest = words
        if verb == "-N":
            table.chains[chain] = []
            return ""
        if chain not in table.chains:
            raise _Refused(_NO_CHAIN)
        rules = table.chains[chain]
        if verb == "-S":
            head = f"-P {chain} ACCEPT" if chain.isupper() and "-" not in chain else f"-N {chain}"
            return "\n".join([head, *(f"-A {chain} {rule.words}" for rule in rules), ""])
        if verb in ("-I", "-A"):
            place, rest = (int(rest[0]) - 1, rest[1:]) if verb == "-I" else (len(rules), rest)
            text = " ".join(f'"{word}"' if " " in word else word for word in rest)
            self._insert(table, rules, place, text)
        elif verb == "-D":
            del rules[int(rest[0]) - 1]
        elif verb == "-F":
            rules.clear()
        elif verb == "-X":
            self._remove(table, chain)
        elif verb != "-L":
            raise _Refused(f"iptables: unknown option {verb}")
        return ""

    def _remove(self, table: _Table, chain: str) -> None:
        if table.chains[chain] or any(rule.target == chain for rules in table.chains.values() for rule in rules):
            raise _Refused("iptables: Directory not empty or chain in use.")
        del table.chains[chain]

    def _insert(self, table: _Table, rules: list[_Rule], place: int, text: str) -> None:
        rule = self._rule(text)
        if rule.target is not None and rule.target not in (*table.chains, *_VERDICTS):
            raise _Refused(_NO_CHAIN)
        rules.insert(place, rule)

    def _restore(self, table: _Table, text: str) -> None:
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert (lines[0], lines[-1]) == ("*filter", "COMMIT")
        for line in lines[1:-1]:
            if line.startswith(":"):
                table.chains[line[1:].split()[0]] = []
            else:
                chain, _space, rest = line[len("-A ") :].partition(" ")
                self._insert(table, table.chains[chain], len(table.chains[chain]), rest)


def _statements(text: str) -> list[str]:
    """Return the statements of a script: what semicolons and ends of lines separate outside of braces."""
    found, depth = [""], 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character in ";\n" and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [statement.strip() if not statement.startswith("table") else statement for statement in found if statement.strip()]
