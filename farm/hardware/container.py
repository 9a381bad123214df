"""Which kind of container this is, and how each kind is given the NPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.hardware.known_errors import CONTAINER_FLAGS, LIBRARY
from farm.system.file_access import text

KUBERNETES: Final = "kubectl edit deployment NAME   # "
POD_HOSTS: Final = "# Kubernetes-managed hosts file"  # the kubelet writes it into each pod
MANAGERS: Final = ("run/systemd/container", "run/host/container-manager")  # systemd's names


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A kind of container, and two commands of its host.

    `give_npu` starts one that has device tree, device nodes and library; `join_group`, with a
    group's number for {gid}, one that may open the device node (None: as on the host).
    """

    name: str
    give_npu: str
    join_group: str | None = None


DOCKER: Final = Container(
    name="Docker container",
    give_npu=CONTAINER_FLAGS,
    join_group="docker run --group-add {gid} ...",
)
PODMAN: Final = Container(
    name="Podman container",
    # Podman's name for Docker's systempaths=unconfined (podman-run(1)).
    give_npu="podman run --device /dev/dri --security-opt unmask=ALL "
    f"-v {LIBRARY}:{LIBRARY}:ro ...",
    join_group="podman run --group-add keep-groups ...",
)
# Container runtimes hide /sys/firmware, to which /proc/device-tree points, and they do so after all
# mounts: a hostPath volume below /proc or /sys does not help (home-assistant/supervisor 4863).
# containerd and CRI-O hide nothing from privileged containers (containerd/cri 1090, cri-o 547), and
# only those may open devices of hostPath volumes. procMount: Unmasked needs hostUsers: false.
POD: Final = Container(
    name="Kubernetes pod",
    give_npu=f"{KUBERNETES}securityContext: {{privileged: true}}; hostPath volumes of /dev/dri and "
    f"{LIBRARY}",
    join_group=f"{KUBERNETES}securityContext: {{supplementalGroups: [{{gid}}]}}",
)
LXC: Final = Container(
    name="LXC container",
    give_npu="printf '%s\\n' 'lxc.mount.auto = proc:mixed sys:mixed' "
    "'lxc.cgroup2.devices.allow = c 226:* rwm' "
    "'lxc.mount.entry = /dev/dri dev/dri none bind,create=dir' "
    f"'lxc.mount.entry = {LIBRARY} {LIBRARY[1:]} none bind,ro,create=file' "
    "| sudo tee -a /var/lib/lxc/NAME/config   # on the board; then restart it",
)
# With a network of its own, systemd-nspawn shows a part of /sys only (nspawn-mount.c).
NSPAWN: Final = Container(
    name="systemd-nspawn container",
    give_npu="sudo systemd-nspawn --bind=/dev/dri --property='DeviceAllow=char-drm rw' "
    f"--bind-ro={LIBRARY} -D FOLDER   # without --private-network and --network-veth",
)
CHROOT: Final = Container(
    name="chroot, or a container of an unknown kind",
    give_npu="for each in proc sys dev; do sudo mount --rbind /$each FOLDER/$each; done"
    "   # on the board, FOLDER being the chroot",
)
BY_NAME: Final = {
    "docker": DOCKER,
    "podman": PODMAN,
    "lxc": LXC,
    "lxc-libvirt": LXC,
    "systemd-nspawn": NSPAWN,
}


def detect_container(root: Path = Path("/")) -> Container | None:
    """Read which container this is from the files below `root`; None if it is known of none."""
    # First, as a pod may be made by Docker.
    if (text(root / "etc/hosts") or "").startswith(POD_HOSTS):
        return POD
    if (root / "run/secrets/kubernetes.io").exists():
        return POD
    if (root / ".dockerenv").exists():
        return DOCKER
    if (root / "run/.containerenv").exists():
        return PODMAN
    if any((root / name).exists() for name in ("dev/lxd/sock", "dev/incus/sock", "dev/.lxc")):
        return LXC
    names = [text(root / file) for file in MANAGERS]
    return next((BY_NAME[name] for name in names if name in BY_NAME), None)
