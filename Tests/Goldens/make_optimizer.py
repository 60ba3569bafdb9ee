"""Golden losses of the AdamW variants, written out step by step from their published code.

Made with torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0, numpy, after make_transformer.py:
    python Tests/Goldens/make_optimizer.py

The model and the ten batches of Goldens/transformer are trained by
  bert          AdamWeightDecayOptimizer of google-research/bert (no bias correction), decay of 0.1
  transformers  AdamW of transformers 4 (corrections in the rate, decay last), decay of 0.1
  all           torch.optim.AdamW, decay of 0.1 on every parameter, BERT's own polynomial schedule
Written: transformer/optimizer.safetensors, `<variant>.losses` (10) and `<variant>.drp` (3, 32), the final relation head.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForPreTraining

OUT = pathlib.Path(__file__).parent / "transformer"
LR, WARMUP, STEPS, BETA1, BETA2, EPS, DECAY, CLIP, DRP_WEIGHT = 1e-2, 3, 10, 0.9, 0.98, 1e-6, 0.1, 1.0, 0.7
start = load_file(OUT / "model.safetensors")
data = load_file(OUT / "batches.safetensors")


def loss_of(model, step):
    part = {name.split(".", 1)[1]: value for name, value in data.items() if name.startswith(f"{step}.")}
    offsets, masks = part["offsets"].tolist(), part["masked.offsets"].tolist()
    rows, longest = len(offsets) - 1, max(b - a for a, b in zip(offsets, offsets[1:]))
    ids, types, mask, labels = (torch.zeros(rows, longest, dtype=torch.long) for _ in range(4))
    labels -= 100
    for row in range(rows):
        length = offsets[row + 1] - offsets[row]
        ids[row, :length] = part["ids"][offsets[row]:offsets[row + 1]].long()
        types[row, int(part["second"][row]):length] = 1
        mask[row, :length] = 1
        where = part["masked.positions"][masks[row]:masks[row + 1]].long()
        labels[row, where] = part["masked.labels"][masks[row]:masks[row + 1]].long()
    out = model(input_ids=ids, token_type_ids=types, attention_mask=mask)
    mlm = F.cross_entropy(out.prediction_logits.flatten(0, 1), labels.flatten())
    return mlm + DRP_WEIGHT * F.cross_entropy(out.seq_relationship_logits, part["relation"].long())


def rate_of(variant, step):  # step 1, 2, …
    if step <= WARMUP:
        return LR * step / WARMUP
    return LR * (STEPS - step + 1) / (STEPS if variant == "all" else STEPS - WARMUP)


def train(variant):
    config = BertConfig.from_dict(json.loads((OUT / "config.json").read_text()))
    config._attn_implementation = "eager"
    model = BertForPreTraining(config)
    model.cls.seq_relationship = torch.nn.Linear(config.hidden_size, 3)
    parameters = {name.replace("cls.seq_relationship", "drp"): p for name, p in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(start[name])
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    losses = []
    for step in range(1, STEPS + 1):
        model.zero_grad()
        loss = loss_of(model, step - 1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        rate = rate_of(variant, step)
        with torch.no_grad():
            for name, p in parameters.items():
                m, v = moments[name]
                m.mul_(BETA1).add_(p.grad, alpha=1 - BETA1)
                v.mul_(BETA2).addcmul_(p.grad, p.grad, value=1 - BETA2)
                decay = DECAY if variant == "all" or p.ndim > 1 else 0.0
                if variant == "bert":
                    p.sub_(rate * (m / (v.sqrt() + EPS) + decay * p))
                elif variant == "transformers":
                    size = rate * math.sqrt(1 - BETA2**step) / (1 - BETA1**step)
                    p.sub_(size * m / (v.sqrt() + EPS))
                    p.sub_(rate * decay * p)
                else:
                    p.mul_(1 - rate * decay)
                    root = (v / (1 - BETA2**step)).sqrt() + EPS
                    p.sub_(rate * (m / (1 - BETA1**step)) / root)
        losses.append(loss.item())
    return torch.tensor(losses), parameters["drp.weight"].detach().clone()


values = {}
for variant in ["bert", "transformers", "all"]:
    values[variant + ".losses"], values[variant + ".drp"] = train(variant)
    print(variant, [round(x, 5) for x in values[variant + ".losses"].tolist()])
save_file(values, OUT / "optimizer.safetensors")
