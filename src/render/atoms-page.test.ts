import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { atomsHtml } from "./atoms-page.js";

const page = atomsHtml({
  positions: [0, 0, 0, 2.5, 0, 1.25, 0, -3.0004, 0],
  classes: [0, 1, 1],
  names: ["Fe", "</script>"],
  title: "a <b> & c",
});

test("the page holds the atoms, asks for nothing outside and lets no text out", () => {
  expect(page).not.toMatch(/https?:|\bsrc=|\bhref=|\burl\(|@import|\bfetch\(|XMLHttpRequest/);
  expect(page).toContain("default-src 'none'");
  expect(page).toContain("a &lt;b&gt; &amp; c");
  expect(page.match(/<\/script>/g)?.length).toBe(2);
  const data = JSON.parse(/id="atoms">(.*?)<\/script>/s.exec(page)![1]!) as {
    p: number[];
    c: number[];
    list: { name: string; count: number }[];
  };
  expect(data.p).toEqual([0, 0, 0, 2.5, 0, 1.25, 0, -3, 0]);
  expect(data.c).toEqual([0, 1, 1]);
  expect(data.list.map((l) => [l.name, l.count])).toEqual([
    ["Fe", 1],
    ["</script>", 2],
  ]);
  expect(() => atomsHtml({ positions: [0, 0], title: "" })).toThrow(/positions/);
  expect(() => atomsHtml({ positions: [0, 0, Number.NaN], title: "" })).toThrow(/finite/);
  expect(() => atomsHtml({ positions: [0, 0, 0], colors: ["red;}"], title: "" })).toThrow(/#rrggbb/);
});

test("its script draws from back to front, turns with the pointer and hides classes", () => {
  const drawn: number[][] = [],
    handlers = new Map<string, (e: object) => void>(),
    frames: (() => void)[] = [];
  const context = {
    clearRect: () => void drawn.splice(0),
    drawImage: (_: unknown, x: number, y: number, w: number) => void drawn.push([x + w / 2, y + w / 2]),
    createRadialGradient: () => ({ addColorStop() {} }),
    beginPath() {},
    arc() {},
    fill() {},
  };
  const node = (id: string) => ({
    id,
    clientWidth: 400,
    clientHeight: 400,
    dataset: { class: "1" },
    checked: false,
    textContent: /id="atoms">(.*?)<\/script>/s.exec(page)![1]!,
    getContext: () => context,
    setPointerCapture() {},
    addEventListener: (type: string, f: (e: object) => void) => void handlers.set(`${id} ${type}`, f),
  });
  const document = { getElementById: node, createElement: () => node("ball"), querySelectorAll: () => [node("box")] };
  const script = /<script>(.*?)<\/script>/s.exec(page)![1]!;
  runInNewContext(script, {
    document,
    devicePixelRatio: 1,
    addEventListener() {},
    requestAnimationFrame: (f: () => void) => void frames.push(f),
  });
  expect(drawn.length).toBe(3);
  // the atom at z = 1.25 is in front, right of the middle
  expect(drawn[2]![0]).toBeGreaterThan(200);
  const before = drawn[2]![0]!;
  handlers.get("view pointermove")!({ buttons: 1, movementX: 314.159, movementY: 0 });
  frames.pop()!();
  // half a turn: left is right and front is back
  expect(drawn[0]![0]).toBeCloseTo(400 - before, 1);
  handlers.get("box change")!({});
  frames.pop()!();
  expect(drawn.length).toBe(1);
});
