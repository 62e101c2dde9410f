"""What ``attacks.py`` tries, a module per kind of promise; ``trial`` runs a command and judges it."""
