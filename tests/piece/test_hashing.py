from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import bare_hashes, canonicalize, content_hash, mirror_text

ROWS = st.text(st.sampled_from("/\\()<>[]{}bdpqJLsz',.` \n#"), max_size=60)


@given(ROWS)
def test_ascii_and_other_texts_are_hashed_by_one_rule(raw: str) -> None:
    text = canonicalize(raw).text
    bare = "\n".join(row for row in text.replace(" ", "").split("\n") if row)
    plain = content_hash(bare)
    expected = plain, min(plain, content_hash(mirror_text(bare)))
    assert bare_hashes(text) == expected
    # The path of other texts says the same of what is the same.
    wide = bare_hashes(text.replace("#", "█"))
    assert (wide == expected) == ("#" not in text)


@given(ROWS)
def test_mirror_images_share_the_second_hash(raw: str) -> None:
    text = canonicalize(raw).text
    wide = max(map(len, text.split("\n")))
    padded = "\n".join(row.ljust(wide) for row in text.split("\n"))
    assert bare_hashes(canonicalize(mirror_text(padded)).text)[1] == bare_hashes(text)[1]
