"""AMD's GPUs as their driver tells of them: /sys/class/drm/card*/device (Linux, gpu/amdgpu/driver-misc.rst).

Temperatures, fans and power are sensors (hwmon).  A GPU that sleeps is woken to answer.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

CARDS = "sys/class/drm/card*/device"
INFO = Metric("node_drm_card_info", Kind.GAUGE, "Always 1; what a GPU is.")
DRIVER = "DRIVER=amdgpu"


def gauge(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_drm_{name}", Kind.GAUGE, text, unit)


NUMBERS = {
    "gpu_busy_percent": gauge("gpu_busy_percent", "How busy a GPU is.", "percent"),
    "mem_info_gtt_total": gauge("memory_gtt_size_bytes", "Memory of the host that a GPU may use.", "bytes"),
    "mem_info_gtt_used": gauge("memory_gtt_used_bytes", "Memory of the host that a GPU uses.", "bytes"),
    "mem_info_vis_vram_total": gauge(
        "memory_vis_vram_size_bytes", "Memory of a GPU that the host can see.", "bytes"
    ),
    "mem_info_vis_vram_used": gauge(
        "memory_vis_vram_used_bytes", "Memory of a GPU that the host can see, in use.", "bytes"
    ),
    "mem_info_vram_total": gauge("memory_vram_size_bytes", "Memory of a GPU.", "bytes"),
    "mem_info_vram_used": gauge("memory_vram_used_bytes", "Memory of a GPU in use.", "bytes"),
}
TEXTS = {
    "memory_vendor": "mem_info_vram_vendor",
    "power_performance_level": "power_dpm_force_performance_level",
    "unique_id": "unique_id",
}
"""Files by label."""


class Drm(Devices):
    wanted = ((CARDS, ("uevent", *NUMBERS, *TEXTS.values())),)

    def samples(self, tree: Tree) -> Samples:
        for path in tree.folders.get(CARDS, ()):
            if DRIVER not in tree.text(f"{path}/uevent").splitlines():
                continue
            card = path.split("/")[-2]
            texts = {label: tree.text(f"{path}/{file}") for label, file in TEXTS.items()}
            yield INFO.at(card=card, vendor="amd", **texts), 1.0
            for file, metric in NUMBERS.items():
                if (value := tree.number(f"{path}/{file}")) is not None:
                    yield metric.at(card=card), value
