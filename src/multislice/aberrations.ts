import { fail } from "../core/errors.js";

/** Order n and multiplicity m of every coefficient up to fifth order: C_nm multiplies α^(n+1) cos m(φ − φ_nm)/(n+1). */
const orders = [
  [1, 0],
  [1, 2],
  [2, 1],
  [2, 3],
  [3, 0],
  [3, 2],
  [3, 4],
  [4, 1],
  [4, 3],
  [4, 5],
  [5, 0],
  [5, 2],
  [5, 4],
  [5, 6],
] as const;

type Round = "C10" | "C30" | "C50";
type Angled = "12" | "21" | "23" | "32" | "34" | "41" | "43" | "45" | "52" | "54" | "56";
type Alias =
  | "astigmatism"
  | "coma"
  | "trefoil"
  | "astigmatism3"
  | "quadrafoil"
  | "coma4"
  | "trefoil4"
  | "pentafoil"
  | "astigmatism5"
  | "quadrafoil5"
  | "hexafoil";
/**
 * Aberrations of the lens: coefficients in Å, angles in radians, by their symbols (C10, C12, phi12, …) or by the names in use. `defocus` is −C10
 * (positive: underfocus), `Cs` C30, `C5` C50.
 */
export type Aberrations = {
  readonly [K in Round | `C${Angled}` | `phi${Angled}` | Alias | `${Alias}Angle` | "defocus" | "Cs" | "C5"]?: number | undefined;
};

const aliases: Readonly<Record<Alias, Angled>> = {
  astigmatism: "12",
  coma: "21",
  trefoil: "23",
  astigmatism3: "32",
  quadrafoil: "34",
  coma4: "41",
  trefoil4: "43",
  pentafoil: "45",
  astigmatism5: "52",
  quadrafoil5: "54",
  hexafoil: "56",
};

/** One term of the aberration function. */
export interface AberrationTerm {
  readonly n: number;
  readonly m: number;
  /** Å. */
  readonly c: number;
  /** rad. */
  readonly phi: number;
}

/** Terms that are not zero. @throws bad-value for a name that is none, a value that is not finite, or one coefficient given twice */
export function aberrationTerms(a: Aberrations = {}): AberrationTerm[] {
  const c = new Map<string, number>(),
    phi = new Map<string, number>();
  for (const [name, value] of Object.entries(a) as [string, number | undefined][]) {
    if (value === undefined) continue;
    if (!Number.isFinite(value))
      fail("bad-value", { [name]: value }, "aberrations are finite numbers: coefficients in Å, angles in radians");
    const alias = name.endsWith("Angle") ? aliases[name.slice(0, -5) as Alias] : aliases[name as Alias];
    const symbol =
      name === "defocus"
        ? "C10"
        : name === "Cs"
          ? "C30"
          : name === "C5"
            ? "C50"
            : alias
              ? `${name.endsWith("Angle") ? "phi" : "C"}${alias}`
              : name;
    const known = /^(C|phi)(\d)(\d)$/.exec(symbol);
    const valid = known && orders.some(([n, m]) => n === Number(known[2]) && m === Number(known[3]) && (m > 0 || known[1] === "C"));
    if (!valid)
      fail(
        "bad-value",
        { name },
        "aberrations are named C10 C12 phi12 C21 phi21 C23 phi23 C30 … C56 phi56, or defocus, Cs, C5, astigmatism, coma, trefoil, …",
      );
    const to = symbol.startsWith("C") ? c : phi,
      key = symbol.slice(-2);
    if (to.has(key)) fail("bad-value", { name, also: symbol }, "this coefficient is given twice, under two names");
    to.set(key, name === "defocus" ? -value : value);
  }
  return orders.flatMap(([n, m]) => {
    const value = c.get(`${n}${m}`) ?? 0;
    return value === 0 ? [] : [{ n, m, c: value, phi: phi.get(`${n}${m}`) ?? 0 }];
  });
}

/** χ(α, φ) = 2π/λ Σ C_nm α^(n+1) cos m(φ − φ_nm)/(n+1), rad; the wave is multiplied by exp(−iχ). α in rad. */
export function aberrationPhase(terms: readonly AberrationTerm[], wavelength: number, alpha: number, phi: number): number {
  let sum = 0;
  for (const t of terms) sum += (t.c * alpha ** (t.n + 1) * Math.cos(t.m * (phi - t.phi))) / (t.n + 1);
  return ((2 * Math.PI) / wavelength) * sum;
}
/** ∂χ/∂α and (1/α)∂χ/∂φ, per radian: λ/2π times their length is how far a ray lands from the axis, Å. */
export function aberrationGradient(
  terms: readonly AberrationTerm[],
  wavelength: number,
  alpha: number,
  phi: number,
): readonly [number, number] {
  let radial = 0,
    azimuthal = 0;
  for (const t of terms) {
    const p = t.c * alpha ** t.n,
      angle = t.m * (phi - t.phi);
    radial += p * Math.cos(angle);
    azimuthal -= (p * t.m * Math.sin(angle)) / (t.n + 1);
  }
  return [((2 * Math.PI) / wavelength) * radial, ((2 * Math.PI) / wavelength) * azimuthal];
}

/** Cartesian parts (a, b) = C (cos mφ, sin mφ) of a coefficient: what adds up linearly in a fit. */
export const aberrationCartesian = (c: number, phi: number, m: number): readonly [number, number] => [
  c * Math.cos(m * phi),
  c * Math.sin(m * phi),
];
/** Magnitude and angle from the parts. */
export const aberrationPolar = (a: number, b: number, m: number): readonly [c: number, phi: number] => [
  Math.hypot(a, b),
  Math.atan2(b, a) / m,
];

/** Scherzer defocus √(1.5 Cs λ), Å (positive: underfocus), and the point resolution (λ³Cs/6)^(1/4), Å. */
export function scherzer(cs: number, wavelength: number): { readonly defocus: number; readonly resolution: number } {
  return {
    defocus: Math.sign(cs) * Math.sqrt(1.5 * Math.abs(cs) * wavelength),
    resolution: ((wavelength ** 3 * Math.abs(cs)) / 6) ** 0.25,
  };
}
