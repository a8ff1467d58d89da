/** Style sheet of a report: system fonts, one accent colour, figures on a white card in both schemes. */
export const reportStyle = `
:root{--ink:#1d2430;--soft:#5b6675;--paper:#fbfbfa;--card:#ffffff;--line:#dfe3e8;--accent:#0b62a3;--good:#0b7a4b;--warn:#a35200}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa6b5;--paper:#14181f;--card:#1c222b;--line:#323b48;--accent:#6cb8f0;--good:#5fd39b;--warn:#f0a860}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:74rem;padding:2.2rem 1.4rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:2.6rem 0 .8rem;padding-bottom:.35rem;border-bottom:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.6rem 0 .5rem}
p{max-width:46rem;margin:.6rem 0}
.subtitle,figcaption,footer,caption{color:var(--soft)}
nav ol{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;list-style:none;padding:0;margin:1.2rem 0 0;font-size:.92rem}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.7rem;margin:1rem 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem}
dt{font-size:.8rem;color:var(--soft)}dd{margin:0;font-size:1.08rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 .4rem;font-size:.88rem}
th,td{padding:.32rem .9rem .32rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{border-bottom:1.5px solid var(--ink);font-weight:600}
.n{text-align:right;padding-left:.9rem}
figure{margin:1rem 0;max-width:44rem}figure.wide{max-width:none}
figure>svg,figure>img{display:block;max-width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:8px;padding:6px}
figcaption{font-size:.88rem;margin-top:.4rem}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 1.4rem;align-items:start}
.note{border-left:4px solid var(--accent);background:var(--card);padding:.6rem .9rem;border-radius:0 8px 8px 0}
.note.good{border-color:var(--good)}.note.warning{border-color:var(--warn)}
details{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.5rem .9rem;margin:1rem 0}
summary{cursor:pointer;font-weight:600}
pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem;font-size:.85rem;line-height:1.4}
.controls{display:flex;gap:.6rem;align-items:center;max-width:44rem;margin:1rem 0 0}.controls[hidden]{display:none}
.controls input{flex:1;accent-color:var(--accent)}
.controls output{min-width:5rem;text-align:right;font-variant-numeric:tabular-nums;color:var(--soft)}
button{font:inherit;line-height:1;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.35rem .7rem;cursor:pointer}
button:focus-visible,input:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.85rem;white-space:pre-wrap}
@media print{body{max-width:none;padding:0}.controls,nav{display:none!important}figure{break-inside:avoid}}
`;

/** Sliders: shows one frame of each group; arrow keys work on the focused slider. */
export const reportScript = `
for(const group of document.querySelectorAll(".frames")){
const figures=[...group.querySelectorAll("figure")],bar=group.querySelector(".controls"),range=bar.querySelector("input"),out=bar.querySelector("output"),[back,next]=bar.querySelectorAll("button");
const show=k=>{k=Math.max(0,Math.min(figures.length-1,k));figures.forEach((f,i)=>{f.hidden=i!==k});range.value=k;out.textContent=(k+1)+" / "+figures.length};
range.addEventListener("input",()=>show(+range.value));
back.addEventListener("click",()=>show(+range.value-1));
next.addEventListener("click",()=>show(+range.value+1));
bar.hidden=false;show(+group.dataset.start)}
`;
