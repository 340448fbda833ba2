"""Batteries and mains: /sys/class/power_supply (Linux, Documentation/power/power_supply_class.rst).

Currents, voltages, charges, energies and powers are in millionths, temperatures in tenths of a degree.
"""

from __future__ import annotations

from monitor.collect.exclude import excluder
from monitor.collect.tree import EVERY, Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/power_supply/*"
INFO = Metric(
    "node_power_supply_info", Kind.GAUGE, "Always 1; the labels tell which supply it is, and its state."
)
TEXTS = (
    *("capacity_level", "charge_type", "health", "manufacturer", "model_name", "serial_number", "status"),
    *("technology", "type", "usb_type", "scope"),
)
WHOLE = {
    **{
        name: name
        for name in ("authentic", "calibrate", "capacity", "capacity_alert_max", "capacity_alert_min")
    },
    "cycle_count": "cyclecount",
    "online": "online",
    "present": "present",
    "time_to_empty_now": "time_to_empty_seconds",
    "time_to_full_now": "time_to_full_seconds",
}
MILLIONTHS = {
    **{
        name: name
        for name in (
            *("current_boot", "current_max", "energy_empty", "energy_empty_design", "energy_full"),
            *("energy_full_design", "voltage_boot", "voltage_max", "voltage_max_design", "voltage_min"),
            *("voltage_min_design", "voltage_ocv", "charge_control_limit", "charge_control_limit_max"),
            *("charge_counter", "charge_empty", "charge_empty_design", "charge_full", "charge_full_design"),
            *("charge_term_current", "constant_charge_current", "constant_charge_current_max"),
            *("constant_charge_voltage", "constant_charge_voltage_max", "precharge_current"),
            "input_current_limit",
        )
    },
    "current_now": "current_ampere",
    "energy_now": "energy_watthour",
    "voltage_now": "voltage_volt",
    "charge_now": "charge_ampere",
    "power_now": "power_watt",
}
TENTHS = {
    name: f"{name}_celsius"
    for name in (
        *("temp", "temp_alert_max", "temp_alert_min", "temp_ambient", "temp_ambient_max", "temp_ambient_min"),
        *("temp_max", "temp_min"),
    )
}
UNITS = {"seconds": "seconds", "celsius": "celsius", "ampere": "amperes", "volt": "volts", "watt": "watts"}


def metric(file: str, field: str) -> Metric:
    unit = UNITS.get(field.rpartition("_")[2], "")
    return Metric(f"node_power_supply_{field}", Kind.GAUGE, f"{file} of a power supply.", unit)


METRICS = {
    file: (metric(file, field), per)
    for fields, per in ((WHOLE, 1), (MILLIONTHS, 1e6), (TENTHS, 10))
    for file, field in fields.items()
}


class Powersupplyclass(Devices):
    """All supplies but those whose name matches a pattern; an empty one leaves out none."""

    wanted = ((FOLDER, (*TEXTS, *METRICS)),)

    def __init__(self, every: float = EVERY, supplies_exclude: str = "") -> None:
        super().__init__(every)
        self._excluded = excluder(supplies_exclude)

    def samples(self, tree: Tree) -> Samples:
        for supply, path in tree.each(FOLDER):
            if self._excluded(supply):
                continue
            labels = {name: text for name in TEXTS if (text := tree.text(f"{path}/{name}"))}
            yield INFO.at(power_supply=supply, **labels), 1.0
            for file, (each, per) in METRICS.items():
                if (value := tree.number(f"{path}/{file}")) is not None:
                    yield each.at(power_supply=supply), value / per
