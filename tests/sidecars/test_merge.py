"""Bringing a sidecar and what people say here together, by hand and by hypothesis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest
from hypothesis import example, given as given_, settings, strategies as st

from havenfs.entities import Region
from havenfs.errors import Unreadable
from havenfs.sidecars.given import FIELDS, SETS, Given, Moment, Person, Position, marks, snapped
from havenfs.sidecars.merge import merge, normal, read
from havenfs.sidecars.rdf import RDF
from havenfs.sidecars.regions import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = Given(
    persons=(
        Person("Alice", Region(0, 0.1, 0.2, 0.3, 0.5)),
        Person("Bob & <Carl>", Region(0, 0.6, 0.1, 0.7, 0.3)),
        Person("Dora"),
    ),
    tags=(("Places", "Italy", "Rome"), ("beach",), ("AC/DC",)),
    albums=(("Summer", "2019/07"), ("Best",)),
    rating=4,
    caption='At the "Colosseum"\nwith everybody & the dog',
    taken=Moment(1563099300, 120),
    position=Position(41.8902, 12.4922),
    favourite=True,
)

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip).filter(bool)  # fmt: skip
paths = st.lists(names.filter(lambda n: "|" not in n), min_size=1, max_size=3).map(tuple)
share = st.integers(0, 60).map(lambda n: n / 100)


def box(x: float, y: float, w: int, h: int) -> Region:
    return Region(0, x, y, x + w / 100, y + h / 100)


boxes = st.builds(
    box,
    share, share, st.integers(2, 40), st.integers(2, 40),
)  # fmt: skip
givens = st.builds(
    Given,
    persons=st.lists(st.builds(Person, names, st.none() | boxes), max_size=4).map(tuple),
    tags=st.lists(paths, max_size=4).map(tuple),
    albums=st.lists(paths, max_size=3).map(tuple),
    rating=st.none() | st.integers(-1, 5),
    caption=st.none() | names,
    taken=st.none()
    | st.builds(Moment, st.integers(-4_000_000_000, -3_000_000_000) | st.integers(10**8, 17 * 10**8), st.none() | st.integers(-840, 840)),
    position=st.none() | st.builds(Position, st.floats(0.1, 89.9) | st.floats(-89.9, -0.1), st.floats(0.1, 179.9) | st.floats(-179.9, -0.1)),
    favourite=st.booleans(),
)  # fmt: skip
frames = st.none() | st.builds(Frame, st.just(4000), st.just(3000), st.integers(1, 8))


def same(one: Given, other: Given) -> None:
    """Equal as sets, and regions and positions to a thousandth and a metre."""
    one, other = normal(one), normal(other)
    one = snapped(one, other)
    for name in FIELDS:
        left: Any = getattr(one, name)
        right: Any = getattr(other, name)
        if name == "position" and left is not None and right is not None:
            assert left == pytest.approx(right, abs=1e-6)
        elif name in SETS:
            assert set(left or ()) == set(right or ()), name
        else:
            assert left == right, name


def written(ours: Given, data: bytes | None = None, frame: Frame | None = None) -> bytes:
    made = merge(data, ours, frame=frame).data
    assert made is not None
    return made


def test_what_is_written_is_what_is_read():
    same(read(written(FULL)).given, FULL)


@settings(max_examples=150, deadline=None)
@example(
    Given(persons=(Person("A", box(0, 0, 2, 2)), Person("A", box(0, 0, 2, 3)))), None
)  # one name at nearly one place
@given_(givens, frames)
def test_everything_comes_back_whatever_it_is(ours: Given, frame: Frame | None):
    merged = merge(None, ours, frame=frame)
    if merged.data is None:
        assert normal(ours) == Given()
        return
    same(read(merged.data, frame).given, ours)
    assert merged.theirs == frozenset()
    assert read(merged.data, frame).changed == frozenset()


@settings(max_examples=100, deadline=None)
@given_(givens, givens, frames)
def test_a_second_word_replaces_the_first_and_writing_again_changes_nothing(
    first: Given, second: Given, frame: Frame | None
):
    once = merge(None, first, frame=frame).data
    twice = merge(once, second, frame=frame)
    assert twice.theirs == frozenset()
    data = twice.data if twice.data is not None else once
    if data is not None:
        same(read(data, frame).given, second)
        again = merge(data, second, frame=frame)
        assert (again.data, again.theirs) == (None, frozenset())


@settings(max_examples=100, deadline=None)
@given_(givens, givens, givens)
def test_what_others_changed_since_stands(first: Given, others: Given, ours: Given):
    mine = merge(None, first).data
    if mine is None:
        return
    # Another program writes its own values over ours and knows nothing of our marks.
    foreign = merge(mine, others).data or mine
    foreign = foreign.replace(_mark(foreign), _mark(mine))
    theirs = read(foreign).given
    result = merge(foreign, ours)
    for name in ("rating", "caption", "taken", "position", "favourite"):
        before, now = marks(read(mine).given)[name], marks(theirs)[name]
        if now != before:
            assert marks(result.given)[name] == now, name
    for name in ("persons", "tags", "albums"):
        base, now = marks(read(mine).given)[name], marks(theirs)[name]
        after = marks(result.given)[name]
        if (
            name != "persons"
        ):  # of a person, the name alone is no item beside a region of the same name
            assert now - base <= after, name
            assert not (base - now) & after, name


def _mark(data: bytes) -> bytes:
    at = data.index(b"<haven:Written>")
    return data[at : data.index(b"</haven:Written>", at)]


FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- kept -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:odd="http://example.org/odd#"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="2" xmp:Label="Red" odd:attribute="a &lt;b&gt; &#10; c">
   <odd:resource rdf:resource="http://example.org/x?a=1&amp;b=2"/>
   <odd:seq><rdf:Seq><rdf:li odd:w="1"/><rdf:li> spaced </rdf:li></rdf:Seq></odd:seq>
   <odd:nested rdf:parseType="Resource"><odd:in><rdf:Bag><rdf:li xml:lang="de">eins</rdf:li></rdf:Bag></odd:in></odd:nested>
   <odd:qualified><rdf:Description><rdf:value>v</rdf:value><odd:q>q</odd:q></rdf:Description></odd:qualified>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">old</rdf:li><rdf:li xml:lang="de-DE">alt</rdf:li></rdf:Alt></dc:description>
   <?odd instruction?>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def leaves(data: bytes) -> Iterator[tuple[object, ...]]:
    """Every node with its attributes and text, but for those that are ours to write."""
    for node in fromstring(data).iter():
        if "odd#" in node.tag or node.tag.endswith(("}li", "}value", "}Seq")):
            yield (
                node.tag,
                tuple(sorted(node.attrib.items())),
                (node.text or "").strip(" \n") and node.text,
            )


def test_what_others_wrote_survives_in_every_form():
    data = written(replace(FULL, caption=None, tags=(), albums=(), persons=()), FOREIGN.encode())
    before, after = list(leaves(FOREIGN.encode())), list(leaves(data))
    assert after == before
    for kept in (b"<!-- kept -->", b"<?odd instruction?>", b'xmp:Label="Red"', b'x:xmptk="XMP Core 4.4.0-Exiv2"',
                 b'odd:attribute="a &lt;b&gt; &#10; c"', b"xmlns:odd="):  # fmt: skip
        assert kept in data


texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r<>&\"'"), max_size=10
)
tag_names = st.sampled_from(
    ["{urn:a#}x", "{urn:a#}y", "{urn:b/}x", f"{RDF}Seq", f"{RDF}li", f"{RDF}Description", "plain"]
)


@st.composite
def strange(draw: st.DrawFn, depth: int = 3) -> Element:
    """Any element that somebody may have put into a sidecar."""
    node = Element(draw(tag_names), draw(st.dictionaries(tag_names, texts, max_size=2)))
    node.text = draw(texts)
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        child = draw(strange(depth - 1))
        child.tail = draw(texts)
        node.append(child)
    return node


def shape(node: Element) -> tuple[Any, ...]:
    return (
        node.tag,
        dict(node.attrib),
        node.text or "",
        node.tail or "",
        [shape(child) for child in node],
    )


@settings(max_examples=100, deadline=None)
@given_(st.lists(strange(), max_size=3), givens)
def test_any_xml_of_others_survives_to_the_letter(others: list[Element], ours: Given):
    root = Element("{adobe:ns:meta/}xmpmeta")
    description = SubElement(SubElement(root, f"{RDF}RDF"), f"{RDF}Description")
    for number, node in enumerate(others):
        SubElement(description, f"{{urn:o}}p{number}").append(node)
    data = tostring(root)
    once = merge(data, ours).data or data
    again = merge(once, Given(rating=1, caption="later")).data or once
    for written_ in (once, again):
        after = fromstring(written_)
        for number, node in enumerate(others):
            found = after.find(f".//{{urn:o}}p{number}")
            assert found is not None
            assert shape(found[0]) == shape(fromstring(tostring(node)))


def test_without_common_ground_the_file_wins_and_that_is_told():
    merged = merge(FOREIGN.encode(), Given(rating=5, caption="new"))
    assert merged.theirs == {"rating", "caption"}
    assert (merged.given.rating, merged.given.caption) == (2, "old")


def test_what_was_read_before_may_be_changed():
    agreed = marks(read(FOREIGN.encode()).given)
    merged = merge(FOREIGN.encode(), Given(rating=5, caption="new"), agreed=agreed)
    assert merged.theirs == frozenset()
    assert (merged.given.rating, merged.given.caption) == (5, "new")
    assert merged.data is not None
    assert b'xmp:Rating="5"' in merged.data  # in the form in which it stood there
    assert b'<rdf:li xml:lang="de-DE">alt</rdf:li>' in merged.data


def test_both_sides_may_add_and_take_away_tags():
    data = written(Given(tags=(("a",), ("b",), ("c",))))
    foreign = data.replace(b"<rdf:li>a</rdf:li>", b"<rdf:li>theirs</rdf:li>")
    merged = merge(foreign, Given(tags=(("a",), ("b",), ("ours",))))
    assert set(merged.given.tags) == {("b",), ("theirs",), ("ours",)}
    assert merged.theirs == {"tags"}


def test_what_others_decided_stands_until_it_is_taken_up():
    data = written(Given(rating=3)).replace(b"Rating>3<", b"Rating>1<")
    first = merge(data, Given(rating=3, caption="x"))
    assert first.theirs == {"rating"}
    second = merge(first.data, Given(rating=3, caption="y"))
    assert (second.theirs, second.given.rating) == ({"rating"}, 1)
    third = merge(second.data, Given(rating=1, caption="y"))
    fourth = merge(third.data, Given(rating=5, caption="y"))
    assert (third.theirs, fourth.theirs, fourth.given.rating) == (frozenset(), frozenset(), 5)


@pytest.mark.parametrize("said", ["1953", "1953-07", "summer"])
def test_a_date_that_is_not_understood_is_somebodys_all_the_same(said: str):
    foreign = FOREIGN.replace('xmp:Rating="2"', f'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="{said}"')  # fmt: skip
    merged = merge(foreign.encode(), Given(taken=Moment(1563099300, 120)))
    assert merged.theirs == {"taken", "caption"}
    assert merged.data is None or f'DateTimeOriginal="{said}"'.encode() in merged.data


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<", b"not xml", b"<a/>", FOREIGN.encode()[:-40], b"\xff\xfe<",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
        b"<a>" * 100_000, b"<a>" * 100 + b"</a>" * 100,
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + b"<a/>" * 250_000 + b"</rdf:RDF>",
        FOREIGN.encode() + b" " * (4 << 20) + b"<!-- -->",
    ],
)  # fmt: skip
def test_what_is_damaged_or_hostile_is_refused(data: bytes):
    with pytest.raises(Unreadable):
        merge(data, FULL)


def test_sixteen_bits_are_read():
    for encoding in ("utf-16-le", "utf-16-be"):
        text = "\ufeff" + FOREIGN.replace("UTF-8", "UTF-16")
        assert read(text.encode(encoding)).given.rating == 2
