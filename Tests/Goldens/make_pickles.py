"""Golden files of torch.save and of sharded models, with the values that they hold.

Made with torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0, numpy:
    python Tests/Goldens/make_pickles.py

Written to Goldens/pickles:
  zip.bin        zip form: fp32, fp16, bf16, fp64, a transposed view, two tensors of one storage, a parameter, a scalar
  old.bin        the same in torch's form before 1.6
  expected.safetensors  their values in fp32
  hostile.bin    a zip form whose pickle calls os.system
  checkpoint.bin a training checkpoint: tensors beside numbers
  bert/          one small BERT three times: pytorch_model.bin, the same in two files with pytorch_model.bin.index.json,
                 and in safetensors shards with model.safetensors.index.json
"""
import json
import os
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining

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

BERT = OUT / "bert"
config = BertConfig(vocab_size=24, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                    max_position_embeddings=16)
model = BertForPreTraining(config)
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_()
model.save_pretrained(BERT, max_shard_size="3KB")
# The decoder is the word embeddings once more: of one storage in the whole file, a copy in the second of two.
state = OrderedDict(model.state_dict())
torch.save(state, BERT / "pytorch_model.bin")
names = list(state)
shards = {f"pytorch_model-{number:05}-of-00002.bin": part
          for number, part in enumerate([names[:len(names) // 2], names[len(names) // 2:]], 1)}
for file, part in shards.items():
    torch.save(OrderedDict((name, state[name].clone()) for name in part), BERT / file)
index = {"metadata": {"total_size": sum(tensor.nbytes for tensor in state.values())},
         "weight_map": {name: file for file, part in shards.items() for name in part}}
(BERT / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")

for file in OUT.rglob("*.*"):
    file.chmod(0o644)
