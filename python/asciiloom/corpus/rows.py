"""Rows of the tables around the pieces on their way into a corpus: runs, edits, sources, artists, rejections,
verdicts.

Nothing in them is believed more than a piece is. References become those of this corpus, texts lose control
characters, the schema's own constraints hold, and what means something to this program (a change that
``undo`` would write, a score, thresholds) is held against the rule by which it is made here. A row that is
here already stays as it is; where it has nothing, what the other one knows is filled in.
"""

import json
import math
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from asciiloom.corpus.importing import bytes_of, origins_of
from asciiloom.corpus.reading import PARTS
from asciiloom.curate.artists import adopt, forget_usual
from asciiloom.curate.edits import BELONGINGS, Change, checked
from asciiloom.curate.rewriting import SEEN
from asciiloom.errors import AsciiloomError
from asciiloom.ingest.gate import MAX_ORIGINAL, RULES, escaped
from asciiloom.piece import ColourPlane, content_hash, licence_name
from asciiloom.similarity.pairs import EVIDENCE
from asciiloom.similarity.thresholds import VERDICTS, Thresholds
from asciiloom.store.schema import Table, tables_of

Row = dict[str, Any]
MAX_TEXT = 8 << 20  # characters of one value; a change holds a whole text twice
_INT64 = range(-(1 << 63), 1 << 63)
# Columns that people change later: two rows that differ in them alone are one.
_CHANGING = {"edit": ("undone",)}
_TWIN = "twin "


class BadRowError(ValueError):
    """What is wrong with a row, in a few words."""


class RowWriter:
    """Writes rows of the tables of a stream, in its order; within a transaction.

    ``decided`` collects what people decided there about pieces that were here before, by piece and field:
    for one edit at the end.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._tables = tables_of()
        (self._first_new,) = connection.execute(
            "SELECT coalesce(max(id), 0) + 1 FROM piece"
        ).fetchone()
        self._numbers: dict[str, dict[int, int]] = defaultdict(
            dict
        )  # of a table: number there -> here
        self._here: dict[str, dict[tuple[Any, ...], list[int]]] = {}
        self._renamed: dict[str, str] = {}  # hashes of texts that were cleaned
        self._people: dict[int, list[str]] = {}  # of an artist there: the name and all others
        self.decided: dict[tuple[int, str], Change] = {}

    def decide(self, change: Change) -> None:
        """The first word counts: a file may contradict itself."""
        self.decided.setdefault((change.piece, change.field), change)

    # -- references

    def number(self, table: str, there: Any) -> int | None:
        """The number that row ``there`` of a table has here."""
        return self._numbers[table].get(there) if isinstance(there, int) else None

    def name_piece(self, stated: Any, name: str) -> None:
        """A piece that is called ``stated`` in the stream has the hash ``name``."""
        if isinstance(stated, str) and stated != name:
            self._renamed[stated] = name

    def _piece(self, name: Any) -> int | None:
        for called in (name, self._renamed.get(name)):
            row = self._db.execute("SELECT id FROM piece WHERE hash = ?", (called,)).fetchone()
            if row is not None:
                return int(row[0])
        return None

    def keep_originals(self, record: Mapping[str, Any]) -> None:
        """The bytes that came with a record which was refused: later ones may refer to them."""
        try:
            found = [bytes_of(origin.get("original"), "")[0] for origin in origins_of(record)]
        except ValueError:
            return
        for data in found:
            self._keep(data)

    def _keep(self, data: bytes | None) -> None:
        if data is not None and len(data) <= MAX_ORIGINAL:
            self._db.execute(
                "INSERT INTO original (hash, size, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (content_hash(data), len(data), zlib.compress(data, 6)),
            )

    # -- rows

    def write(self, name: str, row: Any) -> None:
        """Write one row; ``BadRowError`` where it is none of table ``name``."""
        table = self._tables.get(name)
        if not isinstance(row, dict):
            raise BadRowError("it is no object")
        if name == "original":
            self._keep(_blob(row.get("original"), "original"))
            return
        if table is None or name in PARTS:
            raise BadRowError(f"{name[:100]!r} is no table of a corpus")
        try:
            values = self.clean(table, row)
            if values is None:
                return  # of a piece that is not here: its own rejection says why
            values = _CHECKS.get(name, dict)(values)
            if name == "twin":
                self._write_twin(values)
            elif name == "artist":
                self._people[row["id"]] = [values["name"]]
            elif name == "alias":
                self._people[row["artist_id"]].append(values["spelling"])
            elif table.numbered:
                self._write_numbered(table, values, row.get("id"))
            else:
                self._insert(table, values)
        except (
            AsciiloomError,
            ValueError,
            KeyError,
            TypeError,
            OverflowError,
            RecursionError,
            sqlite3.IntegrityError,
        ) as error:
            raise BadRowError(" ".join(str(error).split())[:200]) from error

    def clean(self, table: Table, row: Mapping[str, Any]) -> Row | None:
        """The values of ``row`` for the columns of ``table`` that it has, references those of this corpus;
        None where it is about a piece that is not here."""
        values: Row = {}
        for column, kind in table.columns.items():
            if column not in row or (column == "id" and table.numbered):
                continue
            value, refers = row[column], table.refers.get(column)
            if refers == "piece":
                value = self._piece(value) if isinstance(value, str) else None
                if value is None:
                    return None
            elif refers is not None and self._tables[refers].numbered:
                value = self.number(refers, value)
            else:
                value = _VALUES[kind](value, column)
            values[column] = value
        field = values.get("field")
        if table.name == "change" and isinstance(field, str) and field.startswith(_TWIN):
            other = self._piece(field.removeprefix(_TWIN))
            if other is None:
                return None
            values["field"] = f"{_TWIN}{other}"
        return values

    def _insert(self, table: Table, values: Row) -> int | None:
        """The id of a new row; None where a row of its key is here, or it has none."""
        back = " RETURNING id" if table.numbered else ""
        made = self._db.execute(
            f"INSERT INTO {table.name} ({_quoted(values)}) VALUES ({', '.join('?' * len(values))})"
            f" ON CONFLICT DO NOTHING{back}",
            list(values.values()),
        ).fetchone()
        return made[0] if made else None

    def _write_numbered(self, table: Table, values: Row, there: Any) -> None:
        number = self._find(table, values)
        if number is None:
            number = self._insert(table, values)
        elif missing := [c for c in values if c not in table.key and values[c] is not None]:
            sets = ", ".join(f'"{c}" = coalesce("{c}", ?)' for c in missing)
            self._db.execute(
                f"UPDATE {table.name} SET {sets} WHERE id = ?",
                (*(values[c] for c in missing), number),
            )
        if isinstance(there, int) and number is not None:
            self._numbers[table.name][there] = number

    def _find(self, table: Table, values: Row) -> int | None:
        """The row here that ``values`` are: of its key, or, of a table without one, an equal one that
        nothing in this stream was yet."""
        if table.key:
            where = " AND ".join(f'"{c}" IS ?' for c in table.key)
            row = self._db.execute(
                f"SELECT id FROM {table.name} WHERE {where}", [values.get(c) for c in table.key]
            ).fetchone()
            return row[0] if row else None
        changing = ("id", *_CHANGING.get(table.name, ()))
        columns = [c for c in table.columns if c not in changing]
        if table.name not in self._here:
            here = self._here[table.name] = defaultdict(list)
            for number, *found in self._db.execute(
                f"SELECT id, {_quoted(columns)} FROM {table.name} ORDER BY id DESC"
            ):
                here[tuple(found)].append(number)
        equal = self._here[table.name].get(tuple(values.get(c) for c in columns))
        return equal.pop() if equal else None

    def adopt_people(self) -> None:
        """Whose names are one person's, at the end of the stream, where all names are known. Here a name stays
        whose it is; but a new corpus, that nobody has told anything yet, takes their word for all of it."""
        if self._people and self._first_new == 1:
            forget_usual(self._db)
        adopt(self._db, [(name, others) for name, *others in self._people.values()])

    def _write_twin(self, values: Row) -> None:
        """A measured pair. What a person said of it there stands, unless a person said something here."""
        a, b = sorted((values["a"], values["b"]))
        values = values | {"a": a, "b": b}
        row = self._db.execute("SELECT reviewed FROM twin WHERE a = ? AND b = ?", (a, b)).fetchone()
        said = bool(values.get("reviewed"))
        if b < self._first_new and said:
            # Clusters of pieces that were here before change with it: an edit, which can be taken back.
            if row is None or not row[0]:
                self.decide(Change(a, f"{_TWIN}{b}", values["verdict"]))
            values = values | {"reviewed": 0}
        if row is None:
            self._insert(self._tables["twin"], values)
        elif said and not row[0] and b >= self._first_new:
            self._db.execute(
                "UPDATE twin SET verdict = ?, reviewed = 1 WHERE a = ? AND b = ?",
                (values["verdict"], a, b),
            )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


# -- values, by the declared types of columns


def _integer(value: Any, column: str) -> int | None:
    if value is None or (isinstance(value, int) and value in _INT64):
        return None if value is None else int(value)
    raise BadRowError(f"its {column} is no whole number of 64 bits")


def _real(value: Any, column: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise BadRowError(f"its {column} is no number")


def _text(value: Any, column: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRowError(f"its {column} is no text")
    if len(value) > MAX_TEXT:
        raise BadRowError(f"its {column} has more than {MAX_TEXT >> 20} million characters")
    return value if value.isprintable() else "\n".join(map(escaped, value.split("\n")))


def _blob(value: Any, column: str) -> bytes | None:
    data, lost = bytes_of(value, column)
    if lost:
        raise BadRowError(f"its {column} are no bytes")
    return data


_VALUES: dict[str, Callable[[Any, str], Any]] = {
    "INTEGER": _integer, "REAL": _real, "TEXT": _text, "BLOB": _blob, "ANY": _text,
}  # fmt: skip


# -- what rows of a table must be beyond that


def _run(row: Row) -> Row:
    counts: list[int] = [row[name] for name in ("read", "new", "duplicate", "rejected")]
    if min(counts) < 0 or counts[0] != sum(counts[1:]):
        raise BadRowError("its counts do not add up")
    return row


def _edit(row: Row) -> Row:
    return row | {"command": RULES["path"](row["command"])}


def _change(row: Row) -> Row:
    """``undo`` writes what stood before, so both values must be such as an edit takes."""
    values = {}
    for name in ("before", "after"):
        value = json.loads(row[name])
        if row["field"] == "licence" and isinstance(value, str):
            value = licence_name(value)  # an older corpus keeps what was stated
        if row["field"] == BELONGINGS:
            took = value = _belongings(value)
        else:
            took = checked(Change(row["piece_id"], row["field"], value)).after
        if took != (sorted(value) if row["field"] == "tags" else value):
            raise BadRowError(f"its {name} is no {row['field']}")
        values[name] = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return row | values


def _belongings(value: Any) -> Row | None:
    """What went with a former text (``rewriting.belongings``), if ``undo`` may bring it back."""
    if value is None:
        return None
    colour, flags, twins = (value[name] for name in ("colour", "flags", "twins"))
    if colour is not None:
        ColourPlane.unpack(_blob(colour, "colour") or b"")
    if not {*flags} <= {*SEEN}:
        raise BadRowError("its flags are none that a reader sees")
    columns = {c: kind for c, kind in tables_of()["twin"].columns.items() if c not in ("a", "b")}
    for twin in twins:
        if not isinstance(twin, dict) or twin.keys() != {"hash", *columns} or None in twin.values():
            raise BadRowError("its twins are no verdicts")
        if twin["reviewed"] != 1 or twin["banners"] not in (0, 1):
            raise BadRowError("its twins are none that a person judged")
    judged = [
        {"hash": _text(twin["hash"], "hash")}
        | _verdict({c: _VALUES[kind](twin[c], c) for c, kind in columns.items()})
        for twin in twins
    ]
    return {"colour": colour, "flags": flags, "twins": judged}


def _twin(row: Row) -> Row:
    if row["a"] == row["b"]:
        raise BadRowError("a piece is no twin of itself")
    return _verdict(row)


def _verdict(row: Row) -> Row:
    if row["evidence"] not in EVIDENCE or row["verdict"] not in VERDICTS:
        raise BadRowError("its evidence or verdict is none that a pair has")
    if not all(0 <= row[name] <= 1 for name in ("agreement", "contained", "jaccard")):
        raise BadRowError("its scores are no shares")
    if row["ink"] < 0 or row["bits"] < 0:
        raise BadRowError("its ink or bits are negative")
    return row


def _setting(row: Row) -> Row:
    value = json.loads(row["value"])
    if row["name"] == "lines":
        known = {f.name for f in fields(Thresholds)}
        numbers = all(isinstance(n, int | float) and math.isfinite(n) for n in value.values())
        if not (value.keys() <= known and numbers):
            raise BadRowError("it is no setting of thresholds")
    return row


def _source(row: Row) -> Row:
    return row | {"name": RULES["source"](row["name"])}


def _rejection(row: Row) -> Row:
    return row | {name: RULES[name](row[name]) for name in ("path", "locator")}


_CHECKS: dict[str, Callable[[Row], Row]] = {
    "ingest": _run, "edit": _edit, "change": _change, "twin": _twin, "setting": _setting,
    "source": _source, "rejection": _rejection,
}  # fmt: skip
