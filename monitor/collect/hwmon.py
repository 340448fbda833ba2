"""Sensors: /sys/class/hwmon, temperatures of disks (drivetemp) among them.

Linux, Documentation/hwmon/sysfs-interface.rst: a file is <type><number>_<element>; voltages, temperatures and
currents are in thousandths, powers and energies in millionths.  A sensor may sit behind a slow bus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

CHIPS = "sys/class/hwmon/*"
NUMBERED = ("in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy", "humidity", "intrusion", "freq")
SINGLE = ("vrm", "beep_enable", "update_interval")
FILES = (*SINGLE, *(f"{kind}[0-9]*" for kind in NUMBERED))
FILE = re.compile(rf"({'|'.join(NUMBERED)})(\d+)(?:_(.+))?|({'|'.join(SINGLE)})")
INVALID = re.compile(r"[^a-z0-9:_]")
LABEL = Metric("node_hwmon_sensor_label", Kind.GAUGE, "Always 1; what a chip calls its sensor.")
CHIP = Metric("node_hwmon_chip_names", Kind.GAUGE, "Always 1; what a chip is called.")
INTERVALS = ("average_interval", "average_interval_min", "average_interval_max")
SPEEDS = ("input", "min", "max", "target")


class Chip(NamedTuple):
    path: str
    name: str
    sensors: dict[tuple[str, str], dict[str, str]]
    """Paths of files by element, by type and name of the sensor."""


class Hwmon(Devices):
    wanted = ((CHIPS, ("name", "device@", *FILES)), (f"{CHIPS}/device", FILES))

    def samples(self, tree: Tree) -> Samples:
        for chip in chips(tree):
            if name := tree.text(f"{chip.path}/name"):
                yield CHIP.at(chip=chip.name, chip_name=clean(name)), 1.0
            for (kind, sensor), files in chip.sensors.items():
                yield from sensed(tree, chip.name, kind, sensor, files)


def chips(tree: Tree) -> Iterator[Chip]:
    """The chips, each with its sensors; those of old drivers have their files in the folder of the device."""
    found = {path: Chip(path, chip_name(tree, path), {}) for _, path in tree.each(CHIPS)}
    for path in tree.texts:
        folder, _, file = path.rpartition("/")
        if (parts := FILE.fullmatch(file)) and (chip := found.get(folder.removesuffix("/device"))):
            kind, number, element, single = parts.groups()
            sensor = (single, f"{single}0") if single else (kind, f"{kind}{number}")
            chip.sensors.setdefault(sensor, {}).setdefault(element or "", path)
    return iter(found.values())


def chip_name(tree: Tree, path: str) -> str:
    """A chip's name, that of its place on the bus where it has one: its number changes from boot to boot."""
    *_, bus, device = ["", "", *tree.text(f"{path}/device@").split("/")]
    names = [clean(bus), clean(device)] if device else []
    return "_".join(filter(None, names)) or clean(tree.text(f"{path}/name")) or clean(path.rpartition("/")[2])


def clean(text: str) -> str:
    return INVALID.sub("_", text.lower()).strip("_")


def sensed(tree: Tree, chip: str, kind: str, sensor: str, files: dict[str, str]) -> Samples:
    """The series of one sensor."""
    label = tree.texts.get(files.get("label", ""), "").strip("\n")
    if clean(label):
        yield LABEL.at(chip=chip, sensor=sensor, label=label), 1.0
    for element, path in files.items():
        measured = metric(kind, element, "" in files)
        if element != "label" and measured and (value := number(tree.text(path))) is not None:
            each, per = measured
            yield each.at(chip=chip, sensor=clean(label) if kind == "freq" and label else sensor), value / per


def number(text: str) -> float | None:
    """None for what is none: a few files of sensors are texts."""
    try:
        return float(text)
    except ValueError:
        return None


@cache
def metric(kind: str, element: str, has_value: bool) -> tuple[Metric, float] | None:
    """The metric of an element, and how many of the file's units make one of its; None for one of none.

    `input` is the value itself, unless there is a file that has no element in its name.
    """
    suffix = clean(element) if element != "input" or has_value else ""
    name = f"node_hwmon_{kind}" + (f"_{suffix}" if suffix else "")
    text = f"{element or 'value'} of a sensor ({kind})."
    if kind in WHOLE:
        whole, unit, part = WHOLE[kind]
        return Metric(f"node_hwmon_{whole}", Kind.GAUGE, text, unit), part
    if kind == "freq":
        return (Metric("node_hwmon_freq_freq_mhz", Kind.GAUGE, text), 1e6) if element == "input" else None
    if element in ("fault", "alarm"):
        return Metric(name, Kind.GAUGE, text), 1
    if element == "beep":
        return Metric(f"{name}_enabled", Kind.GAUGE, text), 1
    end, unit, per = measure(kind, element)
    return Metric(name + end, Kind.COUNTER if kind == "energy" else Kind.GAUGE, text, unit), per


WHOLE = {
    "beep_enable": ("beep_enabled", "", 1),
    "vrm": ("voltage_regulator_version", "", 1),
    "update_interval": ("update_interval_seconds", "seconds", 1000),
}
"""Of a whole chip: metric, unit, and the file's units in one."""


def measure(kind: str, element: str) -> tuple[str, str, float]:
    """How the name of an element's metric ends, its unit, and the file's units in one."""
    if kind == "power" and element == "accuracy":
        return "", "", 1e6
    if kind == "power" and element in INTERVALS:
        return "_seconds", "seconds", 1000
    if (kind == "temp" and element == "type") or (kind == "fan" and element not in SPEEDS):
        return "", "", 1
    ends = {
        "in": ("_volts", "volts", 1000),
        "cpu": ("_volts", "volts", 1000),
        "temp": ("_celsius", "celsius", 1000),
        "curr": ("_amps", "amperes", 1000),
        "energy": ("_joule_total", "joules", 1e6),
        "power": ("_watt", "watts", 1e6),
        "humidity": ("", "", 1e6),
        "fan": ("_rpm", "", 1),
    }
    return ends.get(kind, ("", "", 1))
