"""Commands. Each calls one service and prints what it did."""

from __future__ import annotations

import json

import click
from flask import Flask
from flask.cli import AppGroup

from app.definitions import registry
from app.services import projection

definitions = AppGroup("definitions", help="Check, store and show the definitions.")


@definitions.command("check")
def check_definitions() -> None:
    """Load every definition and evaluate every expression on empty, full and generated samples."""
    from app.services.samples import check_catalogue

    problems = check_catalogue()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"{len(list(registry.catalogue()))} definitions, no problems")


@definitions.command("sync")
def sync_definitions() -> None:
    """Store new versions and extend the projection tables."""
    projection.sync_definitions(click.echo)


@definitions.command("rebuild")
def rebuild_projections() -> None:
    """Remake the projections from the revisions."""
    projection.rebuild(click.echo)


@definitions.command("export")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export_definitions(as_json: bool) -> None:
    """Print the catalogue."""
    for definition in registry.catalogue():
        if as_json:
            click.echo(registry.to_json(definition))
        else:
            click.echo(f"{definition.key} {definition.version} {definition.title}")


@definitions.command("diff")
@click.argument("old", type=click.Path(exists=True))
@click.argument("new", type=click.Path(exists=True))
def diff_definitions(old: str, new: str) -> None:
    """Show which fields, tables and steps two definition files do not share."""
    from app.definitions.difference import compare

    texts = [open(path, encoding="utf-8").read() for path in (old, new)]
    pair = [registry.parse_definition(t, p) for t, p in zip(texts, (old, new), strict=True)]
    click.echo(json.dumps(compare(*pair), ensure_ascii=False, indent=1))


def init_cli(app: Flask) -> None:
    """Register every command group."""
    app.cli.add_command(definitions)
