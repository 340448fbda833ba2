"""Stands for the worker that asks network drivers: answers at once, the same on every machine.

Only `ens1f0` tells; `ens1f1` has no such numbers, `fails` fails, and the others are gone.
"""

import json
import sys

INFO = {
    "driver": "mlx5_core",
    "version": "6.12.0",
    "firmware_version": "16.35.2000",
    "bus_info": "0000:01:00.0",
    "expansion_rom_version": "",
}
COUNTS = {
    "rx_bytes": 1000,
    "tx_tx_timeouts": 3,
    "rx0_drops": 4,
    "[port.rx-size]: 64": 5,
    "_phy_RX_bits": 2**63,
}
ANSWERS = {
    "ens1f0": {"info": INFO, "counts": COUNTS, "errors": {}},
    "ens1f1": {"info": INFO, "counts": {}, "errors": {"counts": 95}},
}
GONE = {"info": {}, "counts": {}, "errors": {"info": 19}}

for line in sys.stdin.buffer:
    answer = {device: ANSWERS.get(device, GONE) for device in json.loads(line)}
    if "fails" in answer:
        answer["fails"] = {"info": {}, "counts": {}, "errors": {"info": 5}}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
