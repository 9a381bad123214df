"""Real clients of the Open Inference Protocol get from a real server what a run gives."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import httpx
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferResult
from tritonclient.http.aio import InferenceServerClient as AsyncClient
from tritonclient.http.auth import BasicAuth
from tritonclient.utils import InferenceServerException

from farm.api import Farm
from farm.config import loader
from farm.results.result import Result
from farm.sources.scenes import write_scenes
from tests.helpers.programs import SIMULATED, run
from tests.helpers.server import Server, serving
from tests.helpers.support import ROOT
from tests.helpers.triton import connected, encoded, outputs, pixels, texts

HOST: Final = ROOT / "configs" / "host.yaml"
DETECT: Final = ROOT / "configs" / "detect.yaml"
NO_IMAGE: Final = b"no image at all"


def run_of(config: Path, items: list[Any]) -> list[Result]:
    """What a run of these images gives."""
    with Farm(loader.load(config, {"size": 1, "platform": "host"})) as farm:
        return list(farm.classify(items, ordered=True))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(str(HOST), "-s", "1") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[InferenceServerClient]:
    with connected(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def images(renders: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in renders[:8]]


@pytest.fixture(scope="module")
def expected(images: list[bytes]) -> list[Result]:
    return run_of(HOST, images)


def check(answer: InferResult, expected: list[Result]) -> None:
    """The classes of an answer are those of a run."""
    classes = answer.as_numpy("classes").tolist()
    assert classes == [[each.class_id for each in result.top5 or ()] for result in expected]
    scores = np.array(
        [[each.score for each in result.top5 or ()] for result in expected], np.float32
    )
    assert answer.as_numpy("scores").tolist() == scores.tolist()
    labels = [[each.label for each in result.top5 or ()] for result in expected]
    assert texts(answer.as_numpy("labels")) == labels
    assert texts(answer.as_numpy("errors")) == [""] * len(expected)


def test_health_and_what_the_server_and_its_model_are(client: InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("glyphs")
    assert client.is_model_ready("glyphs", "1")
    assert not client.is_model_ready("glyphs", "2")
    assert client.get_server_metadata()["name"] == "npu-farm"
    told = client.get_model_metadata("glyphs")
    assert told == client.get_model_metadata("glyphs", "1")
    assert (told["name"], told["platform"]) == ("glyphs", "onnxruntime_onnx")
    config = client.get_model_config("glyphs")
    assert [each["dims"] for each in config["output"]] == [
        each["shape"] for each in told["outputs"]
    ]


@pytest.mark.parametrize("binary_outputs", [True, False])
@pytest.mark.parametrize("binary_inputs", [True, False])
def test_images_are_answered_as_in_a_run(
    client: InferenceServerClient,
    images: list[bytes],
    expected: list[Result],
    binary_inputs: bool,
    binary_outputs: bool,
) -> None:
    given = encoded(*images, binary=binary_inputs)
    names = ("classes", "scores", "labels", "errors")
    asked = outputs(*names, binary=binary_outputs)
    answer = client.infer("glyphs", [given], outputs=asked, request_id="42")
    assert answer.get_response()["id"] == "42"
    check(answer, expected)


def test_pixels_are_answered_as_in_a_run_of_the_same_colours(
    client: InferenceServerClient, images: list[bytes]
) -> None:
    bgr = [
        cv2.resize(np.asarray(cv2.imdecode(np.frombuffer(each, np.uint8), 1)), (160, 120))
        for each in images
    ]
    rgb = np.stack([cv2.cvtColor(each, cv2.COLOR_BGR2RGB) for each in bgr]).astype(np.uint8)
    expected = run_of(HOST, bgr)
    assert [each.top5 for each in run_of(HOST, list(rgb))] != [each.top5 for each in expected]
    check(client.infer("glyphs", [pixels(rgb)]), expected)
    check(client.infer("glyphs", [pixels(rgb[:1], binary=False)]), expected[:1])


def test_classes_come_as_triton_writes_them(
    client: InferenceServerClient, images: list[bytes], expected: list[Result]
) -> None:
    asked = outputs("scores", classes=2)
    answer = client.infer("glyphs", [encoded(*images, column=True)], outputs=asked)
    assert texts(answer.as_numpy("scores")) == [
        [f"{each.score:.6f}:{each.class_id}:{each.label}" for each in (result.top5 or ())[:2]]
        for result in expected
    ]


def test_a_bad_image_is_told_and_the_others_are_answered(
    client: InferenceServerClient, images: list[bytes], expected: list[Result]
) -> None:
    answer = client.infer("glyphs", [encoded(images[0], NO_IMAGE, images[1])])
    told = texts(answer.as_numpy("errors"))
    assert [each.partition(":")[0] for each in told] == ["", "not_an_image", ""]
    classes = answer.as_numpy("classes")
    assert classes[1].tolist() == [-1] * 5
    assert classes[[0, 2], 0].tolist() == [(each.top5 or ())[0].class_id for each in expected[:2]]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_a_body_may_be_compressed(
    client: InferenceServerClient, images: list[bytes], expected: list[Result], algorithm: str
) -> None:
    answer = client.infer(
        "glyphs",
        [encoded(*images)],
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    check(answer, expected)


def test_requests_at_once_get_their_own_answers(
    server: Server, images: list[bytes], expected: list[Result]
) -> None:
    with connected(server.url, concurrency=4) as client:
        asked = [client.async_infer("glyphs", [encoded(each)]) for each in images * 4]
        for each, result in zip(asked, expected * 4, strict=True):
            check(each.get_result(), [result])

    async def ask() -> list[InferResult]:
        async with AsyncClient(server.url.removeprefix("http://")) as client:
            waiting = [client.infer("glyphs", [encoded(each)]) for each in images * 4]
            return list(await asyncio.gather(*waiting))

    for answer, result in zip(asyncio.run(ask()), expected * 4, strict=True):
        check(answer, [result])


def refusal(client: InferenceServerClient, *words: Any, **options: Any) -> tuple[str, str]:
    """The status and the words of a request that is refused."""
    with pytest.raises(InferenceServerException) as refused:
        client.infer(*words, **options)
    return refused.value.status(), refused.value.message()


def test_what_can_t_be_answered_is_refused_with_words(
    client: InferenceServerClient, images: list[bytes]
) -> None:
    good = encoded(images[0])
    status, words = refusal(client, "glyphs", [encoded(NO_IMAGE)])
    assert (status, words.partition(":")[0]) == ("415", "not_an_image")
    assert refusal(client, "other", [good])[0] == "404"
    assert refusal(client, "glyphs", [good, good])[0] == "400"
    six = outputs("scores", classes=6)
    assert refusal(client, "glyphs", [good], outputs=six)[0] == "400"
    # Of what there is not, tritonclient reads the words, too.
    with pytest.raises(InferenceServerException) as missing:
        client.get_model_repository_index()
    assert missing.value.status() == "404"


def test_curl_sends_a_file_as_the_manual_says(server: Server, renders: list[Path]) -> None:
    text = b64encode(renders[0].read_bytes()).decode()
    request = (
        '{"inputs": [{"name": "images", "shape": [1], "datatype": "BYTES", '
        f'"data": ["{text}"]}}]}}'
    )
    url = f"{server.url}/v2/models/glyphs/infer"
    found = run("curl", "-sS", url, "-d", "@-", input=request)
    assert found.stdout == httpx.post(url, content=request).text


def test_objects_are_those_of_a_run(tmp_path: Path) -> None:
    write_scenes(tmp_path, count=4, seed=7)
    images = [path.read_bytes() for path in sorted(tmp_path.glob("*.jpg"))]
    expected = run_of(DETECT, images)
    assert all(each.objects for each in expected)
    with (
        serving(str(DETECT), "-s", "1", "-p", "host", "--name", "finder") as server,
        connected(server.url) as client,
    ):
        answer = client.infer("finder", [encoded(*images[:2], NO_IMAGE, *images[2:])])
    counts = [len(each.objects or ()) for each in expected]
    assert answer.as_numpy("counts").tolist() == [*counts[:2], 0, *counts[2:]]
    assert answer.get_output("boxes")["shape"] == [5, max(counts), 4]
    assert texts(answer.as_numpy("errors"))[2].startswith("not_an_image")
    for at, result in zip([0, 1, 3, 4], expected, strict=True):
        objects = result.objects or ()
        boxes = np.array([each.box for each in objects], np.float32)
        assert answer.as_numpy("boxes")[at, : len(objects)].tolist() == boxes.tolist()
        assert answer.as_numpy("classes")[at, : len(objects)].tolist() == [
            each.class_id for each in objects
        ]
        assert texts(answer.as_numpy("labels"))[at][: len(objects)] == [
            each.label for each in objects
        ]
        assert answer.as_numpy("sizes")[at].tolist() == [*(result.size or ())]


def test_a_simulated_npu_says_so_and_a_time_limit_is_kept(images: list[bytes]) -> None:
    slow = (*SIMULATED[:-1], "1", "--set", "simulated.service_ms=500")
    with serving(*slow) as server, connected(server.url) as client:
        name = httpx.get(f"{server.url}/v2/models").json()["models"][0]
        assert client.get_model_metadata(name)["platform"] == "npu-farm_simulated"
        answer = client.infer(name, [encoded(images[0])])
        assert answer.get_response()["parameters"] == {"simulated": True}
        status, _ = refusal(client, name, [encoded(images[0])], timeout=1000)
        assert status == "504"


def test_a_client_may_have_a_token(tmp_path: Path, images: list[bytes]) -> None:
    token, given = "0123456789abcdef", encoded(images[0])
    (tmp_path / "tokens").write_text(token)
    with (
        serving(*SIMULATED, "--name", "net", "--token-file", str(tmp_path / "tokens")) as server,
        connected(server.url) as client,
    ):
        status, words = refusal(client, "net", [given])
        assert status == "401"
        assert "token" in words
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.infer("net", [given], headers=bearer).get_response()["model_name"] == "net"
        client.register_plugin(BasicAuth("", token))
        assert client.infer("net", [given]).get_response()["model_name"] == "net"


OWN_TASK: Final = """
def tell(outputs, image):
    return {"size": [image.width, image.height], "raw": b"\\xff"}
"""


def test_an_own_task_s_output_is_json(tmp_path: Path, images: list[bytes]) -> None:
    (tmp_path / "mine.py").write_text(OWN_TASK)
    config = tmp_path / "mine.yaml"
    config.write_text(f"platform: host\nmodel: {ROOT}/models/glyphs.onnx\ntask: mine:tell\n")
    with (
        serving(str(config), "-s", "1", cwd=tmp_path) as server,
        connected(server.url) as client,
    ):
        answer = client.infer("glyphs", [encoded(images[0], NO_IMAGE)])
    height, width = np.asarray(cv2.imdecode(np.frombuffer(images[0], np.uint8), 1)).shape[:2]
    output = texts(answer.as_numpy("output"))
    assert [json.loads(output[0]), output[1]] == [{"size": [width, height], "raw": "/w=="}, ""]


@pytest.mark.filterwarnings("ignore:Core Pydantic V1")  # of Python 3.14
def test_the_protocol_s_own_client_gets_the_same(
    server: Server, images: list[bytes], expected: list[Result]
) -> None:
    """Its working group generates it from the specification."""
    from open_inference.openapi.client import OpenInferenceClient
    from open_inference.openapi.types import InferenceRequest, RequestInput

    data = [b64encode(each).decode() for each in images]
    given = RequestInput.parse_obj(
        {"name": "images", "shape": [len(images)], "datatype": "BYTES", "data": data}
    )
    asked = InferenceRequest(id="42", inputs=[given], outputs=None, parameters=None)
    with httpx.Client() as connection:
        client = OpenInferenceClient(base_url=server.url, httpx_client=connection)
        client.check_server_liveness()
        client.check_server_readiness()
        client.check_model_readiness("glyphs")
        told = client.read_model_metadata("glyphs")
        answer = client.model_infer("glyphs", request=asked)
    names = ["classes", "scores", "labels", "errors"]
    assert [each.name for each in told.outputs or ()] == names
    assert [each.name for each in answer.outputs] == names
    assert (answer.id, answer.model_name, answer.model_version) == ("42", "glyphs", "1")
    classes = [each.class_id for result in expected for each in result.top5 or ()]
    assert answer.outputs[0].data.__root__ == classes


KSERVE: Final = """
import asyncio, json, sys
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, model, *paths = sys.argv[1:]


async def main():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    health = [
        await client.is_server_live(url),
        await client.is_server_ready(url),
        await client.is_model_ready(url, model),
    ]
    values = np.empty(len(paths), dtype=np.object_)
    values[:] = [open(path, "rb").read() for path in paths]
    given = InferInput("images", [len(paths)], "BYTES")
    given.set_data_from_numpy(values, binary_data=True)
    answer = await client.infer(url, InferRequest(model, [given]), model_name=model)
    print(json.dumps([health, answer.get_output_by_name("classes").as_numpy().tolist()]))


asyncio.run(main())
"""


def test_kserve_s_client_gets_the_same(
    server: Server, renders: list[Path], expected: list[Result]
) -> None:
    """Its package needs 450 MB, so it may be in a Python of its own."""
    python = os.environ.get("KSERVE_PYTHON", sys.executable)
    if run(python, "-c", "import kserve").returncode:
        pytest.skip("no kserve here: install it, or name in KSERVE_PYTHON a Python that has it")
    found = run(python, "-c", KSERVE, server.url, "glyphs", *map(str, renders[:8]))
    classes = [[each.class_id for each in result.top5 or ()] for result in expected]
    assert json.loads(found.stdout.splitlines()[-1]) == [[True, True, True], classes]
