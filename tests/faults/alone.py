"""A campaign in name spaces of its own (mounts, processes), so that nothing else here sees what it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
UNSHARE = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
PATIENCE = 600


def impossible(*tools: str) -> str | None:
    """What is missing for it here, and for what is done there with tools of util-linux and mount."""
    if os.geteuid():
        return "a name space of mounts takes root"
    absent = [tool for tool in ("unshare", *tools) if not shutil.which(tool)]
    if absent:
        return f"{' and '.join(absent)} missing: apt-get install util-linux mount"
    if subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        return "name spaces cannot be made here"
    return None


def alone(module: str, arguments: Sequence[object]) -> dict[str, Any]:
    """What a program prints, given its arguments and answering in JSON."""
    command = [*UNSHARE, sys.executable, "-m", module, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
