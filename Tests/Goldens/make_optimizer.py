"""Golden losses of the AdamW variants, written out step by step from their published code, and of 200 steps.

Made with torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0, numpy, after make_transformer.py:
    python Tests/Goldens/make_optimizer.py

The model and the ten batches of Goldens/transformer are trained by
  bert          AdamWeightDecayOptimizer of google-research/bert (no bias correction), decay of 0.1
  transformers  AdamW of transformers 4 (corrections in the rate, decay last), decay of 0.1
  all           torch.optim.AdamW, decay of 0.1 on every parameter, BERT's own polynomial schedule
Written: transformer/optimizer.safetensors, `<variant>.losses` (10) and `<variant>.drp` (3, 32), the final relation head.

The same batches over and over are 200 steps of torch.optim.AdamW with warm-up, clipping and decay groups, for each
objective: `bert` has the first two rows of the relation head and relations modulo 2, `mlm` has neither. In double
precision, so that what the test sees is the rounding of Linkloom alone; printed is what PyTorch's own fp32 is off.
Written: transformer/steps.safetensors, `<objective>` F64 (200, 2), losses and gradient norms before clipping.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining

OUT = pathlib.Path(__file__).parent / "transformer"
LR, WARMUP, STEPS, BETA1, BETA2, EPS, DECAY, CLIP, DRP_WEIGHT = 1e-2, 3, 10, 0.9, 0.98, 1e-6, 0.1, 1.0, 0.7
LONG_LR, LONG_WARMUP, LONG_STEPS, LONG_DECAY, LONG_CLIP = 2e-3, 20, 200, 0.01, 3.5
start = load_file(OUT / "model.safetensors")
data = load_file(OUT / "batches.safetensors")


def loss_of(model, step, classes=3):
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
    if classes == 0:
        return F.cross_entropy(out.logits.flatten(0, 1), labels.flatten())
    mlm = F.cross_entropy(out.prediction_logits.flatten(0, 1), labels.flatten())
    return mlm + DRP_WEIGHT * F.cross_entropy(out.seq_relationship_logits, part["relation"].long() % classes)


def rate_of(variant, step):  # step 1, 2, …
    if step <= WARMUP:
        return LR * step / WARMUP
    return LR * (STEPS - step + 1) / (STEPS if variant == "all" else STEPS - WARMUP)


def start_model(classes):
    """The model of make_transformer.py with its start values, and its parameters by Linkloom's names."""
    config = BertConfig.from_dict(json.loads((OUT / "config.json").read_text()))
    config._attn_implementation = "eager"
    model = BertForPreTraining(config) if classes else BertForMaskedLM(config)
    if classes == 3:
        model.cls.seq_relationship = torch.nn.Linear(config.hidden_size, 3)
    parameters = {name.replace("cls.seq_relationship", "drp"): p for name, p in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(start[name][:classes] if name.startswith("drp") else start[name])
    return model, parameters


def train(variant):
    model, parameters = start_model(3)
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


def train_long(classes, dtype):
    model, parameters = start_model(classes)
    model.to(dtype)
    groups = [{"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": LONG_DECAY},
              {"params": [p for p in parameters.values() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LONG_LR, betas=(BETA1, BETA2), eps=EPS)
    curve = []
    for step in range(LONG_STEPS):
        rising, falling = (step + 1) / LONG_WARMUP, (LONG_STEPS - step) / (LONG_STEPS - LONG_WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = LONG_LR * min(rising, falling)
        model.zero_grad()
        loss = loss_of(model, step % STEPS, classes)
        loss.backward()
        curve.append([loss.item(), torch.nn.utils.clip_grad_norm_(model.parameters(), LONG_CLIP).item()])
        optimizer.step()
    return torch.tensor(curve, dtype=torch.float64)


values = {}
for variant in ["bert", "transformers", "all"]:
    values[variant + ".losses"], values[variant + ".drp"] = train(variant)
    print(variant, [round(x, 5) for x in values[variant + ".losses"].tolist()])
save_file(values, OUT / "optimizer.safetensors")

curves = {}
for objective, classes in {"linkbert": 3, "bert": 2, "mlm": 0}.items():
    curves[objective], single = train_long(classes, torch.float64), train_long(classes, torch.float32)
    losses, norms = curves[objective].unbind(dim=1)
    off = (single[:, 0] / losses - 1).abs()
    print(objective, "from", round(losses[0].item(), 5), "to", round(losses[-1].item(), 5),
          f"clipped in {(norms > LONG_CLIP).sum()} steps, fp32 is off by up to {off.max():.1e}, {off[-1]:.1e} at the end")
save_file(curves, OUT / "steps.safetensors")
