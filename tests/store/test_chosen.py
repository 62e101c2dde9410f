import sqlite3

import numpy as np
import pytest

from asciiloom.store.chosen import chosen_by, chosen_ids


def _tables(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM temp.sqlite_master").fetchone()
    return int(row[0])


def test_tables_nest_and_are_gone_afterwards() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with chosen_ids(connection, np.array([7, 2, 5])) as outer:
        with chosen_by(connection, f"SELECT id FROM {outer} WHERE id > ?", [2]) as inner:
            assert inner != outer
            assert connection.execute(f"SELECT id FROM {inner}").fetchall() == [(5,), (7,)]
        assert connection.execute(f"SELECT id FROM {outer}").fetchall() == [(2,), (5,), (7,)]
        assert _tables(connection) == 1
    assert _tables(connection) == 0


def test_an_error_is_passed_on_as_it_is() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(KeyError), chosen_ids(connection, np.arange(5000)) as table:
        cursor = connection.execute(f"SELECT id FROM {table}")
        cursor.fetchone()  # still open
        raise KeyError(table)
    connection.execute("BEGIN")
    with pytest.raises(KeyError), chosen_ids(connection, np.arange(5)) as table:
        connection.execute("ROLLBACK")  # and the table with it
        raise KeyError(table)
