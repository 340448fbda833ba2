"""Errors of the memory that the controllers found: /sys/devices/system/edac/mc.

Linux, Documentation/driver-api/edac.rst.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/devices/system/edac/mc/mc[0-9]*"


def counter(field: str, text: str) -> Metric:
    return Metric(f"node_edac_{field}_total", Kind.COUNTER, text)


WHOLE = {
    "ce_count": counter("correctable_errors", "Memory errors that were corrected."),
    "ue_count": counter("uncorrectable_errors", "Memory errors that could not be corrected."),
}
ROW = {
    "ce": counter("csrow_correctable_errors", "Memory errors of a row of chips that were corrected."),
    "ue": counter("csrow_uncorrectable_errors", "Memory errors of a row that could not be corrected."),
}


class Edac(Devices):
    wanted = (
        (FOLDER, (*WHOLE, "ce_noinfo_count", "ue_noinfo_count")),
        (f"{FOLDER}/csrow[0-9]*", ("ce_count", "ue_count")),
    )

    def samples(self, tree: Tree) -> Samples:
        for name, path in tree.each(FOLDER):
            controller = name.removeprefix("mc")
            for file, metric in WHOLE.items():
                if (value := tree.number(f"{path}/{file}")) is not None:
                    yield metric.at(controller=controller), value
            for kind, metric in ROW.items():
                if (value := tree.number(f"{path}/{kind}_noinfo_count")) is not None:
                    yield metric.at(controller=controller, csrow="unknown"), value
        for name, path in tree.each(f"{FOLDER}/csrow[0-9]*"):
            controller, row = path.split("/")[-2].removeprefix("mc"), name.removeprefix("csrow")
            for kind, metric in ROW.items():
                if (value := tree.number(f"{path}/{kind}_count")) is not None:
                    yield metric.at(controller=controller, csrow=row), value
