"""Run the fault campaigns: `make faults`, or `python -m tests.faults --only reload --share 0.1`.

The tables go to stdout, and into docs/faults.md where a campaign was run whole; what goes on goes to stderr.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.faults import (
    clock,
    collect,
    corrupted,
    descriptors,
    display,
    full,
    hooks,
    killed,
    memory,
    mounts,
    pages,
    reload,
    seams,
    stalls,
    starved,
    web,
)
from tests.faults.options import Options, progress
from tests.faults.row import Row, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


class Campaign(NamedTuple):
    title: str
    rows: Callable[[Options], Iterator[Row]]


CAMPAIGNS: Mapping[str, Campaign] = {
    "killed": Campaign(killed.TITLE, killed.rows),
    "corrupted": Campaign(corrupted.TITLE, corrupted.rows),
    "full": Campaign(full.TITLE, full.rows),
    "clock": Campaign(clock.TITLE, clock.rows),
    "seams": Campaign(seams.TITLE, seams.rows),
    "mounts": Campaign(mounts.TITLE, mounts.rows),
    "collect": Campaign(collect.TITLE, collect.rows),
    "pages": Campaign(pages.TITLE, pages.rows),
    "reload": Campaign(reload.TITLE, reload.rows),
    "hooks": Campaign(hooks.TITLE, hooks.rows),
    "stalls": Campaign(stalls.TITLE, stalls.rows),
    "descriptors": Campaign(descriptors.TITLE, descriptors.rows),
    "memory": Campaign(memory.TITLE, memory.rows),
    "starved": Campaign(starved.TITLE, starved.rows),
    "web": Campaign(web.TITLE, web.rows),
    "display": Campaign(display.TITLE, display.rows),
}
"""By name.  One more is a module with a TITLE and `rows`, and its line here."""


def main() -> int:
    """0 where everything was as promised."""
    chosen = parser().parse_args()
    options = Options(chosen.share, chosen.seed)
    held = True
    for name in chosen.only or CAMPAIGNS:
        progress(f"== {name}")
        began = time.monotonic()
        rows = list(CAMPAIGNS[name].rows(options))
        held = held and all(row.held for row in rows)
        text = f"{told(time.monotonic() - began)}\n\n{table(rows)}"
        sys.stdout.write(f"## {CAMPAIGNS[name].title}\n{text}\n")
        if options.share >= 1:
            DOCUMENT.write_text(with_section(DOCUMENT.read_text(), CAMPAIGNS[name].title, text))
    return int(not held)


def told(seconds: float) -> str:
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, {seconds:.0f} s, {platform.system()} {platform.release()}, {platform.machine()}."


def with_section(document: str, title: str, text: str) -> str:
    """A document whose section of this title has this text; a new one stands last."""
    head, *sections = document.split("\n## ")
    kept = {section.partition("\n")[0]: section.partition("\n")[2].strip("\n") for section in sections}
    kept[title] = text.strip("\n")
    return "\n## ".join([head.rstrip("\n") + "\n", *(f"{name}\n{body}\n" for name, body in kept.items())])


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    whole.add_argument("--only", action="append", choices=CAMPAIGNS, help="this one; may be given again")
    whole.add_argument("--share", type=float, default=1.0, help="of the planned counts (1)")
    whole.add_argument("--seed", type=int, default=1, help="of what is drawn (1)")
    return whole


if __name__ == "__main__":
    sys.exit(main())
