"""Settings from file, environment and flags: the last word wins, and each value remembers who said it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.config import Address, ConfigError, Loaded, Place, Settings, load, state_directory

COLLECTORS = "MONITOR_COLLECT__COLLECTORS"
NOTHING: Mapping[str, str] = {}

HASH = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$7nYFpVpPmQ5kqLJDKpLwQB6dCRY1Y3v8i2k0zYqM0mM"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def loaded(
    folder: Path, text: str, environ: Mapping[str, str] = NOTHING, flags: Mapping[str, str] = NOTHING
) -> Loaded:
    return load(written(folder, text), environ, flags)


def test_without_a_file_every_setting_has_its_default() -> None:
    settings, sources, _ = load(None, {}, {})
    assert settings == Settings()
    assert set(sources.values()) == {Place("default")}
    assert settings.server.listen == Address("127.0.0.1", 8844)
    assert settings.boards[0].name == "overview"


def test_a_file_says_what_differs(tmp_path: Path) -> None:
    settings, sources, _ = loaded(tmp_path, "collect:\n  interval: 5s\nserver:\n  max_body: 2MiB\n")
    assert settings.collect.interval == 5.0
    assert settings.server.max_body == 2 << 20
    assert sources["collect.interval"] == Place(str(tmp_path / "config.yaml"), 2, 13)
    assert sources["collect.job"] == Place("default")


def test_the_environment_overrides_the_file_and_flags_override_both(tmp_path: Path) -> None:
    environ = {"MONITOR_COLLECT__INTERVAL": "5s", "MONITOR_COLLECT__JOB": "web", "PATH": "/bin"}
    flags = {"collect.interval": "2s"}
    settings, sources, _ = loaded(tmp_path, "collect: {interval: 10s, job: db, instance: a}", environ, flags)
    assert (settings.collect.interval, settings.collect.job, settings.collect.instance) == (2.0, "web", "a")
    assert str(sources["collect.interval"]) == "--set collect.interval"
    assert str(sources["collect.job"]) == "MONITOR_COLLECT__JOB"
    assert str(sources["collect.instance"]).endswith("config.yaml:1:45")


def test_text_from_the_environment_is_taken_as_it_stands() -> None:
    environ = {
        "MONITOR_SERVER__LISTEN": "[::1]:0",
        "MONITOR_COLLECT__INSTANCE": "17",
        f"{COLLECTORS}__NETDEV__DEVICES_EXCLUDE": "[a-z]+: *",
    }
    settings = load(None, environ, {}).settings
    assert settings.server.listen == Address("::1", 0)
    assert settings.collect.instance == "17"
    assert settings.collect.collectors.netdev.devices_exclude == "[a-z]+: *"


def test_numbers_switches_and_lists_from_the_environment_are_yaml() -> None:
    environ = {
        "MONITOR_SERVER__QUERY__SERIES": "7",
        "MONITOR_SERVER__WEBSOCKET__COMPRESSION": "false",
        "MONITOR_SERVER__ALLOWED_HOSTS": "[one.example, two.example]",
        "MONITOR_BOARDS": "[overview]",
    }
    settings, sources, _ = load(None, environ, {})
    assert settings.server.query.series == 7
    assert settings.server.websocket.compression is False
    assert settings.server.allowed_hosts == ("one.example", "two.example")
    assert str(sources["boards"]) == "MONITOR_BOARDS"


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("collect: {collectors: {pressure: false}}", {}),
        ("collect: {collectors: {pressure: {enabled: false}}}", {}),
        ("collect:", {f"{COLLECTORS}__PRESSURE": "false"}),
        (
            "collect: {collectors: {pressure: true}}",
            {"MONITOR_COLLECT__COLLECTORS__PRESSURE__ENABLED": "false"},
        ),
    ],
)
def test_a_collector_is_turned_off(tmp_path: Path, text: str, environ: Mapping[str, str]) -> None:
    collectors = loaded(tmp_path, text, environ).settings.collect.collectors
    assert not collectors.pressure.enabled
    assert collectors.cpu.enabled


def test_a_switch_written_short_knows_its_place(tmp_path: Path) -> None:
    sources = loaded(tmp_path, "collect: {collectors: {pressure: false, cpu: {}}}").sources
    assert str(sources["collect.collectors.pressure.enabled"]).endswith("config.yaml:1:34")
    assert sources["collect.collectors.cpu.enabled"] == Place("default")


def test_an_override_keeps_the_other_settings_of_a_switch(tmp_path: Path) -> None:
    text = "collect: {collectors: {vmstat: {fields: oom}, filesystem: false}}"
    environ = {
        "MONITOR_COLLECT__COLLECTORS__VMSTAT": "false",
        "MONITOR_COLLECT__COLLECTORS__FILESYSTEM__EVERY": "9s",
    }
    collectors = loaded(tmp_path, text, environ).settings.collect.collectors
    assert (collectors.vmstat.enabled, collectors.vmstat.fields) == (False, "oom")
    assert (collectors.filesystem.enabled, collectors.filesystem.every) == (False, 9.0)


def test_a_group_without_content_and_a_pair_of_braces_mean_the_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, "server:\n  # listen: 127.0.0.1:1\n").settings == Settings()
    assert loaded(tmp_path, "{}").settings == Settings()


def test_yaml_1_1_traps_are_text(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, "collect: {instance: no, job: 12:30:00}\nstorage: {path: ~/2026-01-01}"
    ).settings
    assert (settings.collect.instance, settings.collect.job) == ("no", "12:30:00")
    assert settings.storage.path == "~/2026-01-01"


def test_an_address_that_others_reach_is_taken_with_consent(tmp_path: Path) -> None:
    for consent in ("access: {anonymous: viewer}", "server: {trusted_proxies: [10.0.0.1]}"):
        settings = loaded(tmp_path, consent, {"MONITOR_SERVER__LISTEN": "[::]:80"}).settings
        assert str(settings.server.listen) == "[::]:80"


def test_users_of_an_address_that_others_reach_need_more_than_consent(tmp_path: Path) -> None:
    users = f"access: {{anonymous: viewer, users: [{{name: alice, password: '{HASH}'}}]}}"
    assert loaded(tmp_path, users).settings.access.users[0].name == "alice"
    with pytest.raises(ConfigError, match="what people log in with would cross the network in the clear"):
        loaded(tmp_path, users, {"MONITOR_SERVER__LISTEN": "[::]:80"})


def test_a_problem_of_an_override_is_not_sought_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "boards: [{name: a, title: A}]", {"MONITOR_BOARDS": "[{name: b}]"})
    assert str(caught.value) == "MONITOR_BOARDS: boards[0].title: is missing, expected a value"


def test_variables_that_a_container_platform_sets_are_left_alone() -> None:
    environ = {"MONITOR_PORT": "tcp://10.0.0.7:80", "MONITOR_SERVICE_HOST": "10.0.0.7"}
    assert load(None, environ, {}).settings == Settings()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MONITOR_SERVER__LISTN", "server.listn: unknown setting, did you mean listen?"),
        ("MONITOR_BOARDS__NAME", "boards.name: unknown setting"),
        ("MONITOR_LOG_LEVEL", "log.level: found single underscores, expected the name MONITOR_LOG__LEVEL"),
        ("MONITOR_LOG__LEVEL", 'log.level: found "x", expected one of debug, info, warning, error'),
    ],
)
def test_a_variable_that_is_wrong_is_named(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {name: "x"}, {})
    assert str(caught.value) == f"{name}: {said}"


def test_a_variable_that_is_not_yaml_names_itself() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"MONITOR_SERVER__ALLOWED_HOSTS": "[a"}, {})
    assert str(caught.value).startswith("MONITOR_SERVER__ALLOWED_HOSTS: server.allowed_hosts: not YAML: ")


def test_bytes_of_a_variable_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"collect\.instance: found bytes that are no UTF-8, expected text"):
        load(None, {"MONITOR_COLLECT__INSTANCE": os.fsdecode(b"caf\xe9")}, {})


def test_the_state_folder_is_the_configured_one_then_that_of_systemd_then_that_of_the_user() -> None:
    configured = load(None, {}, {"storage.path": "/srv/monitor"}).settings
    systemd = {"STATE_DIRECTORY": "/var/lib/monitor:/var/lib/other", "HOME": "/home/ada"}
    assert state_directory(configured, systemd) == Path("/srv/monitor")
    assert state_directory(Settings(), systemd) == Path("/var/lib/monitor")
    user = {"XDG_STATE_HOME": "/home/ada/state", "HOME": "/home/ada"}
    assert state_directory(Settings(), user) == Path("/home/ada/state/monitor")
    relative = {"XDG_STATE_HOME": "state", "HOME": "/home/ada"}
    assert state_directory(Settings(), relative) == Path("/home/ada/.local/state/monitor")


def test_where_systemd_says_the_state_folder_nobody_asks_for_the_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "home", lambda: pytest.fail("a user of DynamicUser= has no folder"))
    assert state_directory(Settings(), {"STATE_DIRECTORY": "/var/lib/monitor"}) == Path("/var/lib/monitor")


def test_a_tilde_in_the_storage_path_is_the_users_folder() -> None:
    settings = load(None, {"MONITOR_STORAGE__PATH": "~/samples"}, {}).settings
    assert state_directory(settings, {"HOME": "/home/ada"}) == Path("/home/ada/samples")
