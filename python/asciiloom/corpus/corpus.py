"""``Corpus``: one object for one file, the Python twin of the command line.

``Corpus.db`` is a ``sqlite_utils.Database`` on the same file, ``Corpus.frame`` a pandas DataFrame
and ``Corpus.minhash`` a datasketch signature: a user's own tools work on it directly.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asciiloom.errors import CorpusError
from asciiloom.piece import ColourPlane, clean_tags
from asciiloom.piece.colour import MAX_CELLS
from asciiloom.store.database import open_database
from asciiloom.store.selection import Selection

if TYPE_CHECKING:
    import pandas
    import sqlite_utils
    from datasketch import MinHash

    from asciiloom.curate.edits import Change, Edited
    from asciiloom.ingest.run import Progress
    from asciiloom.ingest.writer import Tally
    from asciiloom.piece import Piece, Rejection
    from asciiloom.readers import ReadOptions
    from asciiloom.similarity.thresholds import Thresholds
    from asciiloom.twins.dedup import DedupReport
    from asciiloom.twins.dedup import Progress as DedupProgress
    from asciiloom.twins.likeness import Like

Record = dict[str, Any]


class Corpus:
    """An open corpus. Use as a context manager, or ``close`` it."""

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        self.path = Path(path)
        self.connection: sqlite3.Connection = open_database(path, create=create)

    @classmethod
    def on(cls, connection: sqlite3.Connection, path: str | Path) -> "Corpus":
        """The corpus behind a connection that is somebody else's: nothing is migrated or closed."""
        corpus = cls.__new__(cls)
        corpus.path, corpus.connection = Path(path), connection
        return corpus

    def __enter__(self) -> "Corpus":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    @cached_property
    def db(self) -> "sqlite_utils.Database":
        """The same connection as sqlite-utils has it (which loads pandas, so only when it is asked for)."""
        from sqlite_utils import Database

        return Database(self.connection)

    # -- writing

    def ingest(
        self,
        paths: Sequence[str | Path],
        options: "ReadOptions | None" = None,
        progress: "Progress | None" = None,
        limit: int | None = None,
        workers: int = 1,
    ) -> "Tally":
        """Read files, folders or "-" into the corpus; returns what became of every item.

        ``workers`` processes read and measure; more than one need a main module that can be imported
        (``if __name__ == "__main__":``), as ``multiprocessing`` has it.
        """
        from asciiloom.ingest.run import ingest_paths

        inputs = [str(path) for path in paths]
        return ingest_paths(self.connection, inputs, options, progress, limit, workers)

    def add(self, items: "Iterable[Piece | Rejection]", origin: str = "python") -> "Tally":
        """Write pieces made in memory."""
        from asciiloom.ingest.run import ingest_items

        return ingest_items(self.connection, items, [origin])

    def dedup(
        self,
        *,
        seed: int = 0,
        thresholds: "Thresholds | None" = None,
        progress: "DedupProgress | None" = None,
        engine: str = "local",
        shards: Path | None = None,
    ) -> "DedupReport":
        """Find near-twins, mark one canonical piece per cluster, assign leak-free splits."""
        from asciiloom.twins.dedup import dedup

        return dedup(
            self.connection,
            seed=seed,
            thresholds=thresholds,
            progress=progress,
            engine=engine,
            shards=shards,
        )

    def edit(self, changes: "Iterable[Change]", command: str = "python") -> "Edited":
        """Decide about pieces: fields, tags, withdrawals, twin verdicts. ``undo`` takes it back."""
        from asciiloom.curate.edits import apply

        return apply(self.connection, command, changes)

    def tag(
        self, numbers: Iterable[int], add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> "Edited":
        """Add and remove tags of the pieces ``numbers``."""
        from asciiloom.curate.edits import retag

        plus, minus = set(clean_tags(add)), set(clean_tags(remove))
        return retag(
            self.connection,
            "tag",
            "SELECT value FROM json_each(?)",
            lambda tags: (tags - minus) | plus,
            [json.dumps(list(numbers))],
        )

    def undo(self, number: int | None = None) -> "Edited":
        """Take back edit ``number``, or the last one."""
        from asciiloom.curate.edits import undo

        return undo(self.connection, number)

    # -- reading

    def count(self, selection: Selection | None = None) -> int:
        statement, params = (selection or Selection()).replace(order="id").sql("1")
        row = self.connection.execute(f"SELECT count(*) FROM ({statement})", params).fetchone()
        return int(row[0])

    def ids(self, selection: Selection | None = None) -> list[int]:
        statement, params = (selection or Selection()).sql("piece.id")
        return [row[0] for row in self.connection.execute(statement, params)]

    def select(self, selection: Selection | None = None) -> Iterator[Record]:
        """Pieces as dictionaries, streamed: ``tags`` a list, ``source`` a name, ``signed`` whose
        signatures stand in the art."""
        columns = (
            "piece.*, (SELECT name FROM source WHERE source.id = piece.source_id) AS source,"
            " (SELECT group_concat(DISTINCT artist) FROM credit WHERE piece_id = piece.id) AS signed"
        )
        statement, params = (selection or Selection()).sql(columns)
        cursor = self.connection.execute(statement, params)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield _record(names, row)

    def get(self, number: int) -> Record:
        """One piece with its ``origins``, ``credits`` and ``twins``."""
        cursor = self.connection.execute(
            "SELECT piece.*, source.name AS source FROM piece JOIN source"
            " ON source.id = piece.source_id WHERE piece.id = ?",
            (number,),
        )
        row = cursor.fetchone()
        if row is None:
            raise CorpusError(f"{self.path} has no piece {number}")
        record = _record([column[0] for column in cursor.description], row)
        record["origins"] = self._rows(
            "SELECT source.name AS source, path, locator, origin.title, origin.artist,"
            " origin.licence, encoding, steps, original_id FROM origin JOIN source"
            " ON source.id = origin.source_id WHERE piece_id = ? ORDER BY origin.id",
            number,
        )
        record["credits"] = self._rows(
            "SELECT row, col, length, text, artist FROM credit WHERE piece_id = ?", number
        )
        record["twins"] = self._rows(
            "SELECT CASE a WHEN ?1 THEN b ELSE a END AS id, verdict, evidence, agreement, jaccard"
            " FROM twin WHERE (a = ?1 OR b = ?1) AND verdict <> 'apart' ORDER BY agreement DESC",
            number,
        )
        return record

    def _rows(self, statement: str, *params: Any) -> list[Record]:
        cursor = self.connection.execute(statement, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def colour(self, number: int, cells: int = MAX_CELLS) -> ColourPlane | None:
        """A piece's colours, None where it has none; ``CorpusError`` where they are damaged or are of
        more ``cells``."""
        row = self.connection.execute(
            "SELECT plane FROM colour WHERE piece_id = ?", (number,)
        ).fetchone()
        try:
            return ColourPlane.unpack(row[0], cells) if row is not None else None
        except ValueError as error:
            raise CorpusError(f"the colours of piece {number} cannot be shown: {error}") from error

    def original(self, number: int, path: str | None = None, limit: int = 0) -> bytes:
        """The bytes a piece came from, exactly; the canonical text where they were the same. With a
        ``limit``, longer ones are a ``CorpusError``, as damaged ones are.

        Of several places the first, or the one whose recorded path is ``path``.
        """
        row = self.connection.execute(
            "SELECT o.bytes, piece.text FROM piece JOIN origin ON origin.piece_id = piece.id"
            " LEFT JOIN original AS o ON o.id = origin.original_id"
            " WHERE piece.id = ?1 AND (?2 IS NULL OR origin.path = ?2) ORDER BY origin.id LIMIT 1",
            (number, path),
        ).fetchone()
        if row is None:
            seen = f" that was seen at {path}" if path else ""
            raise CorpusError(f"{self.path} has no piece {number}{seen}")
        if row[0] is None:
            return str(row[1]).encode()
        inflating = zlib.decompressobj()
        try:
            data = inflating.decompress(row[0], limit)
        except zlib.error as error:
            raise CorpusError(f"the original of piece {number} is damaged: {error}") from error
        if not inflating.eof:
            long = limit and len(data) >= limit
            trouble = f"has more than {limit:,} bytes" if long else "is damaged: it breaks off"
            raise CorpusError(f"the original of piece {number} {trouble}")
        return data

    def alike(self, number: int, limit: int = 10) -> "list[Like]":
        """The pieces nearest in shape to piece ``number``, nearest first."""
        from asciiloom.twins.likeness import alike

        return alike(self.connection, number, limit)

    def frame(self, selection: Selection | None = None) -> "pandas.DataFrame":
        """The selection as a pandas DataFrame, indexed by id."""
        import pandas

        records = list(self.select(selection))
        frame = pandas.DataFrame.from_records(records)
        return frame.set_index("id") if len(frame) else frame

    def stats(self, selection: Selection | None = None) -> "dict[str, pandas.DataFrame]":
        """Counts and percentiles of the selection, a frame each (``curate.statistics.frames``)."""
        from asciiloom.curate.statistics import frames

        return frames(self.connection, selection)

    def minhash(self, number: int, flat: bool = False) -> "MinHash | None":
        """A piece's signature as datasketch's own object; None where it has too few glyphs."""
        from datasketch import MinHash

        from asciiloom.similarity.columns import PERMUTATIONS
        from asciiloom.similarity.signatures import SEED
        from asciiloom.twins.signature_store import SignatureStore

        values = SignatureStore(self.connection).signature(number, flat)
        if values is None:
            return None
        return MinHash(num_perm=PERMUTATIONS, seed=SEED, hashvalues=values, scheme="affine32")

    def fingerprint(self, selection: Selection | None = None) -> Record:
        """What a selection holds, for a model's records: pieces, content digest, licences, sources."""
        statement, params = (
            (selection or Selection())
            .replace(order="id")
            .sql("piece.hash, piece.licence, piece.source_id")
        )
        digest = hashlib.blake2b(digest_size=16)
        licences: dict[str, int] = {}
        sources: dict[int, int] = {}
        pieces = 0
        hashes = []
        for name, licence, source in self.connection.execute(statement, params):
            hashes.append(name)
            pieces += 1
            licences[licence or "none stated"] = licences.get(licence or "none stated", 0) + 1
            sources[source] = sources.get(source, 0) + 1
        for name in sorted(hashes):
            digest.update(name.encode())
        names = dict(self.connection.execute("SELECT id, name FROM source"))
        return {
            "pieces": pieces,
            "digest": digest.hexdigest(),
            "licences": dict(sorted(licences.items())),
            "sources": {names[k]: v for k, v in sorted(sources.items())},
        }


def _record(names: Sequence[str], row: Sequence[Any]) -> Record:
    record = dict(zip(names, row, strict=True))
    for name in ("tags", "flags"):
        record[name] = json.loads(record[name])
    return record
