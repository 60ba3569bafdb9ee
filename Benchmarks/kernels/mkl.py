# Made with Python 3.11, torch==2.13.0+cpu, numpy.
# Command: python Benchmarks/kernels/mkl.py [--rounds 5]
"""Matrix products at the shapes of BERT's layers: ours beside MKL (in torch) and OpenBLAS, one thread each, in turn.

c = a · b^T as a linear layer's forward pass, and its two backward products. Rates by the thread's CPU time; medians of the
rounds, and the median of the ratios taken within a round. Needs clang and libopenblas-dev.
"""
import argparse
import ctypes
import math
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
args = parser.parse_args()
torch.set_num_threads(1)
here = pathlib.Path(__file__).parent
sources = here.parent.parent / "Sources/CKernels"

# Name, rows of tokens, outputs, inputs. 4,096 tokens are eight rows of 512; 600 of them are masked.
LAYERS = [
    ("square", 2048, 2048, 2048), ("base q, k, v, out", 4096, 768, 768), ("base up", 4096, 3072, 768),
    ("base down", 4096, 768, 3072), ("tiny q, k, v, out", 4096, 128, 128), ("tiny up", 4096, 512, 128),
    ("tiny down", 4096, 128, 512), ("mini q, k, v, out", 4096, 256, 256), ("mini up", 4096, 1024, 256),
    ("tiny words", 600, 30522, 128), ("base words", 600, 30522, 768),
]


def build(folder):
    library = pathlib.Path(folder) / "products.so"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "openblas"], check=True, capture_output=True, text=True)
    files = [here / "shim.c", *sources.glob("*.c"), *sources.glob("ref/*.c"), *sources.glob("x86/*.c")]
    subprocess.run(["clang", "-std=gnu11", "-O3", "-fno-math-errno", "-shared", "-fPIC", "-pthread",
                    f"-I{sources}/include", *map(str, files), *flags.stdout.split(), "-lm", "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def rate(function, flops):
    times = int(1e9 / flops) + 1
    start = time.thread_time()
    for _ in range(times):
        function()
    return flops * times / (time.thread_time() - start) / 1e9


with tempfile.TemporaryDirectory() as folder:
    library = build(folder)
    for symbol in (library.linkloom_product, library.openblas_product):
        symbol.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t] * 3 + [ctypes.c_bool] * 2
    print(f"{'product':28} {'m x n x k':>20} {'MKL':>6} {'OpenBLAS':>9} {'ours':>6}   GFLOP/s, one thread")
    shares = []
    for name, rows, outputs, inputs in LAYERS:
        torch.manual_seed(0)
        x, w, y = torch.randn(rows, inputs), torch.randn(outputs, inputs), torch.randn(rows, outputs)
        for kind, a, b, ta, tb in (("", x, w, False, True), (" dX", y, w, False, False), (" dW", y, x, True, False)):
            left, right = a.t() if ta else a, b.t() if tb else b
            (m, k), n = left.shape, right.shape[1]
            theirs, mine, blas = (torch.empty(m, n) for _ in range(3))

            def call(symbol, out):
                return lambda: symbol(out.data_ptr(), a.data_ptr(), b.data_ptr(), m, n, k, ta, tb)

            sides = [lambda: torch.mm(left, right, out=theirs), call(library.openblas_product, blas),
                     call(library.linkloom_product, mine)]
            for side in sides:
                side()
            for other in (mine, blas):
                assert torch.allclose(theirs, other, rtol=1e-4, atol=1e-3 * math.sqrt(k)), name + kind
            rounds = [[rate(side, 2.0 * m * n * k) for side in sides] for _ in range(args.rounds)]
            mkl, openblas, ours = (statistics.median(column) for column in zip(*rounds))
            shares.append(statistics.median(r[2] / r[0] for r in rounds))
            print(f"{name + kind:28} {f'{m} x {n} x {k}':>20} {mkl:6.0f} {openblas:9.0f} {ours:6.0f}   "
                  f"{shares[-1]:.2f} of MKL, {statistics.median(r[2] / r[1] for r in rounds):.2f} of OpenBLAS", flush=True)
    print(f"geometric mean of ours / MKL: {math.exp(statistics.mean(map(math.log, shares))):.2f}")
