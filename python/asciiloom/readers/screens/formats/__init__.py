"""One file per format of screen art: how it is recognised, and its bytes -> a screen."""
