/** The little of Node's modules that is used here and in the files beside this one. */
export interface NodeFs {
  existsSync(path: string): boolean;
  statSync(path: string): { isFile(): boolean };
  readFileSync(path: string, encoding: "utf8"): string;
  mkdtempSync(prefix: string): string;
  openSync(path: string, flags: "w"): number;
  writeSync(fd: number, bytes: Uint8Array): number;
  closeSync(fd: number): void;
  rmSync(path: string, options: { recursive: true; force: true }): void;
}
interface NodePath {
  dirname(path: string): string;
  join(...parts: string[]): string;
}
interface NodeUrl {
  pathToFileURL(path: string): URL;
}

/** A module of Node where there is one; never an import statement, so that browsers and bundlers do not see it. */
export async function builtin<T>(name: string): Promise<T | undefined> {
  if (typeof process !== "object" || !process.versions?.node) return undefined;
  if (process.getBuiltinModule) return process.getBuiltinModule(name) as T | undefined;
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as T; // Node before 20.16
}

/**
 * Address of the module that `import("<name>/<sub>")` would load: a worker made from text has no place of its own to resolve names from.
 * The runtime is asked first; without an answer (the CommonJS build, test runners) the folders upward of this file and of the working directory are
 * searched, as Node does. Undefined when it is not found.
 */
export async function locate(name: string, sub = "."): Promise<string | undefined> {
  const specifier = sub === "." ? name : `${name}/${sub.slice(2)}`;
  try {
    const url: unknown = import.meta.resolve(specifier);
    if (typeof url === "string" && url.startsWith("file:")) return url;
  } catch {
    // Not every loader can say it.
  }
  const [fs, path, url] = await Promise.all([builtin<NodeFs>("node:fs"), builtin<NodePath>("node:path"), builtin<NodeUrl>("node:url")]);
  if (!fs || !path || !url) return undefined;
  for (const start of [typeof __dirname === "string" ? __dirname : undefined, process.cwd()])
    for (let at = start; at !== undefined; at = path.dirname(at) === at ? undefined : path.dirname(at)) {
      const folder = path.join(at, "node_modules", name);
      if (!fs.existsSync(path.join(folder, "package.json"))) continue;
      const entry = entryOf(fs.readFileSync(path.join(folder, "package.json"), "utf8"), sub);
      if (entry !== undefined) return url.pathToFileURL(path.join(folder, entry)).href;
    }
  return undefined;
}

/** The file that a package.json gives for `import`. */
function entryOf(text: string, sub: string): string | undefined {
  const { exports, main } = JSON.parse(text) as { exports?: Record<string, string | Record<string, string>>; main?: string };
  const found = exports?.[sub];
  if (typeof found === "string") return found;
  return found?.import ?? found?.default ?? (exports === undefined && sub === "." ? main : undefined);
}
