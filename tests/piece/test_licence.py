import pytest
from hypothesis import given
from hypothesis import strategies as st

from asciiloom.piece import licence_name, redistributable, spdx, states_public_domain

OPEN = {
    "CC0-1.0": "CC0-1.0",
    "CC0": "CC0-1.0",
    "CC0 1.0 Universal": "CC0-1.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "public domain": "CC-PDDC",
    "MIT": "MIT",
    "The MIT License": "MIT",
    "MIT License (MIT)": "MIT",
    "https://opensource.org/licenses/MIT": "MIT",
    "BSD-2-Clause": "BSD-2-Clause",
    "BSD": None,
    "bsd 3-clause": "BSD-3-Clause",
    "Apache License, Version 2.0": "Apache-2.0",
    "https://www.apache.org/licenses/LICENSE-2.0.txt": "Apache-2.0",
    "GPLv3": "GPL-3.0-only",
    "GPL-3.0": "GPL-3.0-only",
    "GPLv2+": "GPL-2.0-or-later",
    "GPL-2.0 (gpl.txt)": "GPL-2.0-only",
    "GPL-3.0 (also Artistic)": "GPL-3.0-only",
    "GNU General Public License v2 or later": "GPL-2.0-or-later",
    "https://www.gnu.org/licenses/gpl-3.0.en.html": "GPL-3.0-only",
    "LGPL-2.1": "LGPL-2.1-only",
    "CC BY 4.0": "CC-BY-4.0",
    "cc-by-sa": None,
    "Creative Commons Attribution-ShareAlike 4.0 International": "CC-BY-SA-4.0",
    "https://creativecommons.org/licenses/by-sa/3.0/deed.de": "CC-BY-SA-3.0",
    "MIT OR CC-BY-NC-4.0": "MIT OR CC-BY-NC-4.0",
    "(MIT OR CC-BY-NC-4.0) AND GPL-3.0": "(MIT OR CC-BY-NC-4.0) AND GPL-3.0-only",
    "MIT or GPL-2.0 or later": "MIT OR GPL-2.0-or-later",
    "apache-2.0 and zlib": "Apache-2.0 AND Zlib",
    "cc-by-3.0-de": "CC-BY-3.0-DE",
    "CC-BY-SA-2.1-JP": "CC-BY-SA-2.1-JP",
    "gpl-2.0-only with classpath-exception-2.0": "GPL-2.0-only WITH Classpath-exception-2.0",
    "Unlicense": "Unlicense",
}
CLOSED = {
    None: None,
    "": None,
    "none stated (web)": None,
    "unknown": None,
    "All rights reserved": None,
    "UNLICENSED": None,
    "CC BY-NC-ND 4.0": "CC-BY-NC-ND-4.0",
    "CC-BY-NC-4.0": "CC-BY-NC-4.0",
    "CC-BY-ND-4.0": "CC-BY-ND-4.0",
    "cc-by-nc": None,
    "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0": "CC-BY-NC-ND-4.0",
    "http://creativecommons.org/licenses/by-nc-sa/3.0/legalcode": "CC-BY-NC-SA-3.0",
    "MIT AND CC-BY-NC-4.0": "MIT AND CC-BY-NC-4.0",
    "CC-BY-NC-SA-2.0-DE": "CC-BY-NC-SA-2.0-DE",
    "cc-by-nc-nd-3.0-igo": "CC-BY-NC-ND-3.0-IGO",
}
UNCLEAR = (
    "MIT not granted to anyone",
    "not MIT",
    "MIT or ask me first",
    "MIT (repo); art itself collected from the web",
    "MIT (Pokemon designs: Nintendo)",
    "GPL-3.0 (also Artistic/GPL-1 for original)",
    "BSD-style (see its file)",
    "CC BY 4.0 but not for training",
    "public domain in some countries",
    "NOASSERTION",
    "LicenseRef-of-my-own",
    "MIT WITH conditions",
    "ask me",
    "MIT " * 100,
)


@pytest.mark.parametrize(("stated", "name"), OPEN.items())
def test_open_licences_by_their_many_names(stated: str, name: str | None) -> None:
    assert redistributable(stated) is True and spdx(stated) == name


@pytest.mark.parametrize(("stated", "name"), CLOSED.items())
def test_what_forbids_trade_or_change_and_what_is_not_stated(
    stated: str | None, name: str | None
) -> None:
    assert redistributable(stated) is False and spdx(stated) == name


@pytest.mark.parametrize("stated", UNCLEAR)
def test_half_of_a_statement_says_nothing(stated: str) -> None:
    assert redistributable(stated) is None and spdx(stated) is None


def test_of_a_listed_licence_nobody_judged_only_the_name_is_known() -> None:
    assert spdx("business source 1.1") is None and spdx("busl-1.1") == "BUSL-1.1"
    assert redistributable("BUSL-1.1") is None


@pytest.mark.parametrize("stated", [*OPEN, *CLOSED, *UNCLEAR])
def test_a_piece_keeps_the_name_or_all_that_was_stated(stated: str | None) -> None:
    """Never less: what is not known stays verbatim, and its name says of it what the statement did."""
    name = licence_name(stated)
    assert name == (spdx(stated) or stated or None)
    assert licence_name(name) == name
    assert redistributable(name) is redistributable(stated)


@given(st.sampled_from([s for s in OPEN if "http" not in s]))
def test_case_and_separators_change_nothing(stated: str) -> None:
    assert spdx(stated.upper()) == spdx(stated) == spdx(f"  {stated.replace(' ', '  ')} ")


@given(st.text(max_size=250))
def test_any_text_has_an_answer(stated: str) -> None:
    assert redistributable(stated) in (True, False, None)
    assert spdx(stated) is None or redistributable(stated) is not None


def test_a_remark_that_a_work_is_in_the_public_domain() -> None:
    assert states_public_domain("Public domain ASCII art")
    assert not states_public_domain("not in the public domain")
    assert not states_public_domain("somebody")
