"""Each moment is given by the resolution that is preferred, and by no other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Times
from monitor.storage.plan import Plan, preference
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, Tier

QUARTERS = st.integers(0, 16).map(lambda quarter: quarter * MINUTE // 4)
TIMES = st.lists(QUARTERS, max_size=12).map(lambda times: np.array(sorted(set(times)), np.int64))


def test_the_coarsest_that_fits_comes_first_then_finer_then_coarser() -> None:
    assert preference(0) == [RAW, MINUTES, HOURS]
    assert preference(MINUTE) == [MINUTES, RAW, HOURS]
    assert preference(5 * MINUTE) == [MINUTES, RAW, HOURS]
    assert preference(HOUR) == [HOURS, MINUTES, RAW]


def stands_for(tier: Tier, time: int) -> set[int]:
    """The quarters of a minute before which a row ends, of those that it stands for."""
    quarter = MINUTE // 4
    return {time} if tier is RAW else {-(-time // MINUTE) * MINUTE - each * quarter for each in range(4)}


@settings(max_examples=300)
@given(raw=TIMES, minutes=TIMES, ends=st.tuples(QUARTERS, QUARTERS), grain=st.sampled_from([0, MINUTE]))
def test_rows_lie_in_the_range_and_overlap_no_others(
    raw: Times,
    minutes: Times,
    ends: tuple[int, int],
    grain: int,
) -> None:
    start, end = min(ends) + 1, max(ends)
    plan, given_times = Plan(start, end), {RAW: raw, MINUTES: minutes}
    taken: set[int] = set()
    for tier in preference(grain)[:2]:
        found = plan.take(tier, given_times[tier])
        given_rows = {time: stands_for(tier, time) for time in given_times[tier].tolist()}
        right = {
            time: spans
            for time, spans in given_rows.items()
            if not spans & taken and all(start <= span <= end for span in spans)
        }
        assert (found.times.tolist() if found else []) == sorted(right)
        taken = taken.union(*right.values())
        plan.next_tier()
    quarters = set(range(start - 1 + MINUTE // 4, end + 1, MINUTE // 4))
    whole = [stands_for(MINUTES, time) for time in range(0, 6 * MINUTE, MINUTE)]
    asked = [spans for spans in whole if min(spans) - MINUTE // 4 >= start - 1 and max(spans) <= end]
    assert plan.open_to(MINUTES) == any(not spans & taken for spans in asked)
    if not taken.intersection(raw.tolist()):
        assert plan.covers(0, 4 * MINUTE) == (quarters <= taken)


def test_what_is_given_is_covered_as_far_as_it_is_asked_for() -> None:
    plan = Plan(MINUTE + 1, 4 * MINUTE)
    plan.take(MINUTES, np.array([2, 3], np.int64) * MINUTE)
    plan.next_tier()
    assert plan.covers(0, 3 * MINUTE)
    assert plan.covers(MINUTE + 1, 2 * MINUTE - 1)
    assert plan.covers(5 * MINUTE, 6 * MINUTE)
    assert not plan.covers(0, 4 * MINUTE)
    assert not plan.covers(3 * MINUTE, 4 * MINUTE)


def test_a_gap_is_not_covered_by_what_lies_beyond_the_borders() -> None:
    plan = Plan(1, HOURS.slot)
    plan.take(HOURS, np.array([1, 3], np.int64) * HOUR)
    plan.next_tier()
    # Half of an hour on either side is given, and the hour between them is not.
    assert not plan.covers(HOUR // 2, 5 * HOUR // 2)
    assert plan.covers(HOUR // 2, HOUR)
