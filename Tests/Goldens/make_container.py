"""Goldens of the container: files as the Python libraries write them, and a check of files as Linkloom writes them.

Reference: safetensors==0.8.0, zstandard==0.25.0, numpy==2.4.6

Make the goldens (run from the package's root):
    python Tests/Goldens/make_container.py

Check that Python reads what Swift writes (a part of more than 4 MiB, so of several frames):
    SAVE_TEMPS=out swift test --disable-xctest --filter "a part larger than a frame"
    python Tests/Goldens/make_container.py check out
"""

import pathlib
import sys

import numpy as np
import safetensors.numpy
import zstandard

HERE = pathlib.Path(__file__).parent / "container"


def make():
    HERE.mkdir(exist_ok=True)
    tensors = {
        "offsets": np.array([0, 1, 1, 1 << 40], dtype=np.int64),
        "weights": np.array([[1.5, -2.0, 3.25], [0.0, 1e-30, 65504.0]], dtype=np.float32),
        "bias": np.zeros((0, 4), dtype=np.float32),
        "ids": np.array([101, 2023, 65535, 102], dtype=np.uint16),
        "title.bytes": np.frombuffer("Añoé".encode(), dtype=np.uint8),
    }
    data = safetensors.numpy.save(tensors, metadata={"format": "pt"})
    (HERE / "tensors.safetensors").write_bytes(data)

    # Frames of other sizes than ours and no seek table. The second one is compressible, the third is empty.
    content = [bytes(range(256)) * 3, b"link" * 5000, b"", data]
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=True)
    (HERE / "frames.zst").write_bytes(b"".join(compressor.compress(part) for part in content))


def check(folder):
    found = 0
    for path in sorted(pathlib.Path(folder).rglob("*.zst")):
        columns = safetensors.numpy.load(zstandard.open(path, "rb").read())
        if "number" not in columns:
            continue
        found += 1
        n = len(columns["number"])
        assert n * 8 > 4 << 20, n
        expected = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        assert (columns["number"] == expected).all()
        assert (columns["small"] == (np.arange(n) % 65521).astype(np.uint16)).all()
        assert columns["grid"].shape == (2, n // 2), columns["grid"].shape
        offsets = columns["name.offsets"]
        text = columns["name.bytes"].tobytes()
        names = [text[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:])]
        assert names == ["", "Añoé", "link"], names
        print(f"{path}: {n} rows, {path.stat().st_size} bytes stored: right")
    assert found, f"no stored part under {folder}"


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "check":
        check(sys.argv[2])
    else:
        make()
