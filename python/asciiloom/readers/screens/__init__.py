"""Art as a grid of coloured cells: screens of ANSI and its binary relatives, and images drawn in glyphs.

``emulator/`` runs text with escape sequences, ``formats/`` has a file per format; what they share is here.
"""
