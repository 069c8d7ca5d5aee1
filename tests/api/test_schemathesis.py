"""The running API against its own document, by somebody who only read the document."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.api.conftest import School

CONFIG = Path(__file__).parents[2] / "schemathesis.toml"
OF_ONE = """
[[operations]]
include-path-regex = "/{thing}/[{{]"
parameters = {{ "path.subject_id" = "{id}" }}
"""


@pytest.fixture
def address(lists: School) -> Iterator[str]:
    """Where the API answers for real."""
    server = make_server("127.0.0.1", 0, lists.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1/openapi.json"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("role", ["coordinator", "dsl"])
def test_the_api_does_what_its_document_says(lists: School, address: str, tmp_path: Path, role: str) -> None:
    ids = {
        "cases": lists.a_matched_case(),
        "mentors": lists.mentors["mentor"],
        "pupils": lists.a_pupil(),
        "concerns": lists.make("/concerns", {"facts": "Seen."}, "dsl"),
    }
    config = tmp_path / "schemathesis.toml"
    known = "".join(OF_ONE.format(thing=thing, id=one) for thing, one in ids.items())
    config.write_text(CONFIG.read_text() + known)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file", str(config)),
        *("run", address, "--header", f"Authorization: Bearer {lists.tokens[role]}"),
        *("--phases", "fuzzing", "--max-examples", "4", "--warnings", "off", "--continue-on-failure"),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert "Tested: " in ran.stdout
