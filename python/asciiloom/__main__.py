"""``python -m asciiloom``: the command line."""

from asciiloom.cli import main

if __name__ == "__main__":
    main(prog_name="asciiloom")
