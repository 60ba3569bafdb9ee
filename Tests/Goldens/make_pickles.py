"""Golden files of torch.save and of sharded models, with the values that they hold.

Made with torch==2.13.0+cpu, safetensors==0.8.0, numpy:
    python Tests/Goldens/make_pickles.py

Written to Goldens/pickles:
  zip.bin        zip form: fp32, fp16, bf16, fp64, a transposed view, two tensors of one storage, a parameter, a scalar
  old.bin        the same in torch's form before 1.6
  expected.safetensors  their values in fp32
  hostile.bin    a zip form whose pickle calls os.system
  checkpoint.bin a training checkpoint: tensors beside numbers
"""
import os
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "pickles"
OUT.mkdir(exist_ok=True)
torch.manual_seed(3)
base = torch.randn(6, 4)
flat = torch.arange(12, dtype=torch.float32)
tensors = OrderedDict(
    single=torch.randn(3, 5), half=torch.randn(7).half(), brain=torch.randn(2, 3).bfloat16(), double=torch.randn(4).double(),
    transposed=base.t(), head=flat[:5], tail=flat[5:].view(7, 1), parameter=torch.nn.Parameter(torch.randn(2, 2)),
    scalar=torch.tensor(2.5), empty=torch.zeros(0, 3))
tensors["half"][0] = 6e-8  # a denormal half
tensors["half"][1] = float("inf")
tensors._metadata = OrderedDict([("", {"version": 1}), ("layer", {"version": 2})])
torch.save(tensors, OUT / "zip.bin")
torch.save(tensors, OUT / "old.bin", _use_new_zipfile_serialization=False)
save_file({name: tensor.detach().float().contiguous().clone() for name, tensor in tensors.items()},
          OUT / "expected.safetensors")


class Hostile:
    def __reduce__(self):
        return os.system, ("touch pickle-was-run",)


torch.save({"weight": torch.zeros(2), "payload": Hostile()}, OUT / "hostile.bin")
torch.save({"model": {"weight": torch.zeros(2)}, "step": 7}, OUT / "checkpoint.bin")
for file in OUT.iterdir():
    file.chmod(0o644)
