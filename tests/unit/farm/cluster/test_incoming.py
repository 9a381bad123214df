from __future__ import annotations

from unittest.mock import Mock

import pytest
from nats.aio.msg import Msg

from farm.cluster.incoming import answers_in
from farm.cluster.messages import Answered, Answers, Data, Job, Parcel, encode
from farm.errors import HubError
from farm.results.result import DetectedObject, Prediction
from tests.unit.farm.cluster.test_messages import OTHER, RUN, result
from workers.protocol.messages import ItemError

CLASS = Answered(b"a", result(top5=(Prediction(1, "\x1b[2J", 0.5),)), None)
ERROR = Answered(b"a", result(error=ItemError("missing", "no such file")), None)
OBJECT = Answered(
    b"a", result(objects=(DetectedObject(1, "a", 0.5, (0.0, 0.0, 1.0, 1.0)),), size=(4, 3)), None
)


def message(data: bytes) -> Msg:
    return Mock(Msg, data=data)


def test_answers_of_the_run_come_as_they_are() -> None:
    sent = Answers(RUN, (CLASS, ERROR))
    assert answers_in(message(encode(sent)), RUN, "classify") == sent


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish",
        encode(Job(RUN, (Parcel(1, None, Data(b"")),))),
        encode(Answers(OTHER, (CLASS,))),  # of another run
        encode(Answers(RUN, (CLASS, OBJECT))),  # of another task
        encode(Answers(RUN, (CLASS,)))[:-1],
    ],
)
def test_what_is_no_answer_of_the_run_is_refused(data: bytes) -> None:
    with pytest.raises(HubError):
        answers_in(message(data), RUN, "classify")
