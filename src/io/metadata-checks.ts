/** What a file, or a person, says of a measurement. Leave out what is not known; NaN counts as not known, except for `wavelength`. */
export interface InstrumentMetadata {
  /** Å. NaN says that the file should have it and does not. */
  readonly wavelength?: number | undefined;
  readonly voltageKv?: number | undefined;
  /** Å⁻¹ (1/d) per pixel. */
  readonly reciprocalPixel?: number | undefined;
  readonly pixelMm?: number | undefined;
  readonly distanceMm?: number | undefined;
  /** Centre in pixels (column, row), and image size (columns, rows). */
  readonly center?: readonly [x: number, y: number] | undefined;
  readonly imageSize?: readonly [nx: number, ny: number] | undefined;
  /** Tilt of every frame in order. */
  readonly alphaDeg?: ArrayLike<number> | undefined;
  readonly oscillationDeg?: number | undefined;
  readonly frameHalfWidthDeg?: number | undefined;
  readonly precessionSemiAngleDeg?: number | undefined;
  /** a b c in Å, α β γ in degrees. */
  readonly cell?: readonly number[] | undefined;
}

const given = (v: number | undefined): v is number => v !== undefined && Number.isFinite(v);
const near = (a: number, b: number, relative: number): boolean => Math.abs(a / b - 1) <= relative;

/**
 * Name values that contradict each other or stand in the wrong unit, one sentence each; an empty list says that nothing is suspicious.
 * Ranges are those of electron microscopes: 20 to 3000 kV (λ from 0.0036 to 0.086 Å), pixels of detectors from 1 to 500 µm.
 */
export function checkMetadata(m: InstrumentMetadata): readonly string[] {
  return [...checkBeam(m), ...checkPixels(m), ...checkAngles(m), ...checkCell(m)];
}

/** λ = h / √(2 m e V (1 + e V / 2 m c²)), in Å for V in volts: 12.2643 / √(V + 0.97848e-6 V²) (CODATA 2018). */
const electronWavelength = (kv: number): number => 12.264259 / Math.sqrt(1e3 * kv * (1 + 0.97847554e-3 * kv));

function checkBeam({ wavelength: w, voltageKv: kv }: InstrumentMetadata): string[] {
  const out: string[] = [];
  if (w !== undefined && !given(w)) out.push("the wavelength is missing; give it in Å (0.02508 at 200 kV)");
  if (given(w) && !(w >= 0.003 && w <= 0.1)) {
    const fits = (v: number): boolean => v >= 0.003 && v <= 0.1;
    if (!(w > 0)) out.push(`the wavelength ${w} is not positive; give it in Å (0.02508 at 200 kV)`);
    else if (w > 0.4 && w < 1.8) out.push(`the wavelength ${w} Å is one of X-rays or neutrons, not of electrons`);
    else if (fits(w * 10)) out.push(`the wavelength ${w} looks like nanometres; in Å it would be ${plain(w * 10)}`);
    else if (fits(w / 100)) out.push(`the wavelength ${w} looks like picometres; in Å it would be ${plain(w / 100)}`);
    else out.push(`the wavelength ${w} Å is outside what electron microscopes have (0.003 to 0.1 Å)`);
  }
  if (given(kv) && !(kv >= 20 && kv <= 3000))
    out.push(
      kv >= 20000
        ? `the voltage ${kv} kV looks like volts; in kV it would be ${kv / 1000}`
        : `the voltage ${kv} kV is outside what electron microscopes have (20 to 3000 kV)`,
    );
  if (given(w) && given(kv) && kv >= 20 && kv <= 3000 && !near(w, electronWavelength(kv), 0.01))
    out.push(`the wavelength ${w} Å and the voltage ${kv} kV contradict each other: ${kv} kV gives ${electronWavelength(kv).toFixed(5)} Å`);
  return out;
}

function checkPixels({ reciprocalPixel: q, pixelMm: p, distanceMm: d, wavelength: w, center, imageSize }: InstrumentMetadata): string[] {
  const out: string[] = [];
  if (given(q) && !(q > 0)) out.push(`the pixel size ${q} Å⁻¹ is not positive`);
  else if (given(q) && q > 0.05)
    out.push(
      `the pixel size ${q} Å⁻¹ is large; ${q < 0.5 ? `if it is in nm⁻¹, in Å⁻¹ it is ${plain(q / 10)}` : "it should be Å⁻¹ per pixel, not mm or µm"}`,
    );
  else if (given(q) && q < 5e-5) out.push(`the pixel size ${q} Å⁻¹ is small; is it given in another unit?`);
  if (given(p)) {
    if (!(p > 0)) out.push(`the pixel size ${p} mm is not positive`);
    else if (p >= 0.9 && p <= 500) out.push(`the pixel size ${p} mm looks like micrometres; in mm it would be ${plain(p / 1000)}`);
    else if (p < 5e-4) out.push(`the pixel size ${p} mm looks like metres; in mm it would be ${plain(p * 1000)}`);
  }
  if (given(d)) {
    if (!(d > 0)) out.push(`the detector distance ${d} mm is not positive`);
    else if (d < 10) out.push(`the detector distance ${d} mm looks like metres; in mm it would be ${plain(d * 1000)}`);
    else if (d > 1e5) out.push(`the detector distance ${d} mm looks like micrometres; in mm it would be ${plain(d / 1000)}`);
  }
  if (given(q) && given(p) && given(d) && given(w) && q > 0 && p > 0 && d > 0 && w > 0) {
    const fromDistance = p / (w * d); // small angles: 1/d = 2 sinθ/λ ≈ r / (λ L)
    if (!near(q, fromDistance, 0.15)) {
      const power = Math.round(Math.log10(fromDistance / q));
      const unit =
        power !== 0 && near(fromDistance / q, 10 ** power, 0.15) ? `, a factor of 10^${power}: one of them stands in another unit` : "";
      out.push(`${plain(q)} Å⁻¹ per pixel contradicts the ${plain(fromDistance)} that pixel size, distance and wavelength give${unit}`);
    }
  }
  if (center && imageSize && center.every(given)) {
    const [x, y] = center,
      [nx, ny] = imageSize;
    if (x < 0 || y < 0 || x > nx || y > ny) out.push(`the centre (${x}, ${y}) lies outside the image of ${nx} × ${ny} pixels`);
    else if (x < nx / 16 && y < ny / 16 && x > 0 && y > 0)
      out.push(`the centre (${x}, ${y}) lies in the corner of the image of ${nx} × ${ny} pixels: it may be in mm`);
  }
  return out;
}

const radian = 180 / Math.PI;
function checkAngles(m: InstrumentMetadata): string[] {
  const out: string[] = [];
  const a = m.alphaDeg,
    n = a?.length ?? 0;
  let worst = 0,
    missing = 0;
  const steps: number[] = [];
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(a![i]!)) missing++;
    worst = Math.max(worst, Math.abs(a![i]!) || 0);
    if (i > 0) steps.push(a![i]! - a![i - 1]!);
  }
  if (missing > 0) out.push(`${missing} of ${n} tilt angles are missing`);
  if (worst > 180) out.push(`a tilt angle of ${plain(worst)}° is more than half a turn`);
  const step = median(steps.map(Math.abs)),
    width = given(m.oscillationDeg) ? m.oscillationDeg : given(m.frameHalfWidthDeg) ? 2 * m.frameHalfWidthDeg : Number.NaN;
  if (n >= 3 && step > 0) {
    if (width > 0 && near(step * radian, width, 0.2))
      out.push(
        `the tilt angles step by ${plain(step)}, which is ${plain(step * radian)}° in radians, and the frames are ${plain(width)}° wide: the angles are in radians`,
      );
    else if (!(width > 0 && near(step, width, 0.3)) && n >= 20 && worst < 1.6 && step < 0.05)
      out.push(`${n} tilt angles lie within ±${plain(worst)}: they may be in radians`);
    else if (width > 0 && step < 0.5 * width)
      out.push(`the tilt angles step by ${plain(step)}°, less than half the frame width ${plain(width)}°`);
    const back = steps.filter((s) => s * Math.sign(median(steps)) < 0).length;
    if (back > 0 && back > 0.2 * steps.length) out.push(`the tilt angles go back ${back} times; are the frames in order?`);
  } else if (n >= 3 && step === 0 && worst === 0) out.push("all tilt angles are 0");
  const semi = m.precessionSemiAngleDeg;
  if (given(semi) && semi > 6)
    out.push(`the precession semi-angle ${semi}° is large; milliradians would be ${plain((semi / 1000) * radian)}°`);
  return out;
}
function checkCell({ cell }: InstrumentMetadata): string[] {
  if (!cell || cell.length < 6 || !cell.slice(0, 6).every(Number.isFinite)) return [];
  const out: string[] = [];
  const angles = cell.slice(3, 6);
  if (angles.every((v) => v > 0 && v < Math.PI))
    out.push(`the cell angles ${angles.map(plain).join(", ")} look like radians; they are wanted in degrees`);
  else if (angles.some((v) => !(v > 0 && v < 180)))
    out.push(`the cell angles ${angles.map(plain).join(", ")} do not lie between 0 and 180 degrees`);
  const lengths = cell.slice(0, 3);
  if (lengths.some((v) => !(v > 0))) out.push(`the cell lengths ${lengths.map(plain).join(", ")} are not all positive`);
  else if (lengths.every((v) => v < 1.8))
    out.push(`the cell lengths ${lengths.map(plain).join(", ")} Å are short for a crystal; are they in nm?`);
  return out;
}
const plain = (v: number): string => String(Number(v.toPrecision(4)));
function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[sorted.length >> 1]!;
}
