// npm leaves out of the lockfile the optional packages of other platforms that a registry mirror does not hold, and then `npm ci` refuses the
// lockfile. Add them, by name, version and platform, from the optionalDependencies of the packages that want them:
//   npm install --package-lock-only && node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32", "aix", "wasm32", "wasi"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el", "wasm32"];
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.resolved; // the lockfile names no registry
  for (const [name, version] of Object.entries(path === "" ? {} : (entry.optionalDependencies ?? {}))) {
    const nested = `${path}/node_modules/${name}`,
      hoisted = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[hoisted]?.version === version) continue;
    const os = systems.find((s) => name.includes(s)),
      cpu = processors.find((p) => name.includes(p));
    if (!os && !cpu) continue;
    lock.packages[lock.packages[hoisted] ? nested : hoisted] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...(os && !os.startsWith("was") ? { os: [os] } : {}),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
