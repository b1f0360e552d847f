"""A menu of the photos that were left for others and have runs."""

from functools import partial

from PySide6.QtWidgets import QMenu

from nerd_gui.window.session.session import Session


def offer_left_photos(menu: QMenu, session: Session) -> None:
    """Fill a menu with the photos that a person can go back to, and keep it up to date."""

    def fill() -> None:
        menu.clear()
        for place, photo in enumerate(session.left_photos):
            menu.addAction(photo.name).triggered.connect(partial(session.go_back, place))
        menu.setEnabled(not menu.isEmpty())

    session.photoChanged.connect(fill)
    fill()
