"""Asks file systems how full they are, as a program of its own: a file system that is dead (a mount of a
server that is gone) holds whoever asks in the kernel, where no signal ends it.

Run by path under `python -I -S`, so it imports nothing of ours.  Each line in has paths in hexadecimal; each
line out has as many answers with semicolons between, each `size free avail files files_free` in bytes and in
files, or `error <errno>`.
"""

import os
import sys

ANSWER = b"%d %d %d %d %d"


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(b";".join(map(answer, paths(line))) + b"\n")
        sys.stdout.buffer.flush()


def paths(line: bytes) -> list[bytes]:
    """Those that a line asks for."""
    return [bytes.fromhex(each) for each in line.decode().split()]


def answer(path: bytes) -> bytes:
    """The answer for a path (statvfs(3): blocks are counted in f_frsize)."""
    try:
        found = os.statvfs(path)
    except OSError as error:
        return b"error %d" % (error.errno or 0)
    size = found.f_frsize
    return ANSWER % (
        found.f_blocks * size,
        found.f_bfree * size,
        found.f_bavail * size,
        found.f_files,
        found.f_ffree,
    )


if __name__ == "__main__":
    main()
