"""Hostile text for names: markup, scripts, templates, entities, writing directions, controls, length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

MARKUP = (
    *("<script>{}</script>", "<img src=x onerror={}>", "<svg/onload={}>", "<svg><script>{}</script></svg>"),
    *(
        '"><script>{}</script>',
        "'><img src=x onerror={}>",
        '" onmouseover={} x="',
        "' autofocus onfocus={} x='",
    ),
    *(
        "</title><script>{}</script>",
        "</h3></article><script>{}</script>",
        "<iframe srcdoc='<script>{}</script>'>",
    ),
    *(
        "<body onload={}>",
        "<details open ontoggle={}>",
        "<a href=javascript:{}>x</a>",
        "javascript:{}",
        "<x onclick={}>",
    ),
    *(
        "<math><mtext><script>{}</script>",
        "<!--<img src=--><img src=x onerror={}//>",
        "<style>@import'//evil.example'</style>{}",
    ),
    *(
        "<base href=//evil.example>{}",
        "<meta http-equiv=refresh content=0;url=//evil.example>{}",
        "<link rel=stylesheet href=//evil.example>{}",
    ),
    *(
        "{{constructor.constructor('{}')()}}",
        "${{{}}}",
        "{{{{{}}}}}",
        "{{@html '<script>{}</script>'}}",
        "<%= {} %>",
        "#{{{}}}",
    ),
    *(
        "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;script>{}&#60;/script>",
        "&amp;lt;{}",
        "<scr\0ipt>{}</scr\0ipt>",
        "\\u003cscript>{}",
    ),
)
CALLS = "alert(1)", "window.ran=1", "window.ran=`1`", "fetch('//evil.example')", "document.body.remove()"
LABELS = (
    "{{device}}",
    "{{ job }}",
    "{{__proto__}}",
    "{{constructor}}",
    "$__rate_interval",
    "${job}",
    "$&",
    "$1",
    "$`",
)
WRITING = (
    *(
        "user\u202egnp.exe",
        "\u202dabc\u202c",
        "\u2066a\u2069b",
        "a\u200fb\u200e",
        "\u061cx",
        "abc\u202eedoc\u2066",
    ),
    *(
        "a\u0301\u0301\u0301\u0301",
        "\u200b\u200d\ufeffx",
        "\U0001f469\u200d\U0001f680",
        "\uff1cscript\uff1e",
        "\u2028x\u2029",
    ),
)
CONTROLS = tuple(f"a{chr(code)}b" for code in (*range(32), *range(127, 160)) if code != 10)
LONG = (
    "x" * 20_000,
    "<b>" * 3000,
    "\u0431" * 5000,
    "\U0001f600" * 2000,
    "a\u0300" * 4000,
    "W" * 300 + " " + "i" * 300,
)

MOUNTS = b"a\nb", b"a\tb c", b"a\\b\\012", b"\xed\xa0\x80\xed\xb0\x80", b"\xff\xfe", b"\xe2\x80"
"""Names of folders beside those that are text: what ends a line or a field, and halves of characters."""

# The rule of web/src/data/legend.ts.
DECEITFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def hostile_names(count: int, seed: int) -> list[str]:
    """So many, all different; the first are of all kinds."""
    calls = (text.replace("{}", call) for call in CALLS for text in MARKUP)
    found = list(dict.fromkeys([*LONG, *WRITING, *LABELS, *CONTROLS, *calls]))
    random = Random(seed)
    random.shuffle(found)
    while len(found) < count:
        found = list(dict.fromkeys([*found, random.choice(found) + random.choice(found)[:200]]))
    return found[:count]


def mount_points(names: Sequence[str]) -> list[bytes]:
    """Where something may be mounted: bytes but NUL, of a length that a label of a page has."""
    named = [name.encode() for name in names if "\0" not in name and len(name) < 300]
    return [b"/" + name for name in (*MOUNTS, *named)]


def mount(point: bytes) -> bytes:
    """Its line in the table of mounts (proc(5)), in which the kernel writes some bytes in octal."""
    written = re.sub(rb"[ \t\n\\]", lambda found: b"\\%03o" % ord(found[0]), point)
    return b"/dev/hostile %s ext4 rw 0 0\n" % written


def shown(text: str) -> str:
    """A label's value as the page writes it."""
    return DECEITFUL.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def legend(template: str, labels: dict[str, str]) -> str:
    return shown(PLACE.sub(lambda place: labels.get(place[1], ""), template))


def quoted(text: str) -> str:
    """As YAML has it between double quotes."""
    return (
        '"'
        + "".join(
            c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text
        )
        + '"'
    )
