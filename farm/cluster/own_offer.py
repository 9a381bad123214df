"""What a farm that is up has to offer at a hub."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from farm.api import Farm
from farm.cluster.offer import Offer, labels_digest
from farm.config.schema import FarmConfig
from farm.hardware.platforms import SOCS

# What of a config changes answers, besides the model, the labels and the task.
SETTINGS: Final = {"task_options", "input", "output", "decode", "max_pixels"}
INVENTED: Final = {"seed", "classes"}  # and of a simulated NPU's


def offer_of(farm: Farm, name: str, *, by_path: bool) -> Offer:
    """Return what a farm that is up offers under the model's `name`."""
    simulated, labels = farm.plan.simulated, farm.labels
    return Offer(
        name=name,
        model="" if simulated else farm.model_sha256,
        task=farm.config.task,
        reading=farm.reading,
        labels=None if labels is None or simulated else labels_digest(labels),
        settings=settings_digest(farm.config, simulated=simulated),
        simulated=simulated,
        platform=farm.plan.platform.name,
        by_path=by_path,
    )


def settings_digest(config: FarmConfig, *, simulated: bool) -> str:
    """Return what stands for all of a config that changes answers."""
    said = config.model_dump(mode="json", include=SETTINGS)
    if simulated:
        said["simulated"] = config.simulated.model_dump(mode="json", include=INVENTED)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def model_name(config: FarmConfig) -> str:
    """Return what people call a model: its file's stem without a SoC, or the task's name."""
    if config.model is None:
        return config.task
    return re.sub(rf"-({'|'.join(SOCS)})$", "", config.model.stem)
