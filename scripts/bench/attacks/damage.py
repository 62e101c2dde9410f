"""Damaged files under every command: a line, never a traceback, a hang, or a sound file made unsound."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from .commands import COMMANDS, Command
from .scene import Scene, fresh, unsound
from .trial import Bench, Group, judge

PAGE = 8192


def _bytes(
    change: Callable[[bytearray, random.Random], bytearray | None],
) -> Callable[[Path, random.Random], None]:
    def damage(db: Path, rng: random.Random) -> None:
        data = bytearray(db.read_bytes())
        db.write_bytes(change(data, rng) or data)

    return damage


def _flips(count: int, start: int = 0) -> Callable[[Path, random.Random], None]:
    def change(data: bytearray, rng: random.Random) -> None:
        for _ in range(count):
            data[rng.randrange(start, len(data))] ^= 1 << rng.randrange(8)

    return _bytes(change)


def _page(
    make: Callable[[bytearray, int, random.Random], bytes], count: int
) -> Callable[[Path, random.Random], None]:
    def change(data: bytearray, rng: random.Random) -> None:
        for _ in range(count):
            at = rng.randrange(1, len(data) // PAGE) * PAGE
            data[at : at + PAGE] = make(data, at, rng)

    return _bytes(change)


def _swap(data: bytearray, at: int, rng: random.Random) -> bytes:
    other = rng.randrange(1, len(data) // PAGE) * PAGE
    here, there = bytes(data[at : at + PAGE]), bytes(data[other : other + PAGE])
    data[other : other + PAGE] = here
    return there


def _header(at: int, value: bytes) -> Callable[[Path, random.Random], None]:
    def change(data: bytearray, rng: random.Random) -> None:
        data[at : at + len(value)] = value

    return _bytes(change)


def _cut(share: float) -> Callable[[Path, random.Random], None]:
    return _bytes(lambda data, rng: data[: int(len(data) * share)])


def _sql(*statements: str) -> Callable[[Path, random.Random], None]:
    def damage(db: Path, rng: random.Random) -> None:
        with closing(sqlite3.connect(db, isolation_level=None)) as plain:
            plain.execute("PRAGMA foreign_keys = OFF")
            plain.execute("PRAGMA ignore_check_constraints = ON")
            plain.execute("PRAGMA writable_schema = ON")
            for statement in statements:
                plain.execute(statement)
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return damage


def _whole(data: bytes) -> Callable[[Path, random.Random], None]:
    return lambda db, rng: db.write_bytes(data) and None


def damages() -> list[tuple[str, Callable[[Path, random.Random], None]]]:
    """Forty ways, the most telling first."""
    random_bytes = _page(lambda d, a, r: r.randbytes(PAGE), 2)
    return [
        ("12 flipped bits", _flips(12)), ("a table is gone", _sql("DROP TABLE origin")),
        ("3 pages of zeroes", _page(lambda d, a, r: bytes(PAGE), 3)), ("cut to 60 %", _cut(0.6)),
        ("no database", _whole(b"this is no database at all, but long enough to be one\n" * 40)),
        ("huge page count", _header(28, b"\x7f\xff\xff\xff")), ("2 pages of noise", random_bytes),
        ("empty", _whole(b"")), ("swapped pages", _page(_swap, 2)), ("user_version 2", _sql("PRAGMA user_version = 2")),
        ("no words index", _sql("DROP TABLE piece_fts")), ("plane of garbage", _sql("UPDATE colour SET plane = x'00ff00ff'")),
        ("original of garbage", _sql("UPDATE original SET bytes = x'00ff00ff'")),
        ("1 flipped bit", _flips(1)), ("100 flipped bits", _flips(100)), ("2,000 flipped bits", _flips(2000)),
        ("flips in the schema", _bytes(lambda d, r: [d.__setitem__(r.randrange(100, PAGE), 0) for _ in range(40)] and None)),
        ("10 pages of noise", _page(lambda d, a, r: r.randbytes(PAGE), 10)),
        ("20 pages of zeroes", _page(lambda d, a, r: bytes(PAGE), 20)), ("8 swapped pages", _page(_swap, 8)),
        ("cut to 5 %", _cut(0.05)), ("cut to 95 %", _cut(0.95)), ("cut to 50 bytes", _whole(b"SQLite format 3\0" + bytes(34))),
        ("cut in a page", _bytes(lambda d, r: d[: -PAGE // 2])), ("page size 3", _header(16, b"\x00\x03")),
        ("freelist of noise", _header(32, b"\x00\x00\x00\x05\x00\x00\x03\xe8")), ("newer schema", _sql("PRAGMA user_version = 99")),
        ("negative schema", _sql("PRAGMA user_version = -7")), ("foreign application", _sql("PRAGMA application_id = 1234")),
        ("no piece", _sql("DROP TABLE piece")), ("no tag", _sql("DROP TABLE tag")), ("no source", _sql("DROP TABLE source")),
        ("no settings", _sql("DROP TABLE setting")), ("no withdrawn", _sql("DROP TABLE withdrawn")),
        ("no sizes", _sql("DROP TABLE size")), ("no shapes", _sql("DROP TABLE piece_art")),
        ("no indexes", _sql("DROP INDEX tag_name", "DROP INDEX piece_cluster", "DROP INDEX piece_size")),
        ("no triggers", _sql("DROP TRIGGER piece_ai", "DROP TRIGGER piece_ad", "DROP TRIGGER piece_au", "DROP TRIGGER piece_size_au")),
        ("signatures of garbage", _sql("UPDATE signature SET pieces = x'0102', blocks = x'03', flat = x'04'", "UPDATE band SET buckets = x'05'")),
        ("a column is gone", _sql("ALTER TABLE piece DROP COLUMN crew")),
        ("JSON of garbage", _sql("UPDATE piece SET tags = '[1, {', flags = 'no' WHERE id % 3 = 0")),
        ("texts with holes", _sql("UPDATE piece SET text = '', width = 0, height = 0 WHERE id % 5 = 0")),
        ("numbers of 18 digits", _sql("UPDATE piece SET width = 999999999999999999, height = 999999999999999999, chars = 999999999999999999 WHERE id % 5 = 0")),
        ("settings of garbage", _sql("DELETE FROM setting", "INSERT INTO setting VALUES ('thresholds', '[[[')")),
        ("references to nowhere", _sql("UPDATE origin SET source_id = 999", "UPDATE twin SET b = b + 5000")),
    ]  # fmt: skip


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Each damaged file under every command."""
    store = bench.room()
    ways = damages()[:13] if quick else damages()
    trials = []
    for number, (name, damage) in enumerate(ways):
        broken = fresh(scene, store, f"{number:02}.db")
        damage(broken, random.Random(number))
        was_sound = not unsound(broken)
        for command in COMMANDS:
            if command.slow and number % (6 if quick else 4):
                continue
            trials.append(partial(_try, bench, scene, group, command, name, broken, was_sound))
    group.notes.append(
        f"{len(ways)} files; train, eval and charts on every {'sixth' if quick else 'fourth'} of them"
    )
    bench.each(trials)


def _try(
    bench: Bench,
    scene: Scene,
    group: Group,
    command: Command,
    name: str,
    broken: Path,
    was_sound: bool,
) -> None:
    room = bench.room()
    db = fresh(scene, room, source=broken)
    outcome = scene.run(bench, command, db, timeout=30)
    problems = judge(outcome, statuses=(0, 1), lists=command.lists)
    if was_sound and outcome.status == 0 and (wrong := unsound(db)):
        problems.append(("loss", f"sound before, now {wrong[0]}"))
    group.record(f"{outcome.command}   [{name}]", problems, outcome.tail)
    shutil.rmtree(room)
