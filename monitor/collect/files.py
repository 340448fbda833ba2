"""Reads small files of the kernel's, as a program of its own: a driver may ask its hardware first, and one
that is dead holds whoever asks.

Run by path under `python -I -S`, so it imports nothing of ours.  Each line in is a JSON object: `roots`, full
paths by their short names, and `wanted`, pairs of a folder (below a root, with wildcards) and names of files
in it (with wildcards; `name@` is where it really is, `name~` when a file was changed last, in Unix seconds).
Each line out is a JSON object: `folders`, the folders of each pair; `texts` and `errors` (errno) by path.
"""

import json
import os
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase

MOST = 20_000
"""Files of one answer; no host has as many, and a folder that somebody fills must not fill us."""
SIZE = 4 << 20
"""Bytes of one file."""
ROOM = 16 << 20
"""Bytes of all files of one answer."""
WILD = frozenset("*?[")
EFBIG, ENODATA = 27, 61


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    for line in sys.stdin.buffer:
        answer = json.dumps(answered(**json.loads(line))).encode()
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()


def answered(roots: dict[str, str], wanted: list[tuple[str, list[str]]]) -> dict[str, object]:
    """The object out for the object in."""
    folders: list[list[str]] = []
    texts: dict[str, str] = {}
    errors: dict[str, int] = {}
    held = 0
    for folder, names in wanted:
        root, _, below = folder.partition("/")
        folders.append([f"{root}/{found}".rstrip("/") for found in matching(roots[root], parts(below))])
        for path in (f"{found}/{name}" for found in folders[-1] for name in named(roots, found, names)):
            if len(texts) + len(errors) >= MOST or held > ROOM:
                errors[path] = EFBIG
                return {"folders": folders, "texts": texts, "errors": errors}
            try:
                texts[path] = read(full(roots, path))
                held += len(texts[path])
            except OSError as error:
                errors[path] = ENODATA if hidden(full(roots, path)) else error.errno or 0
    return {"folders": folders, "texts": texts, "errors": errors}


def parts(path: str) -> list[str]:
    """The names of a path; none for a root itself."""
    return path.split("/") if path else []


def full(roots: dict[str, str], path: str) -> str:
    """The path by which the kernel knows a short one."""
    root, _, below = path.partition("/")
    return f"{roots[root]}/{below}"


def matching(root: str, parts: list[str], found: str = "") -> Iterator[str]:
    """The folders below a root, in the order of their names, whose parts match."""
    if not parts:
        yield found.removesuffix("/")
    elif WILD.isdisjoint(parts[0]):
        path = f"{found}{parts[0]}"
        if os.path.isdir(f"{root}/{path}"):  # noqa: PTH112
            yield from matching(root, parts[1:], path + "/")
    else:
        for name in listed(f"{root}/{found}"):
            if fnmatchcase(name, parts[0]) and os.path.isdir(f"{root}/{found}{name}"):  # noqa: PTH112
                yield from matching(root, parts[1:], f"{found}{name}/")


def named(roots: dict[str, str], folder: str, names: list[str]) -> Iterator[str]:
    """The names of files wanted of a folder, those without wildcards whether they are there or not."""
    there = None
    for name in names:
        if WILD.isdisjoint(name):
            yield name
            continue
        there = listed(full(roots, folder)) if there is None else there
        end = name[-1] if name[-1] in "@~" else ""
        pattern = name.removesuffix(end) if end else name
        yield from (found + end for found in there if fnmatchcase(found, pattern))


def listed(folder: str) -> list[str]:
    """The names in a folder in their order; none where it is gone."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def read(path: str) -> str:
    """A file's text, where it really is, or when it was changed."""
    if path.endswith("@"):
        return os.path.realpath(path[:-1], strict=True)
    if path.endswith("~"):
        return repr(os.stat(path[:-1]).st_mtime)  # noqa: PTH116
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        data = bytearray()
        while piece := os.read(descriptor, 65536):
            data += piece
            if len(data) > SIZE:
                raise OSError(EFBIG, "too large")
        return data.decode(errors="replace")
    finally:
        os.close(descriptor)


def hidden(path: str) -> bool:
    """Whether a file is there to be written only: root gets EIO from it, as from a dead device."""
    try:
        return not os.stat(path).st_mode & 0o444  # noqa: PTH116
    except OSError:
        return False


if __name__ == "__main__":
    main()
