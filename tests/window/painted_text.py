"""The text that widgets paint themselves, read from what they paint into an SVG file, and what is wrong with it."""

import re
from collections import namedtuple
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QRegion, QTransform
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QWidget

_AROUND = 2  # pixels around a text, where its ground is read

#: Words that a widget paints, their colour with its opacity, and the place of their ink in the widget.
Text = namedtuple("Text", "words colour place")


def painted_texts(widget):
    """What a widget paints as text, without its children."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(widget.logicalDpiX())
    generator.setSize(widget.size())
    generator.setViewBox(widget.rect())
    with QPainter(generator) as painter:
        widget.render(painter, QPoint(), QRegion(), QWidget.RenderFlag(0))
    return list(_texts(ElementTree.fromstring(bytes(buffer.data().data())), QTransform()))


def _texts(element, transform):
    if matrix := re.fullmatch(r"matrix\((.*)\)", element.get("transform", "")):
        transform = QTransform(*map(float, matrix[1].split(","))) * transform
    if element.tag.endswith("}text") and (element.text or "").strip():
        font = QFont(element.get("font-family", "").split(",")[0].strip("'"))
        font.setPixelSize(round(float(element.get("font-size"))))
        font.setWeight(QFont.Weight(int(element.get("font-weight", 400))))
        ink = QFontMetricsF(font).tightBoundingRect(element.text)
        colour = QColor(element.get("fill"))
        colour.setAlphaF(float(element.get("fill-opacity", 1)))
        ink.translate(float(element.get("x")), float(element.get("y")))
        yield Text(element.text, colour, transform.mapRect(ink))
    for child in element:
        yield from _texts(child, transform)


def paints_itself(widget):
    """Whether it is one of the program's own widgets that paint, or the contents of one that scrolls."""
    parent = widget.parentWidget()
    if isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget:
        widget = parent
    elif isinstance(widget, QAbstractScrollArea):
        return False
    if isinstance(widget, QAbstractItemView):
        return True
    ours = [kind for kind in type(widget).__mro__ if kind.__module__.startswith(("nerd_gui", "pyqtgraph", "test_"))]
    return any("paintEvent" in vars(kind) for kind in ours)


def wrong_text(widget, name, pixels, contrast, least):
    """Sentences on the text that a widget paints: it does not fit, lies on other text, or can hardly be read.

    Parameters
    ----------
    pixels : ndarray
        What the widget looks like, (rows, cols, 3).
    contrast : callable
        The contrast of two colours.
    least : float
        The least contrast of text.
    """
    texts = painted_texts(widget)
    room = QRectF(widget.rect()).adjusted(-1, -1, 1, 1)
    inside = [text for text in texts if room.contains(text.place)]
    area = widget.parentWidget()
    bars = (area.horizontalScrollBar(), area.verticalScrollBar()) if isinstance(area, QAbstractScrollArea) else ()
    if not any(bar.maximum() > bar.minimum() for bar in bars):  # what is scrolled may be cut at the edge
        for text in texts:
            if text not in inside:
                yield f"{name}: “{text.words}” does not fit"
    for one, other in combinations(inside, 2):
        shared = one.place.intersected(other.place)
        if shared.width() > 1 and shared.height() > 1:
            yield f"{name}: “{one.words}” and “{other.words}” lie on each other"
    for text in inside:
        found = contrast(*_ink_and_ground(text, pixels))
        if found < least:
            yield f"{name}: the contrast of “{text.words}” is {found:.1f}"


def _ink_and_ground(text, pixels):
    place = text.place.toAlignedRect().adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
    place = place.intersected(QRect(0, 0, pixels.shape[1], pixels.shape[0]))
    patch = pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1].astype(float)
    edge = np.concatenate([patch[0], patch[-1], patch[:, 0], patch[:, -1]])
    ground = np.median(edge, axis=0)
    alpha = text.colour.alphaF()
    ink = alpha * np.array(text.colour.getRgb()[:3]) + (1 - alpha) * ground
    return ink, ground
