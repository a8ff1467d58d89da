/** One process of the scan benchmark: prints import time, time to the first probe, and wall and CPU time of a scan with 2 workers, and peak memory. */
const start = performance.now();
const { beam } = await import("../src/geometry/beam.js");
const { atomModel } = await import("../src/multislice/atoms.js");
const { repeatAtoms } = await import("../src/multislice/atoms-build.js");
const { waveGrid } = await import("../src/multislice/grid.js");
const { probeAmplitude } = await import("../src/multislice/probe.js");
const { runScan } = await import("../src/multislice/scan-run.js");
const imported = performance.now();
const side = Number(process.argv[2]),
  a = 5.431;
const diamond = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.25];
const unit = atomModel({
  cell: [a, 0, 0, 0, a, 0, 0, 0, a],
  atoms: Array.from({ length: 8 }, () => 14),
  positions: diamond.map((x) => x * a),
});
const b = beam(200),
  grid = waveGrid(256, 256, [4 * a, 0], [0, 4 * a]),
  probe = probeAmplitude(grid, b, { aperture: 0.02 });
const built = performance.now(), // the import and a first 256² probe
  used = process.cpuUsage();
const scan = (n: number) =>
  runScan(
    {
      grid,
      beam: b,
      probe,
      atoms: repeatAtoms(unit, [4, 4, 18]),
      scan: { kind: "grid", shape: [n, n], a: [a, 0], b: [0, a] },
      detectors: [{ kind: "annular", innerMrad: 60, outerMrad: 98 }],
      potential: { sliceThickness: a / 4, pixelFactor: "abtem" },
    },
    { workers: 2 },
  );
await scan(1);
const first = performance.now(),
  before = process.cpuUsage();
const { readings } = await scan(side);
const end = performance.now(),
  cpu = process.cpuUsage(before),
  data = readings[0]!.data;
console.log(
  JSON.stringify({
    import: imported - start,
    probe: built - start,
    probeCpu: (used.user + used.system) / 1000,
    first: first - start,
    wall: end - first,
    cpu: (cpu.user + cpu.system) / 1000,
    rssMB: process.resourceUsage().maxRSS / 1024,
    mean: (data as Float64Array).reduce((s, v) => s + v, 0) / data.length,
  }),
);

export {};
