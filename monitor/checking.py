"""A configuration, read and checked with all that this takes, by a process that ends after it.

At the start that is a copy of the command, made while it has nothing else to lose (`aside`), which works
while the rooms are loaded; under a running service it is a program of its own (`main`, monitor/reading.py).
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from monitor.config.problems import ConfigError, Place, Problem
from monitor.config.read import Question, Read

if TYPE_CHECKING:
    from monitor.config import Loaded

Answer: TypeAlias = Read | tuple[Problem, ...]


def aside(question: Question, environ: Mapping[str, str]) -> Callable[[], Read]:
    """Have a copy of this process answer, which must have no other threads.

    What is returned waits for the answer.  Both raise ConfigError.
    """
    from monitor import queries as queries  # Both need what it loads.

    ours, theirs = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        text = f"cannot be read: no process can be started for it ({error.strerror}), expected one more"
        raise ConfigError([Problem(place(question), "", text)]) from error
    if child == 0:
        try:
            tell(theirs, answer(question, environ))
        finally:
            _end()
    os.close(theirs)

    def answered() -> Read:
        with open(ours, "rb") as file:  # noqa: PTH123  (a descriptor has no path)
            told = file.read()
        with suppress(ChildProcessError):  # Whoever started us may ignore the end of processes.
            os.waitpid(child, 0)
        return taken(told, question)

    return answered


def _end() -> None:
    """End a copy; what its original has open is not its to flush or close."""
    error = sys.exc_info()
    if error[0] is not None:
        sys.excepthook(*error)
    os._exit(0)


def taken(told: bytes, question: Question) -> Read:
    """What was answered.  Raises ConfigError."""
    if not told:
        text = "could not be read: the process for it ended before it had answered; the log says why"
        raise ConfigError([Problem(place(question), "", text)])
    found: Answer = pickle.loads(told)  # noqa: S301  (a process of ours has written it)
    if isinstance(found, Read):
        return found
    raise ConfigError(found)


def place(question: Question) -> Place:
    """Of problems that stand nowhere else."""
    return Place(str(question.path or "the configuration"))


def main() -> None:
    """The program: one question, one answer."""
    question: Question = pickle.load(sys.stdin.buffer)  # noqa: S301  (the service has written it)
    tell(sys.stdout.fileno(), answer(question, os.environ))


def tell(descriptor: int, found: Answer) -> None:
    with open(descriptor, "wb") as file:
        pickle.dump(found, file)


def answer(question: Question, environ: Mapping[str, str]) -> Answer:
    from monitor import config, queries

    try:
        return compared(question, config.load(question.path, environ, question.flags, queries.judge))
    except ConfigError as error:
        return error.problems


def compared(question: Question, loaded: Loaded) -> Read:
    """What was loaded, beside the settings in force.  Raises ConfigError where it cannot be taken in part."""
    from monitor.config.facts import changes, facts, told
    from monitor.config.merge import merged
    from monitor.config.plain import data, plain

    new, found = loaded.settings, []
    if question.held is not None:
        old = type(new).model_validate(data(question.held))
        found = changes(facts(old), facts(new))
        new = merged(old, new, place(question))
    return Read(plain(new), told(new), loaded.files, loaded.fixed, found)
