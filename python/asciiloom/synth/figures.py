"""Figures put together from parts: faces, animals, robots, trees, houses, rockets, scenes."""

from random import Random

from asciiloom.synth.geometry import Drawing
from asciiloom.synth.sheet import Sheet
from asciiloom.synth.words import NOUNS

_EYES = ("o o", "O O", "^ ^", "- -", "* *", "@ @", "x x", "> <", "o -", "0 0")
_MOUTHS = {
    "happy": r"\_/",
    "sad": "/-\\",
    "calm": "---",
    "surprised": " O ",
    "smiling": "'-'",
    "silly": "-U-",
}


def face(rng: Random) -> Drawing:
    """A round, square or bald head with a mood and perhaps a hat."""
    eyes = rng.choice(_EYES)
    mood = rng.choice(list(_MOUTHS))
    mouth = _MOUTHS[mood]
    nose = rng.choice((">", "|", "^", ".", "u", " "))
    wide = rng.choice((7, 9, 11))
    eyes = eyes[0] + " " * ((wide - 5) // 2) + eyes[2]
    form = rng.choice(("round", "square", "oval"))
    if form == "round":
        head = [" ." + "-" * (wide - 2) + ". ", "/" + eyes.center(wide) + "\\", "|" + nose.center(wide) + "|",
                "\\" + mouth.center(wide) + "/", " '" + "-" * (wide - 2) + "' "]  # fmt: skip
    elif form == "square":
        head = ["+" + "-" * wide + "+", "|" + eyes.center(wide) + "|", "|" + nose.center(wide) + "|",
                "|" + mouth.center(wide) + "|", "+" + "-" * wide + "+"]  # fmt: skip
    else:
        head = [" ." + "-" * (wide - 2) + ". ", "(" + " " * wide + ")", "(" + eyes.center(wide) + ")",
                "(" + nose.center(wide) + ")", "(" + mouth.center(wide) + ")", " '" + "-" * (wide - 2) + "' "]  # fmt: skip
    tags = ["face", mood, form]
    hat = rng.choice((None, None, "top hat", "cap", "party hat", "hair"))
    span = wide + 2
    tops = {
        "top hat": [
            "_" * (wide - 4),
            "|" + " " * (wide - 4) + "|",
            "|" + "#" * (wide - 4) + "|",
            "=" * span,
        ],
        "cap": ["_" * (wide - 2), "/" + " " * (wide - 2) + "\\___"],
        "party hat": ["*", "/ \\", "/ ~ \\", "/_____\\"],
        "hair": [rng.choice(("\\|/", "~", "^", "'\"")) * span],
    }
    if hat:
        head = [row[:span].center(span) for row in tops[hat]] + head
        tags.append(hat)
    if rng.random() < 0.2:
        head.append("|| ||".center(span))
    return "\n".join(row.rstrip() for row in head), f"{mood} face", tuple(tags)


_EARS = {
    "cat": (r" /\___/\ ", "( ", " )", r" > ^ < "),
    "bear": (r"()_____()", "( ", " )", r" (_Y_) "),
    "rabbit": ("  (\\ /)  \n  ( V )  ", "( ", " )", r"  (x)  "),
    "dog": (r" ,-----. ", "U ", " U", r"  'Y'  "),
    "fox": (r"/\_____/\ ", "\\ ", " /", r"  \w/  "),
    "mouse": (r"(_)---(_)", " \\", "/ ", r"  -o-  "),
    "owl": (r" ,_____, ", "( ", " )", r"   v   "),
    "pig": (r" ^-----^ ", "( ", " )", r" (oo)  "),
}
_BODIES = {
    "none": (),
    "sitting": (r" (     ) ", r'  "" ""  '),
    "small": (r" /     \ ", r" ^^   ^^ "),
    "standing": (r" /|   |\ ", r"  |___|  ", r"  || ||  ", r"  '' ''  "),
}


def animal(rng: Random) -> Drawing:
    """An animal's head, by its ears and muzzle, perhaps with a body and something to say."""
    name = rng.choice(list(_EARS))
    ears, left, right, muzzle = _EARS[name]
    eyes = rng.choice(_EYES)
    body = rng.choice(list(_BODIES))
    eyes = f"{eyes[0]}   {eyes[2]}"
    rows = [
        *ears.split("\n"),
        f"{left}{eyes}{right}",
        f"({muzzle})" if name != "fox" else f" {muzzle} ",
        *_BODIES[body],
    ]
    if rng.random() < 0.25:
        word = rng.choice(NOUNS)
        rows[-1] = rows[-1].ljust(11) + f"< {word}!"
    return "\n".join(row.rstrip() for row in rows), name, ("animal", name, "face")


def robot(rng: Random) -> Drawing:
    """A boxy robot."""
    wide = rng.choice((7, 9, 11))
    eyes = rng.choice(("o", "O", "0", "*", "+", "#", "@"))
    sheet = Sheet(wide + 8, 13)
    middle = 4 + wide // 2
    sheet.put(middle, 0, rng.choice("*o!|"))
    sheet.put(middle, 1, "|")
    head = wide - 2
    sheet.put(5, 2, "." + "-" * (head - 2) + ".")
    sheet.put(5, 3, "|" + f"{eyes}{' ' * ((wide - 5) // 2)}{eyes}".center(head - 2) + "|")
    sheet.put(5, 4, "|" + rng.choice(("[=]", "---", "===", "\\_/", "ooo")).center(head - 2) + "|")
    sheet.put(5, 5, "'" + "-" * (head - 2) + "'")
    belly = rng.choice(("[ ]", "(o)", "###", ":::", "<3 ", "010"))
    sheet.put(4, 6, "+" + "-" * (wide - 2) + "+")
    sheet.put(4, 7, "|" + belly.center(wide - 2) + "|")
    sheet.put(4, 8, "|" + rng.choice(("...", "   ", "---")).center(wide - 2) + "|")
    sheet.put(4, 9, "+" + "-" * (wide - 2) + "+")
    arm = rng.choice(("==", "--", "~~"))
    sheet.put(2, 7, arm)
    sheet.put(4 + wide, 7, arm)
    hand = rng.choice(("C", "o", "E", "d"))
    sheet.put(1, 7, hand)
    sheet.put(6 + wide, 7, {"C": "D", "E": "3", "d": "b"}.get(hand, hand))
    for x in (middle - 2, middle + 2):
        sheet.put(x, 10, "|")
        sheet.put(x - 1, 11, rng.choice(("[_]", "(_)", "/_\\")))
    return str(sheet), "robot", ("robot", "machine")


def tree(rng: Random) -> Drawing:
    """A fir, a round tree, a palm, or a bare one."""
    kind = rng.choice(("fir", "round tree", "christmas tree", "palm", "folder tree"))
    if kind in ("fir", "christmas tree"):
        tiers, glyph = rng.randint(2, 5), rng.choice("*^/")
        half = tiers + 2
        sheet = Sheet(2 * half + 1, tiers * 2 + 4)
        y = 0
        if kind == "christmas tree":
            sheet.put(half, y, rng.choice("*+"))
            y = 1
        for tier in range(tiers):
            for step in range(2):
                reach = tier + step
                inner = (
                    glyph * (2 * reach + 1)
                    if glyph != "/"
                    else "/" + " " * (2 * reach - 1) + "\\"
                    if reach
                    else "^"
                )
                if kind == "christmas tree" and len(inner) > 2:
                    balls = [
                        rng.choice("o.   ") if 0 < i < len(inner) - 1 else c
                        for i, c in enumerate(inner)
                    ]
                    inner = "".join(b if b != " " else c for b, c in zip(balls, inner, strict=True))
                sheet.put(half - reach, y, inner)
                y += 1
        sheet.put(half - tiers, y, "~" * (2 * tiers + 1) if glyph == "/" else "")
        for _ in range(rng.randint(1, 2)):
            sheet.put(half - 1, y, "| |" if glyph == "/" else "|||")
            y += 1
        return str(sheet), kind, ("tree", kind, "nature")
    if kind == "round tree":
        wide, leaf = rng.choice((9, 11, 13, 15)), rng.choice("&@o%*")
        shape = (wide - 6, wide - 2, wide, wide, wide - 2, wide - 6)

        def leaves(n: int) -> str:
            return "".join(leaf if rng.random() < 0.86 else rng.choice(" .,") for _ in range(n))

        rows = [leaves(n).center(wide) for n in shape]
        rows[0] = ("." + leaf * (shape[0] - 2) + ".").center(wide)
        rows += ["| |".center(wide)] * rng.randint(2, 4) + [
            rng.choice(("/   \\", "_| |_")).center(wide)
        ]
        return "\n".join(r.rstrip() for r in rows), "tree", ("tree", "nature", "leaves")
    if kind == "palm":
        lean = rng.choice((-1, 1))
        rows = [
            "   __ _.--..--._ _  ",
            " .-' _/   _/\\_   \\_'-.",
            "|__ /   _/\\__/\\_   \\__|",
            "   |___/\\_\\__/  \\___|",
        ]
        trunk = [
            " " * (10 + lean * (i // 2)) + rng.choice(("\\__\\", "/__/"))[::1]
            for i in range(rng.randint(4, 7))
        ]
        trunk = [row[:-4] + ("/__/" if lean < 0 else "\\__\\") for row in trunk]
        ground = ["~" * rng.randint(20, 26)]
        return "\n".join(rows + trunk + ground), "palm tree", ("tree", "palm", "beach")
    return _folders(rng), "folder tree", ("tree", "folders", "diagram")


def _folders(rng: Random) -> str:
    rows = [rng.choice(NOUNS) + "/"]

    def grow(prefix: str, depth: int) -> None:
        count = rng.randint(2, 4)
        for i in range(count):
            last = i == count - 1
            inner = depth < 2 and rng.random() < 0.4
            rows.append(
                prefix
                + ("`-- " if last else "|-- ")
                + rng.choice(NOUNS)
                + ("/" if inner else rng.choice((".txt", ".md", ".py")))
            )
            if inner and len(rows) < 16:
                grow(prefix + ("    " if last else "|   "), depth + 1)

    grow("", 0)
    return "\n".join(rows)


def house(rng: Random) -> Drawing:
    """A house with roof, windows, door, chimney."""
    wide = rng.choice((13, 15, 17, 19, 21))
    roof = wide // 2
    sheet = Sheet(wide + 4, roof + 9)
    left, top = 2, 2
    middle = left + wide // 2
    tiles = rng.choice((" ", " ", "#", "=", "_"))
    for step in range(roof):
        sheet.put(middle - step, top + step, "/" + tiles * (2 * step - 1) + "\\" if step else "^")
    if rng.random() < 0.6:
        x = middle + 3
        sheet.put(x, top + 1, "[]")
        sheet.put(x, top + 2, "[]")
        for i, puff in enumerate(rng.choice(("o", "(", "~"))):
            sheet.put(x + i, top - 1, puff)
    base = top + roof
    sheet.put(left - 1, base, "/" + "_" * wide + "\\")
    walls = rng.randint(4, 5)
    for y in range(1, walls + 1):
        sheet.put(left, base + y, "|" + " " * (wide - 2) + "|")
    window = rng.choice((["[+]"], [".-.", "|+|"], ["___", "[_]"]))
    for x in (left + 2, left + wide - 5):
        sheet.put(x, base + 2, window)
    sheet.put(middle - 1, base + walls - 2, [".-.", "|" + rng.choice(".o ") + "|", "| |"])
    sheet.put(left - 1, base + walls, "|", clear=" ")
    sheet.put(
        left,
        base + walls,
        "|" + "_" * (middle - left - 2) + "| |" + "_" * (left + wide - middle - 3) + "|",
    )
    sheet.put(left - 1, base + walls, " ")
    return str(sheet), "house", ("house", "building")


def rocket(rng: Random) -> Drawing:
    """A rocket, standing or flying."""
    half = rng.choice((2, 3))
    body = rng.randint(4, 8)
    sheet = Sheet(2 * half + 9, body + half + 6)
    c = half + 4
    for i in range(half):
        sheet.put(c - i, i, "/" + rng.choice(" .") * (2 * i - 1) + "\\" if i else "^")
    top = half
    port = rng.choice(("(O)", "[ ]", "(o)", "<*>"))
    for y in range(body):
        sheet.put(c - half, top + y, "|" + (port if y == 1 else "").center(2 * half - 1) + "|")
    name = rng.choice(("USA", "ESA", "NEO", "SOL", "42", "X-1", "ZAP"))
    sheet.put(c - half, top + 3, "|" + name[: 2 * half - 1].center(2 * half - 1) + "|")
    sheet.put(c - half - 1, top + body - 2, "/")
    sheet.put(c + half + 1, top + body - 2, "\\")
    sheet.put(c - half - 2, top + body - 1, "/_")
    sheet.put(c + half + 1, top + body - 1, "_\\")
    sheet.put(c - half, top + body, "'" + "-" * (2 * half - 1) + "'")
    flying = rng.random() < 0.6
    if flying:
        for y in range(rng.randint(2, 3)):
            flame = "".join(rng.choice("^*'v\"w") for _ in range(2 * (half - y) - 1))
            sheet.put(c - half + 1 + y, top + body + 1 + y, flame)
    return str(sheet), "rocket", ("rocket", "space")


def scene(rng: Random) -> Drawing:
    """A landscape, a skyline, the sea, or a night sky."""
    kind = rng.choice(("mountains", "city", "sea", "night sky", "garden"))
    wide = rng.randint(28, 60)
    if kind == "mountains":
        sheet = Sheet(wide, 11)
        sheet.put(rng.randint(2, wide - 8), 0, ["\\ | /", "-(_)-", "/ | \\"])
        x = rng.randint(-3, 2)
        while x < wide:
            height = rng.randint(4, 8)
            for y in range(height):
                row = 10 - height + y
                snow = "^" if y == 0 and height > 5 else ""
                sheet.put(x + height - y, row, snow or "/" + " " * (2 * y) + "\\")
            x += 2 * height - rng.randint(0, 3)
        sheet.put(0, 10, "".join(rng.choice("____.,") for _ in range(wide)))
    elif kind == "city":
        sheet = Sheet(wide, 12)
        x = 0
        while x < wide - 6:
            w, h = rng.randint(5, 9), rng.randint(4, 10)
            sheet.put(x, 11 - h, " " + "_" * (w - 2))
            for y in range(1, h + 1):
                inner = "".join(rng.choice(".:  ") if i % 2 else " " for i in range(w - 2))
                sheet.put(x, 11 - h + y, "|" + inner + "|")
            x += w + rng.choice((0, 0, 1, 2))
        sheet.put(0, 11, "=" * wide)
    elif kind == "sea":
        sheet = Sheet(wide, 9)
        boat = [r"   |\  ", r"   | \ ", r"   |__\ ", r"___|____", r"\______/"]
        sheet.put(rng.randint(2, wide - 12), 1, boat, clear=" ")
        for y in (6, 7, 8):
            sheet.put(0, y, (rng.choice(("~^~~", "~~-~", "~.~~~")) * wide)[:wide])
        sheet.put(rng.randint(0, wide - 8), 0, rng.choice(("v  v", "~v~", "v")))
    elif kind == "night sky":
        sheet = Sheet(wide, 9)
        for _ in range(wide // 2):
            sheet.put(rng.randrange(wide), rng.randrange(9), rng.choice("..'*+"))
        sheet.put(rng.randint(2, wide - 9), 1, [" _.. ", "( (  ", " '-' "])
    else:
        sheet = Sheet(wide, 6)
        for x in range(1, wide - 4, rng.randint(5, 7)):
            top = rng.randint(0, 2)
            sheet.put(
                x,
                top,
                rng.choice((["_@_", " | "], ["(*)", " | "], ["{o}", "\\|/"], ["vVv", " | "])),
            )
            for y in range(top + 2, 5):
                sheet.put(x + 1, y, "|")
            sheet.put(x, 4, rng.choice((r"\|/", r"\| ", " |/")))
        sheet.put(0, 5, "".join(rng.choice('""\'^w') for _ in range(wide)))
    return str(sheet), kind, ("scene", kind, "landscape")
