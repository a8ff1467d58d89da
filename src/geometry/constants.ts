/** CODATA 2022 constants in SI units; h, e and c are exact by definition of the SI. */
export const constants = {
  /** Planck constant, J s. */
  h: 6.62607015e-34,
  /** Elementary charge, C. */
  e: 1.602176634e-19,
  /** Speed of light in vacuum, m/s. */
  c: 299792458,
  /** Electron rest mass, kg. */
  m0: 9.1093837139e-31,
  /** Bohr radius, Å. */
  bohrAngstrom: 0.529177210544,
} as const;

/** Rest energy of the electron, eV: m0 c²/e = 510 998.95. */
export const electronRestEnergyEv: number = (constants.m0 * constants.c ** 2) / constants.e;
