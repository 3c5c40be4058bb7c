# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

"""The description of a format, shown with a small one of a shelf with books."""

from __future__ import annotations

import copy
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ansible_collections.kvmops.network.plugins.module_utils._errors import InputError
from ansible_collections.kvmops.network.plugins.module_utils._format.codecs import ADDRESS, FILLED, YES_NO, Number
from ansible_collections.kvmops.network.plugins.module_utils._format.document import canonical_text, parse_document
from ansible_collections.kvmops.network.plugins.module_utils._format.tree import (
    Entries,
    Fields,
    Fragments,
    Group,
    Value,
    coerce,
    merge,
    parse,
    prune,
    render,
)

OPTIONS = "{urn:shop}"

SHELF: Fields = (
    Value("name", "name", FILLED),
    Value("open", "@open", YES_NO, default=True),
    Value("width", "size/@width", Number(1, 999)),
    Fragments("notes", "notes"),
    Group("place", "place", (Value("room", "@room"), Value("row", "@row", Number(0, 99), default=0))),
    Entries(
        "books",
        "stock/book",
        (
            Value("isbn", "@isbn"),
            Value("title", "title"),
            Entries("authors", "author", Value("", "", FILLED), ordered=True),
        ),
        key=(("isbn",), ("title",)),
        kept=True,
    ),
    Entries("labels", "label", (Value("at", "@at", Number(0, 999)), Value("text", "@text")), key=(("at",),)),
    Entries("hints", f"{OPTIONS}options/{OPTIONS}hint", Value("", "@value"), ordered=True),
)

TEXT = """
<shelf open="no">
  <name>A</name>
  <size width="80"/>
  <notes><a/><z:n xmlns:z="urn:z"/></notes>
  <place room="2"/>
  <stock>
    <book isbn="1"><title>One</title><author>Z</author><author>A</author></book>
    <book><title>Two</title></book>
  </stock>
  <label at="20" text="b"/><label at="3"/>
  <s:options xmlns:s="urn:shop"><s:hint value="x"/><s:hint value="a"/></s:options>
</shelf>
"""

DATA: dict[str, t.Any] = {
    "name": "A",
    "open": False,
    "width": 80,
    "notes": ["<a></a>", '<z:n xmlns:z="urn:z"></z:n>'],
    "place": {"room": "2"},
    "books": [{"isbn": "1", "title": "One", "authors": ["Z", "A"]}, {"title": "Two"}],
    "labels": [{"at": 20, "text": "b"}, {"at": 3}],
    "hints": ["x", "a"],
}


def read(text: str) -> dict[str, t.Any]:
    return parse(SHELF, parse_document(text, root="shelf"))


def write(data: dict[str, t.Any]) -> str:
    return canonical_text(render(SHELF, data, etree.Element("shelf", nsmap={"s": "urn:shop"})))


# --- reading and writing --------------------------------------------------------------------------------------------------------


def test_reading_gives_the_shape_of_the_options() -> None:
    assert read(TEXT) == DATA


def test_writing_gives_what_was_read() -> None:
    assert write(DATA) == canonical_text(parse_document(TEXT, root="shelf"))


def test_an_empty_element_says_nothing() -> None:
    assert read("<shelf/>") == {}
    assert read("<shelf><stock/><notes/><size/></shelf>") == {}
    assert read("<shelf><place/></shelf>") == {"place": {}}


@pytest.mark.parametrize(
    "extra",
    [
        '<shelf new="1"/>',
        "<shelf>text</shelf>",
        "<shelf><new>1</new></shelf>",
        '<shelf><new a="1"><b/></new></shelf>',
        '<shelf><place room="2" new="1"/></shelf>',
        '<shelf><place room="2"><new/></place></shelf>',
        '<shelf><size new="1" width="80"></size></shelf>',
        '<shelf><name new="1">A</name></shelf>',
        '<shelf><stock new="1"><book isbn="1"></book></stock></shelf>',
        '<shelf><stock><book isbn="1" new="1"></book><other/></stock></shelf>',
        '<shelf><stock><book isbn="1"><new/></book></stock></shelf>',
    ],
)
def test_what_is_not_described_is_kept(extra: str) -> None:
    data = read(extra)
    assert read(write(data)) == data
    assert write(data) == canonical_text(parse_document(extra, root="shelf"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<shelf open='maybe'/>", "open: 'maybe' is neither 'yes' nor 'no'."),
        ("<shelf><size width='0'/></shelf>", "width: '0' is not a whole number from 1 to 999."),
        ("<shelf><place row='x'/></shelf>", "place.row: 'x' is not a whole number from 0 to 99."),
        ("<shelf><label/><label at='x'/></shelf>", "labels[1].at: 'x' is not a whole number from 0 to 999."),
        (
            "<shelf><stock><book><author/></book></stock></shelf>",
            "books[0].authors[0]: '' is empty or has a line break; give a text on one line.",
        ),
    ],
)
def test_a_wrong_text_is_named_by_its_option(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(text)


# --- from options ---------------------------------------------------------------------------------------------------------------


def test_omitted_options_are_not_there_and_empty_lists_are() -> None:
    options = {"name": "A", "width": None, "place": {"room": None, "row": 1}, "books": [], "labels": None}
    assert coerce(SHELF, options) == {"name": "A", "place": {"row": 1}, "books": []}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 1000}, "width: '1000' is not a whole number from 1 to 999."),
        ({"place": {"row": -1}}, "place.row: '-1' is not a whole number from 0 to 99."),
        (
            {"books": [{"isbn": "1", "authors": ["A", ""]}]},
            "books[0].authors[1]: '' is empty or has a line break; give a text on",
        ),
        ({"books": [{"isbn": "1"}, {"isbn": "1", "title": "x"}]}, "books: 1 is there twice; leave one."),
        ({"labels": [{"at": 1}, {}]}, "labels[1]: says nothing; give one of its options, or leave it out."),
        ({"labels": [{"at": None}]}, "labels[0]: says nothing; give one of its options, or leave it out."),
        ({"hints": ["a", "b", "a"]}, "hints: a is there twice; leave one."),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        coerce(SHELF, options)


def test_entries_that_nothing_tells_apart_are_allowed() -> None:
    assert coerce(SHELF, {"labels": [{"text": "x"}, {"text": "x"}]}) == {"labels": [{"text": "x"}, {"text": "x"}]}


# --- merging --------------------------------------------------------------------------------------------------------------------

CURRENT: dict[str, t.Any] = {
    "name": "A",
    "width": 80,
    "place": {"room": "2", "row": 5},
    "books": [{"isbn": "1", "title": "One", "authors": ["Z"]}, {"title": "Two"}],
    "labels": [{"at": 3, "text": "c"}, {"at": 20, "text": "b"}],
    "hints": ["x", "a"],
    "_rest": ["<old></old>"],
}


@pytest.mark.parametrize(
    ("given", "replace", "expected"),
    [
        # omitted: left, or gone; reservations stay in both cases
        ({}, False, CURRENT),
        ({}, True, {"books": CURRENT["books"]}),
        # a value
        ({"width": 90}, False, {**CURRENT, "width": 90}),
        ({"width": 90}, True, {"width": 90, "books": CURRENT["books"]}),
        # a group: what it omits is left, or gone
        ({"place": {"row": 6}}, False, {**CURRENT, "place": {"room": "2", "row": 6}}),
        ({"place": {"row": 6}}, True, {"place": {"row": 6}, "books": CURRENT["books"]}),
        # a list is the whole list; what its entries omit is left, or gone
        ({"labels": [{"at": 3}]}, False, {**CURRENT, "labels": [{"at": 3, "text": "c"}]}),
        ({"labels": [{"at": 3}]}, True, {"labels": [{"at": 3}], "books": CURRENT["books"]}),
        ({"labels": []}, False, {**CURRENT, "labels": []}),
        ({"labels": [{"text": "new"}]}, False, {**CURRENT, "labels": [{"text": "new"}]}),
        # a list of texts is the whole list
        ({"hints": ["b"]}, False, {**CURRENT, "hints": ["b"]}),
        # a list of reservations: those not mentioned stay
        ({"books": []}, False, CURRENT),
        (
            {"books": [{"isbn": "1", "title": "Uno"}, {"isbn": "3"}]},
            False,
            {**CURRENT, "books": [{"title": "Two"}, {"isbn": "1", "title": "Uno", "authors": ["Z"]}, {"isbn": "3"}]},
        ),
        ({"books": [{"isbn": "1"}]}, True, {"books": [{"title": "Two"}, {"isbn": "1"}]}),
        # the rest is the document's, if there is one
        ({"_rest": ["<new></new>"]}, False, {**CURRENT, "_rest": ["<new></new>"]}),
    ],
)
def test_merging(given: dict[str, t.Any], replace: bool, expected: dict[str, t.Any]) -> None:
    untouched = copy.deepcopy((CURRENT, given))
    assert merge(SHELF, CURRENT, given, replace=replace) == expected
    assert (CURRENT, given) == untouched


# --- the normal form ------------------------------------------------------------------------------------------------------------


def test_defaults_and_what_is_empty_are_left_out() -> None:
    data = {"name": "A", "open": True, "place": {"row": 0}, "books": [], "labels": [{}], "_rest": []}
    assert prune(SHELF, data) == {"name": "A"}


def test_what_differs_from_the_default_stays() -> None:
    data = {"open": False, "place": {"row": 1}, "_rest": ["@a=b"]}
    assert prune(SHELF, data) == data


def test_lists_without_order_are_sorted_by_the_numbers_in_them_and_others_are_not() -> None:
    data = {
        "labels": [{"at": 100}, {"at": 20}, {"at": 3}],
        "hints": ["x", "a"],
        "books": [{"isbn": "10.0.0.100"}, {"isbn": "10.0.0.20", "authors": ["Z", "A"]}],
    }
    assert prune(SHELF, data) == {
        "labels": [{"at": 3}, {"at": 20}, {"at": 100}],
        "hints": ["x", "a"],
        "books": [{"isbn": "10.0.0.20", "authors": ["Z", "A"]}, {"isbn": "10.0.0.100"}],
    }


@given(
    titles=st.lists(st.one_of(st.text(), st.from_regex(r"[a0²٣.]{0,6}")), max_size=5, unique=True),
    number=st.randoms(use_true_random=False),
)
def test_the_order_of_any_texts_is_settled(titles: list[str], number: t.Any) -> None:
    shuffled = list(titles)
    number.shuffle(shuffled)
    one, other = ({"books": [{"isbn": title} for title in order]} for order in (titles, shuffled))
    assert prune(SHELF, one) == prune(SHELF, other)


def test_numbers_that_are_written_in_two_ways_have_an_order() -> None:
    one, other = ({"books": [{"isbn": isbn} for isbn in order]} for order in (("h1", "h01"), ("h01", "h1")))
    assert prune(SHELF, one) == prune(SHELF, other)


def test_very_long_numbers_are_sorted() -> None:
    long, longer = "9" * 5000, "1" + "0" * 5000
    data = {"books": [{"isbn": longer}, {"isbn": long}]}
    assert prune(SHELF, data) == {"books": [{"isbn": long}, {"isbn": longer}]}


# --- any data -------------------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=8)
filled = texts.filter(lambda text: bool(text.strip()))
books = st.fixed_dictionaries({}, optional={"isbn": texts, "title": texts, "authors": st.lists(filled, min_size=1, max_size=3)})
shelves = st.fixed_dictionaries(
    {},
    optional={
        "name": filled,
        "open": st.booleans(),
        "width": st.integers(1, 999),
        "place": st.fixed_dictionaries({}, optional={"room": texts, "row": st.integers(0, 99)}),
        "books": st.lists(books, min_size=1, max_size=3),
        "labels": st.lists(st.fixed_dictionaries({"at": st.integers(0, 999)}, optional={"text": texts}), min_size=1, max_size=3),
        "hints": st.lists(texts, min_size=1, max_size=3),
    },
)


@given(data=shelves)
def test_what_was_written_is_read_as_the_same(data: dict[str, t.Any]) -> None:
    assert read(write(data)) == data


@given(data=shelves)
def test_the_normal_form_is_final(data: dict[str, t.Any]) -> None:
    once = prune(SHELF, data)
    assert prune(SHELF, once) == once


@given(address=st.ip_addresses())
def test_values_are_coerced_to_their_canonical_form(address: t.Any) -> None:
    assert coerce((Value("ip", "@ip", ADDRESS),), {"ip": address.exploded}) == {"ip": str(address)}
