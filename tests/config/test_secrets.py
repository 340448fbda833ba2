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
    path.chmod(0o644)  # It holds no secret itself.
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
    (tmp_path / "config.yaml").chmod(0o600)
    assert load(tmp_path / "config.yaml", {}, {}).settings.access.users[0].name == "file:alice"


@pytest.mark.parametrize(("mode", "right"), [(0o600, True), (0o640, True), (0o644, False), (0o602, False)])
def test_a_configuration_with_secrets_in_it_is_closed_to_others(
    tmp_path: Path, mode: int, right: bool
) -> None:
    path = tmp_path / "config.yaml"
    users = f"    - {{name: alice, password: '{HASH}'}}\n    - {{name: bob, password: '{HASH}'}}\n"
    path.write_text(f"access:\n  users:\n{users}")
    path.chmod(mode)
    if right:
        assert len(load(path, {}, {}).settings.access.users) == 2
        return
    with pytest.raises(ConfigError) as caught:
        load(path, {}, {})
    (problem,) = caught.value.problems
    assert str(problem).startswith(
        f"{path}:3:31: access.users[0].password: is a secret in a file that is open"
    )
    assert f"(mode {mode:04o})" in problem.text
    assert f"run chmod o= {path}" in problem.text
    assert HASH not in str(problem)


def test_secrets_of_a_variable_leave_the_file_as_open_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("access: {anonymous: none}")
    path.chmod(0o644)
    users = f"[{{name: alice, password: '{HASH}'}}]"
    assert load(path, {"MONITOR_ACCESS__USERS": users}, {}).settings.access.users[0].name == "alice"


class TestCredential:
    """Of systemd, by its name."""

    def users(self, folder: Path, name: str, **environ: str) -> Loaded:
        path = folder / "config.yaml"
        path.write_text(USERS.format(password=f"credential:{name}"))
        return load(path, environ, {})

    def test_it_is_found_where_systemd_says(self, tmp_path: Path) -> None:
        handed = tmp_path / "credentials"
        handed.mkdir()
        secret(handed, HASH.encode(), 0o400)
        found = self.users(tmp_path, "alice", CREDENTIALS_DIRECTORY=str(handed))
        assert found.settings.access.users[0].password == HASH
        assert handed / "alice" in found.files

    def test_without_systemd_it_is_said_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="give the unit LoadCredential=alice:PATH, or write file:PATH"):
            self.users(tmp_path, "alice")

    @pytest.mark.parametrize("name", ["", "..", "../alice", "/etc/passwd"])
    def test_a_path_is_no_name(self, tmp_path: Path, name: str) -> None:
        secret(tmp_path, HASH.encode())
        with pytest.raises(ConfigError, match="expected a name as LoadCredential= gives it"):
            self.users(tmp_path, name, CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))

    def test_one_that_was_not_handed_over_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="credentials/alice cannot be read"):
            self.users(tmp_path, "alice", CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))
