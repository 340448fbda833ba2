"""Asks NVIDIA's driver about its GPUs (NVML), as a program of its own: a driver that is stuck holds whoever
asks, and some answers take it 20 milliseconds.

Run by path under `python -I -S`, so it imports nothing of ours; `pynvml` is found in the folder that a line
names.  Each line in is a JSON object: `folder`, and `fields` by name: a function of pynvml's without
`nvmlDeviceGet`, names of constants to give it, and a part of what it answers.  Each line out is a JSON
object: `devices`, each with `values` and `errors` (texts) by field; or `error`, where nobody can be asked.
"""

import json
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

ABSENT = {"Not Supported", "Function Not Found"}
"""What a GPU or a driver says that has no such number, and never will."""
Field = tuple[str, list[str], str | int]


class Nvml:
    """The driver, asked over and over."""

    def __init__(self, folder: str) -> None:
        if folder not in sys.path:
            sys.path.append(folder)
        self.library: ModuleType = import_module("pynvml")
        self.library.nvmlInit()
        self.absent: set[tuple[int, str]] = set()

    def answered(self, fields: dict[str, Field]) -> dict[str, object]:
        """The object out for the fields."""
        count = self.library.nvmlDeviceGetCount()
        return {"devices": [self.device(number, fields) for number in range(count)]}

    def device(self, number: int, fields: dict[str, Field]) -> dict[str, object]:
        """What one GPU tells."""
        values: dict[str, object] = {}
        errors: dict[str, str] = {}
        for name, field in fields.items():
            if (number, name) in self.absent:
                continue
            try:
                values[name] = self.value(number, *field)
            except (self.library.NVMLError, AttributeError) as error:
                if str(error) in ABSENT or isinstance(error, AttributeError):
                    self.absent.add((number, name))
                else:
                    errors[name] = str(error)
        return {"values": values, "errors": errors}

    def value(self, number: int, function: str, constants: list[str], part: str | int) -> object:
        """One answer: a text or a number."""
        handle = self.library.nvmlDeviceGetHandleByIndex(number)
        given = [getattr(self.library, constant) for constant in constants]
        found: Any = getattr(self.library, f"nvmlDeviceGet{function}")(handle, *given)
        if part != "":
            found = found[part] if isinstance(part, int) else getattr(found, part)
        return found.decode(errors="replace") if isinstance(found, bytes) else found


def failures() -> tuple[type[Exception], ...]:
    """What means that nobody can be asked."""
    library = sys.modules.get("pynvml")
    return (ImportError, library.NVMLError) if library else (ImportError,)


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    nvml: Nvml | None = None
    for line in sys.stdin.buffer:
        question = json.loads(line)
        try:
            nvml = nvml or Nvml(question["folder"])
            answer = nvml.answered(question["fields"])
        except failures() as error:
            answer, nvml = {"error": str(error)}, None
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
