"""Stands for nvidia-ml-py: answers what an H100 answered (h100.json), and has a made-up card with a fan, too.

Environment variables make it one that fails: MONITOR_NVML is `silent`, `unloaded` or `lost`.
"""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FAULT = os.environ.get("MONITOR_NVML", "")
DEVICE: dict[str, Any] = json.loads(Path(__file__).with_name("h100.json").read_text())["idle"]["devices"][0]
FAN = {
    "name": {"value": "NVIDIA GeForce RTX 4090"},
    "uuid": {"value": "GPU-00000000-0000-0000-0000-000000000002"},
    "fan": {"value": 41},
    "retired_pending": {"value": 0},
}
DEVICES = [DEVICE, DEVICE | FAN]
NVML_TEMPERATURE_GPU = 0
NVML_VOLATILE_ECC = 0
NVML_MEMORY_ERROR_TYPE_CORRECTED, NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 0, 1
NVML_CLOCK_SM, NVML_CLOCK_MEM = 1, 2
NVML_PCIE_UTIL_TX_BYTES, NVML_PCIE_UTIL_RX_BYTES = 0, 1
NAMES: dict[str, Any] = {
    "Name": "name",
    "UUID": "uuid",
    "MemoryInfo": "memory",
    "UtilizationRates": "utilization",
    "Temperature": "temperature_gpu",
    "PowerUsage": "power_usage_mw",
    "EnforcedPowerLimit": "power_limit_mw",
    "TotalEnergyConsumption": "energy_mj",
    "FanSpeed": "fan",
    "ClockInfo": {1: "clock_sm", 2: "clock_mem"},
    "PerformanceState": "pstate",
    "CurrentClocksThrottleReasons": "throttle",
    "EncoderUtilization": "encoder",
    "DecoderUtilization": "decoder",
    "PcieThroughput": {0: "pcie_tx_kb", 1: "pcie_rx_kb"},
    "PcieReplayCounter": "pcie_replay",
    "TotalEccErrors": {0: "ecc_corrected", 1: "ecc_uncorrected"},
    "PciInfo": "pci",
    "BAR1MemoryInfo": "bar1",
    "RetiredPagesPendingStatus": "retired_pending",
}


class NVMLError(Exception):
    pass


def nvmlInit() -> None:  # noqa: N802  (as the library names it)
    if FAULT == "unloaded":
        raise NVMLError("Driver Not Loaded")
    while FAULT == "silent":
        time.sleep(3600)


def nvmlDeviceGetCount() -> int:  # noqa: N802
    return len(DEVICES)


def nvmlDeviceGetHandleByIndex(index: int) -> int:  # noqa: N802
    return index


def nvmlDeviceGetMinorNumber(handle: int) -> int:  # noqa: N802
    return handle


def __getattr__(name: str) -> Any:
    found = NAMES[name.removeprefix("nvmlDeviceGet")]

    def told(handle: int, *given: int) -> Any:
        if FAULT == "lost":
            raise NVMLError("GPU is lost")
        value = DEVICES[handle][found[given[0]] if isinstance(found, dict) else found]["value"]
        if isinstance(value, dict) and "error" in value:
            raise NVMLError(value["error"])
        return SimpleNamespace(**value) if isinstance(value, dict) else value

    return told
