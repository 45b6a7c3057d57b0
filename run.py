"""Sets up what is missing, then serves: ``python run.py`` (or ``make run``) on a machine with nothing but Python 3.11.

The first start makes the environment, front-end files, fonts, database and demo data; each step is skipped while what
it made still fits. Later starts only serve. Ctrl+C ends the server and its worker.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from scripts import environment

ROOT = Path(__file__).resolve().parent
CONNECTIONS = 2000
SPARE_FILES = 200
"""Descriptors for the database, files and logs, beside one for each connection."""
RESTART_SECONDS = 5.0


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Set up what is missing and serve.")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on (127.0.0.1)")
    # As text: argparse reads it like a typed one and says what is wrong with it.
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"), help="port to listen on (8000)")
    parser.add_argument("--no-demo", action="store_true", help="no demo accounts and declarations")
    parser.add_argument("--prepare", action="store_true", help="only set up, do not serve")
    return parser.parse_args()


def main() -> None:
    """Set up and serve, inside the project's own environment."""
    options = arguments()
    if not environment.is_current():
        environment.make()
    if Path(sys.prefix).resolve() != environment.FOLDER.resolve():
        os.chdir(ROOT)
        os.execv(environment.PYTHON, [str(environment.PYTHON), str(ROOT / "run.py"), *sys.argv[1:]])  # noqa: S606 - no shell is wanted
    os.environ.setdefault("PUBLIC_URL", f"http://127.0.0.1:{options.port}")
    prepare_files()
    serve(options)


def prepare_files() -> None:
    """Front-end files and translations."""
    from scripts import compile_translations, vendor

    vendor.main()
    compile_translations.main()


def serve(options: argparse.Namespace) -> None:
    """Prepare the data and answer requests until told to stop."""
    from app import create_app
    from config import SettingsError

    try:
        app = create_app()
    except SettingsError as error:
        raise SystemExit(f"Cannot start. {error}") from error
    with app.app_context():
        prepare_data(demo=not options.no_demo)
    if options.prepare:
        return
    from scripts.server import make_server

    server = make_server(app, host=options.host, port=options.port, connections=connection_limit())
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    keeper = threading.Thread(target=keep_worker, args=(stop,), name="worker keeper")
    keeper.start()
    print(f"\n  {app.config['PUBLIC_URL']}   门户和登录\n  按 Ctrl+C 结束\n", flush=True)
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        keeper.join()


def prepare_data(*, demo: bool) -> None:
    """Fonts, database, reference data and the demo, each only when it is not there yet."""
    from flask import current_app

    from app.services import installation, seed_demo

    fonts = current_app.config["DATA_DIR"] / "fonts"
    if len(list(fonts.glob("*.ttf"))) < 2:
        from app.documents.font_build import build_fonts

        print("Preparing fonts for PDF (about a minute, once) …", flush=True)
        build_fonts(fonts, print)
    if not installation.is_prepared():
        print("Preparing the database …", flush=True)
        installation.prepare_database(print)
    if demo and not seed_demo.is_seeded():
        print("Adding demo data …", flush=True)
        print(seed_demo.describe(seed_demo.seed_demo()), flush=True)


def connection_limit() -> int:
    """How many connections the machine's limit of open files allows, at most 2000; raises the soft limit if it can."""
    if sys.platform == "win32":
        return CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < wanted:
        print(f"Only {soft} open files are allowed here: {soft - SPARE_FILES} connections at most.", file=sys.stderr)
    return max(100, min(CONNECTIONS, soft - SPARE_FILES))


def keep_worker(stop: threading.Event) -> None:
    """Run the job worker as a child process, start it again if it ends, and end it with the server."""
    command = [sys.executable, "-m", "flask", "--app", "app", "worker", "--parent", str(os.getpid())]
    while not stop.is_set():
        # Its own session: Ctrl+C reaches only this process, which then ends the worker in order.
        child = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        while child.poll() is None and not stop.wait(0.2):
            pass
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        elif not stop.is_set():
            print(f"The worker ended with {child.returncode}; starting it again.", file=sys.stderr)
            stop.wait(RESTART_SECONDS)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Stopped.")
