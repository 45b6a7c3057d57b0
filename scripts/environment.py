"""Makes the Python environment ``.venv`` with exactly the pinned packages. Needs nothing but a bare Python 3.11.

``python scripts/environment.py`` for running, with ``--dev`` also what the tests and checks need. Safe to repeat: nothing
happens while the environment fits the requirement files.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
OLDEST = (3, 11)
RUNNING, TESTING = ("requirements.txt",), ("requirements.txt", "requirements-dev.txt")


def _stamp(files: tuple[str, ...]) -> Path:
    return FOLDER / f"fits-{files[-1]}.stamp"


def fingerprint(files: tuple[str, ...]) -> str:
    """What the environment depends on, as a digest."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in files)).hexdigest()


def is_current(files: tuple[str, ...] = RUNNING) -> bool:
    """Whether the packages of ``files`` were installed as they are pinned now; those of the tests include the others."""
    wanted = {_stamp(f): fingerprint(f) for f in (files, TESTING)}
    return PYTHON.exists() and any(s.exists() and s.read_text() == print_ for s, print_ in wanted.items())


def make(files: tuple[str, ...] = RUNNING) -> None:
    """Create the environment if there is none, and install what ``files`` pin. SystemExit says what is missing."""
    if sys.version_info < OLDEST:
        raise SystemExit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
    if not PYTHON.exists():
        print("Creating .venv …", flush=True)
        try:
            venv.create(FOLDER, with_pip=True, clear=FOLDER.exists())
        except subprocess.CalledProcessError as error:
            raise SystemExit("pip could not be set up. On Debian, install python3-venv and run this again.") from error
    print("Installing the pinned Python packages (a minute or two, only when they changed) …", flush=True)
    install = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        str(ROOT / files[-1]),
    ]
    if subprocess.run(install, check=False).returncode:
        raise SystemExit("The packages could not be installed; the lines above say why. Nothing else was changed.")
    _stamp(files).write_text(fingerprint(files))


if __name__ == "__main__":
    wanted = TESTING if "--dev" in sys.argv[1:] else RUNNING
    if not is_current(wanted):
        make(wanted)
