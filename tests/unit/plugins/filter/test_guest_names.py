# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The filters guest_id, guest_network_name and guest_bridge_name, of which the names' own tests say more."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.kvmops.network.plugins.filter import guest_bridge_name, guest_id, guest_network_name

FILTERS: dict[str, t.Callable[..., t.Any]] = {
    **guest_id.FilterModule().filters(),
    **guest_network_name.FilterModule().filters(),
    **guest_bridge_name.FilterModule().filters(),
}


# seed 003-14, 003-15, 003-17
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wso-3332a2", ("3332a2", "wso-net-3332a2", "virbr3332a2")),
        ("wso-database-of-the-shop", ("database-of-the-shop", "wso-net-database-of-the-shop", "virbrdatabase")),
        ("wso-7", ("7", "wso-net-7", "virbr-7")),
        ("web", ("web", "wso-net-web", "virbrweb")),
    ],
)
def test_what_is_called_after_a_guest(name: str, expected: tuple[str, str, str]) -> None:
    assert tuple(call(name) for call in FILTERS.values()) == expected


@pytest.mark.parametrize("call", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("$(reboot)", "The guest's name '$(reboot)' cannot be a host's name;"),
        ("a\nb", "The guest's name 'a\\nb' cannot be a host's name;"),
        ("", "The guest's name is empty;"),
        (3332, "The guest's name 3332 is no text; put it in quotes."),
    ],
)
def test_what_is_no_name_is_refused_with_a_sentence(call: t.Callable[..., t.Any], name: t.Any, sentence: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        call(name)
    assert str(caught.value).startswith(sentence)
