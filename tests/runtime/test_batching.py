from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from norface.runtime.batching import in_batches

Item = tuple[str, Sequence[int]]


def items(*faces: int) -> list[Item]:
    return [(f"{i}", [10 * i + k for k in range(count)]) for i, count in enumerate(faces)]


def test_items_come_in_order_with_their_own_faces() -> None:
    calls: list[int] = []

    def read(crops: Sequence[int]) -> list[str]:
        calls.append(len(crops))
        return [f"face {crop}" for crop in crops]

    given = items(1, 0, 2, 0, 5, 1, 0)
    found = list(in_batches(given, read, faces=4))
    assert found == [(key, tuple(f"face {c}" for c in crops)) for key, crops in given]
    assert [count for count in calls if count] == [8, 1]


def test_what_has_no_face_does_not_wait() -> None:
    def endless() -> Iterator[Item]:
        yield "empty", []
        raise AssertionError("asked for more before the first was given")

    assert next(in_batches(endless(), lambda crops: [], faces=8)) == ("empty", ())


def test_the_wait_for_faces_is_bounded() -> None:
    asked = 0

    def many() -> Iterator[Item]:
        nonlocal asked
        yield "face", [1]
        while True:
            asked += 1
            yield "empty", []

    assert next(in_batches(many(), list, faces=4)) == ("face", (1,))
    assert asked < 12


def test_one_that_fails_spoils_no_other() -> None:
    def read(crops: Sequence[int]) -> list[int]:
        if 20 in crops:
            raise MemoryError("too much")
        return list(crops)

    found = dict(in_batches(items(1, 1, 1, 1), read, faces=4))
    assert (found["0"], found["1"], found["3"]) == ((0,), (10,), (30,))
    assert isinstance(found["2"], MemoryError)


def test_ctrl_c_is_not_taken_for_a_failure() -> None:
    def read(crops: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_batches(items(1), read))
