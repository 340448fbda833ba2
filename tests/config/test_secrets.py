"""Secrets that stand in files of their own, as systemd hands them over."""

import os
from pathlib import Path

import pytest

from monitor.config import ConfigError, Loaded, load
from monitor.config.facts import facts

HASH = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$7nYFpVpPmQ5kqLJDKpLwQB6dCRY1Y3v8i2k0zYqM0mM"
USERS = "access:\n  users:\n    - {{name: alice, password: '{password}'}}\n"


def loaded(folder: Path, password: str) -> Loaded:
    path = folder / "config.yaml"
    path.write_text(USERS.format(password=password))
    return load(path, {}, {})


def secret(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "alice"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o640])
def test_a_password_is_taken_from_a_file(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, HASH.encode() + b"\n", mode)
    for password in (f"file:{path}", "file:alice"):
        found = loaded(tmp_path, password)
        assert found.settings.access.users[0].password == HASH
        assert path in found.files


def test_a_variable_may_name_the_file_too(tmp_path: Path) -> None:
    path = secret(tmp_path, HASH.encode())
    users = f"[{{name: alice, password: 'file:{path}'}}]"
    assert load(None, {"MONITOR_ACCESS__USERS": users}, {}).settings.access.users[0].password == HASH


def test_another_content_is_another_configuration(tmp_path: Path) -> None:
    secret(tmp_path, HASH.encode())
    before = facts(loaded(tmp_path, "file:alice").settings)
    secret(tmp_path, HASH.replace("bm9", "cm9").encode())
    assert facts(loaded(tmp_path, "file:alice").settings) != before


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"hunter2", 0o600, "found a value that is not shown, expected an argon2id hash"),
        (b"\n", 0o600, "has none or more than 4096 bytes"),
        (b"x" * 5000, 0o600, "has none or more than 4096 bytes"),
        (b"\xff\xfe", 0o600, "cannot be read (it is not text in UTF-8)"),
        (HASH.encode(), 0o644, "is open to everybody: run chmod o= on it"),
    ],
)
def test_a_file_that_will_not_do_is_said_with_the_place_that_names_it(
    tmp_path: Path, content: bytes, mode: int, said: str
) -> None:
    secret(tmp_path, content, mode)
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "file:alice")
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"{tmp_path}/config.yaml:3:31: access.users[0].password: ")
    assert said in problem.text
    assert "hunter2" not in str(problem)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in {"pipe": "is no file of its own", "nothing": "No such file", ".": "is no file"}.items():
        with pytest.raises(ConfigError, match=said):
            loaded(tmp_path, f"file:{name}")


def test_a_name_that_begins_so_is_a_name(tmp_path: Path) -> None:
    text = f"access: {{users: [{{name: 'file:alice', password: '{HASH}'}}]}}"
    (tmp_path / "config.yaml").write_text(text)
    assert load(tmp_path / "config.yaml", {}, {}).settings.access.users[0].name == "file:alice"
