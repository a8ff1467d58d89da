import { rng } from "../src/core/rng.js";
import { blobs, blobViews, fourBlobs } from "../src/testing/tomography.js";
import { moveVolume } from "../src/tomography/move-volume.js";
import { posesFromEuler, posesFromTilts } from "../src/tomography/poses.js";
import { refinePoses } from "../src/tomography/refine-poses.js";
import { registerVolumes } from "../src/tomography/register-volumes.js";
import { tiltSeries } from "../src/tomography/tilt-series.js";
import { type Report, runPython } from "./harness.js";

const N = 64,
  shape = [N, N, N] as const;

/** The same motion by scipy: shift from the cross-correlation, then least squares on shift and rotation vector, volumes smoothed by 4, 2, 1 voxels. */
const script = `
import numpy as np, scipy.ndimage as nd, time, json
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation
N=${N}; z,y,x=np.mgrid[0:N,0:N,0:N].astype(float)-N//2
def blobs(R,t):
    v=np.zeros((N,N,N))
    for bz,by,bx,h,s in ${JSON.stringify(fourBlobs)}:
        p=R@np.array([bx,by,bz])+t; v+=h*np.exp(-((x-p[0])**2+(y-p[1])**2+(z-p[2])**2)/(2*s*s))
    return v
R=Rotation.from_rotvec([0,0.1,0]).as_matrix(); a=blobs(np.eye(3),np.zeros(3)); b=blobs(R,np.array([2,.5,-1]))
flip=lambda M: M[::-1,::-1]; c=np.full(3,N//2)
def run():
    k=np.fft.irfftn(np.fft.rfftn(b)*np.fft.rfftn(a).conj(),s=a.shape); s=np.array(np.unravel_index(k.argmax(),k.shape)); s=np.where(s>N//2,s-N,s)[::-1]
    p=np.r_[s,0,0,0].astype(float)
    for w in (4,2,1):
        A=nd.gaussian_filter(a,w); B=nd.gaussian_filter(b,w); q=slice(None,None,w)
        def f(p):
            M=flip(Rotation.from_rotvec(p[3:]).as_matrix()).T; return (nd.affine_transform(A,M,offset=c-M@(c+p[2::-1]),order=3,prefilter=True)-B)[q,q,q].ravel()
        p=least_squares(f,p,x_scale=[1,1,1,.05,.05,.05],diff_step=1e-3,xtol=1e-4).x
    return p
t=time.process_time(); p=run(); print(json.dumps({"ms":(time.process_time()-t)*1e3,"deg":float(np.degrees(np.linalg.norm(p[3:]))),"shift":p[:3].tolist()}))
`;

/** Processor time of one call, ms. */
async function processor<T>(body: () => T | Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const before = process.cpuUsage(),
    value = await body(),
    { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1e3, value };
}

export async function run(report: Report): Promise<void> {
  const [c, s] = [Math.cos(0.1), Math.sin(0.1)],
    volume = blobs(shape, fourBlobs),
    moved = moveVolume(volume, shape, { rotation: [c, 0, s, 0, 1, 0, -s, 0, c], shift: [2, 0.5, -1] });
  await processor(() => registerVolumes(volume, moved, shape));
  const ours = await processor(() => registerVolumes(volume, moved, shape)),
    peer = runPython<{ ms: number; deg: number; shift: number[] }>(script);
  report({
    name: `registerVolumes ${N}³, shift and rotation, processor time`,
    ms: ours.ms,
    ...(peer ? { peer: "scipy", peerMs: peer.ms } : {}),
    note: `turned by ${ours.value.angleDeg.toFixed(3)}° (5.730 true${peer ? `, scipy ${peer.deg.toFixed(3)}` : ""})`,
  });
  const g = rng("bench poses"),
    tilts = Array.from({ length: 31 }, (_, i) => -75 + 5 * i),
    off = (): number => 2 * (g.uniform() - 0.5),
    truth = posesFromEuler(
      tilts.flatMap((t) => [off(), t + off(), off()]),
      "ZYX",
    ),
    series = tiltSeries(blobViews(truth, [N, N], fourBlobs), [31, N, N], posesFromTilts(tilts));
  const wasm = await processor(() => refinePoses(series, { rounds: 5, workers: 1 })),
    plain = await processor(() => refinePoses(series, { rounds: 5, workers: 1, kernels: "js" }));
  report({
    name: `refinePoses ${N}³ × 31, five rounds, processor time`,
    ms: wasm.ms,
    peer: "plain TypeScript kernels",
    peerMs: plain.ms,
    note: `R1 ${wasm.value.rounds[0]!.r1.toFixed(4)} → ${wasm.value.rounds.at(-1)!.r1.toFixed(4)}`,
  });
}
