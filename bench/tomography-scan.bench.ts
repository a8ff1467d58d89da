import { rng } from "../src/core/rng.js";
import { distortionAt, scanDistortion, undistortImage } from "../src/tomography/scan-distortion.js";
import { type Report, runPython } from "./harness.js";

/** Two lattice waves over 512², bent by up to 4 pixels (quadratic and cubic), with noise as high as a wave. */
const N = 512;
const bend = (x: number, y: number): readonly [number, number] => {
  const [X, Y] = [(2 * x) / (N - 1) - 1, (2 * y) / (N - 1) - 1];
  return [2 * X * X + 1.5 * X * Y + 0.5 * Y ** 3, 1.2 * Y * Y - X * Y];
};
const draw = rng("bench scan distortion");
const data = Float32Array.from({ length: N * N }, (_, i) => {
  const [x, y] = [i % N, Math.floor(i / N)],
    [u, v] = bend(x, y);
  return Math.cos(2 * Math.PI * 0.12 * (x - u)) + Math.cos(2 * Math.PI * 0.13 * (y - v)) + 2 * (draw.uniform() - 0.5);
});

/** The same four passes with numpy and scipy: straighten, filter each wave, fit a polynomial to its phase (differences first, then values). */
const script = `
import numpy as np, scipy.ndimage as nd, time, json
N=${N}; y,x=np.mgrid[0:N,0:N].astype(float); X=2*x/(N-1)-1; Y=2*y/(N-1)-1
u=2*X*X+1.5*X*Y+0.5*Y**3; v=1.2*Y*Y-X*Y
a=np.cos(2*np.pi*0.12*(x-u))+np.cos(2*np.pi*0.13*(y-v))+np.random.default_rng(1).uniform(-1,1,(N,N))
G=[(0.12,0.0),(0.0,0.13)]; P=[(n-b,b) for n in (1,2,3) for b in range(n+1)]; M=np.stack([X**i*Y**j for i,j in P]+[np.ones_like(X)])
fx=np.fft.fftfreq(N)[None,:]; fy=np.fft.fftfreq(N)[:,None]
def phase(img,g,first):
    w=np.hypot(*g)/4; F=np.fft.fft2(img-img.mean())*np.exp(-((fx-g[0])**2+(fy-g[1])**2)/(2*w*w))
    z=np.fft.ifft2(F)*np.exp(-2j*np.pi*(g[0]*x+g[1]*y)); r=min(int(np.ceil(0.6/w)),N//6); s=slice(r,N-r); z=z[s,s]; m=M[:,s,s]
    if first:
        dx=z[:,1:]*z[:,:-1].conj(); dy=z[1:]*z[:-1].conj()
        A=np.concatenate([(m[:-1,:,1:]-m[:-1,:,:-1]).reshape(len(P),-1),(m[:-1,1:]-m[:-1,:-1]).reshape(len(P),-1)],1); d=np.concatenate([dx.ravel(),dy.ravel()])
    else:
        A=m.reshape(len(P)+1,-1); d=(z*np.exp(-1j*np.angle(z.sum()))).ravel()
    W=np.abs(d); return np.linalg.solve((A*W)@A.T,(A*W)@np.angle(d))[:len(P)]
def run():
    c=np.zeros((2,len(P)))
    for k in range(4):
        sx=x.copy(); sy=y.copy()
        for _ in range(4):
            mono=[(2*sx/(N-1)-1)**i*(2*sy/(N-1)-1)**j for i,j in P]; sx=x+sum(a_*b for a_,b in zip(c[0],mono)); sy=y+sum(a_*b for a_,b in zip(c[1],mono))
        img=a if k==0 else nd.map_coordinates(a,[sy,sx],order=3)
        for q,g in enumerate(G):
            f=phase(img,g,k==0); c[q,2:]+=f[2:]/(-2*np.pi*np.hypot(*g))
    return c
t=time.process_time(); run(); print(json.dumps({"ms":(time.process_time()-t)*1e3}))
`;

/** Processor time of a call, the less of two, ms. */
function processor(body: () => unknown): number {
  const once = (): number => {
    const before = process.cpuUsage();
    body();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e3;
  };
  return Math.min(once(), once());
}

export async function run(report: Report): Promise<void> {
  const image = { data, shape: [N, N] as const },
    found = scanDistortion(image);
  // What is linear about the centre belongs to the specimen: compared without it.
  const rows: number[][] = [];
  for (let y = 40; y < N - 40; y += 12)
    for (let x = 40; x < N - 40; x += 12) {
      const [u, v] = distortionAt(found, x, y),
        [p, q] = bend(x, y);
      rows.push([u - p, v - q]);
    }
  const rms = [0, 1].map((k) => {
    const mean = rows.reduce((s, r) => s + r[k]! / rows.length, 0);
    return Math.sqrt(rows.reduce((s, r) => s + (r[k]! - mean) ** 2 / rows.length, 0));
  });
  const peer = runPython<{ ms: number }>(script);
  report({
    name: `scan distortion, cubic, ${N}²: found from two lattice waves`,
    ms: processor(() => scanDistortion(image)),
    peer: "numpy and scipy",
    ...(peer ? { peerMs: peer.ms } : {}),
    note: `CPU time; rms ${rms.map((v) => v.toFixed(3)).join(", ")} pixel along x, y, noise as high as a wave`,
  });
  report({ name: `scan distortion, ${N}²: an image straightened`, ms: processor(() => undistortImage(image, found)), note: "CPU time" });
}
