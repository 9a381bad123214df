"""The examples at the end of each command's --help."""

from __future__ import annotations

from typing import Final

# The columns are those of a terminal: 78 characters.
EXAMPLES: Final = {
    "run": """
npu-farm run                         bundled samples, this machine's config
npu-farm run photo.jpg photos/       a file and a folder
npu-farm run rk3588 photos/ -s 6     the config of an rk3588, 6 runtimes
npu-farm run photos/ -m net.onnx --labels names.txt
npu-farm run photos/ -q -o results.jsonl --resume
npu-farm run photos/ --html results.html
find . -name '*.jpg' | npu-farm run host -
npu-farm run rk3588 --runtime simulated --set simulated.npu_cores=2
""",
    "serve": """
npu-farm serve                       this machine's config, on port 8000
npu-farm serve rk3588 --port 0       a free port, which is told
npu-farm serve farm.yaml --host 0.0.0.0 --token-file tokens.txt
npu-farm serve farm.yaml --timeout 2 --queue 100
""",
    "send": """
npu-farm send nats://TOKEN@hub:4222  bundled samples, to try it
npu-farm send nats://TOKEN@hub:4222 photos/ -q -o results.jsonl --resume
npu-farm send nats://hub:4222 photos/ --token-file token --model resnet50
find . -name '*.jpg' | npu-farm send nats://TOKEN@hub:4222 -
""",
    "hub": """
npu-farm hub                         for programs of this machine, to try it
npu-farm hub --listen 0.0.0.0        for boards, too
npu-farm hub --listen 0.0.0.0 --certfile hub.pem --store /srv/npu-farm
npu-farm hub --print-config          for a server of your own
""",
    "join": """
npu-farm join nats://TOKEN@hub:4222  this machine's config
npu-farm join nats://TOKEN@hub:4222 rk3588 --board kitchen
npu-farm join nats://hub:4222 farm.yaml --token-file token
npu-farm join nats://TOKEN@hub:4222 farm.yaml --by-path /mnt/photos
""",
    "top": """
npu-farm top                         the farm that runs here, or the board
npu-farm top --once                  one picture, as for a log
npu-farm top --pid 1234 --once --json
npu-farm top --hub nats://TOKEN@hub  the boards at a hub
""",
    "boards": """
npu-farm boards nats://TOKEN@hub     the boards at a hub, what waits there
npu-farm boards nats://hub --token-file hub.token --json
""",
    "plan": """
npu-farm plan                        this machine's config
npu-farm plan rk3588 --runtime rknn  a board's, on any machine
npu-farm plan farm.yaml -s 6 -c 4-7
""",
    "bench": """
npu-farm bench                       bundled samples, this machine's config
npu-farm bench rk3588 photos/ --sizes 1,2,3,6
npu-farm bench rk3588 -s 6 --rounds 5 --json bench.json --html bench.html
npu-farm bench rk3588 -s 6 --compare bench.json
""",
    "tune": """
npu-farm tune farm.yaml photos/      changes farm.yaml
npu-farm tune rk3588 -o farm.yaml    leaves the config, writes another
""",
    "init": """
npu-farm init                        farm.yaml for this machine
npu-farm init rk3588                 farm.yaml for an rk3588
""",
    "render": """
npu-farm render samples/             the images that a run draws by default
npu-farm render samples/ -n 500 --seed 3
npu-farm render samples/ --scenes    for detectors: several characters each
""",
    "doctor": """
npu-farm doctor                      this machine alone
npu-farm doctor rk3588               and a config, its model, memory, cores
npu-farm doctor farm.yaml -m net.onnx --json
""",
    "convert": """
npu-farm convert net.onnx -p rk3588 --calibrate photos/
npu-farm convert net.onnx -p rk3576 --calibrate list.txt --mean 127
""",
    "show": """
npu-farm config show                 this machine's config
npu-farm config show farm.yaml -s 6 --set input.width=224
""",
    "config": """
npu-farm config show farm.yaml       all values, and where each comes from
""",
}


def examples(command: str) -> str:
    """Return a command's examples as the end of its help: click keeps lines after a \\b."""
    lines = EXAMPLES[command].strip().split("\n")
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
