import math
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from asciiloom.errors import SettingsError
from asciiloom.typed import AtMost, Between, OneOf, check_fields, from_plain


@dataclass(frozen=True, slots=True)
class Boat:
    oars: Annotated[int, Between(1, 8)] = 2
    length: float = 3.5
    sail: bool = False
    name: str | None = None
    rig: Annotated[str, OneOf(("sloop", "ketch"))] = "sloop"
    ports: Annotated[tuple[str, ...], AtMost(2)] = ()
    berth: tuple[int | None, int | None] = (None, None)
    notes: dict[str, int] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "boat")


def test_fitting_values_are_taken_and_lists_become_tuples() -> None:
    plain = {
        "oars": 4,
        "length": 5,
        "name": "Ä",
        "ports": ["Kiel"],
        "berth": [None, 3],
        "notes": {"a": 1},
    }
    assert from_plain(Boat, plain, "boat") == Boat(
        4, 5, name="Ä", ports=("Kiel",), berth=(None, 3), notes={"a": 1}
    )
    assert from_plain(Boat, {"sail": True}, "boat", Boat(oars=8)) == Boat(oars=8, sail=True)


@pytest.mark.parametrize(
    ("plain", "says"),
    [
        ({"oars": True}, "boat.oars must be a whole number from 1 to 8, not True"),
        ({"oars": 2.0}, "not 2.0"),
        ({"oars": "2"}, "not '2'"),
        ({"oars": 9}, "from 1 to 8, not 9"),
        ({"oars": 10**40}, "about 41 digits"),
        ({"length": math.nan}, "boat.length must be a number, not nan"),
        ({"length": 10**400}, "digits"),
        ({"length": "long"}, "not 'long'"),
        ({"sail": 1}, "true or false, not 1"),
        ({"name": 3}, "text or null, not 3"),
        ({"name": "\ud800"}, "text that UTF-8 can write"),
        ({"rig": "raft"}, "one of sloop, ketch"),
        ({"ports": "cat"}, "a list of at most 2 entries, not 'cat'"),
        ({"ports": ["a", "b", "c"]}, "at most 2 entries"),
        ({"ports": ["a", 1]}, "boat.ports[1] must be text, not 1"),
        ({"berth": [1]}, "a list of length 2, not [1]"),
        ({"berth": [1, "b"]}, "boat.berth[1] must be a whole number or null, not 'b'"),
        ({"notes": {"a": "b"}}, "boat.notes must be a whole number, not a table"),
        ({"notes": {"a": 2**63}}, "boat.notes.a must be a smaller number"),
        ({"notes": ["a"]}, "a table"),
        ({"oar": 1}, "boat has no 'oar'; did you mean 'oars'?"),
        ({"zzz": 1}, "it has oars, length"),
        ({1: 1}, "boat has no 1"),
        ([], "boat must be a table of names and values"),
        (None, "boat must be a table of names and values"),
    ],
)
def test_others_are_refused_in_one_line_that_names_the_field(plain: Any, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_plain(Boat, plain, "boat")
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
