"""File systems that answer nothing: `python -m tests.faults.mute POINT...`, until its input ends.

The kernel's side of FUSE (linux/fuse.h; Documentation/filesystems/fuse.rst).  Only FUSE_INIT is answered.
Other requests are taken, and whoever made one waits uninterruptibly: not even SIGKILL ends that.
"""

from __future__ import annotations

import os
import selectors
import struct
import subprocess
import sys

IN_HEADER = struct.Struct("=IIQQIIII")
"""Length, opcode, unique, node, uid, gid, pid, padding."""
OUT_HEADER = struct.Struct("=IiQ")
INIT_OUT = struct.Struct("=IIIIHHI")
"""Major, minor, read-ahead, flags, background, congestion, largest write: the form up to version 7.22."""
INIT = 26
LARGEST = 1 << 17


def mounted(point: str) -> int:
    """The descriptor by which the kernel asks."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    command = ["mount", "-i", "-t", "fuse", "-o", options, "mute", point]
    subprocess.run(command, check=True, pass_fds=[device])
    return device


def take(device: int) -> None:
    """Read one request, and answer if it is the first."""
    request = os.read(device, LARGEST)
    _, opcode, unique, *_ = IN_HEADER.unpack_from(request)
    if opcode == INIT:
        body = INIT_OUT.pack(7, 19, 4096, 0, 16, 16, 4096)
        os.write(device, OUT_HEADER.pack(OUT_HEADER.size + len(body), 0, unique) + body)


def main(points: list[str]) -> None:
    devices = [mounted(point) for point in points]
    with selectors.DefaultSelector() as ready:
        for descriptor in [*devices, sys.stdin.fileno()]:
            ready.register(descriptor, selectors.EVENT_READ)
        sys.stdout.write("mounted\n")
        sys.stdout.flush()
        while True:
            for key, _ in ready.select():
                if key.fd == sys.stdin.fileno():
                    return
                take(key.fd)


if __name__ == "__main__":
    main(sys.argv[1:])
