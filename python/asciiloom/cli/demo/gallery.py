"""A gallery of drawings as one HTML page and one PNG."""

import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asciiloom.emit import emit
from asciiloom.outputs import output_stream

GALLERY_FILES = ("gallery.html", "gallery.png")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One drawing on the wall: what was asked, under which limits, what came, whether it fits."""

    title: str
    limits: str
    text: str
    fits: bool


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       background: #fafaf7; color: #222; }
main { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; padding: 1rem; background: #fff; border: 1px solid #ddd; border-radius: 6px;
         overflow-x: auto; max-width: 100%; }
figcaption { color: #555; margin-top: .5rem; }
pre { margin: 0; font-size: 13px; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } figure { background: #222; border-color: #444; }
  figcaption { color: #aaa; } }
"""


def write_gallery(
    folder: Path, exhibits: list[Exhibit], figures: dict[str, Any], *, force: bool = False
) -> tuple[Path, Path]:
    """Write ``gallery.html`` and ``gallery.png`` into ``folder``; returns both paths."""
    page, picture = (folder / name for name in GALLERY_FILES)
    note = (
        f"{figures['parameters']:,} parameters, {figures['training_seconds']:.0f} s of training,"
        f" {figures['held_out_bits']:.3f} bits a character on held-out pieces"
    )
    figures_html = "\n".join(
        f"<figure>{emit(e.text, 'html', {'title': e.title})}"
        f"<figcaption>{html.escape(e.title)} <small>({html.escape(e.limits)})</small></figcaption></figure>"
        for e in exhibits
    )
    whole = (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>asciiloom gallery</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style>\n<h1>asciiloom</h1>\n<p>{html.escape(note)}</p>\n"
        f"<main>\n{figures_html}\n</main></html>\n"
    )
    for path, content in ((page, whole.encode()), (picture, _picture(exhibits, note))):
        with output_stream(path, force=force) as stream:
            stream.write(content)
    return page, picture


def _picture(exhibits: list[Exhibit], note: str) -> bytes:
    """The same as a PNG: drawings in rows, in the monospace font that comes with matplotlib."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"
    font, small = ImageFont.truetype(str(path), 15), ImageFont.truetype(str(path), 12)
    cell_width, cell_height = font.getlength("M"), 18
    margin, wide = 24, 1200
    placed: list[tuple[int, int, Exhibit]] = []
    x, y, tallest = margin, margin + 30, 0
    for exhibit in exhibits:
        rows = exhibit.text.split("\n")
        caption = small.getlength(f"{exhibit.title} ({exhibit.limits})")
        box = round(max(caption, cell_width * max(map(len, rows)))) + 2 * margin
        if x + box > wide and x > margin:
            x, y, tallest = margin, y + tallest, 0
        placed.append((x, y, exhibit))
        x += box
        tallest = max(tallest, len(rows) * cell_height + 2 * margin + 16)
    image = Image.new("RGB", (wide, y + tallest + margin), "#fafaf7")
    draw = ImageDraw.Draw(image)
    draw.text((margin, margin - 8), f"asciiloom - {note}", font=small, fill="#555")
    for left, top, exhibit in placed:
        for number, row in enumerate(exhibit.text.split("\n")):
            draw.text((left, top + number * cell_height), row, font=font, fill="#222")
        below = top + (exhibit.text.count("\n") + 1) * cell_height + 6
        draw.text((left, below), f"{exhibit.title} ({exhibit.limits})", font=small, fill="#777")
    png = io.BytesIO()
    image.save(png, format="PNG")
    return png.getvalue()
