"""Sidecars as the programs of this field write them, after their documented schemas; each is read and survives ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from havenfs.entities import Region
from havenfs.extract import packet, xmp
from havenfs.extract.upright import TURNS
from havenfs.sidecars.given import Given, Moment, Person, Position, marks
from havenfs.sidecars.merge import merge, read
from havenfs.sidecars.rdf import tag
from havenfs.sidecars.regions import Frame, turned

if TYPE_CHECKING:
    from collections.abc import Iterable

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'

DIGIKAM = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF {RDF}>
  <rdf:Description rdf:about=""
    xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
    xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    digiKam:PickLabel="3" digiKam:ColorLabel="0" xmp:Rating="4" MicrosoftPhoto:Rating="75"
    exif:DateTimeOriginal="2019-07-14T10:15:00+02:00" exif:GPSLatitude="41,53.41200000N" exif:GPSLongitude="12,29.53200000E">
   <digiKam:TagsList><rdf:Seq><rdf:li>Places/Italy</rdf:li><rdf:li>People/Alice</rdf:li></rdf:Seq></digiKam:TagsList>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Italy</rdf:li><rdf:li>People|Alice</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <dc:subject><rdf:Bag><rdf:li>Italy</rdf:li><rdf:li>Alice</rdf:li></rdf:Bag></dc:subject>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Colosseum</rdf:li></rdf:Alt></dc:description>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag>
     <rdf:li><rdf:Description mwg-rs:Name="Alice" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.2" stArea:y="0.35" stArea:w="0.2" stArea:h="0.3" stArea:unit="normalized"/></rdf:Description></rdf:li>
     <rdf:li><rdf:Description mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.9" stArea:y="0.9" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/></rdf:Description></rdf:li>
    </rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
   <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
    <rdf:li MPReg:PersonDisplayName="Alice" MPReg:Rectangle="0.1,0.2,0.2,0.3"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""

DARKTABLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF {RDF}>
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:darktable="http://darktable.sf.net/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   exif:DateTimeOriginal="2019:07:14 10:15:00.000" xmp:Rating="-1" xmpMM:DerivedFrom="IMG_1.CR2" exif:GPSLatitude="41,53.412000N"
   exif:GPSLongitude="12,29.532000E" darktable:xmp_version="5" darktable:raw_params="0" darktable:auto_presets_applied="1"
   darktable:history_end="2" darktable:iop_order_version="4">
   <darktable:masks_history><rdf:Seq/></darktable:masks_history>
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:num="0" darktable:operation="exposure" darktable:enabled="1" darktable:modversion="6"
      darktable:params="00000000000080b90000003f" darktable:multi_name="" darktable:blendop_params="gz12eJxjYGBgkGAAgRNODESDBnsIHll8ANNSGQM="/>
     <rdf:li darktable:num="1" darktable:operation="flip" darktable:enabled="1" darktable:params="ffffffff"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject><rdf:Bag><rdf:li>Italy</rdf:li><rdf:li>Places</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Italy</rdf:li></rdf:Bag></lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

LIGHTROOM = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">
 <rdf:RDF {RDF}>
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmp:Rating="3" xmp:Label="Rot" tiff:Orientation="6" photoshop:SidecarForExtension="CR2" photoshop:DateCreated="2019-07-14T10:15:00.42+02:00"
   exif:DateTimeOriginal="2019-07-14T10:15:00.42+02:00" crs:Version="15.0" crs:Exposure2012="+0.35" crs:HasSettings="True">
   <dc:subject><rdf:Bag><rdf:li>Italy</rdf:li><rdf:li>Places</rdf:li><rdf:li>sun</rdf:li></rdf:Bag></dc:subject>
   <lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Italy</rdf:li><rdf:li>sun</rdf:li></rdf:Bag></lr:hierarchicalSubject>
   <xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:changed="/metadata"/></rdf:Seq></xmpMM:History>
   <crs:ToneCurvePV2012><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurvePV2012>
   <crs:Look><rdf:Description crs:Name="Adobe Color"><crs:Parameters><rdf:Description crs:Version="15.0"/></crs:Parameters></rdf:Description></crs:Look>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

APPLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
   <rdf:RDF {RDF}>
      <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
         <dc:title>Named in Photos</dc:title>
         <dc:description>Plain text, no Alt</dc:description>
         <dc:subject><rdf:Seq><rdf:li>sun</rdf:li></rdf:Seq></dc:subject>
         <photoshop:DateCreated>2019-07-14T10:15:00+02:00</photoshop:DateCreated>
         <exif:GPSLongitude>12,29.532E</exif:GPSLongitude>
         <exif:GPSLatitude>41,53.412N</exif:GPSLatitude>
      </rdf:Description>
   </rdf:RDF>
</x:xmpmeta>
"""

PICASA = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>
  <rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="3000" stDim:h="4000" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">
      <mwg-rs:Area stArea:x="0.2" stArea:y="0.35" stArea:w="0.2" stArea:h="0.3" stArea:unit="normalized"/>
      <mwg-rs:Name>Alice</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li></rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"""

ALL = {
    "digikam": DIGIKAM,
    "darktable": DARKTABLE,
    "lightroom": LIGHTROOM,
    "apple": APPLE,
    "picasa": PICASA,
}
ALICE = Region(0, 0.1, 0.2, 0.3, 0.5)
FRAME = Frame(4000, 3000)
TAKEN = Moment(1563099300, 120)
ROME = Position(41.8902, 12.4922)


def test_digikams():
    found = read(DIGIKAM.encode(), FRAME).given
    assert found == Given(
        persons=(Person("Alice", ALICE),),
        tags=(("Places", "Italy"), ("People", "Alice")),
        rating=4,
        caption="Colosseum",
        taken=TAKEN,
        position=ROME,
    )


def test_darktables():
    found = read(DARKTABLE.encode()).given
    assert found == Given(
        tags=(("Places", "Italy"),), rating=-1, taken=Moment(1563099300), position=ROME
    )


def test_lightrooms():
    found = read(LIGHTROOM.encode()).given
    assert found == Given(tags=(("Places", "Italy"), ("sun",)), rating=3, taken=TAKEN)


def test_apples():
    found = read(APPLE.encode()).given
    assert found == Given(
        tags=(("sun",),), caption="Plain text, no Alt", taken=TAKEN, position=ROME
    )


def test_regions_that_were_drawn_upright_stay_upright():
    """Some programs note the sides as people see them; then so are the regions."""
    found = read(PICASA.encode(), Frame(4000, 3000, 6)).given
    assert found.persons == (Person("Alice", ALICE),)


def values(data: bytes) -> Iterable[tuple[str, str]]:
    """Every attribute and text of a document, by the name of its property."""
    for node in packet.parse(data).root.iter():
        if tag(node):
            yield from (
                (name, text) for name, text in node.attrib.items() if "parseType" not in name
            )
            if node.text and node.text.strip():
                yield node.tag, node.text.strip()


@pytest.mark.parametrize("name", ALL)
def test_what_we_do_not_own_survives(name: str):
    before = ALL[name].encode()
    agreed = marks(read(before, FRAME).given)
    ours = Given(persons=(Person("Zoe", Region(0, 0.5, 0.5, 0.6, 0.6)),), tags=(("new",),), rating=5, taken=Moment(1563099400, 60),
                 caption="new", position=Position(-10.5, 20.25))  # fmt: skip
    merged = merge(before, ours, frame=FRAME, agreed=agreed)
    assert merged.data is not None
    assert (merged.theirs, merged.given) == (frozenset(), ours)
    left = list(values(merged.data))
    for property_, text in values(before):
        if any(foreign in property_ for foreign in ("darktable", "camera-raw", "xap/1.0/mm", "sType/ResourceEvent", "microsoft.com/photo/1.0",
                                                    "Label", "ColorLabel", "title", "Orientation", "SidecarFor", "xmptk")):  # fmt: skip
            left.remove((property_, text))
    if name == "digikam":  # a face without a name is somebody's work too
        assert merged.data.count(b'Type="Face"') == 1
        assert b"Alice" not in merged.data


@pytest.mark.parametrize("name", ALL)
def test_saying_what_is_said_already_touches_nothing(name: str):
    before = ALL[name].encode()
    given = read(before, FRAME).given
    merged = merge(before, given, frame=FRAME)
    assert (merged.data, merged.given, merged.theirs) == (None, given, frozenset())


@pytest.mark.parametrize("name", ALL)
def test_facts_are_read_from_them_as_before(name: str):
    assert xmp.parse(ALL[name].encode()).taken is not None or name == "picasa"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_turn_as_pictures_do(orientation: int):
    """A box of bright pixels in the stored picture, found again in the one that Pillow turned upright."""
    stored = np.zeros((60, 80), np.uint8)
    stored[10:20, 40:70] = 255
    picture = Image.fromarray(stored)
    upright = picture.transpose(TURNS[orientation]) if orientation in TURNS else picture
    left, top, right, bottom = upright.getbbox() or (0, 0, 0, 0)
    seen = Region(0, left / upright.width, top / upright.height, right / upright.width, bottom / upright.height)  # fmt: skip
    assert turned(Region(0, 40 / 80, 10 / 60, 70 / 80, 20 / 60), orientation) == pytest.approx(seen)
    frame = Frame(80, 60, orientation)
    data = merge(None, Given(persons=(Person("A", seen),)), frame=frame).data
    assert data is not None
    assert read(data).given.persons[0].region == pytest.approx((0, 0.5, 1 / 6, 0.875, 1 / 3), abs=1e-5)  # fmt: skip
    assert read(data, frame).given.persons[0].region == pytest.approx(seen, abs=1e-5)
