import { fail } from "../core/errors.js";
import { cartesianAdp, isPositiveAdp } from "../geometry/adp.js";
import { element as elementOf } from "../geometry/elements.js";
import { type Fractional, fractionalToCartesian } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { viewPlane } from "../render/projection.js";
import { element, estimateWidth, type Markup, svgDocument } from "../render/svg.js";

type V = readonly [number, number, number];
export interface StructurePictureOptions {
  /** Direction of sight, lattice components [u v w] towards the eye. Default: down the shortest axis, turned a little. */
  readonly view?: V | undefined;
  /** Ellipsoids of this probability (ORTEP: 0.5), or balls of a share of the covalent radius. Default 0.5. */
  readonly probability?: number | "balls" | undefined;
  /** Range of cells drawn, fractional; default one cell with the atoms on its faces. */
  readonly range?: readonly [from: V, to: V] | undefined;
  readonly width?: number | undefined;
  /** Names beside the independent atoms. Default: up to 40 atoms in the picture. */
  readonly labels?: boolean | undefined;
}

/** Colours of elements, near to what crystallographers are used to; others by their number. */
const colors: Readonly<Record<string, string>> = {
  H: "#f2f2f2",
  Li: "#b58ae0",
  C: "#5b5b5b",
  N: "#3f62d8",
  O: "#e0392d",
  F: "#7fd05a",
  Na: "#e8c32e",
  Mg: "#4faf3f",
  Al: "#6fb7dd",
  Si: "#2f66b0",
  P: "#a55fd0",
  S: "#e3c000",
  Cl: "#35b535",
  K: "#8f55c9",
  Ca: "#4fc2a0",
  Ti: "#7f9fb5",
  Cr: "#8a99c7",
  Mn: "#a06fa5",
  Fe: "#c9752b",
  Zn: "#7d80b0",
  Br: "#a14a29",
  I: "#7a2f9a",
  Cs: "#5a3f9a",
  Pb: "#575961",
  Lu: "#2f9a55",
};
export const elementColor = (symbol: string): string => colors[symbol] ?? `hsl(${((elementOf(symbol)?.z ?? 0) * 47) % 360},45%,55%)`;

/** Radius, in σ, of the sphere that holds this share of a normal distribution in three dimensions: erf(r/√2) − √(2/π) r e^(−r²/2) = p. */
export function ellipsoidRadius(probability: number): number {
  if (!(probability > 0 && probability < 1)) fail("out-of-range", { probability }, "the probability of an ellipsoid lies between 0 and 1");
  let low = 0,
    high = 10;
  for (let i = 0; i < 60; i++) {
    const r = (low + high) / 2;
    let inside = 0; // Simpson over the density √(2/π) t² e^(−t²/2)
    const n = 200;
    for (let k = 0; k <= n; k++) {
      const t = (r * k) / n;
      inside += (k === 0 || k === n ? 1 : k % 2 ? 4 : 2) * t * t * Math.exp((-t * t) / 2);
    }
    if ((Math.sqrt(2 / Math.PI) * inside * r) / n / 3 < probability) low = r;
    else high = r;
  }
  return (low + high) / 2;
}

interface Drawn {
  readonly depth: number;
  readonly markup: Markup;
}

/**
 * The unit cell in orthographic projection: bonds as sticks, atoms as displacement ellipsoids (their exact outline: the ellipse of the projected
 * tensor, with its two principal arcs) or balls, farther ones paler. Atoms without a positive tensor are drawn as dashed circles, partly filled sites as open ones.
 * @throws bad-value without atoms; out-of-range for a probability outside 0 … 1
 */
export function structureSvg(s: Structure, options: StructurePictureOptions = {}): Markup {
  const { probability = 0.5, width = 560, range = [[0, 0, 0] as V, [1, 1, 1] as V] } = options;
  if (s.atoms.length === 0) fail("bad-value", { atoms: 0 }, "a picture of a structure needs atoms");
  const place = (x: Fractional): V => fractionalToCartesian(s.cell, x) as unknown as V;
  const axes: V[] = [place([1, 0, 0]), place([0, 1, 0]), place([0, 0, 1])];
  const plane = planeOf(axes, options.view, place);
  const flat = (p: V) => ({ x: dot(p, plane.right), y: dot(p, plane.up), z: dot(p, plane.towards) });
  // atoms in the range, faces included
  const slack = 0.02,
    atoms: { atom: number; p: V; u: readonly number[] | undefined; first: boolean }[] = [];
  const seen = new Set<number>();
  for (const image of expandToP1(s)) {
    const u = image.uAniso && isPositiveAdp(s.cell, image.uAniso) ? cartesianAdp(s.cell, image.uAniso) : undefined;
    const steps = [0, 1, 2].map((k) => {
      const out: number[] = [];
      for (let n = Math.floor(range[0][k]! - 1); n <= range[1][k]! + 1; n++) {
        const v = image.xyz[k]! + n;
        if (v >= range[0][k]! - slack && v <= range[1][k]! + slack) out.push(v);
      }
      return out;
    });
    for (const x of steps[0]!)
      for (const y of steps[1]!)
        for (const z of steps[2]!) {
          atoms.push({ atom: image.atom, p: place([x, y, z]), u, first: !seen.has(image.atom) });
          seen.add(image.atom);
        }
  }
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => place([i & 1 ? 1 : 0, i & 2 ? 1 : 0, i & 4 ? 1 : 0]));
  const all = [...atoms.map((a) => flat(a.p)), ...corners.map(flat)];
  const box = {
    x0: Math.min(...all.map((p) => p.x)) - 1,
    x1: Math.max(...all.map((p) => p.x)) + 1,
    y0: Math.min(...all.map((p) => p.y)) - 1,
    y1: Math.max(...all.map((p) => p.y)) + 1,
    z0: Math.min(...all.map((p) => p.z)),
    z1: Math.max(...all.map((p) => p.z)),
  };
  const scale = width / (box.x1 - box.x0),
    height = Math.ceil((box.y1 - box.y0) * scale);
  const at = (p: V) => {
    const f = flat(p);
    return { x: (f.x - box.x0) * scale, y: (box.y1 - f.y) * scale, z: f.z, near: (f.z - box.z0) / (box.z1 - box.z0 + 1e-9) };
  };
  const drawn: Drawn[] = [];
  // cell edges, each with its middle's depth
  for (let i = 0; i < 8; i++)
    for (const bit of [1, 2, 4])
      if (!(i & bit)) {
        const p = at(corners[i]!),
          q = at(corners[i | bit]!);
        drawn.push({
          depth: Math.min(p.z, q.z) - 2,
          markup: element("line", { x1: p.x, y1: p.y, x2: q.x, y2: q.y, stroke: "#9a9a9a", "stroke-width": 1 }),
        });
      }
  // bonds between drawn atoms; within 0.4 Å of the sum of the covalent radii, never to hydrogen from hydrogen
  const covalent = (k: number): number => elementOf(s.atoms[k]!.element)?.covalentRadius ?? 1.5;
  for (let i = 0; i < atoms.length; i++)
    for (let j = i + 1; j < atoms.length; j++) {
      const a = atoms[i]!,
        b = atoms[j]!;
      const d = Math.hypot(a.p[0] - b.p[0], a.p[1] - b.p[1], a.p[2] - b.p[2]);
      if (d < 0.4 || d > covalent(a.atom) + covalent(b.atom) + 0.3) continue;
      const [ea, eb] = [s.atoms[a.atom]!.element, s.atoms[b.atom]!.element];
      if (isCation(ea) && isCation(eb)) continue;
      const middle = [0, 1, 2].map((k) => (a.p[k]! + b.p[k]!) / 2) as unknown as V;
      for (const [end, e] of [
        [a.p, ea],
        [b.p, eb],
      ] as const) {
        const p = at(end),
          q = at(middle);
        drawn.push({
          depth: (p.z + q.z) / 2,
          markup: element("line", {
            x1: p.x,
            y1: p.y,
            x2: q.x,
            y2: q.y,
            stroke: paler(elementColor(e), p.near),
            "stroke-width": Math.max(1.5, 0.16 * scale),
            "stroke-linecap": "round",
          }),
        });
      }
    }
  const radius = probability === "balls" ? 0 : ellipsoidRadius(probability);
  for (const a of atoms) drawn.push(...atomMarkup(s, a, at(a.p), plane, scale, radius));
  const named = options.labels ?? atoms.length <= 40;
  const labels = named
    ? atoms
        .filter((a) => a.first)
        .map((a) => {
          const p = at(a.p);
          return element("text", { x: p.x + 0.35 * scale, y: p.y - 0.3 * scale, "font-size": 12, fill: "#222222" }, s.atoms[a.atom]!.label);
        })
    : [];
  const body = [
    ...drawn.sort((p, q) => p.depth - q.depth).map((d) => d.markup),
    ...labels,
    axisCross(axes, plane, height),
    legend(s, width),
  ].join("");
  return svgDocument(width, height + 34, `structure, ${s.spaceGroup.hm ?? "unknown group"}`, element("g", {}, body));
}

const dot = (a: V, b: V): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** Atoms that take the place of cations: near each other they are not bonded. */
const cations =
  /^(Li|Na|K|Rb|Cs|Mg|Ca|Sr|Ba|Al|Ti|V|Cr|Mn|Fe|Co|Ni|Cu|Zn|Y|Zr|Nb|Mo|Ag|Cd|In|Sn|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Ta|W|Pb|Bi|Si|P)$/;
const isCation = (e: string): boolean => cations.test(e);

function planeOf(axes: readonly V[], view: V | undefined, place: (x: Fractional) => V) {
  const lengths = axes.map((a) => Math.hypot(...a));
  const shortest = lengths.indexOf(Math.min(...lengths));
  const up = axes[(shortest + 2) % 3]!;
  const sight = view
    ? place(view as Fractional)
    : ([0, 1, 2].map(
        (k) =>
          axes[shortest]![k]! / lengths[shortest]! +
          (0.22 * axes[(shortest + 1) % 3]![k]!) / lengths[(shortest + 1) % 3]! +
          (0.13 * up[k]!) / lengths[(shortest + 2) % 3]!,
      ) as unknown as V);
  const parallel = Math.abs(dot(sight, up)) > 0.999 * Math.hypot(...sight) * Math.hypot(...up);
  return viewPlane(sight, parallel ? axes[(shortest + 1) % 3]! : up);
}

/** A colour towards white: 1 is near, 0 far. */
function paler(color: string, near: number): string {
  const m = /^#(..)(..)(..)$/.exec(color);
  if (!m) return color;
  const share = 0.45 * (1 - near);
  return `#${m
    .slice(1)
    .map((h) => Math.round(Number.parseInt(h, 16) * (1 - share) + 255 * share))
    .map((v) => v.toString(16).padStart(2, "0"))
    .join("")}`;
}

function atomMarkup(
  s: Structure,
  a: { readonly atom: number; readonly p: V; readonly u: readonly number[] | undefined },
  at: { readonly x: number; readonly y: number; readonly z: number; readonly near: number },
  plane: ReturnType<typeof viewPlane>,
  scale: number,
  radius: number,
): Drawn[] {
  const { element: symbol, uIso, occupancy } = s.atoms[a.atom]!;
  const fill = occupancy < 0.99 ? "#ffffff" : paler(elementColor(symbol), at.near),
    stroke = paler(occupancy < 0.99 ? elementColor(symbol) : "#222222", at.near);
  const common = { cx: at.x, cy: at.y, fill, stroke, "stroke-width": occupancy < 0.99 ? 1.6 : 0.9 };
  if (radius === 0) {
    const r = 0.28 * (elementOf(symbol)?.covalentRadius ?? 1) * scale;
    return [{ depth: at.z, markup: element("circle", { ...common, r }) }];
  }
  if (!a.u) {
    const flawed = !(uIso > 0) || s.atoms[a.atom]!.uAniso !== undefined;
    const r = radius * Math.sqrt(flawed ? 0.01 : uIso) * scale;
    return [{ depth: at.z, markup: element("circle", { ...common, r, "stroke-dasharray": flawed ? "2 2" : undefined }) }];
  }
  const e = projectedEllipse(a.u, plane);
  const turn = `rotate(${(-e.angle * 180) / Math.PI} ${at.x} ${at.y})`;
  const rx = radius * e.major * scale,
    ry = radius * e.minor * scale;
  const arcs = element("path", {
    d: `M${at.x - rx} ${at.y}A${rx} ${0.35 * ry} 0 0 0 ${at.x + rx} ${at.y}M${at.x} ${at.y - ry}A${0.35 * rx} ${ry} 0 0 0 ${at.x} ${at.y + ry}`,
    fill: "none",
    stroke,
    "stroke-width": 0.6,
  });
  return [{ depth: at.z, markup: element("g", { transform: turn }, element("ellipse", { ...common, rx, ry }), arcs) }];
}

/** Outline of an ellipsoid seen along `towards`: half axes of its projected tensor, Å, and the angle of the longer one from `right`. */
export function projectedEllipse(
  u: readonly number[],
  plane: { readonly right: V; readonly up: V },
): { readonly major: number; readonly minor: number; readonly angle: number } {
  const q = (a: V, b: V): number => {
    let sum = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) sum += a[i]! * u[3 * i + j]! * b[j]!;
    return sum;
  };
  const xx = q(plane.right, plane.right),
    yy = q(plane.up, plane.up),
    xy = q(plane.right, plane.up);
  const mean = (xx + yy) / 2,
    half = Math.hypot((xx - yy) / 2, xy);
  return { major: Math.sqrt(mean + half), minor: Math.sqrt(Math.max(0, mean - half)), angle: 0.5 * Math.atan2(2 * xy, xx - yy) };
}

function axisCross(axes: readonly V[], plane: ReturnType<typeof viewPlane>, height: number): Markup {
  const longest = Math.max(...axes.map((a) => Math.hypot(...a)));
  return axes
    .map((a, k) => {
      const x = 34 + (26 * dot(a, plane.right)) / longest,
        y = height - 8 - (26 * dot(a, plane.up)) / longest;
      return (
        element("line", { x1: 34, y1: height - 8, x2: x, y2: y, stroke: "#333333", "stroke-width": 1.4 }) +
        element("text", { x: x + 3, y: y - 2, "font-size": 12, "font-style": "italic", fill: "#333333" }, "abc"[k]!)
      );
    })
    .join("");
}

function legend(s: Structure, width: number): Markup {
  const symbols = [...new Set(s.atoms.map((a) => a.element))];
  let x = 90;
  return symbols
    .map((e) => {
      const markup =
        element("circle", { cx: x, cy: 14, r: 5.5, fill: elementColor(e), stroke: "#222222", "stroke-width": 0.8 }) +
        element("text", { x: x + 10, y: 18, "font-size": 12, fill: "#222222" }, e);
      x += 26 + estimateWidth(e, 12);
      return x < width ? markup : "";
    })
    .join("");
}
