import { fail } from "../core/errors.js";
import { dataUri } from "./base64.js";
import { reportScript, reportStyle } from "./report-style.js";
import { type Cell, cellText, tableHtml } from "./report-table.js";
import { escapeText, type Markup } from "./svg.js";

/** A picture: SVG text from this module, or the bytes of a PNG. */
export type Picture = { readonly svg: Markup } | { readonly png: Uint8Array };

/** One part of a report. All texts are plain and are escaped. */
export type Block =
  | { readonly kind: "section"; readonly title: string; readonly blocks: readonly Block[] }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "note"; readonly text: string; readonly tone?: "info" | "good" | "warning" }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "table"; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[]; readonly caption?: string }
  /** Names with their values, side by side as tiles. */
  | { readonly kind: "facts"; readonly facts: readonly (readonly [name: string, value: Cell])[] }
  | { readonly kind: "figure"; readonly picture: Picture; readonly alt: string; readonly caption?: string; readonly wide?: boolean }
  /** Figures side by side where there is room. */
  | { readonly kind: "row"; readonly blocks: readonly Block[] }
  /** Pictures of one size behind a slider. */
  | {
      readonly kind: "frames";
      readonly frames: readonly { readonly picture: Picture; readonly caption: string }[];
      readonly alt: string;
      readonly start?: number;
    }
  | { readonly kind: "details"; readonly summary: string; readonly blocks: readonly Block[]; readonly open?: boolean };

export interface Report {
  readonly title: string;
  readonly subtitle?: string;
  readonly blocks: readonly Block[];
  /** Version, options, seed, digests: what is needed to make the same again. */
  readonly footer?: string;
  readonly language?: string;
}

/**
 * One self-contained HTML page: no network (a content-security policy forbids it), light and dark, printable, readable without scripts
 * and by screen readers.
 */
export function reportHtml(report: Report): string {
  const sections = report.blocks.filter((b) => b.kind === "section"),
    ids = new Map(sections.map((s, k) => [s, `s${k + 1}`]));
  const contents =
    sections.length > 1
      ? `<nav aria-label="Contents"><ol>${sections.map((s) => `<li><a href="#${ids.get(s)}">${escapeText(s.title)}</a></li>`).join("")}</ol></nav>`
      : "";
  const body = report.blocks.map((b) => blockHtml(b, 2, ids.get(b as (typeof sections)[number]))).join("\n");
  return `<!doctype html>
<html lang="${escapeText(report.language ?? "en")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeText(report.title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<header><h1>${escapeText(report.title)}</h1>${report.subtitle ? `<p class="subtitle">${escapeText(report.subtitle)}</p>` : ""}</header>
${contents}
<main>
${body}
</main>
${report.footer ? `<footer>${escapeText(report.footer)}</footer>` : ""}
<script>${reportScript}</script>
</body>
</html>
`;
}

function blockHtml(b: Block, depth: number, id?: string): string {
  const inside = (blocks: readonly Block[], d = depth): string => blocks.map((x) => blockHtml(x, d)).join("\n");
  switch (b.kind) {
    case "section": {
      const h = Math.min(depth, 6);
      return `<section${id ? ` id="${id}"` : ""}><h${h}>${escapeText(b.title)}</h${h}>\n${inside(b.blocks, depth + 1)}</section>`;
    }
    case "paragraph":
      return `<p>${escapeText(b.text)}</p>`;
    case "note":
      return `<p class="note ${b.tone ?? "info"}" role="note">${escapeText(b.text)}</p>`;
    case "list":
      return `<ul>${b.items.map((t) => `<li>${escapeText(t)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre><code>${escapeText(b.text)}</code></pre>`;
    case "table":
      return tableHtml(b.columns, b.rows, b.caption);
    case "facts":
      return `<dl class="facts">${b.facts.map(([name, value]) => `<div><dt>${escapeText(name)}</dt><dd>${escapeText(cellText(value))}</dd></div>`).join("")}</dl>`;
    case "figure":
      return `<figure${b.wide ? ' class="wide"' : ""}>${pictureHtml(b.picture, b.alt)}${b.caption ? `<figcaption>${escapeText(b.caption)}</figcaption>` : ""}</figure>`;
    case "row":
      return `<div class="row">${inside(b.blocks)}</div>`;
    case "details":
      return `<details${b.open ? " open" : ""}><summary>${escapeText(b.summary)}</summary>\n${inside(b.blocks)}</details>`;
    case "frames": {
      if (b.frames.length === 0) fail("bad-value", { frames: 0 }, "a slider needs at least one frame");
      const start = Math.min(b.frames.length - 1, Math.max(0, b.start ?? 0));
      // Without scripts all frames show, one under the other.
      return `<div class="frames" data-start="${start}" role="group" aria-label="${escapeText(b.alt)}"><div class="controls" hidden><button type="button" aria-label="Previous frame">‹</button><input type="range" min="0" max="${b.frames.length - 1}" value="${start}" aria-label="${escapeText(b.alt)}"><button type="button" aria-label="Next frame">›</button><output></output></div>${b.frames
        .map(
          (f, k) =>
            `<figure>${pictureHtml(f.picture, `${b.alt}, ${k + 1} of ${b.frames.length}: ${f.caption}`)}<figcaption>${escapeText(f.caption)}</figcaption></figure>`,
        )
        .join("")}</div>`;
    }
  }
}

function pictureHtml(p: Picture, alt: string): string {
  if ("png" in p) return `<img src="${dataUri(p.png)}" alt="${escapeText(alt)}">`;
  if (!p.svg.startsWith("<svg"))
    fail("bad-value", { starts: p.svg.slice(0, 20) }, "an inline picture is the text of an SVG document made by this module");
  return p.svg.replace("<svg", `<svg aria-label="${escapeText(alt)}"`);
}
