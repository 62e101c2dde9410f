"""The screen that a stream of text and escape sequences draws."""
