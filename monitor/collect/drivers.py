"""Asks network drivers what they count, as a program of its own: a driver may ask its card first, and the
kernel holds the lock of all network devices meanwhile.

Linux, include/uapi/linux/ethtool.h.  Run by path under `python -I -S`, so it imports nothing of ours.  Each
line in is a JSON list of devices; each line out a JSON object of them: `info` (texts by name), `counts`
(numbers by name) and `errors` (errno by question); a device that is gone has errors alone.
"""

import array
import fcntl
import json
import os
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
GDRVINFO, GSTRINGS, GSTATS = 0x03, 0x1B, 0x1D
STATISTICS = 1
"""ETH_SS_STATS: the set of strings that name the numbers."""
INFO = struct.Struct("=I32s32s32s32s32s12sIIIII")
"""struct ethtool_drvinfo: command, driver, version, firmware, bus, expansion ROM, reserved, five counts."""
NAMES = ("driver", "version", "firmware_version", "bus_info", "expansion_rom_version")
COUNT = 8
"""Which field of it says how many numbers there are."""
NAME, NUMBER = 32, 8
"""Bytes."""
MOST = 1 << 16
"""Numbers of one device."""
ROOM = 1024
"""Numbers that a device may have more when it is asked again: the kernel writes all that there are, whatever
room was said to be."""
EFBIG, EAGAIN = 27, 11


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    for line in sys.stdin.buffer:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
            answer = {device: told(held, device) for device in json.loads(line)}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def told(held: socket.socket, device: str) -> dict[str, dict[str, object]]:
    """What one device answers."""
    info: dict[str, object] = {}
    found: dict[str, object] = {}
    errors: dict[str, object] = {}
    count = 0
    try:
        fields = INFO.unpack(asked(held, device, INFO.pack(GDRVINFO, *[b""] * 6, 0, 0, 0, 0, 0)))
        info = {name: text(raw) for name, raw in zip(NAMES, fields[1:], strict=False)}
        count = fields[COUNT]
    except OSError as error:
        errors["info"] = error.errno
    try:
        found = counts(held, device, count) if count else {}
    except OSError as error:
        errors["counts"] = error.errno
    return {"info": info, "counts": found, "errors": errors}


def counts(held: socket.socket, device: str, count: int) -> dict[str, object]:
    """The numbers of a device by their names."""
    if count > MOST:
        raise OSError(EFBIG, "too many")
    room = 2 * count + ROOM
    raw = asked(held, device, struct.pack("=III", GSTRINGS, STATISTICS, count) + bytes(NAME * room))
    names = [text(raw[start : start + NAME]) for start in range(12, 12 + NAME * count, NAME)]
    numbers = asked(held, device, struct.pack("=II", GSTATS, count) + bytes(NUMBER * room))
    if {count} != {*struct.unpack_from("=I", raw, 8), *struct.unpack_from("=I", numbers, 4)}:
        raise OSError(EAGAIN, "the device changes")
    return dict(zip(names, struct.unpack_from(f"={count}Q", numbers, 8), strict=True))


def asked(held: socket.socket, device: str, question: bytes) -> bytes:
    """What the kernel writes over a question.  Raises OSError."""
    memory = array.array("B", question)
    address, _ = memory.buffer_info()
    request = struct.pack("16sP", device.encode()[:15], address).ljust(40, b"\0")
    fcntl.ioctl(held, SIOCETHTOOL, request)
    return memory.tobytes()


def text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")


if __name__ == "__main__":
    main()
