"""Says at the end which parts of the tests did not run: a green run must not hide that PostgreSQL was missing.

With ``CI`` set and the whole suite asked for, a part without a single test that passed fails the run.
"""

from __future__ import annotations

import os

import pytest

PARTS = {
    "PostgreSQL": lambda item: "postgresql" in item.rpartition("[")[2],
    "Redis": lambda item: "redis" in item.rpartition("::")[2],
    "browser": lambda item: item.startswith("tests/e2e/"),
}


class PartsRun:
    """Counts passed tests by part."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.passed = dict.fromkeys(PARTS, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that passed."""
        if report.when == "call" and report.passed:
            for name, belongs in PARTS.items():
                self.passed[name] += belongs(report.nodeid)

    def missing(self) -> list[str]:
        """Parts in which nothing passed, if the whole suite was asked for."""
        whole = self.config.args_source is pytest.Config.ArgsSource.TESTPATHS and not self.config.option.keyword
        return [name for name, count in self.passed.items() if not count] if whole else []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """With ``CI``, a missing part is a failure."""
        if (
            os.environ.get("CI")
            and self.missing()
            and session.exitstatus == 0
            and not hasattr(self.config, "workerinput")
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line per missing part."""
        for name in self.missing():
            terminalreporter.write_line(f"NOT TESTED: {name} (no test of this part ran)", red=True)
