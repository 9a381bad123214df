"""The service does what its OpenAPI document says, whatever a generator makes of that."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.helpers.programs import FAST, run
from tests.helpers.server import serving

GENERATED = (
    *("--generation-deterministic", "--no-shrink", "--max-examples", "20"),
    *("--warnings", "off", "--no-color", "--continue-on-failure", "--request-timeout", "20"),
)
# An answer can be later than the `timeout` that was asked for; and a schema can't say what an image
# is, or that names and shapes fit each other.
CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "504"]
[checks.positive_data_acceptance]
enabled = false
"""


def test_schemathesis_finds_nothing_that_the_document_does_not_promise(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("schemathesis"))
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="ascii")
    with serving(*FAST) as server:
        done = run(program, "run", *GENERATED, f"{server.url}/openapi.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
