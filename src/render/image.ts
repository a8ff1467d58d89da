import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { type ColormapName, colormap } from "./colormap.js";
import { drawLegend, drawOverlay, drawScaleBar } from "./image-raster.js";
import { type Levels, levels, type Scale, toBytes } from "./levels.js";
import type { Overlay, ScaleBar } from "./overlay.js";
import { type Raster, rasterPng } from "./raster.js";

export interface ImageStyle {
  readonly scale?: Scale | undefined;
  /** "gray" by default; reversed, spots are dark on white as on film. */
  readonly colormap?: ColormapName | undefined;
  readonly reverse?: boolean | undefined;
  /** Part of the image, pixels. */
  readonly crop?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number } | undefined;
  /** Picture pixels an image pixel: whole numbers repeat pixels, fractions below 1 average them. By default about 1024 at most. */
  readonly zoom?: number | undefined;
  readonly overlays?: readonly Overlay[] | undefined;
  readonly scaleBar?: ScaleBar | undefined;
  readonly legend?: boolean | undefined;
  /** Colour of pixels that are NaN. */
  readonly missingColor?: string | undefined;
}

/** An image made ready: the pixels without marks, and how image coordinates become picture coordinates. */
export interface Prepared {
  readonly raster: Raster;
  readonly levels: Levels;
  readonly zoom: number;
  /** Picture coordinates (pixel centres at whole numbers) of an image position. */
  toX(x: number): number;
  toY(y: number): number;
}

/** Scale, colour, crop and zoom an image. */
export function prepareImage(image: Image<TypedArray>, style: ImageStyle = {}): Prepared {
  const [ny, nx] = image.shape;
  if (!(ny > 0 && nx > 0 && image.data.length === ny * nx))
    fail("bad-shape", { length: image.data.length, shape: image.shape }, "an image holds ny·nx values, at least one");
  const crop = style.crop ?? { x: 0, y: 0, width: nx, height: ny };
  if (!(crop.x >= 0 && crop.y >= 0 && crop.width > 0 && crop.height > 0 && crop.x + crop.width <= nx && crop.y + crop.height <= ny))
    fail("out-of-range", { crop: JSON.stringify(crop), shape: image.shape }, "crop lies inside the image");
  const longest = Math.max(crop.width, crop.height);
  let zoom = style.zoom ?? (longest > 1024 ? 1024 / longest : Math.max(1, Math.min(8, Math.floor(512 / longest))));
  if (!(zoom > 0 && zoom * longest <= 20000)) fail("out-of-range", { zoom }, "zoom is positive and the picture at most 20000 pixels wide");
  if (zoom > 1) zoom = Math.max(1, Math.round(zoom));
  const part = zoom < 1 ? shrink(image, crop, zoom) : cut(image, crop);
  const l = levels(style.scale?.range ? [] : part.data, style.scale);
  const { index, missing } = toBytes(part, l),
    map = colormap(style.colormap ?? "gray", { reverse: style.reverse ?? false });
  const repeat = Math.max(1, zoom),
    [py, px] = part.shape,
    width = px * repeat,
    height = py * repeat,
    data = new Uint8ClampedArray(4 * width * height);
  const hole = style.missingColor ?? "#7f8fa6";
  const holeRgb = [1, 3, 5].map((k) => Number.parseInt(hole.slice(k, k + 2), 16));
  for (let y = 0; y < height; y++)
    for (let x = 0, o = 4 * y * width; x < width; x++, o += 4) {
      const i = Math.floor(y / repeat) * px + Math.floor(x / repeat),
        k = 3 * index[i]!;
      const gone = missing?.[i] === 1;
      data[o] = gone ? holeRgb[0]! : map[k]!;
      data[o + 1] = gone ? holeRgb[1]! : map[k + 1]!;
      data[o + 2] = gone ? holeRgb[2]! : map[k + 2]!;
      data[o + 3] = 255;
    }
  // Exact scale of a shrunk picture: its whole size over the crop's.
  const sx = zoom < 1 ? width / crop.width : zoom,
    sy = zoom < 1 ? height / crop.height : zoom;
  return {
    raster: { width, height, data },
    levels: l,
    zoom: sx,
    toX: (x) => (x - crop.x + 0.5) * sx - 0.5,
    toY: (y) => (y - crop.y + 0.5) * sy - 0.5,
  };
}

interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
function cut({ data, shape: [, nx] }: Image<TypedArray>, { x, y, width, height }: Crop): Image<TypedArray> {
  const out = new Float64Array(width * height);
  for (let j = 0; j < height; j++) for (let i = 0; i < width; i++) out[j * width + i] = data[(y + j) * nx + x + i]!;
  return { data: out, shape: [height, width] };
}

/** Average over the pixels that fall into each picture pixel; NaN pixels are left out. */
function shrink({ data, shape: [, nx] }: Image<TypedArray>, { x, y, width, height }: Crop, zoom: number): Image<TypedArray> {
  const px = Math.max(1, Math.round(width * zoom)),
    py = Math.max(1, Math.round(height * zoom));
  const sum = new Float64Array(px * py),
    count = new Float64Array(px * py);
  for (let j = 0; j < height; j++) {
    const row = Math.min(py - 1, Math.floor((j * py) / height)) * px;
    for (let i = 0; i < width; i++) {
      const v = data[(y + j) * nx + x + i]!;
      if (Number.isNaN(v)) continue;
      const o = row + Math.min(px - 1, Math.floor((i * px) / width));
      sum[o]! += v;
      count[o]! += 1;
    }
  }
  return { data: sum.map((s, i) => s / count[i]!), shape: [py, px] };
}

/** A picture of an image with its marks drawn in: scale, colours, overlays, scale bar and legend. */
export function renderImage(image: Image<TypedArray>, style: ImageStyle = {}): Raster {
  const p = prepareImage(image, style);
  for (const o of style.overlays ?? []) drawOverlay(p, o);
  const width = style.crop?.width ?? image.shape[1];
  if (style.scaleBar) drawScaleBar(p, style.scaleBar, width);
  if (style.legend !== false && style.overlays) drawLegend(p.raster, style.overlays);
  return p.raster;
}

/** {@link renderImage}, as the bytes of a PNG file. */
export function imagePng(image: Image<TypedArray>, style: ImageStyle = {}): Uint8Array {
  return rasterPng(renderImage(image, style));
}
