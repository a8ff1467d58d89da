import { fail } from "../core/errors.js";
import { palette } from "./colormap.js";
import { escapeText } from "./svg.js";

export interface AtomsPage {
  /** x y z, Å, [n, 3]. */
  readonly positions: ArrayLike<number>;
  /** Class of each atom, 0, 1, …; default all 0. */
  readonly classes?: ArrayLike<number> | undefined;
  readonly names?: readonly string[] | undefined;
  /** CSS colours #rrggbb of the classes; default the palette. */
  readonly colors?: readonly string[] | undefined;
  /** Radius of the spheres of each class, Å; default 1.2. */
  readonly radii?: readonly number[] | undefined;
  readonly title: string;
}

/**
 * One self-contained HTML page with a turning view of atoms: drag turns, the wheel zooms, boxes hide classes, a slider cuts away the front.
 * No network (a content-security policy forbids it); the keys ← → ↑ ↓ + − do the same as the mouse. Orthographic.
 * @throws bad-shape, bad-value
 */
export function atomsHtml({ positions, classes, names, colors, radii, title }: AtomsPage): string {
  const n = positions.length / 3;
  if (!Number.isInteger(n)) fail("bad-shape", { length: positions.length }, "positions are [n, 3]: x0 y0 z0 x1 y1 z1 …");
  if (classes && classes.length !== n) fail("bad-shape", { classes: classes.length, atoms: n }, "one class per atom");
  const p: number[] = [],
    c: number[] = [];
  let kinds = 1;
  for (let a = 0; a < n; a++) {
    for (let k = 0; k < 3; k++) {
      const v = positions[3 * a + k]!;
      if (!Number.isFinite(v)) fail("bad-value", { atom: a, value: v }, "positions are finite numbers in Å");
      p.push(Number(v.toFixed(3)));
    }
    const kind = classes?.[a] ?? 0;
    if (!(Number.isInteger(kind) && kind >= 0)) fail("bad-value", { atom: a, class: kind }, "classes are whole numbers from 0");
    c.push(kind);
    kinds = Math.max(kinds, kind + 1);
  }
  const counts = new Array<number>(kinds).fill(0);
  for (const kind of c) counts[kind]!++;
  const list = counts.map((count, k) => {
    const color = colors?.[k] ?? palette[k % palette.length]!,
      radius = radii?.[k] ?? 1.2;
    if (!/^#[0-9a-f]{6}$/i.test(color)) fail("bad-value", { color }, "colours are written #rrggbb");
    if (!(radius > 0 && Number.isFinite(radius))) fail("bad-value", { radius }, "radii are above 0 Å");
    return { name: names?.[k] ?? `class ${k + 1}`, color, radius, count };
  });
  // "<" inside a string could close the element: only names hold free text.
  const data = JSON.stringify({ p, c, list }).replaceAll("<", "\\u003c");
  const boxes = list
    .map(
      (l, k) =>
        `<label><input type="checkbox" checked data-class="${k}"><i style="background:${l.color}"></i>${escapeText(l.name)} (${l.count})</label>`,
    )
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escapeText(title)}</h1><p>${n} atoms</p>${boxes}
<label>radius <input id="radius" type="range" min="0.2" max="2" step="0.05" value="1"></label>
<label>cut <input id="cut" type="range" min="0" max="1" step="0.005" value="0"></label></header>
<canvas id="view" tabindex="0" role="img" aria-label="${escapeText(`${title}: ${n} atoms`)}"></canvas>
<script type="application/json" id="atoms">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

const style = `html,body{margin:0;height:100%;font:14px system-ui,sans-serif;background:#fff;color:#222}
body{display:flex;flex-direction:column}
header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center;padding:6px 12px;border-bottom:1px solid #ccc}
h1{font-size:16px;margin:0}p{margin:0}i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin:0 4px}
canvas{flex:1;min-height:0;width:100%;cursor:grab;touch-action:none}`;

/** Painter's algorithm: atoms from back to front, each a picture of a lit sphere drawn once per class. */
const script = `"use strict";
const {p,c,list}=JSON.parse(document.getElementById("atoms").textContent),n=c.length,view=document.getElementById("view"),g=view.getContext("2d");
const low=[1/0,1/0,1/0],high=[-1/0,-1/0,-1/0];
for(let i=0;i<p.length;i++){low[i%3]=Math.min(low[i%3],p[i]);high[i%3]=Math.max(high[i%3],p[i])}
const mid=low.map((v,k)=>n?(v+high[k])/2:0);let size=1;
for(let a=0;a<n;a++)size=Math.max(size,Math.hypot(p[3*a]-mid[0],p[3*a+1]-mid[1],p[3*a+2]-mid[2])+1.5);
const shown=list.map(()=>true),order=new Uint32Array(n),depth=new Float32Array(n),X=new Float32Array(n),Y=new Float32Array(n);
let R=[1,0,0,0,1,0,0,0,1],zoom=1,scale=1,cut=0,wait=false;
const balls=list.map(l=>{const b=document.createElement("canvas");b.width=b.height=64;const h=b.getContext("2d");
const f=h.createRadialGradient(24,22,2,32,32,32);f.addColorStop(0,"#ffffff");f.addColorStop(.25,l.color);f.addColorStop(.9,l.color);f.addColorStop(1,"#000000");
h.fillStyle=f;h.beginPath();h.arc(32,32,31,0,7);h.fill();return b});
function draw(){wait=false;const d=devicePixelRatio||1,w=Math.round(view.clientWidth*d),t=Math.round(view.clientHeight*d);
if(view.width!==w||view.height!==t){view.width=w;view.height=t}
g.clearRect(0,0,w,t);const s=zoom*Math.min(w,t)/(2*size);let m=0;
for(let a=0;a<n;a++){if(!shown[c[a]])continue;const x=p[3*a]-mid[0],y=p[3*a+1]-mid[1],z=p[3*a+2]-mid[2];
depth[a]=R[6]*x+R[7]*y+R[8]*z;if(depth[a]>size*(1-2*cut))continue;
X[a]=w/2+s*(R[0]*x+R[1]*y+R[2]*z);Y[a]=t/2-s*(R[3]*x+R[4]*y+R[5]*z);order[m++]=a}
const back=order.subarray(0,m).sort((a,b)=>depth[a]-depth[b]);
for(const a of back){const r=s*scale*list[c[a]].radius;g.drawImage(balls[c[a]],X[a]-r,Y[a]-r,2*r,2*r)}}
function later(){if(!wait){wait=true;requestAnimationFrame(draw)}}
function turn(u,v){const a=Math.cos(u),b=Math.sin(u),e=Math.cos(v),f=Math.sin(v),A=[a,0,b,f*b,e,-f*a,-e*b,f,e*a],o=[];
for(let i=0;i<3;i++)for(let j=0;j<3;j++)o.push(A[3*i]*R[j]+A[3*i+1]*R[3+j]+A[3*i+2]*R[6+j]);R=o;later()}
view.addEventListener("pointerdown",e=>view.setPointerCapture(e.pointerId));
view.addEventListener("pointermove",e=>{if(e.buttons&1)turn(e.movementX*.01,e.movementY*.01)});
view.addEventListener("wheel",e=>{e.preventDefault();zoom=Math.min(50,Math.max(.1,zoom*Math.exp(-.001*e.deltaY)));later()},{passive:false});
view.addEventListener("keydown",e=>{const k={ArrowLeft:[-.1,0],ArrowRight:[.1,0],ArrowUp:[0,-.1],ArrowDown:[0,.1]}[e.key];
if(k){e.preventDefault();turn(k[0],k[1])}else if(e.key==="+"||e.key==="-"){zoom*=e.key==="+"?1.1:1/1.1;later()}});
for(const b of document.querySelectorAll("[data-class]"))b.addEventListener("change",()=>{shown[+b.dataset.class]=b.checked;later()});
document.getElementById("radius").addEventListener("input",e=>{scale=+e.target.value;later()});
document.getElementById("cut").addEventListener("input",e=>{cut=+e.target.value;later()});
addEventListener("resize",later);draw();`;
