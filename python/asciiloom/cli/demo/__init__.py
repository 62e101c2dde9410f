"""``demo``: everything once, on the data that comes with asciiloom, shown as a gallery."""

from asciiloom.cli.demo.run import demo_command

__all__ = ["demo_command"]
