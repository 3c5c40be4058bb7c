# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._guest.sizes import GIB, KIB, MIB, read_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2048", 2 * GIB),
        ("2GiB", 2 * GIB),
        ("2G", 2 * GIB),
        ("2 GB", 2 * GIB),
        ("2g", 2 * GIB),
        ("1.5GiB", 1536 * MIB),
        ("2097152KiB", 2 * GIB),
        ("1T", 1024 * GIB),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size("memory", text, unit=MIB, least=1) == size


@pytest.mark.parametrize("text", ["", "G", "2 parsec", "1e9", "-1", "2GiBs", "0x10", "\N{FULLWIDTH DIGIT TWO}"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(InputError, match=r"is no size; give one such as 2048 or 2GiB\.$"):
        read_size("memory", text, unit=MIB, least=1)


@given(st.integers(1, 2**49))
def test_what_is_written_can_be_read(kibibytes: int) -> None:
    assert read_size("memory", size_text(kibibytes * KIB), unit=MIB, least=1) == kibibytes * KIB
