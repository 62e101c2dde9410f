"""Images -> glyphs: each cell of the picture becomes the glyph that looks most like it.

Two ways. By tone: the darkness of a cell against the ink of each glyph. By structure: the cell's
pixels against each glyph's own bitmap after both lost their mean, so that edges choose ``/``, ``|``
or ``_``; cells without an edge fall back on tone. What comes out is flagged synthetic, and a folder
named for what its images show becomes the tag.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from asciiloom.piece import ColourPlane, Rejection, one_line
from asciiloom.readers.base import Input, Item, make_item, read_whole
from asciiloom.readers.frames import distinct_frames

MAX_FILE = 64 << 20
MAX_PIXELS = 64 << 20
_CELL = (6, 12)  # pixels of a cell, twice as high as wide
_MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
_SVG = re.compile(rb"<svg[\s>]")
_GLYPHS = {
    "ascii": "".join(map(chr, range(32, 127))),
    "blocks": " ░▒▓█▀▄▌▐▘▝▖▗▚▞",
    "braille": "".join(map(chr, range(0x2800, 0x2900))),
}
_FLAT = 0.06  # spread of brightness below which a cell has no edge
_MAX_FRAMES = 64


@functools.cache
def _glyph_bitmaps(palette: str) -> tuple[str, NDArray[np.float32], NDArray[np.float32]]:
    """Glyphs; their darkness 0..1; their bitmaps less the mean, unit length (glyphs, pixels)."""
    import importlib.util

    from PIL import Image, ImageDraw, ImageFont

    glyphs = _GLYPHS.get(
        palette, palette if palette.isprintable() and palette else _GLYPHS["ascii"]
    )
    glyphs = "".join(dict.fromkeys(" " + glyphs))
    width, height = _CELL
    scale = 4
    found = importlib.util.find_spec("matplotlib")
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    if found is not None and found.origin:
        folder = PurePosixPath(found.origin).parent / "mpl-data/fonts/ttf/DejaVuSansMono.ttf"
        font = ImageFont.truetype(str(folder), round(height * scale * 0.83))
    else:
        font = ImageFont.load_default(round(height * scale * 0.83))
    rows = []
    for glyph in glyphs:
        image = Image.new("L", (width * scale, height * scale), 0)
        ImageDraw.Draw(image).text((0, 0), glyph, font=font, fill=255)
        small = image.resize((width, height), Image.Resampling.BOX)
        rows.append(np.asarray(small, np.float32).ravel() / 255)
    bitmaps = np.stack(rows)
    darkness = bitmaps.mean(1)
    darkness = darkness / max(1e-6, float(darkness.max()))
    centred = bitmaps - bitmaps.mean(1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.where(norms > 0.2, centred / np.maximum(norms, 1e-6), 0).astype(np.float32)
    return glyphs, darkness.astype(np.float32), unit


def draw_image(
    grey: NDArray[np.float32], palette: str = "ascii", structure: bool = True
) -> list[str]:
    """Rows of glyphs for ``grey``: darkness 0..1, (rows * 12, columns * 6)."""
    glyphs, darkness, unit = _glyph_bitmaps(palette)
    width, height = _CELL
    rows, columns = grey.shape[0] // height, grey.shape[1] // width
    blocks = grey[: rows * height, : columns * width].reshape(rows, height, columns, width)
    cells = blocks.transpose(0, 2, 1, 3).reshape(rows * columns, height * width)
    tone = cells.mean(1)
    order = np.argsort(darkness, kind="stable")
    ranked = darkness[order]
    at = np.clip(np.searchsorted(ranked, tone), 1, len(ranked) - 1)
    nearer = np.where(tone - ranked[at - 1] < ranked[at] - tone, at - 1, at)
    chosen = order[nearer]
    if structure:
        centred = cells - tone[:, None]
        spread = np.linalg.norm(centred, axis=1)
        edged = np.flatnonzero(spread > _FLAT * np.sqrt(height * width))
        if edged.size:
            fit = centred[edged] @ unit.T / spread[edged, None]
            # A glyph of the wrong weight is wrong however well its strokes lie.
            fit -= 0.5 * np.abs(darkness[None, :] - tone[edged, None])
            chosen[edged] = fit.argmax(1)
    table = np.array(list(glyphs))
    return ["".join(row) for row in table[chosen].reshape(rows, columns)]


class ImageReader:
    name = "image"
    rank = 170
    extensions = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg")
    summary = "images drawn in glyphs, by structure or tone"
    recognised = "magic numbers of PNG, JPEG, GIF, BMP, TIFF, WebP; <svg"
    oracle = "a font's own glyphs drawn and read back"

    def sniff(self, head: bytes, path: str) -> bool:
        if head.startswith(b"BM") and not path.lower().endswith(".bmp"):
            return False
        if head.startswith(_MAGICS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
            return True
        return path.lower().endswith(".svg") and _SVG.search(head) is not None

    def read(self, source: Input) -> Iterator[Item]:
        data = read_whole(source, MAX_FILE)
        if isinstance(data, Rejection):
            yield data
            return
        name = source.options.source_name()
        try:
            from PIL import Image
        except ModuleNotFoundError:
            detail = "drawing images needs Pillow: pip install 'asciiloom[formats]'"
            yield Rejection("missing-extra", detail, name, source.path)
            return
        if _SVG.search(data[:4096]) and not data.startswith(_MAGICS):
            rendered = _render_svg(data)
            if isinstance(rendered, str):
                yield Rejection("unreadable", rendered, name, source.path)
                return
            png = rendered
        else:
            png = data
        import io
        import warnings

        options = source.options
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = Image.open(io.BytesIO(png))
                if image.width * image.height > MAX_PIXELS:
                    size = f"{image.width:,}x{image.height:,} pixels; at most {MAX_PIXELS:,}"
                    yield Rejection("too-large", size, name, source.path)
                    return
                count = min(int(getattr(image, "n_frames", 1)), _MAX_FRAMES)
                frames = []
                for number in range(count):
                    image.seek(number)
                    frames.append(_cells(image, max(2, options.columns_wide)))
        except Exception as error:  # decoders raise whatever a damaged file makes them stumble on
            detail = one_line(f"{type(error).__name__}: {error}", 200) or ""
            yield Rejection("unreadable", detail, name, source.path)
            return
        where = PurePosixPath(source.name.replace("\\", "/"))
        title = re.sub(r"[_-]+", " ", where.stem)
        folder = where.parent.name
        tags = ("image", "synthetic", *([folder] if folder and folder != "." else []))
        palette = options.palette
        drawn = [draw_image(grey, palette.removesuffix("-tone"), not palette.endswith("-tone"))
                 for grey, _ in frames]  # fmt: skip
        kept = (
            distinct_frames(["\n".join(rows) for rows in drawn])
            if len(drawn) > 1
            else range(len(drawn))
        )
        for number in kept:
            rows, colours = drawn[number], frames[number][1]
            plane = _plane(rows, colours)
            yield make_item(
                "\n".join(rows), options=options, path=source.path, original=data, title=title,
                locator=f"frame {number + 1}" if len(drawn) > 1 else "",
                sequence=f"{name}/{source.path}" if len(drawn) > 1 else None,
                tags=tags, kind="frame" if len(drawn) > 1 else "art", encoding="image",
                colour=plane, steps=("draw-image",), flags=("synthetic",),
            )  # fmt: skip


def _cells(image: object, columns: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Darkness of each pixel at the cells' resolution, and the colour of each cell."""
    from PIL import Image

    assert isinstance(image, Image.Image)
    rgba = image.convert("RGBA")
    width, height = _CELL
    rows = max(1, round(columns * rgba.height / rgba.width * width / height))
    rows = min(rows, 2000)
    white = Image.new("RGBA", rgba.size, "white")
    flat = Image.alpha_composite(white, rgba).convert("RGB")
    fine = flat.convert("L").resize((columns * width, rows * height), Image.Resampling.LANCZOS)
    grey = 1 - np.asarray(fine, np.float32) / 255
    low, high = float(grey.min()), float(grey.max())
    if high - low > 0.2:  # use the whole range of inks
        grey = (grey - low) / (high - low)
    small = np.asarray(flat.resize((columns, rows), Image.Resampling.BOX), np.int32)
    colours = (small[..., 0] << 16 | small[..., 1] << 8 | small[..., 2]).astype(np.int32)
    return grey.astype(np.float32), colours


def _plane(rows: list[str], colours: NDArray[np.int32]) -> ColourPlane | None:
    """The colours of the cells that canonical text keeps."""
    inked = [number for number, row in enumerate(rows) if row.strip(" ")]
    channels = [colours >> 16 & 255, colours >> 8 & 255, colours & 255]
    spread = np.max(channels, axis=0) - np.min(channels, axis=0)
    if not inked or int(spread.max()) < 24:  # a grey picture
        return None
    indent = min(len(rows[n]) - len(rows[n].lstrip(" ")) for n in inked)
    kept = colours[inked[0] : inked[-1] + 1, indent:]
    return ColourPlane(kept, np.full_like(kept, -1))


def _render_svg(data: bytes) -> bytes | str:
    """The picture as PNG, or why there is none. Only what the file itself holds is drawn."""
    try:
        import resvg_py
    except ModuleNotFoundError:
        return "drawing SVG needs resvg-py: pip install 'asciiloom[formats]'"
    text = data.decode("utf-8", "replace")
    # Neither files nor servers are asked for anything; inline data and fragments stay.
    text = re.sub(r"""((?:xlink:)?href\s*=\s*["'])(?!#|data:)[^"']*""", r"\1", text)
    text = re.sub(
        r"<!(?:DOCTYPE|ENTITY)[^>\[]*(?:\[[^\]]*\])?[^>]*>", "", text, flags=re.IGNORECASE
    )
    try:
        return bytes(resvg_py.svg_to_bytes(svg_string=text, background="#ffffff", width=960))
    except BaseException as error:  # its panics are not Exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return one_line(f"{type(error).__name__}: {error}", 200) or "not drawn"
