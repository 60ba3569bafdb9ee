"""Compares a model that Linkloom imported, or trained on, with `transformers`.

Needs torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0:
    python Tests/Goldens/check_import.py ORIGINAL EXPORTED [--encoder]

ORIGINAL is a folder of save_pretrained, EXPORTED what `linkloom export` wrote of its import, or of a training that began
with it. The same text goes through both encoders in `transformers`: after an import alone (--encoder) the outputs must be
equal; after training they must differ, and the exported model must load with its head. That Linkloom's own kernels compute
what `transformers` computes on such an export is what check_export.py says.
"""
import argparse

import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

arguments = argparse.ArgumentParser()
arguments.add_argument("original")
arguments.add_argument("exported")
arguments.add_argument("--encoder", action="store_true", help="the outputs must be equal")
given = arguments.parse_args()
texts = ["The lighthouse guides ships around the harbour.", "Herring swim in large shoals; cod follow them."]


def encode(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        return batch["input_ids"], model(**batch).last_hidden_state * batch["attention_mask"][..., None]


ids, before = encode(given.original)
other_ids, after = encode(given.exported)
assert torch.equal(ids, other_ids), "the tokenizers give different ids"
difference = float((before - after).abs().max())
print(f"encoder outputs differ by at most {difference:.3g}")
if given.encoder:
    assert difference < 1e-5
else:
    assert difference > 1e-5, "training changed nothing"
    model, info = AutoModelForMaskedLM.from_pretrained(given.exported, output_loading_info=True)
    assert not info["missing_keys"], info["missing_keys"]
    print("loaded with its MLM head:", sum(p.numel() for p in model.parameters()), "parameters")
