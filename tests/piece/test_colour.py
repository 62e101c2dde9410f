import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asciiloom.piece import ColourPlane
from asciiloom.piece.colour import DEFAULT


@given(
    hnp.arrays(
        np.int32,
        st.tuples(st.integers(0, 6), st.integers(0, 9)),
        elements=st.sampled_from([DEFAULT, 0, 0xAA0000, 0xFFFFFF]),
    )
)
def test_a_plane_comes_back(fore: np.ndarray) -> None:
    plane = ColourPlane(fore, fore[::-1].copy())
    again = ColourPlane.unpack(plane.pack())
    assert np.array_equal(again.fore, plane.fore) and np.array_equal(again.back, plane.back)


def test_more_than_256_colours_come_back() -> None:
    fore = np.arange(1200, dtype=np.int32).reshape(30, 40)
    plane = ColourPlane(fore, np.full_like(fore, DEFAULT))
    assert np.array_equal(ColourPlane.unpack(plane.pack()).fore, fore)


def test_a_picture_in_two_colours_is_small() -> None:
    fore = np.full((100, 80), 0xAAAAAA, np.int32)
    fore[20:40] = 0xAA0000
    assert len(ColourPlane(fore, np.zeros_like(fore)).pack()) < 200


@pytest.mark.parametrize("damage", ["", "magic", "short", "long", "index", "body"])
def test_damage_is_an_error_not_a_picture(damage: str) -> None:
    fore = np.full((3, 4), 7, np.int32)
    data = ColourPlane(fore, fore).pack()
    broken = {
        "": b"",
        "magic": b"XX" + data[2:],
        "short": data[:4] + b"\x09" + data[5:],
        "long": data[:5] + b"\xff\xff\xff" + data[8:],
        "body": data[:20] + b"no stream of zlib",
        "index": data[:12] + b"\0\0\0\0" + data[16:],
    }[damage]
    with pytest.raises(ValueError):
        ColourPlane.unpack(broken)


def test_a_plane_of_more_cells_than_allowed_is_not_unpacked() -> None:
    fore = np.full((3, 4), 7, np.int32)
    data = ColourPlane(fore, fore).pack()
    assert ColourPlane.unpack(data, 12).fore.shape == (3, 4)
    with pytest.raises(ValueError):
        ColourPlane.unpack(data, 11)
