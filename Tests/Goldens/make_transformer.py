"""Golden values for the BERT model, its gradients and its optimiser.

Made with torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0, numpy:
    python Tests/Goldens/make_transformer.py

A custom BertForPreTraining (2 layers, H 32, 2 heads, I 64, V 120, 3-way second head, dropout 0, eager attention) sees
batches of sequences of different lengths, padded and masked here, packed in Linkloom. Written to Goldens/transformer:
  model.safetensors   start weights under Linkloom's names (tied decoder stored once)
  batches.safetensors ten batches: ids, offsets, second begins, relations, masked rows and labels
  values.safetensors  logits and every gradient of the first batch, final weights; ten losses of AdamW steps
  config.json         the model's config
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from transformers import BertConfig, BertForPreTraining

OUT = pathlib.Path(__file__).parent / "transformer"
V, H, LAYERS, HEADS, I, POSITIONS, STEPS = 120, 32, 2, 2, 64, 48, 10
LR, WARMUP, BETAS, EPS, DECAY, CLIP, DRP_WEIGHT = 1e-2, 3, (0.9, 0.98), 1e-6, 0.01, 1.0, 0.7

torch.manual_seed(5)
config = BertConfig(vocab_size=V, hidden_size=H, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                    intermediate_size=I, max_position_embeddings=POSITIONS, hidden_dropout_prob=0.0,
                    attention_probs_dropout_prob=0.0, initializer_range=0.2)
config._attn_implementation = "eager"
model = BertForPreTraining(config)
model.cls.seq_relationship = torch.nn.Linear(H, 3)
with torch.no_grad():  # biases and norms away from 0 and 1, so that every gradient path is seen
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            parameter.add_(torch.randn_like(parameter) * 0.1)
model.tie_weights()
model.train()


def names():
    for name, parameter in model.named_parameters():
        yield name.replace("cls.seq_relationship", "drp"), parameter


def batch(seed):
    rng = np.random.default_rng(seed)
    lengths = [37, 5, 48, 23, 12, 30] if seed == 0 else rng.integers(4, POSITIONS + 1, 6).tolist()
    rows = []
    for length in lengths:
        ids = rng.integers(5, V, length)
        second = int(rng.integers(2, length)) if length > 3 else length
        count = max(1, round(0.2 * length))
        masked = np.sort(rng.choice(np.arange(1, length), count, replace=False))
        labels = ids[masked].copy()
        ids[masked] = rng.choice([4, 4, 4, 7], count)
        rows.append((ids, second, int(rng.integers(0, 3)), masked, labels))
    return rows


def loss_of(rows):
    longest = max(len(row[0]) for row in rows)
    ids, types, mask, labels = (torch.zeros(len(rows), longest, dtype=torch.long) for _ in range(4))
    labels -= 100
    for index, (row, second, _, masked, originals) in enumerate(rows):
        ids[index, :len(row)] = torch.from_numpy(row)
        types[index, second:len(row)] = 1
        mask[index, :len(row)] = 1
        labels[index, masked] = torch.from_numpy(originals)
    out = model(input_ids=ids, token_type_ids=types, attention_mask=mask)
    relation = torch.tensor([row[2] for row in rows])
    mlm = F.cross_entropy(out.prediction_logits.view(-1, V), labels.view(-1))
    drp = F.cross_entropy(out.seq_relationship_logits, relation)
    return mlm, drp, out, labels


OUT.mkdir(exist_ok=True)
start = {name: parameter.detach().numpy().copy() for name, parameter in names()}
save_file(start, OUT / "model.safetensors", metadata={"format": "pt"})
batches = [batch(seed) for seed in range(STEPS)]
flat = {}
for step, rows in enumerate(batches):
    flat[f"{step}.ids"] = np.concatenate([row[0] for row in rows]).astype(np.uint32)
    flat[f"{step}.offsets"] = np.cumsum([0] + [len(row[0]) for row in rows]).astype(np.int64)
    flat[f"{step}.second"] = np.array([row[1] for row in rows], dtype=np.uint32)
    flat[f"{step}.relation"] = np.array([row[2] for row in rows], dtype=np.uint8)
    flat[f"{step}.masked.offsets"] = np.cumsum([0] + [len(row[3]) for row in rows]).astype(np.int64)
    flat[f"{step}.masked.positions"] = np.concatenate([row[3] for row in rows]).astype(np.uint32)
    flat[f"{step}.masked.labels"] = np.concatenate([row[4] for row in rows]).astype(np.uint32)
save_file(flat, OUT / "batches.safetensors")

values = {}
mlm, drp, out, labels = loss_of(batches[0])
values["mlm_logits"] = out.prediction_logits[labels != -100].detach().numpy()
values["drp_logits"] = out.seq_relationship_logits.detach().numpy()
(mlm + DRP_WEIGHT * drp).backward()
for name, parameter in names():
    values["gradient." + name] = parameter.grad.numpy().copy()

decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
plain = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}],
                              lr=LR, betas=BETAS, eps=EPS)
losses, norms = [], []
for step, rows in enumerate(batches):
    rate = LR * (step + 1) / WARMUP if step < WARMUP else LR * (STEPS - step) / (STEPS - WARMUP)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    mlm, drp, _, _ = loss_of(rows)
    loss = mlm + DRP_WEIGHT * drp
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
    optimizer.step()
    losses.append([loss.item(), mlm.item(), drp.item()])
values["losses"] = np.array(losses, dtype=np.float32)
values["norms"] = np.array(norms, dtype=np.float32)
for name in ["bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.output.dense.bias", "drp.weight"]:
    values["final." + name] = dict(names())[name].detach().numpy().copy()
save_file(values, OUT / "values.safetensors")
config.architectures = ["BertForPreTraining"]
(OUT / "config.json").write_text(json.dumps(
    {key: value for key, value in sorted(config.to_dict().items()) if key not in ("transformers_version",)}, indent=2)
    + "\n")
print("losses", [round(x[0], 5) for x in losses], "norms", [round(x, 3) for x in norms])
