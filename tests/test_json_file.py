import os
from pathlib import Path

import pytest

from asciiloom.json_file import MAX_DEPTH, parse_json, parse_object, read_bounded, read_object


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": [1, 2.5, "é", null, true]}', encoding="utf-8")
    assert read_object(file, 100) == {"a": [1, 2.5, "é", None, True]}
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[]", "not a JSON object"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "beyond the numbers"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\xff{}", "not UTF-8"),
        (b"{", "not JSON"),
        (b'{"a":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}", "nested"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_json_would_take_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_object(data)
    assert "\n" not in str(caught.value)


def test_size_and_kind_are_looked_at_before_reading(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"x" * 11)
    assert read_bounded(file, 11) == b"x" * 11
    with pytest.raises(ValueError, match="11 bytes, and at most 10"):
        read_bounded(file, 10)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(ValueError, match="ordinary file"):
            read_bounded(other, 10)
