"""The fields of a message that are counted or told of (systemd.journal-fields(7)).

Those whose names begin with `_` are journald's own word; all others are what the sender likes.
"""

from __future__ import annotations

Field = tuple[str, str]
"""Name and value."""

NAMES = (
    *("PRIORITY", "_TRANSPORT", "_PID", "_SYSTEMD_UNIT", "_SYSTEMD_SLICE"),
    *("MESSAGE_ID", "UNIT", "UNIT_RESULT", "N_RESTARTS"),
)
FAILED, RESTARTED = "d9b373ed55a64feb8242e02dbe79a49c", "5eb03494b6584870a536b337290809b3"
"""Messages of systemd's, by their number (sd-messages.h): a unit failed; systemd is to start it again."""
ONLY = {"_PID": {"1"}, "_TRANSPORT": {"kernel"}, "MESSAGE_ID": {FAILED, RESTARTED}}
"""The values of some fields that mean something here."""
LONGEST = 320
"""Bytes of a field that are read: name and value of the longest unit's name."""
HEAD = (1 << 40) - 1
"""Bits of the first five bytes, the first byte the lowest."""
HEADS = frozenset(int.from_bytes(f"{name}="[:5].encode(), "little") for name in NAMES)
TEXT = int.from_bytes(b"MESSAGE=", "little")


def likely(word: int) -> bool:
    """Whether a field may be wanted, by its first eight bytes, the first byte the lowest."""
    return word & HEAD in HEADS and word != TEXT


def wanted(content: bytes) -> Field | None:
    """The field of the bytes `NAME=value`, where it means something here."""
    name, _, value = content.decode(errors="replace").partition("=")
    if name not in NAMES or (name in ONLY and value not in ONLY[name]):
        return None
    return name, value
