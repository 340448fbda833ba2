"""`monitor config`: what there is to configure, where values come from, and what a reload would change."""

from __future__ import annotations

import argparse
import sys

from monitor.commands import Commands, diff, explain

DOCUMENTS = {
    "default": "config.yaml, with every setting at its default",
    "schema": "its JSON Schema, for editors",
    "reference": "its documentation, in Markdown",
}


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "config", help="say what there is to configure, and what a file makes of it"
    )
    documents = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    explain.add(documents)
    diff.add(documents)
    for name, text in DOCUMENTS.items():
        documents.add_parser(name, help=text).set_defaults(run=print_document, document=name)


def print_document(options: argparse.Namespace) -> int:
    from monitor.config.example import example
    from monitor.config.reference import reference
    from monitor.config.schema import schema_text

    texts = {"default": example, "schema": schema_text, "reference": reference}
    sys.stdout.write(texts[options.document]())
    return 0
