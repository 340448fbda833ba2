"""Reads what programs were called with, as a program of its own: the arguments are in the memory of the
process, and to read from one that waits for a dead disk or mount may never end.

Run by path under `python -I -S`, so it imports nothing of ours.  Each line in is the path of a
/proc/<pid>/cmdline in hexadecimal; each line out is its beginning in hexadecimal, or `-` for none.
"""

import os
import sys

MOST = 4096


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(answer(bytes.fromhex(line.decode())) + b"\n")
        sys.stdout.buffer.flush()


def answer(path: bytes) -> bytes:
    """The line out for a path."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, MOST, 0).hex().encode() or b"-"
        finally:
            os.close(descriptor)
    except OSError:
        return b"-"


if __name__ == "__main__":
    main()
