# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""What a filter's document says, as it was given to a daemon and as the daemon wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import (
    Filter,
    Match,
    Reference,
    Rule,
    check_filter_name,
    filter_from_xml,
    render_xml,
)

FIXTURES = Path(__file__).parent / "fixtures"
PAIRS = [
    (
        f"{path.stem}-{pair[0].get('name')}",
        etree.tostring(pair[0], encoding="unicode"),
        etree.tostring(pair[1], encoding="unicode"),
    )
    for path in sorted(FIXTURES.glob("filters.*.xml"))
    for pair in etree.parse(str(path)).getroot()
]


def test_there_are_pairs() -> None:
    assert len(PAIRS) > 25


@pytest.mark.parametrize(("given", "stored"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_what_libvirt_writes_means_what_was_given(given: str, stored: str) -> None:
    one, other = filter_from_xml(given), filter_from_xml(stored)
    assert one == other
    assert one.uuid in (None, other.uuid)
    assert other.uuid is not None


@pytest.mark.parametrize("stored", [pair[2] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_the_rendered_document_says_the_same(stored: str) -> None:
    once = filter_from_xml(stored)
    assert filter_from_xml(render_xml(once)) == once
    assert filter_from_xml(render_xml(once)).uuid == once.uuid


RULE = "<rule action='drop' direction='in'>{}</rule>"


def of(*rules: str, **attributes: str) -> Filter:
    said = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return filter_from_xml(f"<filter name='f'{said}>{''.join(rules)}</filter>")


# Each pair is a difference, so that a comparison which passes over it is seen.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of(RULE.format("<ip/>")), of(RULE.format("<ipv6/>"))),
        (of(RULE.format("<ip/>")), of(RULE.format(""))),
        (of(RULE.format("<ip protocol='tcp'/>")), of(RULE.format("<ip protocol='udp'/>"))),
        (of(RULE.format("<ip protocol='tcp'/>")), of(RULE.format("<ip match='no' protocol='tcp'/>"))),
        (of(RULE.format("<ip srcipaddr='10.0.0.1'/>")), of(RULE.format("<ip dstipaddr='10.0.0.1'/>"))),
        (of(RULE.format("<ip/>")), of("<rule action='drop' direction='out'><ip/></rule>")),
        (of(RULE.format("<ip/>")), of("<rule action='accept' direction='in'><ip/></rule>")),
        (of(RULE.format("<ip/>")), of("<rule action='drop' direction='in' priority='499'><ip/></rule>")),
        (of(RULE.format("<tcp/>")), of("<rule action='drop' direction='in' statematch='0'><tcp/></rule>")),
        (of(RULE.format("<ip/>"), RULE.format("<arp/>")), of(RULE.format("<arp/>"), RULE.format("<ip/>"))),
        (of("<filterref filter='a'/>"), of("<filterref filter='b'/>")),
        (of("<filterref filter='a'/>"), of("<filterref filter='a'><parameter name='IP' value='10.0.0.1'/></filterref>")),
        (of(chain="root"), of(chain="ipv4")),
        (of(chain="ipv4"), of(chain="ipv4", priority="-1")),
    ],
)
def test_differences_are_seen(one: Filter, other: Filter) -> None:
    assert one != other


def test_what_makes_no_difference() -> None:
    late, early = "<rule action='drop' direction='in' priority='9'/>", "<rule action='drop' direction='in' priority='-9'/>"
    assert of(late, early) == of(early, late)
    assert of("<filterref filter='a'/>", "<filterref filter='b'/>", late) == of(
        late, "<filterref filter='b'/>", "<filterref filter='a'/>"
    )
    assert of("<uuid>fd59ad29-5bf7-4471-8b71-d9d7f3d9a1e0</uuid>") == of()


def test_the_normal_form() -> None:
    definition = Filter(
        "f",
        "mac-1",
        -705,
        (
            Rule("drop", "in", 1, "ip", (Match("protocol", "tcp"), Match("srcipaddr", "10.0.0.1", negated=True))),
            Rule("accept", "out", 2, "all", stateless=True),
            Rule("return", "inout", 3),
        ),
        (Reference("clean-traffic", (("IP", "10.0.0.2"),)),),
    )
    assert render_xml(definition).splitlines() == [
        '<filter name="f" chain="mac-1" priority="-705">',
        '  <rule action="drop" direction="in" priority="1">',
        '    <ip protocol="tcp"/>',
        '    <ip match="no" srcipaddr="10.0.0.1"/>',
        "  </rule>",
        '  <rule action="accept" direction="out" priority="2" statematch="false">',
        "    <all/>",
        "  </rule>",
        '  <rule action="return" direction="inout" priority="3"/>',
        '  <filterref filter="clean-traffic">',
        '    <parameter name="IP" value="10.0.0.2"/>',
        "  </filterref>",
        "</filter>",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<filter/>", "The <filter> has no name; give it one."),
        ("<network/>", "The XML is a <network> document; a <filter> document is needed."),
        (
            "<filter name='f'><rule action='drop' direction='in' priority='soon'/></filter>",
            "The XML says 'soon' for the priority of a <rule>, which is no number; correct it.",
        ),
        (
            "<filter name='f' chain='ipv4' priority='x'/>",
            "The XML says 'x' for the priority of the <filter>, which is no number; correct it.",
        ),
    ],
)
def test_what_is_no_filter(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        filter_from_xml(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["", "1st", "a b", "a'b", "$(id)", "a\nb", "über", "-x", "a/b"])
def test_names_that_no_filter_has(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a filter"):
        check_filter_name("name", name)


@pytest.mark.parametrize("name", ["a", "clean-traffic", "_x", "A.b-1"])
def test_names_that_filters_have(name: str) -> None:
    assert check_filter_name("name", name) == name
