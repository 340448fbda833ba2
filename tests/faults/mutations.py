"""Configurations gone wrong, drawn from a seed: typed, cut, doubled, damaged, or meant badly."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

GOOD = """\
server:
  allowed_hosts: [monitor.example]
  websocket:
    max_clients: 500
    backlog: 8MiB
    reconnect_spread: 3s
collect:
  collectors:
    pressure: false
    netdev: {devices_exclude: "^veth"}
boards:
  - overview
  - name: load
    title: Load
    panels:
      - title: Load
        queries:
          - query: node_load1
          - query: rate(node_context_switches_total[$__rate_interval])
log:
  level: warning
"""
"""No value of it, or that a mutation makes of it, changes what queries answer or cuts anybody by right."""
JUNK = (
    *(
        "many",
        "-1",
        "1e400",
        "0x10",
        "no",
        "~",
        "[]",
        "{}",
        "''",
        "!!python/object:os.system",
        "99999999999999999999",
    ),
    *(
        "1 week",
        "10",
        "\u202etxt",
        "a" * 5000,
        "*nowhere",
        "&anchor x",
        "'unfinished",
        "{a: {b: {c: d}}}",
        "2026-01-01",
    ),
)
LINES = (
    *(
        "server: {}",
        "sever: {listen: 1}",
        "  stray: 1",
        "\tlog: {}",
        "boards: [nowhere.yaml, overvieww]",
        "? [a]\n: b",
    ),
    *(
        "log: {level: loud, format: xml}",
        "collect: {collectors: {cpu: 3}}",
        "<<: *x",
        "---\nlog: {}",
        "%YAML 9.9",
    ),
)

Mutation = Callable[[Random, str], bytes]


def lines_of(random: Random, text: str) -> tuple[list[str], int]:
    lines = text.splitlines()
    return lines, random.randrange(len(lines))


def joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def leave_out(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    del lines[place]
    return joined(lines)


def double(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    return joined([*lines[:place], lines[place], *lines[place:]])


def swap(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    other = random.randrange(len(lines))
    lines[place], lines[other] = lines[other], lines[place]
    return joined(lines)


def indent(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    lines[place] = random.choice(["  ", "\t", " "]) + lines[place]
    return joined(lines)


def replace(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    key, colon, _ = lines[place].partition(": ")
    lines[place] = f"{key}{colon or ': '}{random.choice(JUNK)}"
    return joined(lines)


def mistype(random: Random, text: str) -> bytes:
    place = random.choice([place for place, char in enumerate(text) if char.isalpha()] or [0])
    return (text[:place] + random.choice("xyz_Q") + text[place + 1 :]).encode()


def add(random: Random, text: str) -> bytes:
    lines, place = lines_of(random, text)
    return joined([*lines[:place], random.choice(LINES), *lines[place:]])


def cut(random: Random, text: str) -> bytes:
    return text.encode()[: random.randrange(len(text))]


def damage(random: Random, text: str) -> bytes:
    data = bytearray(text.encode())
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def fill(random: Random, text: str) -> bytes:
    return random.choice(
        [
            b"",
            b"\x00" * 100,
            random.randbytes(2000),
            b"[" * 5000,
            b"a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" * 40,
            text.encode("utf-16"),
            (text * 50).encode(),
        ]
    )


KINDS: tuple[Mutation, ...] = (
    leave_out,
    double,
    swap,
    indent,
    replace,
    replace,
    mistype,
    add,
    cut,
    damage,
    fill,
)


def mutated(seed: int) -> bytes:
    """A file, the same for the same seed; now and then two things are wrong with it."""
    random = Random(seed)
    data = random.choice(KINDS)(random, GOOD)
    if random.random() < 0.3:
        text = data.decode(errors="replace")
        data = random.choice(KINDS)(random, text if text.strip("\0 \n") else GOOD)
    return data
