"""Whoever tells the service to stop may be impatient: that changes nothing of how it ends."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.service import PATIENCE, ended_after, running


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_until_the_last_moment_do_not_end_it_otherwise(tmp_path: Path, again: signal.Signals) -> None:
    with running(tmp_path) as service:
        assert service.process
        service.send(signal.SIGTERM)
        with ended_after(PATIENCE, service.process):
            sent = insistent(service.process, again)
        assert service.process.returncode == 0
        assert sent > 1


def insistent(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """How often a signal was sent until there was nobody to send it to."""
    sent = 0
    while process.returncode is None:
        process.send_signal(number)
        sent += 1
        try:
            process.wait(0.002)
        except subprocess.TimeoutExpired:
            continue
    return sent
