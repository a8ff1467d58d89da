import { fail } from "../core/errors.js";

/** Which numbers a refinement moves. Positions always are. */
export interface AtomParameters {
  /** Integrated intensities: one per atom (default), one per species, or held. */
  readonly intensities?: "atom" | "species" | "fixed" | undefined;
  /** Widths of the Gaussians: one for all (default), per species, per atom, or held. */
  readonly widths?: "common" | "species" | "atom" | "fixed" | undefined;
  /** Background of every view: none, a constant (default), or a plane. */
  readonly background?: "none" | "constant" | "plane" | undefined;
  /** One intensity scale per view (mean 1). Default false. */
  readonly scales?: boolean | undefined;
  /** Shift of every view, two numbers. Default false. */
  readonly shifts?: boolean | undefined;
  /** Rotation of every view, three numbers. Default false. */
  readonly angles?: boolean | undefined;
}

/** Places of the parameters in one vector: atoms first (q numbers each), then views (m numbers each), then global ones. */
export interface AtomLayout {
  readonly n: number;
  readonly views: number;
  readonly species: number;
  /** Numbers per atom; positions are 0 … 2, then where intensity and width are (−1: not per atom). */
  readonly q: number;
  readonly intensity: number;
  readonly width: number;
  /** Numbers per view, then where scale, shift (2) and rotation (3) are (−1: not refined); background terms come first. */
  readonly m: number;
  readonly terms: 0 | 1 | 3;
  readonly scale: number;
  readonly shift: number;
  readonly rotation: number;
  /** Global numbers: first index of the intensities and widths of species within them (−1: none). */
  readonly globals: number;
  readonly speciesIntensity: number;
  readonly speciesWidth: number;
  /** Widths: one for all, or one per species. */
  readonly widthClasses: number;
  /** Start of the view block, of the global block, and length of the vector. */
  readonly viewsAt: number;
  readonly globalsAt: number;
  readonly size: number;
}

/** @throws bad-value for a word that is none of the choices */
export function atomLayout(n: number, views: number, species: number, p: AtomParameters): AtomLayout {
  const choose = <T extends string>(name: string, value: T | undefined, all: readonly T[]): T => {
    const v = value ?? all[0]!;
    return all.includes(v) ? v : fail("bad-value", { [name]: v }, `${name} is one of ${all.join(", ")}`);
  };
  const intensities = choose("intensities", p.intensities, ["atom", "species", "fixed"]),
    widths = choose("widths", p.widths, ["common", "species", "atom", "fixed"]);
  const terms = ({ constant: 1, none: 0, plane: 3 } as const)[choose("background", p.background, ["constant", "none", "plane"])];
  const used = { q: 3, m: terms as number, globals: 0 };
  const take = (yes: boolean, from: keyof typeof used, count: number): number => {
    if (!yes) return -1;
    used[from] += count;
    return used[from] - count;
  };
  const intensity = take(intensities === "atom", "q", 1),
    width = take(widths === "atom", "q", 1);
  const scale = take(p.scales === true, "m", 1),
    shift = take(p.shifts === true, "m", 2),
    rotation = take(p.angles === true, "m", 3);
  const widthClasses = widths === "species" ? species : 1;
  const speciesIntensity = take(intensities === "species", "globals", species),
    speciesWidth = take(widths === "species" || widths === "common", "globals", widthClasses);
  const { q, m, globals } = used,
    viewsAt = n * q,
    globalsAt = viewsAt + views * m;
  return {
    n,
    views,
    species,
    q,
    intensity,
    width,
    m,
    terms,
    scale,
    shift,
    rotation,
    globals,
    speciesIntensity,
    speciesWidth,
    widthClasses,
    viewsAt,
    globalsAt,
    size: globalsAt + globals,
  };
}
