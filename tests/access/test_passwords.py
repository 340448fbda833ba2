"""Passwords: hashed slowly, compared in the same time whoever asks."""

import subprocess
import sys
import time

import pytest

from monitor.access import AccessError
from monitor.access.access import LOCAL
from monitor.access.passwords import NOBODY, hashed, matches
from monitor.config import access as settings
from monitor.config.access import is_hash

HASH = hashed("correct horse")


def test_a_password_matches_its_own_hash_alone() -> None:
    assert matches("correct horse", HASH)
    assert not matches("correct horsf", HASH)
    assert not matches("", HASH)


def test_hashes_of_the_same_password_differ_and_are_of_the_form_that_is_read() -> None:
    again = hashed("correct horse")
    assert again != HASH
    assert is_hash(again)
    assert again.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_letter_is_the_same_however_it_was_composed() -> None:
    assert matches("pass\u00e9word", hashed("passe\u0301word"))


def test_what_no_keyboard_writes_is_wrong_and_no_error() -> None:
    assert not matches("\ud800" * 9, HASH)


def test_nobody_has_a_password_and_it_takes_as_long_to_find_out() -> None:
    assert is_hash(NOBODY)

    def took(hash_: str) -> float:
        begun = time.process_time()
        assert not matches("wrong guess", hash_)
        return time.process_time() - begun

    known, unknown = (min(took(hash_) for _ in range(5)) for hash_ in (HASH, NOBODY))
    assert 0.5 < known / unknown < 2


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(AccessError, match=f"has {len(password)} characters, expected 8 to 1024"):
        hashed(password)


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "",
        HASH.replace("argon2id", "argon2i"),
        HASH.replace("m=19456", "m=1048576"),
        HASH.replace("t=2", "t=99"),
        HASH.replace("p=1", "p=0"),
        HASH.replace("m=19456", "m=7"),
        HASH + "\n",
        "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
    ],
)
def test_what_is_no_hash_of_ours_or_costs_too_much_is_refused(text: str) -> None:
    assert not is_hash(text)


def test_no_user_can_have_the_name_of_who_logs_in_with_a_link() -> None:
    assert settings.LOCAL == LOCAL


def test_argon2_is_loaded_when_it_is_needed() -> None:
    code = "import sys, monitor.access; print([name for name in sys.modules if 'argon2' in name])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
