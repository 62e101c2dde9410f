"""What one request to ``asciiloom browse`` may cost. Together they keep the server below a gigabyte.

Times are seconds, sizes are bytes.
"""

MEBIBYTE = 1 << 20

# -- requests
BODY_BYTES = 64 << 10  # of a form
ADDRESS_BYTES = 16 << 10
REQUEST_SECONDS = 10.0  # until the whole request is here
CONNECTIONS = 256  # open at once; idle ones cost little

# -- answers
AT_ONCE = 3  # answers being made; the others wait
WAITING_SECONDS = 20.0
ANSWER_SECONDS = 40.0  # to make one, all its questions to SQLite together
ANSWER_BYTES = 8 * MEBIBYTE
ORIGINAL_BYTES = 64 * MEBIBYTE  # of a downloaded original, inflated
UNSENT_BYTES = 128 * MEBIBYTE  # of answers that slow clients have not yet taken
SMALL_BYTES = MEBIBYTE // 2  # an answer that is sent whatever waits
SENDING_SECONDS = 30.0

# -- questions to SQLite
QUESTION_SECONDS = 2.0  # of a page of ours
FACETS_SECONDS = 15.0  # once per change of the file
SQL_SECONDS = 1.0  # of a page of Datasette's
ROWS = 200  # of a page of Datasette's
ROWS_BYTES = 4 * MEBIBYTE  # all rows of one question of Datasette's
VALUE_BYTES = 4 * MEBIBYTE
SQL_VALUE_BYTES = MEBIBYTE // 2  # where anybody may write SQL: what one function call works on
COLUMNS = 64
HEAP_BYTES = 192 * MEBIBYTE  # all of SQLite in the process
MAPPED_BYTES = 64 * MEBIBYTE  # of the file, a connection; counts as memory of the process

# -- art on a page
CARD_CHARACTERS = 6000  # of a piece in the gallery
PAINTED_CELLS = 400_000
PAINTED_BYTES = 3 * MEBIBYTE
COMPARED_CHARACTERS = 20_000  # of two pieces whose differing cells are marked
