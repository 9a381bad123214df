"""Labels files as people have them: read, or refused with what they are."""

from __future__ import annotations

import codecs
import json
import subprocess
import sys

import pytest

from farm.config.label_file import read_names
from farm.errors import ConfigError

THREE = ("tench, Tinca", "goldfish", "great white shark")
LINES = "tench, Tinca\ngoldfish\ngreat white shark\n"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".txt", LINES),
        (".txt", LINES.removesuffix("\n")),
        (".txt", f"{LINES}\n \n\r\n"),
        (".txt", LINES.replace("\n", "\r\n")),
        (".txt", LINES.replace("\n", "\r")),
        (".txt", f"\ufeff{LINES}"),
        (".txt", LINES.replace("goldfish", "\ufeffgoldfish ")),
        (".names", LINES),
        (".txt", "0 tench, Tinca\n1 goldfish\n2 great white shark\n"),
        (".txt", "2: great white shark\n0: tench, Tinca\n1:goldfish\n\n"),
        (".csv", "0,tench, Tinca\r\n1,goldfish\r\n2,great white shark\r\n"),
        (".tsv", "0\ttench, Tinca\n1\tgoldfish\n2\tgreat white shark\n"),
        (".txt", "n01440764 tench, Tinca\nn01443537\tgoldfish\nn01484850 great white shark"),
        (".txt", "tench, Tinca\nn01443537 goldfish\nn01484850 great white shark"),
        (".txt", "0 n01440764 tench, Tinca\n1 n01443537 goldfish\n2 n01484850 great white shark"),
        (".txt", "n01443537 1 goldfish\nn01440764 0 tench, Tinca\nn01484850 2 great white shark"),
        (".json", json.dumps(THREE)),
        (".txt", json.dumps(THREE, indent=2)),
        (".json", "\ufeff" + json.dumps({"1": THREE[1], "0": THREE[0], "2": THREE[2]})),
        (".json", json.dumps({name: number for number, name in enumerate(THREE)})),
        (".json", json.dumps({str(n): ["n01440764", name] for n, name in enumerate(THREE)})),
        (".json", json.dumps({"id2label": dict(enumerate(THREE)), "label": 1})),
        (".json", json.dumps({"names": THREE})),
        (".yaml", 'nc: 3\nnames:\n  0: "tench, Tinca"\n  1: goldfish\n  2: great white shark\n'),
        (".YML", "names: ['tench, Tinca', goldfish, great white shark]\npath: x\n"),
        (".yaml", "- tench, Tinca\n- goldfish\n- great white shark\n"),
    ],
)
def test_the_names_are_in_class_order(suffix: str, text: str) -> None:
    assert read_names(text.encode(), suffix) == THREE


FORMS = {
    "names": LINES,
    "numbers": "0 tench, Tinca\n1 goldfish\n2 great white shark\n",
    "numbers with colons": "0: tench, Tinca\n1: goldfish\n2: great white shark\n",
    "WordNet": "n01440764 tench, Tinca\nn01443537 goldfish\nn01484850 great white shark\n",
    "JSON list": json.dumps(THREE, indent=1),
    "JSON map": json.dumps(dict(enumerate(THREE)), indent=1),
    "JSON map to numbers": json.dumps({name: at for at, name in enumerate(THREE)}, indent=1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["an end at last", "no end at last"])
def test_each_form_is_read_with_any_mark_and_line_ends(
    form: str, mark: str, end: str, last: bool
) -> None:
    text = FORMS[form].removesuffix("\n") + "\n" * last
    data = (mark + text.replace("\n", end)).encode()
    assert read_names(data, ".txt") == THREE


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0\n1\n2\nA\n\n\n", ("0", "1", "2", "A")),
        (
            "caf\u00e9\u2028au lait\nform\x0cfeed\nx\x85y",
            ("caf\u00e9\u2028au lait", "form\x0cfeed", "x\x85y"),
        ),
        ("crane\nowl\ncrane", ("crane", "owl", "crane")),
        ("class 0\nclass 1\nclass 2", ("class 0", "class 1", "class 2")),
        ("0 Class 2\n1 Class 0\n2 Class 1", ("Class 2", "Class 0", "Class 1")),
        ("7 Up\ncola\nwater", ("7 Up", "cola", "water")),
        ("0,5 litres\n1,5 litres", ("0,5 litres", "1,5 litres")),
        ("0.5 litres\n1.5 litres", ("0.5 litres", "1.5 litres")),
        ("n01440764\nn01443537", ("n01440764", "n01443537")),
        ("#\n-\n[\n", ("#", "-", "[")),
        ("[PAD]\n[MASK]", ("[PAD]", "[MASK]")),
        ("#\n-\n{", ("#", "-", "{")),
        ('["1 euro", "2 euro", " "]', ("1 euro", "2 euro", " ")),
        ('{"0": "0", "1": "1"}', ("0", "1")),
    ],
)
def test_what_belongs_to_a_name_stays(text: str, names: tuple[str, ...]) -> None:
    assert read_names(text.encode(), ".txt") == names


def test_yaml_names_are_as_written() -> None:
    assert read_names(b"names: [no, 1.0, 2024-01-01, null]", ".yaml") == (
        "no",
        "1.0",
        "2024-01-01",
        "null",
    )


@pytest.mark.parametrize(
    ("suffix", "text", "fact"),
    [
        (".txt", "", "empty"),
        (".txt", "\n\r\n \n\ufeff\n", "empty"),
        (".txt", "tench\n\ngoldfish\n", "line 2 is empty"),
        (".txt", "\ntench\ngoldfish\n", "line 1 is empty"),
        (".txt", "1 tench\n2 goldfish\n", "begin with 1"),
        (".txt", "n01443537 2 goldfish\nn01440764 1 tench", "begin with 1"),
        (".txt", "0 tench\n2 shark\n", "there is no 1"),
        (".txt", "0 tench\n1 goldfish\n1 shark\n", "twice"),
        (".txt", "0 tench\n1 goldfish\nshark\n", "line 3 does not"),
        (".txt", "5 euro\n10 euro\n20 euro", "hardly differ"),
        (".txt", "0 fingers\n1 fingers\n2 fingers", "hardly differ"),
        (".txt", "# ImageNet\ntench\ngoldfish", "line 1 looks like a comment"),
        (".txt", "tench\n// more\ngoldfish", "line 2 looks like a comment"),
        (".csv", "id,name\n0,tench\n1,goldfish", "table's head"),
        (".csv", "label\ntench\ngoldfish", "table's head"),
        (".csv", "tench,1\ngoldfish,0", "ends in a number"),
        (".txt", "tench 1\ngoldfish 0", "ends in a class number"),
        (".txt", "1 person\n2 bicycle\n3\n4 car", "line 3 does not"),
        (".txt", "tench,n01440764\ngoldfish,n01443537", "ends in a WordNet number"),
        (".txt", "'tench',\n'goldfish'", "in quotes"),
        (".csv", '0,"tench"\n1,"goldfish"', "in quotes"),
        (".txt", "- tench\n- goldfish", "begins with a dash"),
        (".txt", "names:\n  0: tench\n  1: goldfish\n", ".yaml"),
        (".txt", "nc: 2\nnames: [tench, goldfish]\n", ".yaml"),
        (".txt", "{0: 'tench',\n 1: 'goldfish'}", "no valid JSON"),
        (".txt", "['tench',\n 'goldfish']", "no valid JSON"),
        (".json", '["tench", "gold', "no JSON"),
        (".json", '"tench"', "no JSON"),
        (".json", "[" * 100_000, "no JSON"),
        (".json", "[]", "no list"),
        (".json", '{"0": "tench", "2": "goldfish"}', "there is no 1"),
        (".json", '{"1": "tench", "2": "goldfish"}', "begin with 1"),
        (".json", '{"0": "tench", "0": "goldfish"}', "twice"),
        (".json", '{"tench": 0, "goldfish": 0}', "twice"),
        (".json", '{"10": 1, "2": 0}', "no map"),
        (".json", '{"a": "tench"}', "no map"),
        (".json", '["tench", 3]', "3 is no name"),
        (".json", '["tench", ""]', "is no name"),
        (".json", '["tench", "\\ud800"]', "is no name"),
        (".json", '[{"id": 1, "name": "person"}]', "is no name"),
        (".json", '{"names": ["a"], "names": ["b"]}', "more than one"),
        (".pbtxt", "item {\n  id: 1\n  name: 'x'\n}", "label map of TensorFlow"),
        (".yaml", "model: x.rknn\nsize: 3\n", "no map"),
        (".yaml", "names: [a\n", "invalid YAML"),
        (".yaml", "names:\n  0: [a, b]\n  1: c\n", "is no name"),
        (".txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (".txt", "<!DOCTYPE html>\n<html>", "web page"),
        (".txt", "tench\0goldfish\0", "NUL"),
    ],
)
def test_what_is_uncertain_is_refused_with_what_it_is(suffix: str, text: str, fact: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_names(text.encode(), suffix)
    assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (LINES.encode("utf-16"), ("UTF-16", "iconv")),
        (LINES.encode("utf-16-be"), ("UTF-16BE", "iconv")),
        (codecs.BOM_UTF32_LE + LINES.encode("utf-32-le"), ("UTF-32", "iconv")),
        ("tench\ncaf\u00e9\n".encode("latin-1"), ("line 2", "WINDOWS-1252", "iconv")),
    ],
)
def test_another_encoding_is_named_with_how_to_convert_it(
    data: bytes, facts: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_names(data, ".txt")
    assert [fact for fact in facts if fact not in str(caught.value)] == []


@pytest.mark.parametrize("text", ["{0: 'tench',\n 1: \"it's\"}", "['tench',\n \"it's\"]"])
def test_the_advice_for_python_works(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_names(text.encode(), ".txt")
    advice = str(caught.value).partition("if it is Python: ")[2].removesuffix(" < OLD > NEW")
    script = advice.replace("python3", sys.executable)
    done = subprocess.run(
        ["/bin/sh", "-c", script], input=text.encode(), capture_output=True, check=True
    )
    assert read_names(done.stdout, ".txt") == ("tench", "it's")
