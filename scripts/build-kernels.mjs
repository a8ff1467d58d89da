// Compile every assembly/<family>.ts to WebAssembly and embed it as base64 in src/kernels/generated/<family>.ts.
//   node scripts/build-kernels.mjs [family…]     compile (all families when none is named)
//   node scripts/build-kernels.mjs --check       compile and compare with what is committed; exit 1 when stale
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const args = process.argv.slice(2);
const check = args.includes("--check");
const named = args.filter((a) => !a.startsWith("--"));
const families = (
  named.length
    ? named
    : readdirSync("assembly")
        .filter((f) => f.endsWith(".ts"))
        .map((f) => f.slice(0, -3))
).sort();
mkdirSync("src/kernels/generated", { recursive: true });
/** True when the binary has a non-empty data section (id 11). */
function hasDataSegments(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++];
    let size = 0,
      shift = 0,
      b;
    do {
      b = bytes[at++];
      size |= (b & 0x7f) << shift;
      shift += 7;
    } while (b & 0x80);
    if (id === 11) return bytes[at] !== 0;
    at += size;
  }
  return false;
}
let stale = 0;
for (const family of families) {
  let binary;
  const { error, stderr } = await asc.main(
    [
      `${family}.ts`,
      "--outFile",
      "out.wasm",
      "-O3",
      "--enable",
      "simd,bulk-memory",
      "--runtime",
      "stub",
      "--noAssert",
      "--importMemory",
      "--maximumMemory",
      "65536",
      "--noExportMemory",
      "--use",
      "abort=",
    ],
    {
      readFile: (name, dir) => {
        try {
          return readFileSync(`assembly/${dir && dir !== "." ? `${dir}/` : ""}${name}`, "utf8");
        } catch {
          return null;
        }
      },
      writeFile: (name, data) => {
        if (name === "out.wasm") binary = data;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) {
    console.error(`assembly/${family}.ts does not compile\n${stderr}`);
    process.exit(1);
  }
  // All families share one memory: data segments, placed at fixed addresses, would overwrite each other.
  if (hasDataSegments(binary)) {
    console.error(
      `assembly/${family}.ts has static data (a string, a static array or memory.data): pass tables in from TypeScript instead`,
    );
    process.exit(1);
  }
  const b64 = Buffer.from(binary).toString("base64");
  const text = `// Generated from assembly/${family}.ts by scripts/build-kernels.mjs; do not edit.\nexport const ${family}Wasm =\n  "${b64}";\n`;
  const path = `src/kernels/generated/${family}.ts`;
  let old = "";
  try {
    old = readFileSync(path, "utf8");
  } catch {
    /* not built yet */
  }
  if (check) {
    if (old !== text) {
      stale++;
      console.error(`${path} is stale: run npm run build:kernels`);
    }
  } else if (old !== text) writeFileSync(path, text);
  console.log(`${family}: ${binary.length} bytes of wasm`);
}
process.exit(stale ? 1 : 0);
