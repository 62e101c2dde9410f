"""Hostile inputs to ingest, import and merge: afterwards the corpus is sound and holds nothing that may not enter."""

import base64
import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from .commands import Help
from .scene import CAT, Scene, copied, fresh, unsound
from .trial import Bench, Group, Problem, judge

MEMORY_MB = 1000
LONG_LINE = 160 << 20
HIDDEN = {
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
    "\u200e",
    "\u200f",
    "\ufeff",
}
COLUMNS = {
    "piece": ("text", "title", "description", "artist", "tags", "kind", "licence", "sequence", "made", "crew", "flags"),
    "tag": ("name",), "credit": ("text", "artist"), "source": ("name", "licence"),
    "origin": ("path", "locator", "title", "artist", "licence", "encoding"),
}  # fmt: skip


def record(**changed: object) -> str:
    """One exported record, with fields changed."""
    whole: dict[str, object] = {
        "text": CAT, "title": "cat", "description": None, "artist": "jgs", "tags": ["cat"], "kind": "art",
        "source": "mine", "licence": "CC0-1.0", "flags": [], "credits": [],
        "origins": [{"source": "mine", "path": "a.txt", "locator": "1", "title": "cat", "artist": "jgs",
                     "licence": "CC0-1.0", "encoding": "utf-8", "steps": []}],
    }  # fmt: skip
    return json.dumps(whole | changed)


def origin(**changed: object) -> str:
    """A record whose only origin has fields changed."""
    one = {"source": "mine", "path": "a", "locator": "1", "encoding": "utf-8", "steps": []}
    return record(origins=[one | changed])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(*lines: str) -> Callable[[Path], None]:
    return lambda path: path.write_text("\n".join(lines) + "\n", encoding="utf-8") and None


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def _long_line(path: Path) -> None:
    """One line of more than 100 MB: its middle is a hole in the file, so it takes no disk."""
    with path.open("wb") as stream:
        stream.write(b'{"text": "')
        stream.seek(LONG_LINE)
        stream.write(b'"}\n')
    with path.open("ab") as stream:
        stream.write(record().encode() + b"\n")


def _long_text(path: Path) -> None:
    """The same of letters, which JSON takes."""
    with path.open("wb") as stream:
        stream.write(b'{"text": "')
        for _ in range(LONG_LINE >> 20):
            stream.write(b"#" * (1 << 20))
        stream.write(b'"}\n' + record().encode() + b"\n")


def _parquet(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(
            pa.table({"text": [CAT, "###\n# #"] * 50, "title": ["cat", "box"] * 50}), path
        )
        path.write_bytes(change(path.read_bytes()))

    return make


def _wide_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table(
            {
                "text": pa.array([1, 2, 3]),
                "title": [b"\xff", b"\x00", None],
                "tags": [[1], None, [2]],
            }
        ),
        path,
    )


def inputs() -> list[tuple[str, str, Callable[[Path], None]]]:
    """(what it is, file name, how it is made); the most telling first."""
    many = json.dumps({f"k{n}": n for n in range(20_000)})
    bomb = zlib.compress(bytes(300 << 20), 9)
    return [
        ("ESC", "a.jsonl", _lines(record(text="\x1b[31mred\x1b[0m\n###", title="a\x1b]0;own\x07b"))),
        ("NUL", "a.jsonl", _lines(record(text="a\x00b\n###", title="n\x00l", tags=["a\x00b"], source="s\x00"))),
        ("tabs and CRLF", "a.jsonl", _lines(record(text="\t/\\\r\n\t\\/\r\n", description="a\r\nb\tc"))),
        ("bidi", "a.jsonl", _lines(record(text="ab\u202ecd\u2066##\n###", title="x\u202ey", artist="\u202ejgs"))),
        ("invented kind", "a.jsonl", _lines(record(kind="malware"), record(text="##\n#", kind=["art"]))),
        ("tags as numbers", "a.jsonl", _lines(record(tags=[1, 2.5, None, True]), record(text="##\n#", tags="cat"))),
        ("a long line with a hole", "a.jsonl", _long_line),
        ("a blank line", "a.jsonl", _bytes((record() + "\n\n").encode())),
        ("Latin-1", "a.jsonl", _bytes(b'{"text": "caf\xe9 ##\\n###"}\n')),
        ("nesting", "a.jsonl", _lines('{"text": "##", "x": ' + "[" * 100_000 + "]" * 100_000 + "}")),
        ("truncated Parquet", "a.parquet", _parquet(lambda d: d[: len(d) // 2])),
        ("a bomb as original", "a.jsonl", _lines(origin(original=_base64(bomb)))),
        ("a plane of garbage", "a.jsonl", _lines(record(colour="garbage"), record(text="##\n#", colour=[1, 2]))),
        ("a long text", "a.jsonl", _long_text),
        ("UTF-16", "a.jsonl", _bytes((record() + "\n").encode("utf-16"))),
        ("UTF-16 table", "a.csv", _bytes("text,title\n\"/\\\n\\/\",cat\n".encode("utf-16"))),
        ("BOM", "a.jsonl", _bytes(b"\xef\xbb\xbf" + record().encode() + b"\n")),
        ("blank lines first", "a.jsonl", _bytes(b"\n\n  \n" + record().encode() + b"\n\n\n")),
        ("NaN", "a.jsonl", _lines(record().replace('"cat"', "NaN", 1), '{"text": NaN}')),
        ("huge integers", "a.jsonl", _lines(record(id=10**40, width=10**30), '{"text": ' + "9" * 6000 + "}")),
        ("duplicate keys", "a.jsonl", _bytes(b'{"text": "a#", "text": "\\u001b[1m##", "text": "b##"}\n')),
        ("lone surrogates", "a.jsonl", _bytes(b'{"text": "##\\ud800#\\n##", "title": "\\udfff"}\n')),
        ("no objects", "a.jsonl", _lines("1", "[]", "null", '"text"', "{}")),
        ("text that is no string", "a.jsonl", _lines('{"text": 5}', '{"text": ["a"]}', '{"text": {"a": 1}}')),
        ("fields of wrong types", "a.jsonl", _lines(
            record(title=5, artist=["x"], description={"a": 1}, source=7, licence=[1], sequence=3, made=2, crew={}, flags=5))),
        ("origins of wrong types", "a.jsonl", _lines(*(record(text=f"#{n}#\n#", origins=o) for n, o in enumerate(
            (5, "x", [5], [[]], {"a": 1}, [None], "[[[", "{}"))))),
        ("origin fields of wrong types", "a.jsonl", _lines(origin(path=5, locator=[1], steps="abc", encoding=7, source=["x"]))),
        ("steps of wrong types", "a.jsonl", _lines(origin(steps={"a": 1}), record(text="##\n#", origins=[{"steps": [1, None]}]))),
        ("original no base64", "a.jsonl", _lines(origin(original="%%%"), origin(original=5))),
        ("paths that climb", "a.jsonl", _lines(origin(path="../../etc/passwd\x00\x1b[1m", locator="\n\r"))),
        ("empty text", "a.jsonl", _lines(record(text=""), record(text=" \n "), record(text="\u200b\u200b"))),
        ("many keys", "a.jsonl", _lines(many, record())),
        ("a wide piece", "a.jsonl", _lines(record(text="#" * 200_000), record(text="#\n" * 200_000))),
        ("combining marks", "a.jsonl", _lines(record(text="e" + "\u0301" * 50_000 + "\n##"))),
        ("many tags", "a.jsonl", _lines(record(tags=[f"t{n}" for n in range(50_000)]))),
        ("a long title", "a.jsonl", _lines(record(title="t" * 5_000_000, artist="a" * 1_000_000, description="d " * 2_000_000))),
        ("many flags", "a.jsonl", _lines(record(flags=["\x1b[1m", 7, None, "x" * 100_000]))),
        ("made and crew", "a.jsonl", _lines(record(made="\x1b[1myesterday", crew="\x9b31mcrew", sequence="\u202efilm"))),
        ("credits of garbage", "a.jsonl", _lines(record(credits=[{"row": -1, "column": 10**20, "text": "\x1b", "artist": 5}]))),
        ("a NUL byte in the file", "a.jsonl", _bytes(record().encode().replace(b"cat", b"c\x00t") + b"\n")),
        ("no newline at the end", "a.jsonl", _bytes(record().encode())),
        ("empty file", "a.jsonl", _bytes(b"")),
        ("cut in a line", "a.jsonl", _bytes((record() + "\n").encode()[:-40])),
        ("empty Parquet", "a.parquet", _bytes(b"")), ("Parquet of noise", "a.parquet", _parquet(lambda d: d[:4] + bytes(range(256)) * 20 + d[-8:])),
        ("Parquet with a hole", "a.parquet", _parquet(lambda d: d[:300] + bytes(200) + d[500:])),
        ("Parquet of other types", "a.parquet", _wide_parquet),
        ("CSV with NUL and quotes", "a.csv", _bytes(b'text,title\n"##\x00#\n' + b'"' * 4001 + b",x\n")),
        ("CSV field of 5 MB", "a.csv", _bytes(b'text,title\n"' + b"#" * 5_000_000 + b'",x\n')),
    ]  # fmt: skip


def kinds(bench: Bench) -> set[str]:
    """The kinds that ``search --help`` names."""
    text = Help(bench).of("search")
    at = text.index("--kind [")
    return set("".join(text[at + 8 : text.index("]", at)].split()).split("|"))


def unclean(db: Path, known: set[str]) -> list[Problem]:
    """What a corpus may not hold, by plain SQLite."""
    found: list[Problem] = []
    with copied(db) as copy, closing(sqlite3.connect(copy)) as plain:
        plain.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
        for table, columns in COLUMNS.items():
            for column in columns:
                for (value,) in plain.execute(f"SELECT DISTINCT {column} FROM {table}"):
                    if value is None:
                        continue
                    if not isinstance(value, str):
                        found.append(("other", f"{table}.{column} holds {type(value).__name__}"))
                        break
                    allowed = "\n" if column in ("text", "description") else ""
                    bad = [
                        c
                        for c in value
                        if c not in allowed
                        and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in HIDDEN)
                    ]
                    if bad:
                        found.append(("other", f"{table}.{column} holds {bad[0]!r}"))
                        break
        strange = {row[0] for row in plain.execute("SELECT DISTINCT kind FROM piece")} - known
        if strange:
            found.append(("other", f"unknown kind {sorted(map(str, strange))[:3]}"))
        for name, sql in (
            ("tags", "SELECT 1 FROM piece, json_each(piece.tags) WHERE json_each.type <> 'text'"),
            ("flags", "SELECT 1 FROM piece, json_each(piece.flags) WHERE json_each.type <> 'text'"),
        ):
            if plain.execute(sql).fetchone():
                found.append(("other", f"{name} that are no text"))
    return found


def attack(bench: Bench, scene: Scene, group: Group, quick: bool) -> None:
    """Every input through ingest and import, every hostile corpus through merge."""
    known = kinds(bench)
    store = bench.room()
    trials = []
    for number, (name, file, make) in enumerate(inputs()[:13] if quick else inputs()):
        (store / str(number)).mkdir()
        path = store / str(number) / file
        make(path)
        trials += [
            partial(_enter, bench, group, known, c, name, path) for c in ("ingest", "import")
        ]
    corpora = hostile_corpora()[: 6 if quick else None]
    trials += [partial(_merge, bench, scene, group, known, *corpus) for corpus in corpora]
    trials.append(partial(_artless, bench, group, 50_000 if quick else 500_000))
    bench.each(trials)


def _enter(
    bench: Bench, group: Group, known: set[str], command: str, name: str, path: Path
) -> None:
    room = bench.room()
    db = room / "art.db"
    extra = ["--workers", "1", "-q"] if command == "ingest" else []
    outcome = bench.run(command, db, path, *extra, timeout=60)
    problems = judge(outcome, statuses=(0, 1), memory=MEMORY_MB) + _verdict(bench, db, known)
    group.record(f"{outcome.command}   [{name}]", problems, outcome.tail)
    shutil.rmtree(room)


def _verdict(bench: Bench, db: Path, known: set[str]) -> list[Problem]:
    """Whether the corpus is sound by plain SQLite, by ``check --deep`` and by what it holds."""
    if not db.exists():
        return []
    wrong = unsound(db)
    if wrong:
        return [("loss", wrong[0])]
    problems = unclean(db, known)
    check = bench.run("check", db, "--deep", timeout=60)
    if check.status:
        problems.append(
            ("other", f"check --deep: {check.tail or check.out[:200].decode(errors='replace')}")
        )
    elif problems:
        problems.append(("other", "and check --deep says sound"))
    return problems


def _artless(bench: Bench, group: Group, rows: int) -> None:
    """A table without a column of art: one rejection with a count, not one a row."""
    room = bench.room()
    with (room / "a.jsonl").open("w") as stream:
        stream.writelines(f'{{"n": {n}}}\n' for n in range(rows))
    outcome = bench.run(
        "ingest", room / "art.db", room / "a.jsonl", "-q", "--workers", "1", timeout=120
    )
    problems = judge(outcome, statuses=(0, 1), memory=MEMORY_MB)
    size = sum(p.stat().st_size for p in room.glob("art.db*")) / 1e6
    if size >= 5:
        problems.append(("other", f"the corpus has {size:.0f} MB"))
    group.record(f"{outcome.command}   [{rows:,} rows without art]", problems, outcome.tail)
    shutil.rmtree(room)


def _sql(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def change(db: sqlite3.Connection) -> None:
        for statement in statements:
            db.execute(statement)

    return change


def _plane(db: sqlite3.Connection) -> None:
    db.execute("UPDATE colour SET plane = ?", (zlib.compress(bytes(300 << 20), 9),))


def _original(db: sqlite3.Connection) -> None:
    db.execute("UPDATE original SET bytes = ?, size = 5", (zlib.compress(bytes(400 << 20), 9),))


def _no_utf8(db: sqlite3.Connection) -> None:
    db.execute(
        "UPDATE piece SET title = CAST(x'ff00fe1b' AS TEXT), text = CAST(x'23ff23' AS TEXT) WHERE id < 5"
    )


def hostile_corpora() -> list[tuple[str, Callable[[sqlite3.Connection], None]]]:
    """(what it is, what is done to a sound corpus)."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS piece_id, 'r' AS reason, 'm' AS made FROM n"
    return [
        ("a view named withdrawn that never ends", _sql("DROP TABLE withdrawn", f"CREATE VIEW withdrawn AS {endless}")),
        ("ESC in texts", _sql("UPDATE piece SET text = 'a' || char(27) || '[31m#' || id, title = char(27) || ']0;x' || char(7)")),
        ("planes of garbage", _sql("UPDATE colour SET plane = x'00ff00ff'")),
        ("originals of garbage", _sql("UPDATE original SET bytes = x'00ff00ff'")),
        ("an invented kind", _sql("UPDATE piece SET kind = 'malware' || char(10), tags = '[1, 2, null]'")),
        ("an original that is a bomb", _original),
        ("a plane that is a bomb", _plane),
        ("a view named piece", _sql("ALTER TABLE piece RENAME TO hidden", "CREATE VIEW piece AS SELECT * FROM hidden")),
        ("a view named source that never ends", _sql(
            "ALTER TABLE source RENAME TO hidden", f"CREATE VIEW source AS SELECT piece_id AS id, reason AS name FROM ({endless})")),
        ("foreign triggers", _sql(
            "CREATE TRIGGER withdrawn_ai AFTER INSERT ON withdrawn BEGIN DELETE FROM piece; END",
            "CREATE TRIGGER piece_zz AFTER UPDATE ON piece BEGIN DELETE FROM origin; END")),
        ("BLOBs in text columns", _sql(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name IN ('piece', 'origin', 'source', 'withdrawn')",
            "PRAGMA writable_schema = RESET", "UPDATE piece SET title = x'1b5b', artist = 5, text = x'2323' WHERE id < 9",
            "UPDATE origin SET path = x'ff00'")),
        ("bytes that are no UTF-8", _no_utf8),
        ("bidi and NUL", _sql("UPDATE piece SET artist = char(0x202e) || 'x' || char(0), description = char(155) || '31m'")),
        ("a generated column", _sql("ALTER TABLE piece ADD COLUMN more TEXT AS (hex(randomblob(9))) VIRTUAL")),
        ("huge text", _sql("UPDATE piece SET text = CAST(zeroblob(90000000) AS TEXT) WHERE id = 3")),
        ("JSON bombs", _sql("PRAGMA ignore_check_constraints = ON",
                            "UPDATE piece SET tags = '[' || replace(hex(zeroblob(50000)), '0', '[') WHERE id < 4",
                            "UPDATE origin SET steps = '{\"a\":1}'")),
        ("measures that lie", _sql("UPDATE piece SET width = 1, height = 1, ink = 1, quality = 99.0")),
        ("hashes that lie", _sql("UPDATE piece SET hash = 'h' || id")),
        ("origins that climb", _sql("UPDATE origin SET path = '../../' || char(27) || '[1m', encoding = 'x' || char(10)")),
        ("virtual table of another kind", _sql("DROP TABLE piece_fts", "CREATE VIRTUAL TABLE piece_fts USING rtree(a, b, c)")),
        ("a table of our name, other columns", _sql("DROP TABLE withdrawn", "CREATE TABLE withdrawn (a, b)")),
    ]  # fmt: skip


def _merge(
    bench: Bench, scene: Scene, group: Group, known: set[str], name: str,
    change: Callable[[sqlite3.Connection], None],
) -> None:  # fmt: skip
    room = bench.room()
    db, theirs = fresh(scene, room), fresh(scene, room, "theirs.db", scene.theirs)
    with closing(sqlite3.connect(theirs, isolation_level=None)) as plain:
        plain.execute("PRAGMA foreign_keys = OFF")
        try:
            change(plain)
        except sqlite3.Error as error:
            group.untried.append(f"merge of {name}: this SQLite does not make it ({error})")
            return
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    outcome = bench.run("merge", db, theirs, timeout=30)
    problems = judge(outcome, statuses=(0, 1), memory=MEMORY_MB) + _verdict(bench, db, known)
    group.record(f"{outcome.command}   [{name}]", problems, outcome.tail)
    shutil.rmtree(room)
