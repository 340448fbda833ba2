"""What must be right on this machine before anything starts."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor import parts
from monitor.config import state_directory
from monitor.footprint import footprint, judge, memory_limit
from monitor.systemd import elsewhere

if TYPE_CHECKING:
    from monitor.config import Settings

log = logging.getLogger(__name__)


YOUNG = 5_000
"""Objects that may be new before Python looks for rings of garbage among them.  Its 700 are some seconds'
worth, and to look at them with cold caches takes a tenth as long as a pass."""


class StartError(Exception):
    """The service cannot start; the message says why, and what to do."""


def judge_memory(settings: Settings) -> None:
    judged = judge(footprint(settings), memory_limit())
    if not judged.fits:
        raise StartError(judged.text)
    if not judged.roomy:
        log.warning(judged.text)


def make_state_folder(settings: Settings) -> None:
    try:
        parts.state_folder(settings)
    except OSError as error:
        folder = state_directory(settings, os.environ)
        raise StartError(
            f"cannot write to the state folder {folder}: {error.strerror}; "
            "make it writable, or set storage.path to a folder that is"
        ) from error


def taken_over(
    settings: Settings, sockets: Sequence[socket.socket]
) -> tuple[list[socket.socket], list[socket.socket]]:
    """The sockets that were handed over: those of the page, and those that lead there from plain HTTP.

    They listen where the configuration was judged to be safe, and nowhere else.
    """
    address, plain = settings.server.listen, parts.redirect(settings)
    leading = [each for each in sockets if plain and not [*elsewhere([each], plain.host, plain.port)]]
    rest = [each for each in sockets if each not in leading]
    wrong = ", ".join(elsewhere(rest, address.host, address.port))
    if wrong:
        raise StartError(
            f"systemd hands over a socket that listens on {wrong}, and server.listen is {address}: "
            "make ListenStream= in monitor.socket and server.listen the same"
        )
    return rest, leading


def settle() -> None:
    """What was made so far stays: to look for garbage in it, or often, would be in vain."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
