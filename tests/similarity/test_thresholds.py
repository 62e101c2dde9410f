from dataclasses import asdict

import numpy as np

from asciiloom.similarity.thresholds import Thresholds


def _judge(
    agreement: float,
    contained: float,
    ink: int,
    bits: float = 3.5,
    lettering: bool = False,
    mirrored: bool = False,
    cropped: bool = False,
    box: float = 0.0,
    words: bool = False,
) -> str:
    one = Thresholds().judge(
        np.array([[agreement, contained, box]]),
        np.array([ink]),
        np.array([bits]),
        np.array([lettering or words]),
        np.array([words]),
        np.array([mirrored]),
        np.array([cropped]),
    )
    return one[0]


def test_thresholds_of_other_versions_are_read() -> None:
    usual = asdict(Thresholds())
    assert Thresholds.kept(usual) == Thresholds()
    assert Thresholds.kept(usual | {"poor": 0.90}).poor == 0.90  # somebody's choice
    former = {name: value for name, value in usual.items() if name != "word_variant"}
    assert Thresholds.kept(former | {"poor": 0.90}) == Thresholds()  # nobody's: it was the default
    assert Thresholds.kept(former | {"same": 0.85, "poor": 0.88}) == Thresholds(
        same=0.85, poor=0.88
    )
    assert Thresholds.kept(usual | {"of a version to come": 0.5}) == Thresholds()


def test_judgement() -> None:
    assert _judge(0.85, 0.9, 100) == "same"
    assert _judge(0.85, 0.9, 100, bits=2.0) == "variant"  # a maze: agreement comes cheap
    assert (
        _judge(0.91, 0.95, 100, bits=2.0) == "variant"
    )  # as it does with one figure below two mazes
    assert _judge(0.93, 0.95, 100, bits=0.5) == "same"
    assert _judge(0.97, 0.98, 100, bits=0.5, lettering=True) == "variant"  # letters of "#"
    assert _judge(1.0, 1.0, 50, bits=2.0, mirrored=True) == "variant"  # XI and IX
    assert _judge(1.0, 1.0, 90, bits=2.0, mirrored=True) == "same"
    assert _judge(0.92, 0.95, 100, lettering=True) == "variant"
    assert _judge(0.6, 0.7, 100, lettering=True) == "apart"  # words share half their ink by chance
    assert _judge(0.7, 0.8, 100, lettering=True) == "variant"
    assert _judge(0.7, 0.8, 100, words=True) == "apart"  # three letters of four in one font
    assert _judge(0.86, 0.92, 100, words=True) == "variant"
    assert _judge(0.5, 1.0, 100, words=True) == "apart"  # a letter lies whole in a word
    assert _judge(0.76, 0.99, 100) == "same"  # one lies whole in the other
    assert _judge(0.70, 0.99, 100) == "variant"
    assert _judge(0.55, 0.7, 100) == "variant"
    assert _judge(0.3, 0.95, 100) == "variant"
    assert _judge(0.2, 0.3, 100) == "apart"
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.9) == "variant"
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.5) == "apart"  # among much else
    assert _judge(0.02, 0.95, 60, cropped=True, box=0.9, lettering=True) == "apart"
    assert _judge(0.95, 1.0, 60, cropped=True, box=1.0) == "variant"  # a crop is its own piece
    assert _judge(0.9, 0.9, 10) == "apart" and _judge(1.0, 1.0, 10) == "same"
