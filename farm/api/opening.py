"""Brings a farm up: its coordinator, its workers."""

from __future__ import annotations

import logging

from farm.api.running_farm import RunningFarm
from farm.config.schema import FarmConfig
from farm.coordinator.startup import prepare
from farm.errors import InterruptedStartError
from farm.system.one_thread import Notice, OneThread
from farm.system.progress import Starting
from farm.system.signals import Signals


def prepare_farm(
    config: FarmConfig, log: logging.Logger, signals: Signals | None, one_thread: OneThread
) -> RunningFarm:
    """Return a farm whose workers are yet to be started by `start`; see coordinator.startup."""
    plan, coordinator, labels = prepare(config, log)
    return RunningFarm(
        config=config,
        plan=plan,
        coordinator=coordinator,
        labels=labels,
        signals=signals,
        one_thread=one_thread,
        leaving=Notice(),
    )


def start(running: RunningFarm, starting: Starting) -> None:
    """Start the workers and wait until each is up or given up; `starting` is told how many are up.

    Raises InterruptedStartError if a signal comes, StartError if no worker could start,
    BadCoreError as Coordinator.poll does, and ConfigError if the labels do not fit the model.
    """
    coordinator, plan, labels = running.coordinator, running.plan, running.labels
    coordinator.launch()
    slots = coordinator.supervisor.slots
    with starting(len(plan.workers)) as tell:
        while slots.starting:
            if running.signals_seen():
                raise InterruptedStartError("the workers were still starting")
            running.check_up()
            coordinator.poll(running.fds)
            tell(sum(slot.ready is not None for slot in slots))
    coordinator.health.check_started()
    if labels is not None and not plan.simulated:
        classes = {slot.ready.classes for slot in slots if slot.ready}
        if known := classes.pop():
            labels.check(known)
