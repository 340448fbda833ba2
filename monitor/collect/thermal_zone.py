"""Temperatures and what cools: /sys/class/thermal/thermal_zone<n> and cooling_device<n>, in 1/1000 Celsius.

Linux, Documentation/driver-api/thermal/sysfs-api.rst.  A zone may ask the firmware, which takes its time.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

ZONES, COOLERS = "sys/class/thermal/thermal_zone*", "sys/class/thermal/cooling_device*"
TEMPERATURE = Metric("node_thermal_zone_temp", Kind.GAUGE, "Temperature of a zone in Celsius.", "celsius")
STATES = {
    "cur_state": Metric("node_cooling_device_cur_state", Kind.GAUGE, "How much a device cools now."),
    "max_state": Metric("node_cooling_device_max_state", Kind.GAUGE, "How much a device can cool."),
}


class ThermalZone(Devices):
    wanted = ((ZONES, ("type", "temp")), (COOLERS, ("type", *STATES)))

    def samples(self, tree: Tree) -> Samples:
        for name, path in tree.each(ZONES):
            if (degrees := tree.number(f"{path}/temp")) is not None:
                zone = {"zone": name.removeprefix("thermal_zone"), "type": tree.text(f"{path}/type")}
                yield TEMPERATURE.at(**zone), degrees / 1000
        for name, path in tree.each(COOLERS):
            labels = {"name": name.removeprefix("cooling_device"), "type": tree.text(f"{path}/type")}
            for file, metric in STATES.items():
                if (state := tree.number(f"{path}/{file}")) is not None:
                    yield metric.at(**labels), state
