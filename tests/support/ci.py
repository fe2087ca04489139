"""In CI: unexpected skips fail the run. The seconds of each test are recorded, also those of the processors."""

import os
import re

import pytest

# Accepted reasons for a skip in CI. Any other reason means that a part of the suite did not run.
EXPECTED = [
    r"needs .* in a folder 'shared' beside the checkout",  # recordings and real pictures, which are not public
    r"torch-fidelity|torch_fidelity",  # 5 GB
    r"the extra cluster",  # 240 MB and minutes of starting clusters: make test-cluster
    r"(wandb|mlflow) is not installed",  # hundreds of MB; stand-ins are tested
    r"this processor has no bfloat16",
    r"this processor .* oneDNN|oneDNN is asked for on x86-64",
    r"JAX|TensorFlow",  # the other backend's
]


def reason_of(report):
    """The reason of a skip."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def reports(config, outcome):
    return config.pluginmanager.get_plugin("terminalreporter").stats.get(outcome, [])


def unexpected_skips(config):
    found = {(report.nodeid, reason_of(report)) for report in reports(config, "skipped")}
    return sorted(f"{test}: {reason}" for test, reason in found if not any(re.search(e, reason) for e in EXPECTED))


used = [0.0]  # by this process so far


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """Notes what the processors spent on a phase of a test, in this process and in those that it waited for.

    Unlike the seconds on the clock they are nearly the same on a busy machine.
    """
    outcome = yield
    user, system, of_children, system_of_children, _ = os.times()
    before, used[0] = used[0], user + system + of_children + system_of_children
    outcome.get_result().processors = used[0] - before


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if os.environ.get("CI") and not hasattr(session.config, "workerinput") and unexpected_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if os.environ.get("CI"):
        for line in unexpected_skips(config):
            terminalreporter.write_line(f"FAILED by a skip that is not expected: {line}", red=True)
    path = os.environ.get("KERAS_GAN_DURATIONS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            for outcome in ("passed", "failed", "error"):
                for report in filter(lambda report: hasattr(report, "duration"), reports(config, outcome)):
                    spent = f"{report.duration:8.1f} s {report.processors:8.1f} s"
                    file.write(f"{spent}  {report.nodeid} ({report.when})\n")
