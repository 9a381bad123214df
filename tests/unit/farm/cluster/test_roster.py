from __future__ import annotations

import pytest
from msgspec.structs import replace

from farm.cluster.presence import encode
from farm.cluster.roster import LARGEST, accepted
from farm.errors import HubError
from tests.unit.farm.cluster.test_offer import OFFER
from tests.unit.farm.cluster.test_presence import WHO


def test_a_board_is_as_it_says() -> None:
    assert accepted(WHO.id, encode(WHO)) == WHO


def test_a_boards_name_is_made_fit_for_a_terminal() -> None:
    named = replace(WHO, board="rock\x1b[2J\x9b\u202e")
    assert accepted(WHO.id, encode(named)).board == r"rock\x1b[2J\x9b\u202e"


@pytest.mark.parametrize(
    "board",
    [
        replace(WHO, id="another"),
        replace(WHO, offer=replace(OFFER, name="net\x1b]0;gone\x07")),
        replace(WHO, offer=replace(OFFER, platform="rk\n3588")),
        replace(WHO, offer=replace(OFFER, task="x" * LARGEST)),
        replace(WHO, rate=-1.0),
        replace(WHO, ok=10**4000),
        replace(WHO, hottest=-1e300),
        replace(WHO, npu_load=(0.5, 1e300)),
    ],
    ids=["id", "model", "platform", "long", "rate", "ok", "hottest", "load"],
)
def test_what_no_board_says_is_refused(board: object) -> None:
    with pytest.raises(HubError) as raised:
        accepted(WHO.id, encode(board))  # type: ignore[arg-type]
    assert str(raised.value).isprintable()
