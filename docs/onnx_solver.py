"""Denoise a picture with the files of `nerd-gui export-onnx`: it needs numpy, onnxruntime and Pillow, but not nerd-gui.

    python onnx_solver.py FOLDER NOISY.png DENOISED.png [NOISE_LEVEL]
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


class Network:
    """The three graphs `inject`, `f` and `decode`, and their metadata (`about`)."""

    def __init__(self, folder):
        graphs = [onnxruntime.InferenceSession(Path(folder) / f"{name}.onnx") for name in ("inject", "f", "decode")]
        self.about = json.loads(graphs[0].get_modelmeta().custom_metadata_map["nerd"])
        self.inject, self.f, self.decode = (
            lambda *inputs, graph=graph: graph.run(None, dict(zip([x.name for x in graph.get_inputs()], inputs)))[0]
            for graph in graphs
        )


def broyden(f, z, steps=17, tol=1e-3):
    """Solve z = f(z) by Broyden's good method, and return the iterate with the least residual."""
    us, vs = [], []  # B = -I + sum of u v^T, the inverse Jacobian of g(z) = f(z) - z
    best, least, dz, g_before = z, np.inf, None, None
    for step in range(steps + 1):
        f_z = f(z)
        g = (f_z - z).ravel()
        residual = np.linalg.norm(g) / np.linalg.norm(f_z)
        if residual < least:
            best, least = z, residual
        if residual <= tol or step == steps:
            return best, least, step + 1
        if step:
            dg = g - g_before
            b_dg = -dg + sum(u * (v @ dg) for u, v in zip(us, vs))
            v = -dz + sum(v * (u @ dz) for u, v in zip(us, vs))  # dz^T B
            us.append((dz - b_dg) / (v @ dg))
            vs.append(v)
        dz = g - sum(u * (v @ g) for u, v in zip(us, vs))
        z, g_before = z + dz.reshape(z.shape), g


def denoise(network, y, level=None, **options):
    """Denoise y (B, C, rows, cols), float32 in [0, 1]; some networks also need the noise level (0-255)."""
    config = network.about["config"]
    told = [np.full(len(y), level, np.float32)] if config["level_input"] else []
    s = network.inject(y, *told)
    z, residual, evaluations = broyden(lambda z: network.f(z, s), np.zeros_like(s), **options)
    decoded = network.decode(z)
    return (decoded if config["equilibrium"] == "image" else y + decoded), residual, evaluations


if __name__ == "__main__":
    folder, noisy, denoised, *level = sys.argv[1:]
    network = Network(folder)
    grey = network.about["config"]["channels"] == 1
    pixels = np.asarray(Image.open(noisy).convert("L" if grey else "RGB"), np.float32) / 255
    y = np.atleast_3d(pixels).transpose(2, 0, 1)[None]
    x, residual, evaluations = denoise(network, y, *map(float, level))
    x = np.rint(255 * x[0].clip(0, 1)).astype(np.uint8).transpose(1, 2, 0).squeeze()
    Image.fromarray(x).save(denoised)
    print(f"{denoised}: residual {residual:.1e} after {evaluations} evaluations of f")
