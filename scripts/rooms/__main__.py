"""Draws the package as a house, and says the same in words.

The rooms stand in their order, each with its floors (folders) and the files on them; cli and web stand
above. An arc between two rooms is an import, the thicker the more modules; they all run to the left.
What should not be is red: an arrow to the right, a floor with too many files, and modules in a circle.
Exits 1 if there is any.

Example: python scripts/rooms --out rooms.png
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from graph import ABOVE, FLOOR, PACKAGE, ROOMS, House, read_house

FOLDER = Path(__file__).resolve().parents[2] / "python" / PACKAGE
BEAM, WRONG = "#4a6a8a", "#c62828"


def floors_of(house: House, room: str) -> dict[str, int]:
    """Files on each floor of a room, the ground floor (the room's own folder) first."""
    own = f"{PACKAGE}.{room}"
    return {
        name.removeprefix(own).lstrip(".") or room: count
        for name, count in sorted(house.floors.items())
        if name == own or name.startswith(own + ".")
    }


def tell(house: House) -> int:
    """Print the house; how many things should not be."""
    for room in (*ROOMS, *ABOVE):
        floors = ", ".join(f"{name} {count}" for name, count in floors_of(house, room).items())
        named = sorted(to for come, to in house.arrows() if come == room)
        print(f"{room}: files {floors}; imports {', '.join(named) or 'no room'}")
    wrong, circles, crowded = house.wrong_arrows(), house.circles(), house.crowded_floors()
    print(
        f"\n{len(ROOMS)} rooms and {' and '.join(ABOVE)} above, {len(house.imports)} modules,"
        f" {len(house.arrows())} arrows between rooms, {len(wrong)} imports to the right,"
        f" {len(circles)} circles, {len(crowded)} floors above {FLOOR} files"
    )
    for line in (*wrong, *(" <-> ".join(circle) for circle in circles), *crowded):
        print(f"  {line}")
    return len(wrong) + len(circles) + len(crowded)


def draw(house: House, out: Path) -> None:
    """The picture, as PNG or SVG by the ending of ``out``."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, Rectangle

    figure = Figure(figsize=(19, 10), layout="constrained")
    axes = figure.subplots()
    at = {room: (float(k), 0.0) for k, room in enumerate(ROOMS)}
    middle = (len(ROOMS) - 1) / 2
    at |= {room: (middle + 3 * (2 * k - 1), 9.0) for k, room in enumerate(ABOVE)}
    in_circle = {house.room(module) for circle in house.circles() for module in circle}
    for (come, to), count in house.arrows().items():
        (x, y), (there_x, there_y) = at[come], at[to]
        to_the_right = y == there_y == 0 and there_x > x
        sink = y < there_y or to_the_right
        arc = 0.45 if y == there_y else 0.0
        axes.add_patch(
            FancyArrowPatch(
                (x, y + 0.3), (there_x, there_y + 0.3), arrowstyle="-|>", mutation_scale=9,
                connectionstyle=f"arc3,rad={arc}", shrinkB=3,
                linewidth=min(4, 0.5 + 0.15 * count), color=WRONG if sink else BEAM,
                alpha=0.9 if sink else 0.25 if y else 0.5, zorder=3 if sink else 1,
            )
        )  # fmt: skip
    for room, (x, y) in at.items():
        floors = floors_of(house, room)
        height = 0.35 * len(floors)
        edge = WRONG if room in in_circle else "#333333"
        axes.add_patch(
            Rectangle((x - 0.42, y - height), 0.84, height + 0.3, facecolor="#f4efe4", edgecolor=edge,
                      linewidth=2 if room in in_circle else 1, zorder=2)
        )  # fmt: skip
        axes.text(x, y + 0.12, room, ha="center", va="center", fontsize=10, weight="bold", zorder=4)
        for k, (name, count) in enumerate(floors.items()):
            label = str(count) if name == room else f"{name} {count}"
            colour = WRONG if count > FLOOR else "#333333"
            axes.text(x, y - 0.35 * k - 0.17, label, ha="center", va="center", fontsize=8,
                      color=colour, zorder=4)  # fmt: skip
    axes.set(xlim=(-0.8, len(ROOMS) - 0.2), ylim=(-2.6, 9.8))
    axes.set_title(
        f"{PACKAGE}: rooms in their order, files a floor, arrows = imports ({len(house.circles())} circles,"
        f" {len(house.wrong_arrows())} to the right)"
    )
    axes.axis("off")
    figure.savefig(out, dpi=100)


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("scripts/rooms", description=__doc__, formatter_class=form)
    parser.add_argument("--out", type=Path, help="draw it here, as .png or .svg")
    parser.add_argument("--package", type=Path, default=FOLDER, help="the folder of the package")
    told = parser.parse_args()
    house = read_house(told.package)
    wrong = tell(house)
    if told.out:
        draw(house, told.out)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
