import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.readers.screens.sauce import split_sauce

ART = b"/\\_/\\\r\n"


def record(
    title: bytes = b"Cat",
    made: bytes = b"19960229",
    datatype: int = 1,
    filetype: int = 1,
    columns: int = 80,
    comments: int = 0,
    flags: int = 0,
    font: bytes = b"IBM VGA",
) -> bytes:
    return struct.pack(
        "<5s2s35s20s20s8sIBB4HBB22s",
        b"SAUCE", b"00", title, b"Ada", b"Loom", made, 7, datatype, filetype, columns, 3, 0, 0,
        comments, flags, font,
    )  # fmt: skip


def test_fields() -> None:
    body, sauce = split_sauce(ART + b"\x1a" + record(flags=0b101))
    assert body == ART and sauce is not None
    assert (sauce.title, sauce.artist, sauce.group) == ("Cat", "Ada", "Loom")
    assert (sauce.made, sauce.columns, sauce.font) == ("1996-02-29", 80, "IBM VGA")
    assert sauce.ice and sauce.nine_pixels


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (ART + record(), ART),  # no 0x1A
        (ART + b"\x1a" + record() + b"\0" * 40, ART),  # padding behind
        (ART + b"\x1a" + record(b"One") + record(), ART),  # two records: the first is the file's
        (ART + b"\x1a" + record(comments=3), ART),  # comments announced and missing
        (ART + b"SAUCE00 is art here", ART + b"SAUCE00 is art here"),
        (record()[:100], record()[:100]),
        (b"", b""),
    ],
)
def test_what_real_files_do(data: bytes, left: bytes) -> None:
    assert split_sauce(data)[0] == left


def test_a_record_amid_the_art_is_art() -> None:
    data = ART + record() + b"more art below it\r\n"
    assert split_sauce(data) == (data, None)


def test_comment_block() -> None:
    lines = [b"drawn in one night".ljust(64), b"and a day".ljust(64, b"\0")]
    body, sauce = split_sauce(ART + b"\x1aCOMNT" + b"".join(lines) + record(comments=2))
    assert body == ART and sauce is not None
    assert sauce.comments == ("drawn in one night", "and a day")


def test_strings_end_at_nul_and_are_code_page_437() -> None:
    _, sauce = split_sauce(record(b"Gr\x81n\0rubbish", made=b"2020xx01", columns=0))
    assert sauce is not None
    assert (sauce.title, sauce.made, sauce.columns) == ("Grün", None, 0)


def test_width_of_binary_text_is_in_the_file_type() -> None:
    _, sauce = split_sauce(record(datatype=5, filetype=80))
    assert sauce is not None and sauce.columns == 160


@given(st.binary(max_size=300), st.binary(max_size=200))
def test_never_fails_and_only_takes_from_the_end(head: bytes, tail: bytes) -> None:
    data = head + record() + tail
    body, _ = split_sauce(data)
    assert data.startswith(body)
