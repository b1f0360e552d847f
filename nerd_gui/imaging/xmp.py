"""XMP: keeps the XML metadata of a picture file, and adds a record of what was done to the picture.

A packet is a list of properties (ISO 16684-1). Those of the photo's own packet are kept unchanged, with their prefixes,
except for those that would be wrong in the new file.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from xml.dom.minidom import Document, Element, Node, Text, parseString
from xml.parsers.expat import ExpatError

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP = "http://ns.adobe.com/xap/1.0/"
_XMP_MM = "http://ns.adobe.com/xap/1.0/mm/"
_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
_REFERENCE = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
_NOTE = "http://ns.adobe.com/xmp/note/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_DC = "http://purl.org/dc/elements/1.1/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
#: Namespace of the program's own properties.
_OWN = "urn:nerd-gui:denoising:"
_PREFIXES = {
    _RDF: "rdf",
    _XMP: "xmp",
    _XMP_MM: "xmpMM",
    _EVENT: "stEvt",
    _REFERENCE: "stRef",
    _TIFF: "tiff",
    _EXIF: "exif",
    _DC: "dc",
    _IPTC: "Iptc4xmpExt",
    _OWN: "nerd",
}

#: Namespaces of properties about further pictures, films and packets in the file, which are not saved.
_OTHER_PARTS = (
    _NOTE,
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/audio/",
)
_MOVING = ("MotionPhoto", "MicroVideo")  # prefixes of such properties in the namespace `_CAMERA`
#: Properties that apply to the whole photo but not to a region of it.
_OF_THE_WHOLE = ((_IPTC, "ImageRegion"), ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions"))
#: IPTC's terms for captured pictures, which the term of an edit replaces. Other terms, such as that of a generated
#: picture, are kept.
_CAPTURES = (
    *("digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print"),
    *("minorHumanEdits", "humanEdits", "algorithmicallyEnhanced"),
)
_MOST_BYTES = 2**22
_MOST_LEVELS = 64
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
_EMPTY = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" '
    + " ".join(f'xmlns:{prefix}="{space}"' for space, prefix in _PREFIXES.items())
    + "/></rdf:RDF></x:xmpmeta>"
).encode()


@dataclass(frozen=True)
class Edit:
    """The record of what a program has done to a photo, for the photo's file.

    Attributes
    ----------
    program : str
        Name and version of the program.
    action : str
        A word of XMP's list of actions: "filtered", "cropped", "converted" …
    parameters : str
        A sentence that describes the action.
    source_type : str
        The last part of the address of IPTC's term for the new picture, in the vocabulary of digital source types. It
        is not written if the photo's own term says that the picture is not just a camera's.
    details : mapping
        Names and values of the program's own properties.
    when : datetime
        Date and time with time zone.
    """

    program: str
    action: str
    parameters: str
    source_type: str
    details: Mapping[str, str] = field(default_factory=dict)
    when: datetime = field(default_factory=lambda: datetime.now().astimezone())


def is_readable(packet: bytes) -> bool:
    """Whether a packet can be kept: it is valid XMP without a document type, and neither too large nor too deep."""
    return _Packet.read(packet) is not None


def has_further_parts(packet: bytes) -> bool:
    """Whether a packet refers to parts of its file that are not saved: more XMP, a film, a gain map, a depth map."""
    return (found := _Packet.read(packet)) is not None and bool(found.part_names())


def xmp_of_region(packet: bytes) -> bytes | None:
    """Remove the properties that only apply to the whole photo; None for an unreadable packet."""
    found = _Packet.read(packet)
    if found is None:
        return None
    for space, name in _OF_THE_WHOLE:
        found.remove(space, name)
    return found.written()


def xmp_of_saved(
    packet: bytes | None, rows: int, cols: int, *, edit: Edit | None = None, description: str | None = None
) -> bytes | None:
    """Make the packet of a file that is to be saved; None if it would be empty.

    Parameters
    ----------
    packet : bytes or None
        The photo's own packet, whose properties are kept if it is readable.
    rows, cols : int
        Size of the saved picture, upright.
    edit : Edit, optional
        The record of what was done to the photo.
    description : str, optional
        A caption for the picture, written if it has none.
    """
    found = None if packet is None else _Packet.read(packet)
    if found is None and edit is None and description is None:
        return None
    found = found or _Packet.read(_EMPTY)
    assert found is not None
    for space, name in (*found.part_names(), (_XMP, "Thumbnails")):
        found.remove(space, name)
    for space, name, value in (
        (_TIFF, "Orientation", 1),
        (_TIFF, "ImageWidth", cols),
        (_TIFF, "ImageLength", rows),
        (_EXIF, "PixelXDimension", cols),
        (_EXIF, "PixelYDimension", rows),
    ):
        if found.text(space, name) is not None:
            found.set(space, name, str(value))
    if description is not None and not found.elements(_DC, "description"):
        _add(found.set_array(_DC, "description", "Alt"), _RDF, "li", description).setAttribute("xml:lang", "x-default")
    if edit is not None:
        _note(found, edit)
    return found.written()


def smaller(packet: bytes, limit: int) -> tuple[bytes, tuple[str, ...]]:
    """Remove the largest properties of a packet until it has at most `limit` bytes; return it and their names.

    The program's own properties and the history are removed last.
    """
    gone: list[str] = []
    found = _Packet.read(packet) if len(packet) > limit else None
    while found is not None and len(packet) > limit:
        there = [(one, child) for one in found.descriptions() for child in _children(one)]
        if not there:
            return b"", tuple(gone)
        parent, child = min(there, key=lambda pair: (pair[1].namespaceURI in (_OWN, _XMP_MM), -len(pair[1].toxml())))
        gone.append(child.tagName)
        parent.removeChild(child)
        packet = found.written()
    return packet, tuple(gone)


def _note(packet: "_Packet", edit: Edit) -> None:
    """Write the record of an edit into a packet."""
    when = edit.when.isoformat(timespec="seconds")
    if packet.text(_XMP, "CreatorTool") is None:  # the property names the first tool, which made the picture
        packet.set(_XMP, "CreatorTool", edit.program)
    packet.set(_XMP, "ModifyDate", when)
    packet.set(_XMP, "MetadataDate", when)
    _derive(packet)
    found = [one for history in packet.elements(_XMP_MM, "History") for one in _children(history)]
    event = _add(found[0] if found else packet.set_array(_XMP_MM, "History", "Seq"), _RDF, "li")
    _hold_properties(event)
    _add(event, _EVENT, "action", edit.action)
    _add(event, _EVENT, "when", when)
    _add(event, _EVENT, "softwareAgent", edit.program)
    _add(event, _EVENT, "parameters", edit.parameters)
    term = (packet.text(_IPTC, "DigitalSourceType") or "").rstrip("/").rpartition("/")[2]
    if not term or term in _CAPTURES:
        address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{edit.source_type}"
        packet.set(_IPTC, "DigitalSourceType", address)
    for space, name in packet.names():  # properties of an earlier edit, which is still in the history
        if space == _OWN:
            packet.remove(space, name)
    for name, value in edit.details.items():
        packet.set(_OWN, name, value)


def _derive(packet: "_Packet") -> None:
    """Give the new file its own identifiers, and refer to those of the original file."""
    kinds = (("DocumentID", "documentID", "did"), ("InstanceID", "instanceID", "iid"))
    before = [(*kind, number) for kind in kinds if (number := packet.text(_XMP_MM, kind[0]))]
    if not before:
        return
    packet.remove(_XMP_MM, "DerivedFrom")
    source = _add(packet.home(), _XMP_MM, "DerivedFrom")
    _hold_properties(source)
    for own, name, short, number in before:
        _add(source, _REFERENCE, name, number)
        packet.set(_XMP_MM, own, f"xmp.{short}:{uuid.uuid4()}")


class _Packet:
    """A packet as a document: lists of properties, which are attributes or elements of `rdf:Description`.

    Parameters
    ----------
    root : Element
        The root of the document.
    rdf : Element
        The element that holds the lists, at least one.
    """

    def __init__(self, root: Element, rdf: Element) -> None:
        self._root = root
        self._rdf = rdf

    @classmethod
    def read(cls, packet: bytes) -> "_Packet | None":
        """Parse a packet; None if it is not XMP or may be malicious."""
        bare = packet.replace(b"\0", b"")  # so that document types are also found in UTF-16
        if len(packet) > _MOST_BYTES or b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
            return None
        try:
            root = parseString(packet.strip(b"\0 \t\r\n")).documentElement
        except (ExpatError, ValueError, LookupError):  # damaged, or in an unknown encoding
            return None
        if root is None or _is_deep(root):
            return None
        found = [root] if root.localName == "RDF" else root.getElementsByTagNameNS(_RDF, "RDF")
        if not found or found[0].namespaceURI != _RDF:
            return None
        made = cls(root, found[0])
        if not made.descriptions():
            _add(found[0], _RDF, "Description").setAttributeNS(_RDF, "rdf:about", "")
        return made

    def written(self) -> bytes:
        return _HEAD + self._root.toxml().encode() + b'<?xpacket end="w"?>'

    def descriptions(self) -> list[Element]:
        """The lists of properties."""
        return [child for child in _children(self._rdf) if _name(child) == (_RDF, "Description")]

    def home(self) -> Element:
        """The list to which new properties are added."""
        return self.descriptions()[-1]

    def names(self) -> list[tuple[str | None, str]]:
        """Namespace and name of every property."""
        found = []
        for one in self.descriptions():
            found += [(attribute.namespaceURI, attribute.localName) for attribute in one.attributes.values()]
            found += [_name(child) for child in _children(one)]
        return found

    def part_names(self) -> list[tuple[str, str]]:
        """The properties that refer to other parts of the file."""
        return [
            (space, name)
            for space, name in self.names()
            if space in _OTHER_PARTS or (space == _CAMERA and name.startswith(_MOVING))
        ]

    def elements(self, space: str, name: str) -> list[Element]:
        """The elements of a property."""
        return [child for one in self.descriptions() for child in _children(one) if _name(child) == (space, name)]

    def text(self, space: str, name: str) -> str | None:
        """The value of a simple property; None if it is missing."""
        for one in self.descriptions():
            if one.hasAttributeNS(space, name):
                return str(one.getAttributeNS(space, name)).strip()
        for element in self.elements(space, name):
            words = [node.data for node in element.childNodes if isinstance(node, Text)]
            return str(element.getAttributeNS(_RDF, "resource") or "".join(words)).strip()
        return None

    def remove(self, space: str, name: str) -> None:
        """Remove a property if it exists."""
        for one in self.descriptions():
            if one.hasAttributeNS(space, name):
                one.removeAttributeNS(space, name)
            for child in _children(one):
                if _name(child) == (space, name):
                    one.removeChild(child)

    def set(self, space: str, name: str, value: str) -> None:
        """Set the value of a simple property."""
        self.remove(space, name)
        _add(self.home(), space, name, value)

    def set_array(self, space: str, name: str, kind: str) -> Element:
        """Replace a property by an empty array, "Seq" or "Alt"."""
        self.remove(space, name)
        return _add(_add(self.home(), space, name), _RDF, kind)


def _children(element: Element) -> list[Element]:
    return [child for child in element.childNodes if isinstance(child, Element)]


def _name(element: Element) -> tuple[str | None, str]:
    return element.namespaceURI, element.localName


def _is_deep(root: Element) -> bool:
    """Whether elements are nested so deeply that recursive functions could fail."""
    level = [root]
    for _ in range(_MOST_LEVELS):
        level = [child for one in level for child in _children(one)]
    return bool(level)


def _add(parent: Element, space: str, name: str, text: str | None = None) -> Element:
    """Append an element, and declare its prefix if the packet does not."""
    document = Document()  # only a factory for nodes
    element = document.createElementNS(space, f"{_PREFIXES[space]}:{name}")
    parent.appendChild(element)
    _declare(element, space)
    if text is not None:
        # Characters that XML does not allow, such as control characters in a file's name, are escaped.
        plain = "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text)
        element.appendChild(document.createTextNode(plain))
    return element


def _declare(element: Element, space: str) -> None:
    """Declare the prefix of a namespace for an element, unless it is declared already."""
    declaration = f"xmlns:{_PREFIXES[space]}"
    above: Node | None = element
    while isinstance(above, Element) and not above.hasAttribute(declaration):
        above = above.parentNode
    if not isinstance(above, Element) or above.getAttribute(declaration) != space:
        element.setAttribute(declaration, space)


def _hold_properties(element: Element) -> None:
    """Mark an element as holding properties instead of text."""
    _declare(element, _RDF)
    element.setAttributeNS(_RDF, "rdf:parseType", "Resource")
