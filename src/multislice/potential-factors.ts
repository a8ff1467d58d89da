import { bFromU } from "../geometry/adp.js";
import { element } from "../geometry/elements.js";
import type { AbsorptiveSource } from "../scattering/absorptive.js";
import type { FormFactor } from "../scattering/form-factor.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import type { AtomModel } from "./atoms.js";
import { gridArea, type WaveGrid } from "./grid.js";
import { overWindow, type SpectrumWindow, windowBins } from "./spectrum-window.js";

/** Atoms that share every function of q: one element, one displacement tensor. */
export interface AtomGroup {
  readonly symbol: string;
  /** Formal charge, e; 0 where atoms are taken neutral. */
  readonly charge: number;
  /** U11 U22 U33 U23 U13 U12 of the group when it counts, Å². */
  readonly u: readonly number[] | undefined;
  /** Indices of the model's atoms. */
  readonly atoms: Int32Array;
}

/** Atoms by element, by displacement tensor when `byDisplacement`, by charge when `byCharge`. */
export function atomGroups(model: AtomModel, byDisplacement: boolean, byCharge: boolean): AtomGroup[] {
  const lists = new Map<string, number[]>(),
    charge = byCharge ? model.charge : undefined;
  const u = byDisplacement ? model.displacement : undefined;
  for (let i = 0; i < model.atomicNumbers.length; i++) {
    if (model.occupancy && model.occupancy[i]! === 0) continue;
    const key = `${model.atomicNumbers[i]} ${charge?.[i] ?? 0}${u ? ` ${[...u.subarray(6 * i, 6 * i + 6)].map((v) => Math.round(v * 1e9)).join(" ")}` : ""}`;
    const list = lists.get(key);
    if (list) list.push(i);
    else lists.set(key, [i]);
  }
  return [...lists.values()].map((list) => ({
    symbol: element(model.atomicNumbers[list[0]!]!)!.symbol,
    charge: charge?.[list[0]!] ?? 0,
    u: u && [...u.subarray(6 * list[0]!, 6 * list[0]! + 6)],
    atoms: Int32Array.from(list),
  }));
}

/** exp(−2π² qᵀUq) of the in-plane part of U. */
export function debyeWaller(u: readonly number[] | undefined, qx: number, qy: number): number {
  return u ? Math.exp(-2 * Math.PI ** 2 * (u[0]! * qx * qx + u[1]! * qy * qy + 2 * u[5]! * qx * qy)) : 1;
}

/**
 * Fourier coefficients of the projected potential of one atom at the origin, V·Å (what one bin of the image's spectrum/N gets):
 * h²/(2πm₀e) f(q/2) T(q)/area. `pixelFactor` "abtem" divides by sin(x)/x, x² = (q_x·Δx)² + (q_y·Δy)², which abTEM applies to its pixel deltas.
 */
export function projectedFactor(
  g: WaveGrid,
  window: SpectrumWindow,
  factor: Pick<FormFactor, "f" | "regular">,
  u: readonly number[] | undefined,
  pixelFactor: "none" | "abtem" = "none",
): Float64Array {
  const out = new Float64Array(windowBins(window)),
    unit = voltPerStructureFactor / gridArea(g);
  overWindow(g, window, (p, qx, qy, h, k) => {
    const x = pixelFactor === "abtem" ? Math.hypot(h / g.nx, k / g.ny) : 0;
    const q = Math.hypot(qx, qy);
    // The Coulomb tails of ions cancel at q = 0, where the box is neutral or has a uniform background.
    out[p] = (unit * (q === 0 ? factor.regular(0) : factor.f(q / 2)) * debyeWaller(u, qx, qy)) / (x > 0 ? Math.sin(x) / x : 1);
  });
  return out;
}

/** The same for the absorptive factor of the Einstein model, times `limit`; U is taken isotropic, as the factor demands. */
export function absorptiveFactor(
  g: WaveGrid,
  window: SpectrumWindow,
  source: AbsorptiveSource,
  symbol: string,
  u: readonly number[],
  limit: Float64Array | undefined,
): Float64Array {
  const factor = source(symbol, bFromU((u[0]! + u[1]! + u[2]!) / 3));
  const out = new Float64Array(windowBins(window)),
    unit = voltPerStructureFactor / gridArea(g);
  overWindow(g, window, (p, qx, qy) => {
    const part = limit ? limit[p]! : 1;
    if (part > 0) out[p] = unit * part * factor.damped(Math.hypot(qx, qy) / 2); // tables end somewhere: ask for no more than counts
  });
  return out;
}

/** "Sr2+, O2−" of the ions of a model; "" when all are neutral. */
export function ionNames({ atomicNumbers, charge }: Pick<AtomModel, "atomicNumbers" | "charge">): string {
  const names = new Set<string>();
  charge?.forEach((c, i) => {
    if (c !== 0) names.add(`${element(atomicNumbers[i]!)!.symbol}${Math.abs(c) === 1 ? "" : Math.abs(c)}${c > 0 ? "+" : "−"}`);
  });
  return [...names].join(", ");
}
