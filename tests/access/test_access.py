"""Who may in, for how long, and what ends it."""

from __future__ import annotations

import socket
import stat
from typing import Any

import pytest

from monitor.access import Access, AccessError, Credential, Folder, Permission, Role, User, reachable, tokens
from monitor.access.access import command_code, link_code
from monitor.access.roles import GRANTED

from .conftest import ALICE, BOB, Clocks, opened

HOUR, DAY = 3600.0, 86400.0


def who(access: Access, secret: str) -> Credential:
    found = access.session(secret)
    assert found is not None
    return found


def test_each_role_may_what_those_before_it_may() -> None:
    viewer, operator, admin = (GRANTED[role] for role in Role)
    assert viewer < operator <= admin == set(Permission)
    assert Permission.VIEWERS not in viewer


def test_nobody_is_let_in_by_itself(access: Access) -> None:
    assert access.nobody is None
    assert access.session("") is None
    assert access.bearer("") is None
    assert access.bearer("mon_") is None
    assert access.bearer("cmd_") is None


def test_whoever_shows_nothing_may_what_the_owner_allows(folder: Folder, clocks: Clocks) -> None:
    nobody = opened(folder, clocks, nobody=Role.VIEWER).nobody
    assert nobody is not None
    assert (nobody.name, nobody.may) == ("", GRANTED[Role.VIEWER])


def test_a_user_has_a_session_with_the_role_of_the_config(access: Access) -> None:
    found = who(access, access.begin(BOB))
    assert (found.name, found.role, found.may) == ("bob", Role.OPERATOR, GRANTED[Role.OPERATOR])


def test_a_key_of_a_credential_is_of_no_use_to_who_reads_it(access: Access) -> None:
    secret = access.begin(BOB)
    key = who(access, secret).key
    assert secret not in key
    assert access.session(key) is None
    assert secret not in repr(who(access, secret))
    assert "hash of bob" not in repr(BOB)


def test_a_session_ends_after_twelve_idle_hours(access: Access, clocks: Clocks) -> None:
    secret = access.begin(ALICE)
    clocks.go(12 * HOUR)
    assert access.session(secret)
    clocks.go(12 * HOUR + 1)
    assert access.session(secret) is None


def test_an_open_page_is_a_use_of_its_session(access: Access, clocks: Clocks) -> None:
    secret = access.begin(ALICE)
    used = {who(access, secret).key}
    for _ in range(20):
        clocks.go(2 * HOUR)
        assert not access.sweep(used)
    assert access.session(secret)


def test_a_session_ends_after_a_week_however_much_it_is_used(access: Access, clocks: Clocks) -> None:
    secret = access.begin(ALICE)
    key = who(access, secret).key
    for _ in range(14):
        clocks.go(12 * HOUR)
        assert access.session(secret)
        assert not access.sweep(set())
    clocks.go(1)
    assert access.session(secret) is None
    assert access.sweep({key}) == {key}


def test_a_jump_of_the_wall_clock_ends_no_session(access: Access, clocks: Clocks) -> None:
    secret = access.begin(ALICE)
    for jump in (3650 * DAY, -7300 * DAY):
        clocks.wall += jump
        assert not access.sweep(set())
        assert access.session(secret)


def test_logging_out_ends_the_session(access: Access) -> None:
    secret, other = access.begin(ALICE), access.begin(ALICE)
    key = who(access, secret).key
    access.sweep(set())
    access.end(secret)
    assert access.session(secret) is None
    assert access.session(other)
    assert access.sweep(set()) == {key}


def test_an_end_is_told_for_a_few_seconds_and_no_longer(access: Access, clocks: Clocks) -> None:
    secret = access.begin(ALICE)
    key = who(access, secret).key
    access.sweep(set())
    access.end(secret)
    told = []
    for _ in range(8):
        told.append(key in access.sweep(set()))
        clocks.go(1)
    assert told == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    "changed",
    [
        User("alice", "another hash", Role.VIEWER),
        User("alice", "hash of alice", Role.ADMIN),
        User("carol", "hash of alice", Role.VIEWER),
    ],
)
def test_another_password_or_role_ends_the_sessions_of_that_user(access: Access, changed: User) -> None:
    alice, bob = access.begin(ALICE), access.begin(BOB)
    key = who(access, alice).key
    access.sweep(set())
    access.change([changed, BOB], None)
    assert access.session(alice) is None
    assert access.session(bob)
    assert access.sweep(set()) == {key}


def test_a_user_who_changes_while_the_password_is_compared_is_not_let_in(access: Access) -> None:
    access.change([BOB], None)
    assert access.session(access.begin(ALICE)) is None


def test_what_the_owner_allows_to_everybody_ends_when_it_is_taken_back(
    folder: Folder, clocks: Clocks
) -> None:
    access = opened(folder, clocks, nobody=Role.VIEWER)
    assert access.nobody
    key = access.nobody.key
    assert not access.sweep({key})
    access.change([], None)
    assert access.sweep({key}) == {key}


def test_sessions_outlive_a_restart(folder: Folder, clocks: Clocks) -> None:
    before = opened(folder, clocks)
    secret = before.begin(ALICE)
    key = who(before, secret).key
    clocks.wall += 11 * HOUR
    clocks.steady = 0
    after = opened(folder, clocks)
    assert who(after, secret).key == key
    assert after.cookie == before.cookie
    after.save()
    clocks.wall += 11 * HOUR
    assert opened(folder, clocks).session(secret)
    clocks.wall += 2 * HOUR
    assert opened(folder, clocks).session(secret) is None


def test_no_secret_is_on_the_disk(folder: Folder, clocks: Clocks) -> None:
    access = opened(folder, clocks)
    shown = [access.begin(ALICE), tokens.create(folder, "grafana", Role.VIEWER, (), 0, None)]
    for path in folder.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not [secret for secret in shown if secret in path.read_text()]
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_damaged_sessions_are_no_sessions(folder: Folder, clocks: Clocks, expect_log: Any) -> None:
    for text in ("", "[]", '{"version": 7}', '{"version": 1, "sessions": [[1]], "used": []}'):
        folder.write("sessions.json", text)
        expect_log("sessions.json is damaged .*: everybody has to log in again")
        assert len(opened(folder, clocks).sessions) == 0


def test_the_longest_idle_of_very_many_sessions_makes_room(access: Access, clocks: Clocks) -> None:
    first = access.sessions.begin("alice", ALICE.stamp)
    clocks.go(1)
    others = [access.sessions.begin("alice", ALICE.stamp) for _ in range(1000)]
    assert access.session(first) is None
    assert all(map(access.session, others))


def test_a_link_logs_in_once(access: Access, folder: Folder, clocks: Clocks) -> None:
    code = link_code(folder, clocks.wall)
    secret = access.enter(code)
    assert secret
    found = who(access, secret)
    assert (found.name, found.role) == ("local", Role.ADMIN)
    assert access.enter(code) is None


def test_a_link_that_was_used_stays_used_after_a_restart(
    access: Access, folder: Folder, clocks: Clocks
) -> None:
    code = link_code(folder, clocks.wall)
    assert access.enter(code)
    assert opened(folder, clocks).enter(code) is None


def test_a_link_is_good_for_ten_minutes(access: Access, folder: Folder, clocks: Clocks) -> None:
    code = link_code(folder, clocks.wall)
    clocks.go(600)
    assert access.enter(code) is None


def test_links_are_void_with_another_key_and_so_are_their_sessions(folder: Folder, clocks: Clocks) -> None:
    access = opened(folder, clocks)
    secret, code = access.enter(link_code(folder, clocks.wall)), link_code(folder, clocks.wall)
    (folder.path / "key").unlink()
    after = opened(folder, clocks)
    assert secret
    assert after.session(secret) is None
    assert after.enter(code) is None


def test_a_command_shows_a_code_that_is_good_for_half_a_minute(
    access: Access, folder: Folder, clocks: Clocks
) -> None:
    shown = command_code(folder, clocks.wall)
    for _ in range(2):
        found = access.bearer(shown)
        assert found
        assert (found.name, found.role) == ("local", Role.ADMIN)
    assert access.enter(shown.removeprefix("cmd_")) is None
    clocks.go(30)
    assert access.bearer(shown) is None


def test_the_key_itself_opens_nothing(access: Access, folder: Folder) -> None:
    key = folder.read("key")
    assert key
    assert access.bearer(key) is None
    assert access.session(key) is None
    assert access.enter(key) is None


def test_a_token_is_good_until_it_expires(access: Access, folder: Folder, clocks: Clocks) -> None:
    now = int(clocks.wall)
    shown = tokens.create(folder, "grafana", Role.OPERATOR, (), now, now + 60)
    assert access.bearer(shown) is None
    access.sweep(set())
    found = access.bearer(shown)
    assert found
    assert (found.name, found.role, found.may) == ("grafana", Role.OPERATOR, GRANTED[Role.OPERATOR])
    clocks.go(60)
    assert access.bearer(shown) is None
    assert access.sweep({found.key}) == {found.key}


def test_a_token_may_be_narrower_than_its_role(access: Access, folder: Folder) -> None:
    shown = tokens.create(folder, "scraper", Role.ADMIN, [Permission.METRICS], 0, None)
    access.sweep(set())
    found = access.bearer(shown)
    assert found
    assert found.may == {Permission.NOTHING, Permission.METRICS}


def test_a_token_gets_nothing_that_its_role_has_not(access: Access, folder: Folder) -> None:
    shown = tokens.create(folder, "odd", Role.VIEWER, [Permission.VIEWERS], 0, None)
    access.sweep(set())
    found = access.bearer(shown)
    assert found
    assert found.may == {Permission.NOTHING}


def test_a_revoked_token_ends_with_the_next_sweep(access: Access, folder: Folder) -> None:
    shown = tokens.create(folder, "grafana", Role.VIEWER, (), 0, None)
    access.sweep(set())
    found = access.bearer(shown)
    assert found
    tokens.revoke(folder, "grafana")
    assert access.sweep(set()) == {found.key}
    assert access.bearer(shown) is None


def test_damaged_tokens_leave_those_that_were_read_and_are_said_once(
    access: Access, folder: Folder, expect_log: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shown = tokens.create(folder, "grafana", Role.VIEWER, (), 0, None)
    access.sweep(set())
    folder.write("tokens.json", '{"version": 9}')
    expect_log(r"the tokens stay as they were: .*tokens.json is damaged \(version 9\); remove it")
    for _ in range(3):
        access.sweep(set())
    assert access.bearer(shown)
    assert len(caplog.records) == 1


def test_a_start_with_damaged_tokens_is_refused(folder: Folder, clocks: Clocks) -> None:
    folder.write("tokens.json", "{}")
    with pytest.raises(AccessError, match="remove it, and make the tokens anew"):
        opened(folder, clocks)


def test_secrets_that_others_can_read_are_refused(folder: Folder, clocks: Clocks) -> None:
    opened(folder, clocks)
    (folder.path / "key").chmod(0o640)
    with pytest.raises(AccessError, match="can be read by others: run chmod 600 on it"):
        opened(folder, clocks)


def test_a_token_s_name_is_its_own(folder: Folder) -> None:
    tokens.create(folder, "grafana", Role.VIEWER, (), 0, None)
    with pytest.raises(AccessError, match="there is a token 'grafana' already"):
        tokens.create(folder, "grafana", Role.ADMIN, (), 0, None)
    with pytest.raises(AccessError, match="there is no token 'other'"):
        tokens.revoke(folder, "other")


def test_a_command_before_the_first_start_says_so(folder: Folder) -> None:
    missing = Folder(folder.path / "nothing")
    with pytest.raises(AccessError, match="which the service makes when it first starts"):
        link_code(missing, 0)


def test_a_disk_that_fails_ends_no_log_in(
    access: Access, folder: Folder, expect_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    expect_log("a restart will ask everybody to log in again: cannot use .*: No space left on device")
    secret = access.begin(ALICE)
    assert access.session(secret)
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("listening", "page"),
    [
        ("https://0.0.0.0:8844/m/", f"https://{socket.gethostname()}:8844/m/"),
        ("http://[::]:80/", f"http://{socket.gethostname()}:80/"),
        ("http://127.0.0.1:8844/", "http://127.0.0.1:8844/"),
        ("http://[::1]:8844/", "http://[::1]:8844/"),
    ],
)
def test_an_address_that_is_told_to_people_leads_somewhere(listening: str, page: str) -> None:
    assert reachable(listening) == page
