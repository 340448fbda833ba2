"""The short form of `python -m tests.faults --only reload`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.__main__ import with_section
from tests.faults.mutations import GOOD, KINDS, mutated
from tests.faults.reload import Outcome, campaign, holes, told
from tests.faults.row import Row, table


@pytest.mark.parametrize(("files", "workers"), [(6, "1"), (3, "2")])
@pytest.mark.gen_test(timeout=150)
async def test_no_file_however_wrong_costs_a_viewer_a_column(
    tmp_path: Path, files: int, workers: str
) -> None:
    settings = {"COLLECT__INTERVAL": "500ms", "SERVER__WORKERS": workers}
    found = await campaign(tmp_path, files, seed=7, viewers=50, **settings)
    assert holes(found) == []
    assert (found.connections, found.missed) == (50, 0)
    assert found.compared.columns > 50 * files
    assert found.descriptors <= 0


def test_a_seed_gives_the_same_file_again_and_most_are_wrong() -> None:
    drawn = [mutated(seed) for seed in range(200)]
    assert drawn == [mutated(seed) for seed in range(200)]
    assert len(set(drawn)) > 150
    assert len(KINDS) == 11
    assert drawn.count(GOOD.encode()) < 5


def test_what_was_not_as_promised_stands_out() -> None:
    rows = list(told(Outcome(connections=51, wrong=["file 3"]), viewers=50))
    assert [row.what for row in rows if not row.held] == [
        "not taken or refused as it should have been",
        "viewers, and connections that they needed",
    ]
    assert table([Row("a", 1000), Row("b", 2, held=False)]).splitlines()[2:] == [
        "| a | 1,000 | yes |",
        "| b | 2 | **no** |",
    ]


def test_a_campaign_writes_its_own_section_and_no_other() -> None:
    document = "# Faults\n\nText.\n\n## A\nold\n\n## B\nkept\n"
    assert with_section(document, "A", "new\n") == "# Faults\n\nText.\n\n## A\nnew\n\n## B\nkept\n"
    assert with_section(document, "C", "new").endswith("## B\nkept\n\n## C\nnew\n")
