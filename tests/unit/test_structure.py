"""The code keeps its shape: no circles, a test for each module, short functions and files."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import grimp

from tests.helpers.support import ROOT

LONGEST_FUNCTION: Final = 40  # lines
LONGEST_FILE: Final = 250
MOST_PRIVATE: Final = 0.33  # of all functions
MOST_USED_ONCE: Final = 0.22

DATA: Final = "data without behaviour"
# Modules without a test file of their own, and why: another one tests what they do.
ELSEWHERE: Final[dict[str, str]] = {
    "farm/api/farm.py": "tests/integration/test_farm.py",
    "farm/api/observed.py": "tests/integration/test_watch.py",
    "farm/api/opening.py": "tests/integration/test_farm.py",
    "farm/api/run.py": "tests/integration/test_farm.py",
    "farm/api/running_farm.py": "tests/integration/test_threads.py",
    "farm/api/submitter.py": "tests/integration/test_submit.py",
    "farm/bench/bench.py": "tests/integration/test_bench.py",
    "farm/bench/trial.py": "tests/integration/test_tune.py",
    "farm/cli/boards.py": "tests/integration/test_boards.py",
    "farm/cli/command.py": "tests/integration/test_command.py",
    "farm/cli/commands.py": "tests/integration/test_command.py",
    "farm/cli/config_group.py": "tests/integration/test_command.py",
    "farm/cli/main.py": "tests/integration/test_command.py",
    "farm/cli/run.py": "tests/integration/test_command.py",
    "farm/cli/send.py": "tests/integration/test_send.py",
    "farm/cli/send_run.py": "tests/integration/test_send.py",
    "farm/cli/show_farm.py": "tests/integration/test_top.py",
    "farm/cli/show_hub.py": "tests/integration/test_boards.py",
    "farm/cli/top.py": "tests/integration/test_top.py",
    "farm/cli/work.py": "tests/integration/test_command.py",
    "farm/cli/join.py": "tests/integration/test_join.py",
    "farm/cluster/board.py": "tests/integration/test_join.py",
    "farm/cluster/joining.py": "tests/integration/test_join.py",
    "farm/cluster/access.py": "tests/integration/test_hub_access.py",
    "farm/cluster/pulling.py": "tests/integration/test_pulling.py",
    "farm/cluster/hub_watcher.py": "tests/integration/test_boards.py",
    "farm/cluster/events.py": DATA,
    "farm/cluster/hub_thread.py": "tests/integration/test_send.py",
    "farm/cluster/mail.py": "tests/integration/test_send.py",
    "farm/cluster/recovery.py": "tests/integration/test_send.py",
    "farm/cluster/sender.py": "tests/integration/test_send.py",
    "farm/cluster/link.py": "tests/integration/test_hub_link.py",
    "farm/cluster/nats_server_start.py": "tests/integration/test_hub.py",
    "farm/cluster/objects.py": "tests/integration/test_hub_objects.py",
    "farm/cluster/streams.py": "tests/integration/test_hub_link.py",
    "farm/coordinator/__main__.py": "tests/integration/test_command.py",
    "farm/coordinator/coordinator.py": "tests/integration/test_losses.py",
    "farm/coordinator/facts.py": "tests/integration/test_watch.py",
    "farm/coordinator/fork_server.py": "tests/integration/test_fork_server.py",
    "farm/coordinator/health.py": "tests/integration/test_losses.py",
    "farm/coordinator/limits.py": DATA,
    "farm/coordinator/publisher.py": "tests/integration/test_watch.py",
    "farm/doctor/npu_self_test.py": "tests/integration/test_npu.py",
    "farm/errors.py": DATA,
    "farm/system/full_screen.py": "tests/integration/test_top.py",
    "farm/report/data.py": DATA,
    "farm/report/html/figures.py": "tests/unit/farm/report/html/test_page.py",
    "farm/scheduler/events.py": DATA,
    "farm/scheduler/inflight.py": "tests/unit/farm/scheduler/test_dispatcher.py",
    "farm/serving/connection.py": "tests/integration/test_serve_hostile.py",
    "farm/serving/app.py": "tests/integration/test_serve.py",
    "farm/serving/life.py": "tests/integration/test_serve.py",
    "farm/serving/limits.py": DATA,
    "farm/serving/server.py": "tests/integration/test_serve.py",
    "farm/serving/service.py": "tests/integration/test_serve.py",
    "farm/serving/oip_images.py": "tests/unit/farm/serving/test_oip_request.py",
    "workers/errors.py": DATA,
    "workers/forkserver.py": "tests/integration/test_fork_server.py",
    "workers/main.py": "tests/integration/test_entry.py",
    "workers/protocol/sockets.py": "tests/integration/test_counts.py",
    "workers/protocol/spec.py": DATA,
    "workers/runtimes/registry.py": "tests/integration/test_farm.py",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    """The product's files."""
    return sorted(
        path for package in ("farm", "workers") for path in (ROOT / package).rglob("*.py")
    )


@cache
def functions() -> list[tuple[str, Function]]:
    """Every function of the product, with the file it is in."""
    return [
        (str(path.relative_to(ROOT)), node)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function)
    ]


def circles(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """The sets of modules that import each other, directly or not."""
    reached = {start: set(reach(graph, start)) for start in graph}
    for start, ends in reached.items():
        circle = {end for end in ends if start in reached[end]}
        if circle and start == min(circle):
            yield circle


def reach(graph: dict[str, set[str]], start: str) -> set[str]:
    """What can be come to from `start`, in one step or more."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def test_no_module_imports_itself_through_others() -> None:
    """Imports inside functions count, those for type checkers alone do not run."""
    found = grimp.build_graph("farm", "workers", exclude_type_checking_imports=True, cache_dir=None)
    graph = {name: found.find_modules_directly_imported_by(name) for name in found.modules}
    assert len(graph) > len(modules()) / 2
    assert [sorted(circle) for circle in circles(graph)] == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}
    assert [sorted(circle) for circle in circles(graph)] == [["b", "c"], ["e"]]


def test_every_module_has_its_test_file_or_a_reason_why_not() -> None:
    without = []
    for path in modules():
        name = path.relative_to(ROOT)
        tests = (ROOT / "tests" / "unit" / name.parent).glob(f"test_{path.stem}*.py")
        if path.name != "__init__.py" and not any(tests):
            without.append(str(name))
    assert sorted(without) == sorted(ELSEWHERE)
    named = {test for test in ELSEWHERE.values() if test != DATA}
    assert [test for test in sorted(named) if not (ROOT / test).is_file()] == []


def test_no_function_is_long() -> None:
    long = {
        f"{file}:{node.name}": lines
        for file, node in functions()
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_no_file_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules()
    }
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST_FILE} == {}


def is_private(function: Function) -> bool:
    return function.name.startswith("_") and not function.name.endswith("__")


def test_few_functions_are_private() -> None:
    private = [f"{file}:{node.name}" for file, node in functions() if is_private(node)]
    assert len(private) <= MOST_PRIVATE * len(functions())


def test_few_helpers_are_used_once() -> None:
    """A helper is a function of a module, or a private method."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules()]
    uses: Counter[str] = Counter()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Name):
            uses[node.id] += 1
        elif isinstance(node, ast.Attribute):
            uses[node.attr] += 1
    top = {node.name for tree in trees for node in tree.body if isinstance(node, Function)}
    once = [
        f"{file}:{node.name}"
        for file, node in functions()
        if uses[node.name] == 1 and (is_private(node) or node.name in top)
    ]
    assert len(once) <= MOST_USED_ONCE * len(functions())
