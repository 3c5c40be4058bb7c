# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format.document import (
    canonical_fragment,
    canonical_text,
    namespace_of,
    parse_document,
    pretty_text,
    schema_problems,
    split_namespace,
)

SCHEMA = "/usr/share/libvirt/schemas/network.rng"


@pytest.mark.parametrize(
    "text",
    [
        "<network><name>a</name></network>",
        "\n\n  <network>\n  <name>a</name>\n</network>\n\n",
        "<?xml version='1.0'?><network><name>a</name></network>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<network><name>a</name></network>",
        "\n<?xml version='1.0' encoding='UTF-16'?>\n<network><name>a</name></network>",
        "<!-- before --><network><!-- in --><name>a</name><?pi x?></network><!-- after -->",
        "<network><name><![CDATA[a]]></name></network>",
    ],
)
def test_what_is_no_content_is_left_out(text: str) -> None:
    assert canonical_text(parse_document(text, root="network")) == "<network><name>a</name></network>"


@pytest.mark.parametrize(
    "text",
    [
        '<note xmlns="urn:a" by="us" to="them"><b>text</b></note>',
        " <note to='them'\n by='us' xmlns='urn:a'> <b>text</b>\n</note>\n",
        "<?xml version='1.0'?><note xmlns='urn:a' to='them' by='us'><b>te<![CDATA[xt]]></b></note>",
    ],
)
def test_an_element_of_others_has_one_text(text: str) -> None:
    canonical = canonical_fragment(text)
    assert canonical == '<note xmlns="urn:a" by="us" to="them"><b>text</b></note>'
    assert canonical_fragment(canonical) == canonical
    assert namespace_of(canonical) == "urn:a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not one XML element ("),
        ("note", "is not one XML element ("),
        ("<note xmlns='urn:a'>", "is not one XML element ("),
        ("<note xmlns='urn:a'/><note xmlns='urn:b'/>", "is not one XML element ("),
        ("<a:note/>", "is not one XML element ("),
        ("<note xmlns='urn:a'>\x00</note>", "is not one XML element ("),
        ("<note xmlns='urn:a'>\ud800</note>", "holds a character that XML cannot hold; remove it"),
        ("<!DOCTYPE note><note xmlns='urn:a'/>", "has a document type declaration; remove it"),
        (
            "<note/>",
            "has no namespace, and libvirt would drop it; give one such as <note xmlns='https://example.org/note'>…</note>",
        ),
        ("<note xmlns=''><b xmlns='urn:b'/></note>", "has no namespace, and libvirt would drop it; give one such as"),
    ],
)
def test_what_is_no_element_of_others(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        canonical_fragment(text)


def test_a_text_has_its_own_characters_whatever_its_declaration_says() -> None:
    root = parse_document("<?xml version='1.0' encoding='ISO-8859-1'?><network><name>réseau</name></network>", root="network")
    assert root.findtext("name") == "réseau"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The XML cannot be read: "),
        ("name: lab", "The XML cannot be read: "),
        ("<network>", "The XML cannot be read: "),
        ("<network/><network/>", "The XML cannot be read: "),
        ("<network>\x00</network>", "The XML cannot be read: "),
        ("<network>\ud800</network>", "The XML cannot be read: "),
        ("<network>&unknown;</network>", "The XML cannot be read: "),
        ("<domain/>", "The XML is a <domain> document; a <network> document is needed."),
        ("<network xmlns='urn:other'/>", "The XML is a <{urn:other}network> document; a <network> document is needed."),
        ("<!DOCTYPE network><network/>", "The XML has a document type declaration; remove it."),
        (
            "<!DOCTYPE network [<!ENTITY who SYSTEM 'file:///etc/passwd'>]><network><name>&who;</name></network>",
            "The XML has a document type declaration; remove it.",
        ),
    ],
)
def test_other_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        parse_document(text, root="network")


def test_entities_do_not_grow() -> None:
    entities = "".join(f"<!ENTITY e{number} '{f'&e{number - 1};' * 10}'>" for number in range(1, 12))
    text = f"<!DOCTYPE network [<!ENTITY e0 'ha'>{entities}]><network ipv6='&e11;'><name>&e11;</name></network>"
    with pytest.raises(InputError):
        parse_document(text, root="network")


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"<network>{text}</network>", f"<network {text}/>"):
        try:
            root = parse_document(candidate, root="network")
        except InputError:
            continue
        assert root.tag == "network"


def test_canonical_text_does_not_depend_on_how_it_was_written() -> None:
    one = parse_document("<a xmlns:x='urn:x' xmlns:y='urn:y'><x:b d='1' c='2'/>\n </a>", root="a")[0]
    other = parse_document("<a><x:b  c = '2' d='1' xmlns:x='urn:x'></x:b></a>", root="a")[0]
    assert canonical_text(one) == canonical_text(other) == '<x:b xmlns:x="urn:x" c="2" d="1"></x:b>'


def test_pretty_text_is_indented() -> None:
    root = parse_document("<network><name>a</name><ip address='1.2.3.4'><dhcp/></ip></network>", root="network")
    assert pretty_text(root) == ('<network>\n  <name>a</name>\n  <ip address="1.2.3.4">\n    <dhcp/>\n  </ip>\n</network>\n')


def test_libvirts_schema_says_what_it_does_not_know() -> None:
    # libvirt itself drops such an element silently
    problems = schema_problems("<network><name>a</name><bandwith/></network>", schema=SCHEMA)
    assert "Element network has extra content: bandwith" in problems


@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0' encoding='UTF-8'?>\n"])
def test_libvirts_schema_takes_a_network(declaration: str) -> None:
    assert schema_problems(f"{declaration}<network><name>a</name></network>", schema=SCHEMA) == []


def test_a_schema_is_read_where_it_lies(tmp_path: Path) -> None:
    schema = tmp_path / "one.rng"
    schema.write_text('<element name="one" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>')
    assert schema_problems("<one>1</one>", schema=str(schema)) == []
    assert schema_problems("<two>2</two>", schema=str(schema)) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<a:x xmlns:a="urn:a" b="1">t<a:y></a:y></a:x>', ("a", "urn:a", '<x b="1">t<y/></x>')),
        ('<x xmlns="urn:a"></x>', None),
        ('<a:x xmlns:a="urn:a"><b:y xmlns:b="urn:b"></b:y></a:x>', None),
        ('<a:x xmlns:a="urn:a"><y></y></a:x>', None),
        ('<a:x xmlns:a="urn:a" a:b="1"></a:x>', None),
        ('<a:x xmlns:a="urn:a" xml:space="preserve"></a:x>', None),
        ("<x></x>", None),
    ],
)
def test_an_element_without_its_namespace(text: str, expected: tuple[str, str, str] | None) -> None:
    assert split_namespace(text) == expected
