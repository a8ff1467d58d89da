import { formatSu } from "../io/number.js";
import { escapeText } from "./svg.js";

/** A table entry: text, a number, or a number with its standard uncertainty, written 12.345(6). */
export type Cell =
  | string
  | number
  | {
      readonly value: number;
      readonly su?: number | undefined;
      readonly decimals?: number | undefined;
      readonly unit?: string | undefined;
    };

/** Text of a cell; NaN is a dash. */
export function cellText(cell: Cell): string {
  if (typeof cell === "string") return cell;
  const c = typeof cell === "number" ? { value: cell } : cell;
  if (Number.isNaN(c.value)) return "–";
  const text =
    "su" in c && c.su !== undefined && c.su > 0
      ? formatSu(c.value, c.su)
      : "decimals" in c && c.decimals !== undefined
        ? c.value.toFixed(c.decimals)
        : String(Number(c.value.toPrecision(7)));
  return `${text.replace(/^-/, "−")}${"unit" in c && c.unit ? `\u202f${c.unit}` : ""}`;
}

/** A table; columns whose entries are all numbers are set right. @throws when a row has another length than the head */
export function tableHtml(columns: readonly string[], rows: readonly (readonly Cell[])[], caption?: string): string {
  const numeric = columns.map((_, k) => rows.length > 0 && rows.every((r) => typeof r[k] !== "string"));
  const head = columns.map((c, k) => `<th scope="col"${numeric[k] ? ' class="n"' : ""}>${escapeText(c)}</th>`).join("");
  const body = rows
    .map(
      (r) => `<tr>${columns.map((_, k) => `<td${numeric[k] ? ' class="n"' : ""}>${escapeText(cellText(r[k] ?? ""))}</td>`).join("")}</tr>`,
    )
    .join("\n");
  return `<div class="scroll"><table>${caption ? `<caption>${escapeText(caption)}</caption>` : ""}<thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
