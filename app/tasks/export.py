"""Making packages for download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from app.services import export
from app.tasks.registry import Report, task


@task(export.PACKAGE)
def build_package(args: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """Zip the batch for who asked for it."""
    made = export.build_package(int(args["account"]), str(args["batch"]), list(args["states"]), report)
    return {**made, "url": f"/jobs/{args['job']}/file", "label": _("下载材料包")}
