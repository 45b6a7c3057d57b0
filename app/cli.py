"""Commands. Each calls one service and prints what it did."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app.definitions import registry
from app.definitions.difference import compare, starter
from app.errors import DomainError
from app.services import account as people
from app.services import audit as audit_trail
from app.services import installation, permission, projection, seed_demo, stamp
from app.services import seed as reference
from app.services import sms as messages
from app.services.samples import check_catalogue
from app.tasks import worker
from app.views.api.openapi import document


class Group(AppGroup):
    """Commands whose refusals are printed as the sentence they carry, with exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(error.message) from error


definitions = Group("definitions", help="Check, store and show the definitions.")
seed = Group("seed", help="Reference data, and data to try the platform with.")
accounts = Group("accounts", help="Accounts of staff, passwords, permissions.")
audit = Group("audit", help="The audit trail.")
stamps = Group("stamps", help="Stamped scans.")
sms = Group("sms", help="Text messages.")
fonts = Group("fonts", help="Fonts for PDF.")
api = Group("api", help="The interface for other systems.")


@definitions.command("check")
def check_definitions() -> None:
    """Load every definition, evaluate every expression on samples, and compare the columns with what they hold."""
    problems = check_catalogue() + projection.check_columns()
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"{len(list(registry.catalogue()))} definitions, no problems")


@definitions.command("sync")
@click.option("--rebuild", is_flag=True, help="Also remake columns whose type changed, from the revisions.")
def sync_definitions(rebuild: bool) -> None:
    """Store new versions and extend the projection tables."""
    try:
        projection.sync_definitions(click.echo, rebuilding=rebuild)
    except registry.DefinitionError as error:
        raise click.ClickException(str(error)) from error


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


@definitions.command("new")
@click.argument("key")
@click.argument("title")
def new_definition(key: str, title: str) -> None:
    """Print a commented definition to begin with: put it into a file of the catalogue and change it."""
    text = starter(key, title)
    try:
        registry.parse_definition(text, f"{key}.yaml")
    except registry.DefinitionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(text, nl=False)


@definitions.command("diff")
@click.argument("old", type=click.Path(exists=True))
@click.argument("new", type=click.Path(exists=True))
def diff_definitions(old: str, new: str) -> None:
    """Show which fields, tables and steps two definition files do not share."""
    texts = [Path(path).read_text("utf-8") for path in (old, new)]
    pair = [registry.parse_definition(t, p) for t, p in zip(texts, (old, new), strict=True)]
    click.echo(json.dumps(compare(*pair), ensure_ascii=False, indent=1))


@seed.command("reference")
def seed_reference_data() -> None:
    """Add the missing regions, industries, holidays, roles and standing batches."""
    reference.seed_reference(current_app.config["CITY_CODE"], click.echo)


@seed.command("demo")
@click.option("--enterprises", default=seed_demo.SMALL[0], show_default=True, help="How many certified enterprises.")
@click.option("--declarations", default=seed_demo.SMALL[1], show_default=True, help="How many of them declare.")
def seed_demo_data(enterprises: int, declarations: int) -> None:
    """Add people of every role, an open batch and declarations in every state. What is there stays."""
    with click.progressbar(length=enterprises + min(enterprises, declarations), label="demo") as bar:
        created = seed_demo.seed_demo(enterprises, declarations, bar.update)
    click.echo(seed_demo.describe(created))


@audit.command("verify")
def verify_audit() -> None:
    """Recompute every event chain and revision digest, and compare with the heads kept outside the database."""
    count, problems = audit_trail.verify(current_app.config["DATA_DIR"])
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"{count} events read, {len(problems)} problems")
    if problems:
        raise SystemExit(1)


@accounts.command("create-staff")
@click.argument("username")
@click.option("--role", required=True, type=click.Choice(people.STAFF_ROLES))
@click.option("--name", required=True, help="Name as it stands in records.")
@click.option("--region", help="Six-digit code of the office's region.")
@click.option("--phone", help="Mobile number; needed where staff sign in with a second factor.")
@click.option("--department", help="Office and department, as pages show it.")
def create_staff(
    username: str, role: str, name: str, region: str | None, phone: str | None, department: str | None
) -> None:
    """Create an account and print its first password, once."""
    word = people.create_staff(username, role, name, region_code=region, phone=phone, department=department)
    click.echo(f"账号 {username} 已建好，初始密码（只显示这一次，首次登录必须修改）：{word}")


@accounts.command("set-password")
@click.argument("username")
def set_password(username: str) -> None:
    """Give an account a new random password, end its sessions, and print the password once."""
    word = people.set_password(username)
    click.echo(f"账号 {username} 的新密码（只显示这一次，登录后必须修改）：{word}")


@accounts.command("sync-permissions")
def sync_permissions() -> None:
    """Restore the packaged permissions of every role; what an administrator added stays."""
    click.echo(f"{permission.sync_permissions(installation.grid_names())} permissions added")


@stamps.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_stamp(file: Path) -> None:
    """Print what is found on a scan, as JSON."""
    click.echo(json.dumps(stamp.check_file(file), ensure_ascii=False, indent=1, default=str))


@sms.command("outbox")
@click.option("--limit", default=10, show_default=True, help="How many messages.")
@click.option("--phone", help="Only messages to this number.")
def show_outbox(limit: int, phone: str | None) -> None:
    """Print the newest messages: without a gateway, this is where codes are read."""
    for message, text in messages.outbox(limit, phone):
        click.echo(f"{message.created_at.astimezone():%m-%d %H:%M:%S}  {message.phone}  {text or '（已发出，不留存）'}")


@fonts.command("build")
def build_pdf_fonts() -> None:
    """Convert the packaged Chinese fonts (about a minute, once)."""
    # Here and not above: every start would pay a tenth of a second for it.
    from app.documents.font_build import build_fonts

    build_fonts(current_app.config["DATA_DIR"] / "fonts", click.echo)


@api.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document of all tables."""
    described = document(current_app.extensions["grids"], current_app.config["API_PER_MINUTE"])
    click.echo(json.dumps(described, ensure_ascii=False, indent=1))


@click.command("worker")
@click.option("--parent", type=int, help="End when this process is gone.")
@with_appcontext
def run_worker(parent: int | None) -> None:
    """Run background jobs until told to stop."""
    stop = threading.Event()
    if parent is not None:
        worker.watch_parent(stop, parent)
    if current_app.config["REDIS_URL"]:
        worker.work_with_redis(stop)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker.work(stop)


def init_cli(app: Flask) -> None:
    """Register every command group."""
    for group in (definitions, seed, accounts, audit, stamps, sms, fonts, api, run_worker):
        app.cli.add_command(group)
