import { describe, expect, test } from "vitest";
import type { Image } from "../core/image.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { colorAt, colormap, colormapNames, parseColor } from "./colormap.js";
import { figureSvg, heatMapSvg } from "./figure.js";
import { glyphRows, textWidth } from "./font.js";
import { imagePng, renderImage } from "./image.js";
import { imageSvg } from "./image-svg.js";
import { levels, percentiles } from "./levels.js";
import { roundLength, scaleBarLength } from "./overlay.js";
import { plotSvg } from "./plot.js";
import type { Mark } from "./plot-marks.js";
import { pointCloudSvg, viewPlane } from "./projection.js";
import { drawCircle, drawLine, drawText, fillPolygon, fillRect, raster } from "./raster.js";
import { type Block, reportHtml } from "./report.js";
import { cellText } from "./report-table.js";
import { escapeText, svgNumber } from "./svg.js";
import { logTicks, niceTicks, shortNumber } from "./ticks.js";
import { zonePlotSvg } from "./zone-plot.js";

const g = rng("render");
const image: Image = { data: Float32Array.from({ length: 30 * 40 }, () => g.poisson(50)), shape: [30, 40] };

/** Well-formedness: tags close in order, attributes are quoted and unique, entities are known. */
function wellFormed(xml: string): string | undefined {
  const open: string[] = [];
  let at = 0;
  const tag = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
  while (at < xml.length) {
    const next = xml.indexOf("<", at),
      text = xml.slice(at, next < 0 ? xml.length : next);
    const bad = /&(?!(amp|lt|gt|quot|#39|#\d+);)|>/.exec(text);
    if (bad) return `text ${text.slice(Math.max(0, bad.index - 20), bad.index + 20)}`;
    if (next < 0) break;
    tag.lastIndex = next;
    const m = tag.exec(xml);
    if (!m) return `tag at ${xml.slice(next, next + 60)}`;
    const names = [...m[3]!.matchAll(/([\w:-]+)="/g)].map((a) => a[1]);
    if (new Set(names).size !== names.length) return `attribute twice in ${m[0].slice(0, 80)}`;
    if (m[1]) {
      if (open.pop() !== m[2]) return `</${m[2]}> closes nothing`;
    } else if (!m[4]) open.push(m[2]!);
    at = tag.lastIndex;
  }
  return open.length ? `open: ${open}` : undefined;
}

describe("colours", () => {
  test.each(["viridis", "magma", "inferno", "gray"] as const)("%s gets lighter all along", (name) => {
    const m = colormap(name);
    const lightness = Array.from({ length: 256 }, (_, i) => {
      const [r, gr, b] = [0, 1, 2].map((c) => ((m[3 * i + c]! / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r! + 0.7152 * gr! + 0.0722 * b!;
    });
    for (let i = 4; i < 256; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 4]! - 1e-4);
  });
  test("ends as published; diverging is neutral in the middle; phase closes", () => {
    expect([colorAt(colormap("viridis"), 0), colorAt(colormap("viridis"), 1)]).toEqual(["#440154", "#fde725"]);
    expect([colorAt(colormap("diverging"), 0), colorAt(colormap("diverging"), 1)]).toEqual(["#3b4cc0", "#b40426"]);
    const [r, gr, b] = parseColor(colorAt(colormap("diverging"), 0.5));
    expect(Math.max(r, gr, b) - Math.min(r, gr, b)).toBeLessThan(6);
    expect(colorAt(colormap("phase"), 0)).toBe(colorAt(colormap("phase"), 1));
    expect(colormap("gray", { reverse: true })[0]).toBe(255);
    expect(colormapNames.length).toBe(6);
    expect(() => parseColor("red")).toThrow(/#rrggbb/);
  });
});

describe("scaling", () => {
  test("percentiles of even steps", () => expect(percentiles([4, 1, 3, 2, 5, Number.NaN], [0, 25, 50, 100])).toEqual([1, 2, 3, 5]));
  prop(
    "position and value are inverse",
    [fc.constantFrom("linear", "sqrt", "gamma", "log", "symlog"), fc.double({ min: 0, max: 1, noNaN: true })],
    (kind, t) => {
      const l = levels([], { kind: kind as "log", range: [2, 500] });
      expect(l.position(l.value(t))).toBeCloseTo(t, 9);
      expect([l.position(2), l.position(500)]).toEqual([expect.closeTo(0, 12), expect.closeTo(1, 12)]);
    },
  );
  test("log scales survive zeros, constants and nothing", () => {
    expect(levels([0, 0, 5, 50, 500], { kind: "log", percentiles: [0, 100] }).low).toBe(5);
    expect(levels([0, 0, 0], { kind: "log" }).high).toBeGreaterThan(0);
    expect(levels([7, 7], {})).toMatchObject({ low: 7, high: 8 });
    expect(levels([], {}).position(0.5)).toBe(0.5);
  });
});

describe("raster", () => {
  test("shapes cover their area", () => {
    const ink = (draw: (r: ReturnType<typeof raster>) => void): number => {
      const r = raster(64, 64);
      draw(r);
      let s = 0;
      for (let i = 0; i < r.data.length; i += 4) s += (255 - r.data[i]!) / 255;
      return s;
    };
    expect(ink((r) => drawCircle(r, 31.3, 30.8, 20, "#000000", 0))).toBeCloseTo(Math.PI * 400, -1);
    expect(ink((r) => drawCircle(r, 31.3, 30.8, 20, "#000000", 3))).toBeCloseTo(2 * Math.PI * 20 * 3, -1);
    expect(Math.abs(ink((r) => drawLine(r, 10, 12, 50, 42, "#000000", 4)) - (50 * 4 + Math.PI * 4))).toBeLessThan(4);
    expect(ink((r) => fillRect(r, 9.5, 9.5, 19.5, 29.5, "#000000"))).toBeCloseTo(200, 5);
    expect(ink((r) => fillPolygon(r, [10, 10, 50, 10, 10, 50], "#000000"))).toBeCloseTo(800, -1);
    expect(ink((r) => fillRect(r, 9.5, 9.5, 19.5, 29.5, "#00000080"))).toBeCloseTo(100, 0);
  });
  test("text has the width it says, stays inside, and knows its glyphs", () => {
    const r = raster(60, 20);
    drawText(r, 30, 15, "d=1.2", { anchor: "middle", scale: 2 });
    const columns = new Set<number>();
    for (let i = 0; i < r.data.length; i += 4) if (r.data[i]! < 128) columns.add((i / 4) % 60);
    expect(Math.max(...columns) - Math.min(...columns) + 1).toBeLessThanOrEqual(2 * textWidth("d=1.2"));
    for (const c of "AZaz09 Åµ⁻¹²±°") expect(glyphRows(c)).toHaveLength(7);
    expect(glyphRows("漢")).toEqual(glyphRows("字"));
    expect(() => drawText(r, -50, -50, "outside")).not.toThrow();
  });
});

describe("images", () => {
  test("zoom repeats, shrinking averages, NaN has its own colour", () => {
    const a: Image = { data: Float32Array.of(0, 1, 2, 3), shape: [2, 2] };
    const r = renderImage(a, { scale: { range: [0, 3] }, zoom: 3 });
    expect([r.width, r.height]).toEqual([6, 6]);
    expect([r.data[0], r.data[4 * 5], r.data[4 * 35]]).toEqual([0, 85, 255]);
    expect(renderImage(a, { scale: { range: [0, 3] }, zoom: 0.5 }).data[0]).toBe(128);
    expect([
      ...renderImage({ data: Float32Array.of(Number.NaN, 1), shape: [1, 2] }, { zoom: 1, missingColor: "#102030" }).data.slice(0, 3),
    ]).toEqual([16, 32, 48]);
    expect(renderImage(image, { crop: { x: 5, y: 5, width: 10, height: 8 }, zoom: 1 }).width).toBe(10);
    expect(() => renderImage(image, { crop: { x: 35, y: 0, width: 10, height: 8 } })).toThrow(/inside the image/);
  });
  test("an overlay lies on the pixel it names, at any zoom and crop", () => {
    for (const zoom of [1, 4, 0.5]) {
      const flat: Image = { data: new Float32Array(80 * 80), shape: [80, 80] };
      const r = renderImage(flat, {
        zoom,
        scale: { range: [0, 1] },
        crop: { x: 8, y: 4, width: 64, height: 64 },
        overlays: [{ kind: "spots", x: [40], y: [31], shape: "dot", radius: 6, color: "#ffffff" }],
      });
      let sx = 0,
        sy = 0,
        s = 0;
      for (let i = 0; i < r.data.length; i += 4) {
        s += r.data[i]!;
        sx += r.data[i]! * ((i / 4) % r.width);
        sy += r.data[i]! * Math.floor(i / 4 / r.width);
      }
      expect(sx / s).toBeCloseTo((40 - 8 + 0.5) * zoom - 0.5, 1);
      expect(sy / s).toBeCloseTo((31 - 4 + 0.5) * zoom - 0.5, 1);
    }
  });
  const overlays = [
    { kind: "spots", x: [3, 9, Number.NaN], y: [4, 8, 1], texts: ["1 0 0", "<&>"], label: "predicted & found" },
    { kind: "spots", x: [1], y: [1], shape: "cross" },
    { kind: "spots", x: [1], y: [1], shape: "square", radius: [3] },
    { kind: "spots", x: [1], y: [1], shape: "plus" },
    { kind: "line", from: [0, 0], to: [30, 20], label: "axis" },
    { kind: "polygon", points: [1, 1, 9, 1, 5, 9], fill: "#ff000040" },
    { kind: "ring", centre: [20, 15], radius: 10, text: "1 Å" },
    { kind: "text", x: 3, y: 20, text: "beam", anchor: "middle" },
  ] as const;
  test("raster and SVG draw the same overlays", () => {
    const style = { overlays, scaleBar: { pixelSize: 0.004, unit: "Å⁻¹" }, colormap: "magma" } as const;
    expect(imagePng(image, style).length).toBeGreaterThan(500);
    const svg = imageSvg(image, style);
    expect(wellFormed(svg)).toBeUndefined();
    expect(svg).toContain("data:image/png;base64,");
    expect(svg).toContain("&lt;&amp;&gt;");
    expect(renderImage(image, style)).toEqual(renderImage(image, style));
  });
  test("scale bars have round lengths", () => {
    expect([roundLength(0.37), roundLength(5), roundLength(1.99), roundLength(2)]).toEqual([0.2, 5, 1, 2]);
    expect(scaleBarLength({ pixelSize: 0.004, unit: "nm" }, 512)).toEqual({ pixels: 125, text: "0.5 nm" });
  });
});

describe("ticks", () => {
  prop(
    "nice ticks are round, inside, even and few",
    [fc.double({ min: -1e5, max: 1e5, noNaN: true }), fc.double({ min: 0.1, max: 1e6, noNaN: true })],
    (low, span) => {
      const t = niceTicks(low, low + span);
      expect(t.values.length).toBeGreaterThanOrEqual(2);
      expect(t.values.length).toBeLessThan(12);
      for (const v of t.values) expect(v >= low - 1e-6 * span && v <= low + span * (1 + 1e-6)).toBe(true);
      const step = t.values[1]! - t.values[0]!,
        m = step / 10 ** Math.floor(Math.log10(step * 1.0001));
      expect([1, 2, 5].some((k) => Math.abs(m - k) < 1e-3 * k)).toBe(true);
    },
  );
  test("texts", () => {
    expect(niceTicks(0, 1).texts).toEqual(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    expect(niceTicks(-1, 1, 2).texts).toEqual(["−1", "0", "1"]);
    expect(logTicks(0.01, 100).texts).toEqual(["0.01", "0.1", "1", "10", "100"]);
    expect([shortNumber(3e5), shortNumber(1e-7), shortNumber(12345), shortNumber(-0.5)]).toEqual(
      ["3×10⁵", "10⁻⁷", "12350", "−0.5"].map((t, k) => (k === 2 ? "12350" : t)),
    );
    expect(niceTicks(1, 1).values).toEqual([]);
  });
});

describe("plots are well-formed SVG", () => {
  const x = [1, 2, 3, Number.NaN, 5],
    y = [1, 4, 2, 3, 7],
    marks: Mark[] = [
      { kind: "line", x, y, label: "a < b & c" },
      { kind: "points", x, y, shape: "diamond", size: [1, 2, 3, 4, 5], colors: ["#ff0000", "#00ff00", "#ff0000", "#00ff00", "#0000ff"] },
      { kind: "errors", x, y, sigmaX: y, sigmaY: x },
      { kind: "bars", x, y, label: "bars" },
      { kind: "steps", edges: [0, 1, 2], counts: [3, 4], label: "steps" },
      { kind: "band", x: [1, 2, 3], low: [0, 0, 0], high: [1, 2, 3], label: "band" },
      { kind: "rule", x: 2, y: 3, label: "rule" },
      { kind: "text", x: 1, y: 1, text: "<t>" },
      { kind: "ring", x: 2, y: 2, radius: 1 },
      { kind: "image", image, x: [0, 4], y: [0, 3] },
    ];
  const pictures: [string, string][] = [
    ["plot", plotSvg({ title: "A & B", marks, x: { label: "x (Å⁻¹)" }, y: { label: "y" }, grid: true })],
    ["log plot", plotSvg({ marks, x: { kind: "log" }, y: { kind: "log" }, legend: "right" })],
    ["empty plot", plotSvg({ marks: [] })],
    ["constant", plotSvg({ marks: [{ kind: "points", x: [1], y: [1], shape: "open" }], equal: true })],
    ["figure", figureSvg([{ marks }, { marks: [] }, { marks, equal: true }])],
    ["heat map", heatMapSvg({ image, scale: { kind: "log" }, valueLabel: "counts", title: "t", equal: true, y: { reverse: true } })],
    [
      "zone",
      zonePlotSvg({
        x: [0.1, 0.2],
        y: [0, 0.1],
        intensity: [4, 1],
        texts: ["1 0 0", ""],
        rings: [0.2],
        axes: [{ x: 0.1, y: 0, name: "a*" }],
      }),
    ],
    [
      "cloud",
      pointCloudSvg({
        points: [0, 0, 0, 1, 2, 3],
        classes: [-1, 1],
        classNames: ["one", "two"],
        view: [1, 0, 0],
        up: [0, 0, 1],
        axes: [{ vector: [1, 1, 1], name: "a*" }],
      }),
    ],
  ];
  test.each(pictures)("%s", (_, svg) => {
    expect(wellFormed(svg)).toBeUndefined();
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg).toContain("<title>");
  });
  test("the checker itself sees faults", () => {
    for (const bad of ["<a><b></a></b>", '<a b="1" b="2"/>', "<a>&nope;</a>", "<a b=1/>", "<a>"]) expect(wellFormed(bad)).toBeDefined();
  });
  test("a point is drawn where the axes say", () => {
    const svg = plotSvg({
      marks: [{ kind: "points", x: [0.5], y: [0.25], shape: "square", size: 2 }],
      x: { range: [0, 1] },
      y: { range: [0, 1] },
    });
    const frame = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="none"/g)][0]!
      .slice(1)
      .map(Number) as [number, number, number, number];
    const d = /d="M([\d.]+) ([\d.]+)h2/.exec(svg)!.slice(1).map(Number) as [number, number];
    expect(d[0] + 1).toBeCloseTo(frame[0] + 0.5 * frame[2], 1);
    expect(d[1] + 1).toBeCloseTo(frame[1] + 0.75 * frame[3], 1);
  });
  test("view planes are right-handed: right × up points to the eye", () => {
    const p = viewPlane([0, 0, 5], [0, 3, 1]);
    expect(p.right).toEqual([1, 0, 0]);
    expect(p.up).toEqual([0, 1, 0]);
    expect(() => viewPlane([0, 0, 1], [0, 0, 2])).toThrow(/not parallel/);
  });
  test("numbers and escapes", () => {
    expect([svgNumber(1 / 3), svgNumber(-0.0001), svgNumber(5), svgNumber(Number.NaN), svgNumber(100)]).toEqual([
      "0.333",
      "0",
      "5",
      "0",
      "100",
    ]);
    expect(escapeText(`a<b>&"'\u0000\ud800x`)).toBe("a&lt;b&gt;&amp;&quot;&#39;x");
  });
});

describe("report", () => {
  const nasty = `<script>alert("1")</script>&'`;
  const blocks: Block[] = [
    { kind: "facts", facts: [["a", { value: 5.1047, su: 0.0023, unit: "Å" }]] },
    { kind: "note", text: nasty, tone: "warning" },
    {
      kind: "section",
      title: nasty,
      blocks: [
        { kind: "paragraph", text: nasty },
        { kind: "list", items: [nasty] },
        { kind: "code", text: nasty },
        {
          kind: "table",
          columns: [nasty, "n"],
          rows: [
            [nasty, 1],
            ["x", Number.NaN],
          ],
          caption: nasty,
        },
        { kind: "row", blocks: [{ kind: "figure", picture: { png: imagePng(image) }, alt: nasty, caption: nasty }] },
        { kind: "figure", picture: { svg: plotSvg({ marks: [] }) }, alt: "plot", wide: true },
        {
          kind: "frames",
          alt: nasty,
          start: 9,
          frames: [
            { picture: { png: imagePng(image) }, caption: nasty },
            { picture: { png: imagePng(image) }, caption: "2" },
          ],
        },
        { kind: "details", summary: nasty, blocks: [] },
      ],
    },
    { kind: "section", title: "second", blocks: [] },
  ];
  const html = reportHtml({ title: nasty, subtitle: nasty, blocks, footer: nasty });
  test("nothing given is markup, and nothing is fetched", () => {
    expect(html).not.toContain(`<script>alert`);
    expect(html).not.toMatch(/(?:src|href)="(?!data:|#)/);
    expect(html).not.toMatch(/url\(|@import|fetch\(|XMLHttp/);
    expect(html.match(/<img [^>]*alt="[^"]+"/g)).toHaveLength(3);
    expect(html).toContain("5.105(2)\u202fÅ");
    expect(html).toContain('data-start="1"');
  });
  test("the body is well-formed", () => {
    const body = html.slice(html.indexOf("<body>"), html.indexOf("</body>") + 7);
    const bare = body
      .replace(/<script>[\s\S]*?<\/script>/g, "")
      .replace(/<img ([^>]*)>/g, "<img $1/>")
      .replace(/<input ([^>]*)>/g, "<input $1/>")
      .replace(/ hidden(?=>)/g, "");
    expect(wellFormed(bare)).toBeUndefined();
  });
  test("cells", () => {
    expect([
      cellText(Number.NaN),
      cellText(-1.5),
      cellText({ value: 12.3451, su: 0.0061 }),
      cellText({ value: 2, decimals: 2 }),
      cellText("x"),
    ]).toEqual(["–", "−1.5", "12.345(6)", "2.00", "x"]);
  });
});
