"""The samples that every engine of the history holds, and what they are asked for."""

from __future__ import annotations

import numpy as np

from benchmarks.recording import Recording
from monitor.formats.exposition import label_set
from monitor.model import Labels
from monitor.storage.register import stored_labels

TARGET: Labels = (("instance", "recording"), ("job", "bench"))


class Past:
    """Which samples are in an engine: those of a recording, one a second, and how to ask for them."""

    def __init__(self, recording: Recording, start: int, hours: float) -> None:
        """`start` is the time of the first, in milliseconds."""
        self.recording, self.start, self.hours = recording, start, hours
        self.seconds = round(hours * 3600)
        self.end = start + (self.seconds - 1) * 1000
        self.labels = [stored_labels(series, TARGET) for _, series in recording.entries]

    @property
    def samples(self) -> int:
        return self.seconds * len(self.labels)

    def varying(self) -> Labels:
        """A series that tells something: of those that vary, the one in the middle."""
        values = self.recording.values
        places = np.flatnonzero((values != values[0]).any(axis=0))
        return self.labels[int(places[len(places) // 2])]

    def some(self, count: int) -> list[str]:
        """Names of metrics that have so many series together, or all where there are fewer."""
        names = [dict(labels)["__name__"] for labels in self.labels]
        chosen: list[str] = []
        left = min(count, len(names))
        for name in sorted(set(names), key=lambda name: (-names.count(name), name)):
            if 0 < names.count(name) <= left:
                chosen.append(name)
                left -= names.count(name)
        return sorted(chosen)


def series_text(labels: Labels) -> str:
    """A series as all of them write it."""
    rest = tuple(label for label in labels if label[0] != "__name__")
    return dict(labels)["__name__"] + label_set(rest)
