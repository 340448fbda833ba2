"""Plays every case and handshake to a server that echoes, whatever it is, and says where it differs.

    python -m tests.conformance.survey PORT [--deflate]

It must listen on 127.0.0.1, echo on any path, and take messages of 65,536 bytes and no more.  A server may
refuse a handshake with a status of its own choice.
"""

import argparse
import asyncio
import sys
from collections import Counter

from tests.conformance.cases import CASES, END, Case
from tests.conformance.frames import Event
from tests.conformance.handshakes import HANDSHAKES, REFUSAL, Handshake
from tests.conformance.peer import answer, dialled, played

PATIENCE = 0.7
"""Seconds until a server that says nothing is taken to be content."""


async def met(port: int, case: Case, deflate: bool) -> list[Event]:
    """Events of a case; a server that has not ended the connection is asked to, once."""
    for tried in (case, case._replace(sent=case.sent + END)):
        try:
            async with asyncio.timeout(PATIENCE):
                return await played(port, tried, deflate)
        except TimeoutError:
            continue
        except (AssertionError, ConnectionError, ValueError) as error:
            return [("gone", f"{type(error).__name__} {error}")]
    return [("gone", "never answered")]


async def refused(port: int, handshake: Handshake) -> str | None:
    """What is wrong with the answer to a handshake; its extensions are a server's own choice."""
    status = 0
    try:
        async with asyncio.timeout(PATIENCE), dialled(port) as (reader, writer):
            writer.write(handshake.sent)
            status, _ = await answer(reader)
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        status = 499  # It hung up, which is a refusal as well.
    good = status == 101 if handshake.status == 101 else status in REFUSAL
    return None if good else f"{handshake}: {status}"


def verdict(case: Case, events: list[Event]) -> str | None:
    """What a server did that the clause does not allow, in a word or two."""
    wanted = case.expected[-1]
    if events[-1] == wanted:
        # One that fails need not echo what came before.
        return "message lost or changed" if case.ends and events != case.expected else None
    if case.ends or END in case.sent:
        return "fails what is legal"
    if events[-1][0] == "gone":
        return "ends it without the code" if "never" not in str(events[-1][1]) else "never answers"
    return "accepts it" if events[-1] == ("close", 1000) else "another code"


async def survey(port: int, deflate: bool) -> None:
    wrong: Counter[str] = Counter()
    cases = [case for case in CASES if case.deflate in (None, deflate)]
    for case in cases:
        events = await met(port, case, deflate)
        if (found := verdict(case, events)) is not None:
            found = f"beyond, {found}" if case.beyond else found
            wrong[found] += 1
            sys.stdout.write(f"{found}: {case}: {events[-1]}, expected {case.expected[-1]}\n")
    answers = [await refused(port, handshake) for handshake in HANDSHAKES]
    surprises = [text for text in answers if text]
    sys.stdout.write("".join(f"{text}\n" for text in surprises))
    sys.stdout.write(f"{len(cases)} cases, {wrong.total()} differ: {dict(wrong)}\n")
    sys.stdout.write(f"{len(answers)} handshakes, {len(surprises)} differ\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--deflate", action="store_true")
    asked = parser.parse_args()
    asyncio.run(survey(asked.port, asked.deflate))


if __name__ == "__main__":
    main()
