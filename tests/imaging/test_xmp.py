"""XMP: the photo's packet is kept, and another parser reads what was done to the photo."""

import struct
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nerd_gui.imaging import Edit, Photo, open_photo, save_picture, what_is_lost
from nerd_gui.imaging.xmp import smaller, xmp_of_saved

NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "iptc": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "nerd": "urn:nerd-gui:denoising:",
    "mwg": "http://www.metadataworkinggroup.com/schemas/regions/",
    "camera": "http://ns.google.com/photos/1.0/camera/",
    "own": "urn:somebody:",
}
SUFFIXES = (".png", ".jpg", ".tif", ".webp")
EDIT = Edit(
    "NERD GUI 7", "filtered", "σ < 25 & more", "algorithmicallyEnhanced", {"Network": "nerd-lite"},
    datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
)  # fmt: skip


def packet(inner="", attributes=""):
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in NAMES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        f'xmlns:rdf="{NAMES["rdf"]}"><rdf:Description rdf:about="" {spaces} {attributes}>{inner}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


KEYWORDS = "<dc:subject><rdf:Bag><rdf:li>lake &amp; hills</rdf:li></rdf:Bag></dc:subject>"
SAVED = '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:softwareAgent="Another"/></rdf:Seq></xmpMM:History>'


def photo_with(xmp, rows=6, cols=9):
    return Photo(np.full((3, rows, cols), 0.5, np.float32), xmp=xmp)


def stored(path):
    """Return the packet in a file, read without the code under test."""
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            return tiff.pages.first.tags[700].value
    return Image.open(path).info["xmp"]


def properties(raw):
    """Return simple properties and the items of arrays, as texts or dictionaries, by prefix:name."""

    def named(tag):
        space, _, name = tag.removeprefix("{").partition("}")
        return f"{next((prefix for prefix, one in NAMES.items() if one == space), space)}:{name}"

    def value(element):
        if element.get(f"{{{NAMES['rdf']}}}parseType") == "Resource":
            return {named(child.tag): value(child) for child in element}
        if len(element) and named(element[0].tag) in ("rdf:Seq", "rdf:Bag", "rdf:Alt"):
            return [value(item) for item in element[0]]
        own = {named(key): text for key, text in element.attrib.items() if NAMES["stEvt"] in key}
        return own or element.text or ""

    root = ElementTree.fromstring(raw.strip(b"\0"))
    found = {}
    for description in root.iter(f"{{{NAMES['rdf']}}}Description"):
        for name, text in [(named(key), text) for key, text in description.attrib.items()]:
            assert name == "rdf:about" or name not in found, f"{name} stands twice"
            found[name] = text
        for child in description:
            assert named(child.tag) not in found, f"{named(child.tag)} stands twice"
            found[named(child.tag)] = value(child)
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_edit_is_told_in_the_file(tmp_path, suffix):
    path = save_picture(tmp_path / f"a{suffix}", photo_with(None), edit=EDIT)
    found = properties(stored(path))
    assert found["xmp:CreatorTool"] == "NERD GUI 7" and found["nerd:Network"] == "nerd-lite"
    assert found["xmp:ModifyDate"] == found["xmp:MetadataDate"] == "2026-05-04T03:02:01+00:00"
    (event,) = found["xmpMM:History"]
    assert event == {
        "stEvt:action": "filtered",
        "stEvt:when": "2026-05-04T03:02:01+00:00",
        "stEvt:softwareAgent": "NERD GUI 7",
        "stEvt:parameters": "σ < 25 & more",
    }
    assert found["iptc:DigitalSourceType"] == "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
    assert properties(open_photo(path).xmp) == found
    if suffix == ".jpg":
        assert b"\xff\xe1" + struct.pack(">H", 2 + 29 + len(stored(path))) + b"http://ns.adobe.com/xap/1.0/\0" in (
            path.read_bytes()
        )
    if suffix == ".png":
        assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0<?xpacket" in path.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_what_the_photo_said_stays(tmp_path, source, suffix):
    before = packet(KEYWORDS + SAVED, 'xmp:Rating="4" own:odd="7" xmp:CreatorTool="Camera 1.0"')
    save_picture(tmp_path / f"in{source}", photo_with(before))
    photo = open_photo(tmp_path / f"in{source}")
    found = properties(stored(save_picture(tmp_path / f"out{suffix}", photo, edit=EDIT)))
    assert found["dc:subject"] == ["lake & hills"] and (found["xmp:Rating"], found["own:odd"]) == ("4", "7")
    assert found["xmp:CreatorTool"] == "Camera 1.0", "the first program; the history has the second"
    first, second = found["xmpMM:History"]
    assert first["stEvt:softwareAgent"] == "Another" and second["stEvt:softwareAgent"] == "NERD GUI 7"
    assert not what_is_lost(suffix, photo)


def test_the_last_edit_is_told_and_the_history_has_all():
    again = replace(EDIT, parameters="once more", details={"Solver": "plain"})
    twice = xmp_of_saved(xmp_of_saved(None, 6, 9, edit=EDIT), 6, 9, edit=again)
    found = properties(twice)
    assert [event["stEvt:parameters"] for event in found["xmpMM:History"]] == [EDIT.parameters, "once more"]
    assert found["nerd:Solver"] == "plain" and "nerd:Network" not in found


def test_what_would_be_false_in_the_new_file_is_set_right_or_left_out():
    attributes = 'tiff:Orientation="6" tiff:ImageWidth="9000" camera:MotionPhoto="1" camera:Other="2"'
    inner = "<xmp:Thumbnails><rdf:Alt><rdf:li>the noisy picture</rdf:li></rdf:Alt></xmp:Thumbnails>"
    before = packet(inner, attributes)
    found = properties(xmp_of_saved(before, 6, 9))
    assert (found["tiff:Orientation"], found["tiff:ImageWidth"], found["camera:Other"]) == ("1", "9", "2")
    assert not {"xmp:Thumbnails", "camera:MotionPhoto", "tiff:ImageLength"} & set(found)
    assert "a film" in what_is_lost(".png", photo_with(before))[0]


def test_the_new_file_has_numbers_of_its_own_and_names_the_old_ones():
    before = packet("", 'xmpMM:DocumentID="did:1" xmpMM:InstanceID="iid:1" xmpMM:OriginalDocumentID="did:0"')
    found = properties(xmp_of_saved(before, 6, 9, edit=EDIT))
    assert found["xmpMM:DerivedFrom"] == {"stRef:documentID": "did:1", "stRef:instanceID": "iid:1"}
    assert found["xmpMM:OriginalDocumentID"] == "did:0"
    assert len({"did:1", "iid:1", found["xmpMM:DocumentID"], found["xmpMM:InstanceID"]}) == 4


@pytest.mark.parametrize(
    ("term", "kept"), [("digitalCapture", False), ("trainedAlgorithmicMedia", True), ("compositeCapture", True)]
)
def test_a_term_that_tells_of_more_than_a_camera_stays(term, kept):
    address = "http://cv.iptc.org/newscodes/digitalsourcetype/"
    for before in (
        packet("", f'iptc:DigitalSourceType="{address}{term}"'),
        packet(f"<iptc:DigitalSourceType>{address}{term}</iptc:DigitalSourceType>"),
        packet(f'<iptc:DigitalSourceType rdf:resource="{address}{term}"/>'),
    ):
        found = xmp_of_saved(before, 6, 9, edit=EDIT).decode()
        assert (f"{address}{term}" in found) is kept
        assert (f"{address}algorithmicallyEnhanced" in found) is not kept


def test_other_prefixes_for_the_same_names_do_not_confuse():
    before = (
        f'<r:RDF xmlns:r="{NAMES["rdf"]}"><r:Description xmlns:xmp="urn:somebody:" xmlns:a="{NAMES["xmp"]}" xmp:odd="7"'
        ' a:CreatorTool="Camera"><a:ModifyDate>2001-01-01</a:ModifyDate></r:Description></r:RDF>'
    ).encode()
    found = properties(xmp_of_saved(before, 6, 9, edit=EDIT))
    assert (found["own:odd"], found["xmp:CreatorTool"]) == ("7", "Camera")
    assert found["xmp:ModifyDate"] == "2026-05-04T03:02:01+00:00"


def test_a_region_does_not_name_who_is_in_the_whole():
    photo = photo_with(packet(KEYWORDS + "<mwg:Regions><rdf:Bag/></mwg:Regions>"))
    assert "mwg:Regions" in properties(photo.crop(0, 0, 6, 9).xmp)
    part = properties(photo.crop(0, 0, 2, 3).xmp)
    assert part["dc:subject"] == ["lake & hills"] and "mwg:Regions" not in part


DAMAGED = [
    b"no XML",
    packet()[:200],
    b"<a/>",
    b'<?xml version="1.0" encoding="nonsense"?><a/>',
    b'<!DOCTYPE a [<!ENTITY b "bbbb">]>' + packet(KEYWORDS),
    ('<?xml version="1.0"?><!DOCTYPE a>' + packet().decode()).encode("utf-16"),
    packet("<own:a>" * 5000 + "</own:a>" * 5000),
    packet(f"<own:a>{'a' * 2**22}</own:a>"),
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_packet_that_cannot_be_trusted_is_not_kept_and_that_is_said(tmp_path, damaged):
    photo = photo_with(damaged)
    assert what_is_lost(".png", photo) == ("The photo's XMP data are damaged and are not kept.",)
    found = properties(stored(save_picture(tmp_path / "a.png", photo, edit=EDIT)))
    assert len(found["xmpMM:History"]) == 1 and "own:a" not in found
    assert open_photo(save_picture(tmp_path / "b.png", photo)).xmp is None
    assert photo.crop(0, 0, 2, 2).xmp is None


def write(path, xmp):
    """Write a file with a packet, without the code under test."""
    image = Image.new("RGB", (9, 6), "teal")
    if path.suffix == ".png":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(path, pnginfo=text)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, np.asarray(image), photometric="rgb", extratags=[(700, 1, len(xmp), xmp, True)])
    else:
        image.save(path, xmp=xmp)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damaged", [False, True])
def test_packets_of_other_programs_are_read_and_damaged_ones_do_not_bar_opening(tmp_path, suffix, damaged):
    xmp = packet(KEYWORDS)[: 200 if damaged else None]
    write(tmp_path / f"a{suffix}", xmp)
    photo = open_photo(tmp_path / f"a{suffix}")
    assert photo.xmp == xmp and (photo.rows, photo.cols) == (6, 9)
    assert len(what_is_lost(suffix, photo)) == damaged


def test_a_tag_that_holds_no_packet_does_not_bar_opening(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 9), np.uint8), extratags=[(700, 3, 2, (1, 2), True)])
    assert open_photo(tmp_path / "a.tif").xmp is None


def test_a_packet_too_large_for_a_jpeg_loses_its_largest_parts_and_says_so(tmp_path):
    large = "".join(f"<own:p{number}>{'x' * 9000}</own:p{number}>" for number in range(9))
    photo = photo_with(packet(KEYWORDS + SAVED + large))
    (sentence,) = what_is_lost(".jpg", photo)
    assert "own:p0" in sentence and "dc:subject" not in sentence and not what_is_lost(".png", photo)
    found = properties(stored(save_picture(tmp_path / "a.jpg", photo, edit=EDIT)))
    assert found["dc:subject"] == ["lake & hills"] and len(found["xmpMM:History"]) == 2
    assert found["nerd:Network"] == "nerd-lite" and "own:p8" in found
    assert all(f"own:p{number}" in sentence for number in range(9) if f"own:p{number}" not in found)
    assert "own:p0" in properties(stored(save_picture(tmp_path / "a.png", photo)))


def test_attributes_alone_can_be_too_large():
    kept, gone = smaller(packet("", f'own:long="{"x" * 70_000}"'), 65_000)
    assert kept == b"" and gone == ()


def test_bmp_has_no_room_for_it(tmp_path):
    photo = photo_with(packet(KEYWORDS))
    assert what_is_lost(".bmp", photo) == ("BMP has no room for the XMP data.",)
    assert open_photo(save_picture(tmp_path / "a.bmp", photo, edit=EDIT)).xmp is None


def test_signs_that_xml_cannot_hold_are_spelt_out():
    odd = replace(EDIT, details={"Network": "a\x00b\udcffc"})
    assert properties(xmp_of_saved(None, 6, 9, edit=odd))["nerd:Network"] == r"a\x00b\udcffc"


def test_a_caption_of_the_photo_s_own_stays(tmp_path):
    caption = '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Evening</rdf:li></rdf:Alt></dc:description>'
    path = save_picture(tmp_path / "a.webp", photo_with(packet(caption)), description="NERD")
    assert properties(stored(path))["dc:description"] == ["Evening"]
