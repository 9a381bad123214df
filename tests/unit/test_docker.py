"""The container's files name what is there; an image can't be built in a test."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from tests.helpers.support import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)
    for source in line.split()[:-1]
]


def allowed() -> list[str]:
    """What .dockerignore lets in, as regular expressions: there, * does not match a slash."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    forms = [re.escape(line[1:]) for line in lines if line.startswith("!")]
    return [form.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*") for form in forms]


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - the user's own git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no git checkout here")
    return listed.stdout.splitlines()


def sent() -> set[str]:
    """The files of the repository that .dockerignore lets into the build."""
    return {name for name in tracked() if any(re.fullmatch(form, name) for form in allowed())}


@pytest.mark.parametrize("source", COPIED)
def test_everything_that_is_copied_is_sent_to_the_build(source: str) -> None:
    assert any(name == source or name.startswith(f"{source}/") for name in sent())


def test_all_of_both_packages_and_every_config_are_in_the_image() -> None:
    code = {name for name in tracked() if re.fullmatch(r"(farm|workers)/[\w./]+", name)}
    data = {name for name in tracked() if re.fullmatch(r"configs/.+|models/glyphs.+", name)}
    assert {"farm/bundled/configs", "farm/bundled/models"} <= code  # links to those
    assert code | data <= sent()
    assert {name.partition("/")[0] for name in code | data} <= set(COPIED)


def test_the_container_has_no_more_rights_than_the_npu_needs() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "farm"
    ]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["devices"] == ["/dev/dri"]
    assert all(mount.endswith(":ro") for mount in service["volumes"])
    assert DOCKERFILE.rindex("USER 1000") > DOCKERFILE.rindex("RUN ")
