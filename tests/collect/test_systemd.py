"""systemd over D-Bus: node_exporter sees the same; a bus that is silent, strange or gone harms nobody."""

import asyncio
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import COLLECTORS, Host
from monitor.collect.dbus import DEPTH, BusError, Call, Reader, connected, split
from monitor.collect.loop import Repeated
from monitor.collect.systemd import SOCKET, Systemd, Unit
from tests.collect.samples import collected, host, numbers
from tests.collect.systemd_bus import bus
from tests.collect.test_node_exporter import exporter, page

ASKS = {
    "org.freedesktop.DBus": Call(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames"
    )
}


def asked(folder: Path, **options: bool) -> dict[str, float]:
    found = numbers(collected(Systemd(**options), Host(rootfs=str(folder))))  # type: ignore[arg-type]
    return {" ".join([series.name, *(value for _, value in series.labels)]): v for series, v in found.items()}


def test_node_exporter_sees_the_same_of_systemd(tmp_path: Path) -> None:
    flags = [f"--collector.systemd.enable-{each}-metrics" for each in ("restarts", "task", "start-time")]
    exclude = r"--collector.systemd.unit-exclude=.+\.(automount|device|mount|scope|slice)"
    with bus(tmp_path) as path:
        places = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}
        others = COLLECTORS.keys() - {"systemd"}
        with exporter(*flags, exclude, without=others, environment=places) as address:
            theirs = page(address)
        made = collected(Systemd(restarts=True, tasks=True, start_times=True), Host(rootfs=str(tmp_path)))
    kinds = {
        series: metric.kind
        for block in made
        for metric, series in zip(block.layout.metrics, block.layout.series, strict=True)
    }
    ours = {series: value for series, value in numbers(made).items() if "virtualization" not in series.name}
    assert len(theirs) > 40
    shown = {
        series: type(series)(series.name, tuple(pair for pair in series.labels if pair[1])) for series in ours
    }
    assert {shown[series]: value for series, value in ours.items()} == {s: t.value for s, t in theirs.items()}
    assert {shown[series]: str(kinds[series]) for series in ours} == {s: t.kind for s, t in theirs.items()}


def test_units_are_left_out_by_their_whole_names(tmp_path: Path) -> None:
    with bus(tmp_path):
        source = Systemd(units_include=r"backup\..*", units_exclude=".*timer")
        found = numbers(collected(source, Host(rootfs=str(tmp_path))))
    states = {dict(series.labels)["name"] for series in found if series.name == "node_systemd_unit_state"}
    assert states == {"backup.service"}


def test_a_unit_that_fails_is_an_event_where_the_journal_does_not_tell(tmp_path: Path) -> None:
    def failed(machine: Host) -> list[str]:
        source = Systemd()
        for number, states in enumerate([("failed", "active"), ("failed", "failed"), ("failed", "failed")]):
            machine.fresh(1000 + number)
            source._note(
                [Unit(f"{name}.service", state, "/") for name, state in zip("ab", states, strict=True)],
                machine,
            )
        return [f"{event.time} {event.kind} {event.text}" for event in source.happened()]

    assert failed(Host(rootfs=str(tmp_path))) == ["1001000 failed b.service failed"]
    assert failed(host("rack")) == []  # It has a journal.


def test_a_host_without_a_bus_has_no_such_metrics(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asked(tmp_path)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("stranger", BusError, "a version expected of the manager; is systemd running"),
        ("rejects", PermissionError, "OK expected to AUTH EXTERNAL, found b'REJECTED"),
        ("garbage", ValueError, "at most 16777216 bytes expected"),
    ],
)
def test_a_bus_that_is_not_as_it_should_be_is_an_error(
    tmp_path: Path, fault: str, kind: type[Exception], said: str
) -> None:
    with bus(tmp_path, fault), pytest.raises(kind, match=said):
        asked(tmp_path)


def test_a_bus_that_is_silent_is_given_up_in_time_and_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        silent = Repeated("systemd", Systemd(timeout=0.2), Host(rootfs=str(tmp_path)), lambda: 0.0)
        silent.begin(0)
        assert not silent.measured(1)  # Nobody waits.
        assert silent._task
        await asyncio.wait([silent._task])
        assert not silent.measured(2)
        assert not silent.health.good
        await silent.close()

    with bus(tmp_path, "silent"):
        asyncio.run(test())
    assert caplog.messages == ["collector systemd: fails: TimeoutError: no answer in 0.2 s"]
    caplog.clear()


def test_the_real_bus_is_spoken_to(tmp_path: Path) -> None:
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.fail("dbus-daemon is missing: apt-get install dbus-daemon")
    path = Path(f"{tmp_path}{SOCKET}")
    path.parent.mkdir(parents=True)
    command = [program, "--session", "--nofork", "--print-address", f"--address=unix:path={path}"]

    async def names() -> list[str]:
        async with connected(str(path)) as held:
            answers = await held.ask([ASKS["org.freedesktop.DBus"]] * 100)
            found = [answer[0] for answer in answers if not isinstance(answer, BusError)]
        assert len(found) == 100
        return list(found[-1])

    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith(b"unix:path=")
            assert {"org.freedesktop.DBus", ":1.0"} <= set(asyncio.run(names()))
            with pytest.raises(BusError, match="is systemd running"):
                asked(tmp_path)
        finally:
            process.terminate()


def test_containers_are_read() -> None:
    body = b"\x02\0\0\0" + b"\x05\0\0\0" + b"\x06\0\0\0" + b"\x01u\0\0" + b"\x07\0\0\0"
    with pytest.raises(ValueError, match="an array that ends within the message"):
        Reader(b"\xff\0\0\0").values("au")
    assert Reader(b"\x08\0\0\0" + body[4:12] + b"\x01u\0\0\x07\0\0\0").values("auv") == [[5, 6], 7]


@pytest.mark.parametrize("signature", ["z", "a", "(s", "a{s", "", "a()"])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    variant = bytes([len(signature)]) + signature.encode() + b"\0" + bytes(16)
    with pytest.raises(ValueError, match="D-Bus: a"):
        Reader(variant).values("v")


def test_a_variant_in_itself_ends() -> None:
    with pytest.raises(ValueError, match=f"at most {DEPTH} containers"):
        Reader(b"\x01v\0" * 100).values("v")


@given(st.binary(max_size=60), st.sampled_from(["a(ssssssouso)", "v", "a{sv}", "aas", "a(yv)", "sg"]))
def test_any_bytes_are_read_or_refused(data: bytes, signature: str) -> None:
    with suppress(ValueError):
        assert len(Reader(data).values(signature)) == len(split(signature))
