"""Which container this is, by the files that only it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.hardware.container import DOCKER, LXC, NSPAWN, POD, PODMAN, Container, detect_container

HOSTS = "# Kubernetes-managed hosts file"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({".dockerenv": ""}, DOCKER),
        ({"run/.containerenv": 'engine="podman-4.9"\n'}, PODMAN),
        ({"etc/hosts": f"{HOSTS}.\n127.0.0.1 localhost\n"}, POD),
        ({"etc/hosts": f"{HOSTS} (host network).\n"}, POD),
        ({"etc/hosts": f"{HOSTS}.\n", ".dockerenv": ""}, POD),
        ({"run/secrets/kubernetes.io/serviceaccount/token": "x"}, POD),
        ({"etc/hosts": "127.0.0.1 localhost\n"}, None),
        ({"run/systemd/container": "lxc\n"}, LXC),
        ({"run/systemd/container": "docker\n"}, DOCKER),
        ({"run/systemd/container": "wsl\n"}, None),
        ({"run/systemd/container": ""}, None),
        ({"dev/lxd/sock": ""}, LXC),
        ({"dev/incus/sock": ""}, LXC),
        ({"run/host/container-manager": "systemd-nspawn\n"}, NSPAWN),
    ],
)
def test_a_container_is_known_by_its_files(
    tmp_path: Path, files: dict[str, str], expected: Container | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert detect_container(tmp_path) is expected


def test_only_dockers_advice_names_docker() -> None:
    for kind in (PODMAN, POD, LXC, NSPAWN):
        assert "docker" not in f"{kind.give_npu} {kind.join_group}".lower()
