"""``browse``: the corpus in a web browser."""

import click

from asciiloom.cli.options import database_argument
from asciiloom.cli.output import say

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command("browse")
@database_argument
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; anything else than loopback is read-only.",
)
@click.option(
    "--allow-host",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="Another host name to answer to, such as that of a proxy. Repeatable.",
)
@click.option("--sql", "free_sql", is_flag=True, help="Visitors may write SQL queries.")
@click.option("--read-only", is_flag=True, help="Nobody may edit.")
@click.option("--open", "open_browser", is_flag=True, help="Open a web browser there.")
def browse_command(
    db: str,
    port: int,
    host: str,
    allowed: tuple[str, ...],
    free_sql: bool,
    read_only: bool,
    open_browser: bool,
) -> None:
    """Serve DB as a gallery with search, pages of pieces, twin review and tag editing (a Datasette with our
    plug-in). Editing needs the printed address: it holds the token. Only the host names it was started
    for are answered.

    Example: asciiloom browse art.db --open
    """
    from asciiloom.web.serve import gallery_address, listening_socket, make_datasette, serve

    datasette, token = make_datasette(
        db, read_only=read_only or host not in LOOPBACK, free_sql=free_sql
    )
    try:
        bound = listening_socket(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "that is no host name"
        raise click.ClickException(
            f"cannot listen on {host} port {port}: {reason}; try --port 0"
        ) from error
    address = gallery_address(datasette, host, bound.getsockname()[1], token)
    say(f"browse and edit: {address}" if token else f"browse: {address}")
    if token is None and not read_only and host in LOOPBACK:
        say("the file cannot be written, so nobody may edit")
    say("Ctrl-C ends it")
    if open_browser:
        click.launch(address)
    serve(datasette, bound, host, allowed)
