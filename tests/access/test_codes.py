"""Codes made with the key: for one purpose, for a short time, and nothing can be changed about them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.access import codes

CODE = codes.make("key", "link", 1000.0)


def test_a_code_is_good_until_its_time_is_over() -> None:
    assert codes.nonce("key", "link", CODE, 999.9) is not None
    assert codes.nonce("key", "link", CODE, 1000.0) is None


def test_a_code_is_good_for_its_key_and_purpose_alone() -> None:
    assert codes.nonce("other", "link", CODE, 0) is None
    assert codes.nonce("key", "command", CODE, 0) is None


def test_no_two_codes_are_the_same() -> None:
    again = codes.make("key", "link", 1000.0)
    assert codes.nonce("key", "link", again, 0) != codes.nonce("key", "link", CODE, 0)


def test_a_code_stands_in_an_address_as_it_is() -> None:
    assert len(CODE) == codes.LENGTH
    assert set(CODE) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("place", range(codes.LENGTH))
def test_a_changed_letter_makes_a_code_worthless(place: int) -> None:
    changed = CODE[:place] + ("A" if CODE[place] != "A" else "B") + CODE[place + 1 :]
    assert codes.nonce("key", "link", changed, 0) is None


@given(st.text() | st.text(min_size=codes.LENGTH, max_size=codes.LENGTH))
def test_what_is_no_code_is_refused_quietly(text: str) -> None:
    assert codes.nonce("key", "link", text, 0) is None
