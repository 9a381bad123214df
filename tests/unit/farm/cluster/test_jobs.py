"""How images are put together to jobs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farm.cluster.jobs import MOST_IMAGES, carried, images_of_next, split
from farm.cluster.messages import Data, Parcel


def parcels(sizes: list[int]) -> list[Parcel]:
    return [Parcel(number, b"a.jpg", Data(bytes(size))) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 300)), st.integers(1, 500))
def test_jobs_have_all_images_in_their_order_and_are_not_too_large(
    sizes: list[int], most: int
) -> None:
    given_ = parcels(sizes)
    jobs = list(split(given_, most))
    assert [each for job in jobs for each in job] == given_
    assert all(len(job) == 1 or sum(map(carried, job)) <= most for job in jobs)
    assert all(jobs)


def test_three_boards_share_a_short_run() -> None:
    left, jobs = 48, []
    while left:
        jobs.append(images_of_next(left, 3))
        left -= jobs[-1]
    assert max(jobs) <= 48 / 3 / 2  # each board has two at first
    assert jobs[-3:] == [1, 1, 1]  # and none waits long for the last one


def test_a_long_run_or_one_of_unknown_length_has_large_jobs() -> None:
    assert images_of_next(100_000, 3) == images_of_next(None, 3) == MOST_IMAGES
    assert images_of_next(1, 0) == 1
