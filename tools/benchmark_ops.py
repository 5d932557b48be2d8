"""How much slower than torch is helpers.ops? CPU seconds, as ratios taken in one run.

    .venv/bin/python tools/benchmark_ops.py [--threads N]

The aim: at N=8, C=64, 56×56, K=64, 3×3 the forward pass takes at most 4 times torch's CPU time.
"""

import argparse
import os
import sys
import time

SIZES = {
    "8×64×56×56, 64 filters 3×3": ((8, 64, 56, 56), (64, 64, 3, 3), {"padding": 1}),
    "8×256×14×14, 256 filters 3×3": ((8, 256, 14, 14), (256, 256, 3, 3), {"padding": 1}),
    "8×3×227×227, 96 filters 11×11": ((8, 3, 227, 227), (96, 3, 11, 11), {"stride": 4}),
    "64×1×28×28, 10 filters 5×5": ((64, 1, 28, 28), (10, 1, 5, 5), {}),
}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cpu_seconds(function, runs=9):
    """CPU seconds of the fastest run, after one to warm up."""
    function()
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def ratios(size, filters, options):
    """CPU time of helpers.ops by that of torch: forward pass, backward pass."""
    import numpy as np
    import torch
    import torch.nn.functional as F

    from helpers import ops

    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape, dtype=np.float32) for shape in (size, filters))
    tx, tw = (torch.tensor(array, requires_grad=True) for array in (x, w))
    out = F.conv2d(tx, tw, **options)
    grad_out = torch.ones_like(out)

    def torch_forward():
        with torch.no_grad():
            return F.conv2d(tx, tw, **options)

    def torch_backward():
        return torch.autograd.grad(out, (tx, tw), grad_out, retain_graph=True)

    forward = cpu_seconds(lambda: ops.conv2d(x, w, **options))
    backward = cpu_seconds(lambda: ops.conv2d_backward(grad_out.numpy(), x, w, **options))
    return forward / cpu_seconds(torch_forward), backward / cpu_seconds(torch_backward)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="threads for both (default 1)")
    threads = str(parser.parse_args().threads)
    if any(os.environ.get(name) != threads for name in THREAD_VARIABLES):
        # The libraries read these when they are loaded.
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, threads))
        os.execv(sys.executable, [sys.executable, *sys.argv])
    print(f"CPU time of helpers.ops in multiples of torch's, threads: {threads}")
    print(f"{'input and filters':32}{'forward':>10}{'backward':>10}")
    for name, (size, filters, options) in SIZES.items():
        forward, backward = ratios(size, filters, options)
        print(f"{name:32}{forward:10.1f}{backward:10.1f}", flush=True)


if __name__ == "__main__":
    main()
