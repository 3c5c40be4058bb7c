# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""Errors of several things become one."""

from __future__ import annotations

import pytest

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError, NetworkError, RefusedError
from ansible_collections.kvmops.network.plugins.module_utils._problems import Problems


def collect(*errors: tuple[str, NetworkError | None], alone: bool = False) -> Problems:
    problems = Problems(alone=alone)
    for name, error in errors:
        with problems.of(f"The network '{name}'"):
            if error is not None:
                raise error
    return problems


def test_nothing_is_wrong() -> None:
    collect(("a", None), ("b", None)).raise_any()


def test_the_sentences_of_all_with_the_kind_of_the_first() -> None:
    problems = collect(("a", RefusedError("One.")), ("b", None), ("c", InputError("Two.")))
    with pytest.raises(RefusedError) as raised:
        problems.raise_any()
    assert str(raised.value) == "The network 'a': One. The network 'c': Two."


def test_one_network_need_not_be_named() -> None:
    with pytest.raises(InputError) as raised:
        collect(("a", InputError("One.")), alone=True).raise_any()
    assert str(raised.value) == "One."


def test_what_names_its_network_is_said_as_it_is_and_once() -> None:
    broken = "The network 'a' of this host has a definition that cannot be understood."
    with pytest.raises(NetworkError) as raised:
        collect(("a", NetworkError(broken)), ("a", NetworkError(broken)), ("b", InputError("Two."))).raise_any()
    assert str(raised.value) == f"{broken} The network 'b': Two."


def test_overlaps_are_listed_where_there_is_nothing_else() -> None:
    overlaps = [("a", RefusedError("One. Two.", overlaps=["One.", "Two."])), ("b", RefusedError("Three.", overlaps=["Three."]))]
    with pytest.raises(RefusedError) as raised:
        collect(*overlaps).raise_any()
    assert raised.value.details == {"overlaps": ["One.", "Two.", "Three."]}
    with pytest.raises(RefusedError) as raised:
        collect(*overlaps, ("c", InputError("Four."))).raise_any()
    assert raised.value.details == {}
