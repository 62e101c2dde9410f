"""Files of programs that draw in text: cowsay, FIGlet, boxes, fastfetch, Acme::EyeDrops."""
