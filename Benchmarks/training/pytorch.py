"""One process of the peer: a BERT pretraining step in PyTorch, as its users write it.

MLM at masked positions only, 3-way relation head, AdamW with two groups, clipping at 1.0, eager fp32, dropout, rows of
full length without padding. Prints a JSON line a round: {"tokens_per_second": ..., "peak_rss_mb": ...}. Started by
compare.py.
"""
import argparse
import json
import os
import resource
import time

parser = argparse.ArgumentParser()
parser.add_argument("--architecture", default="tiny")
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=8)
parser.add_argument("--rounds", type=int, default=1)
args = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import torch
import torch.nn.functional as F
from transformers import BertConfig, BertForPreTraining

SIZES = {"tiny": (2, 128, 2, 512), "mini": (4, 256, 4, 1024), "small": (4, 512, 8, 2048),
         "medium": (8, 512, 8, 2048), "base": (12, 768, 12, 3072), "large": (24, 1024, 16, 4096)}
layers, hidden, heads, intermediate = SIZES[args.architecture]
V, B, S = 30522, args.batch, args.length
torch.set_num_threads(args.threads)
torch.manual_seed(0)
model = BertForPreTraining(BertConfig(
    vocab_size=V, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
    intermediate_size=intermediate, hidden_dropout_prob=args.dropout, attention_probs_dropout_prob=args.dropout))
model.cls.seq_relationship = torch.nn.Linear(hidden, 3)
model.train()
ids = torch.randint(1000, V, (B, S))
types = (torch.arange(S) > S // 2).long().expand(B, S).contiguous()
count = 2 * round(0.15 * (S // 2 - 2))  # masked tokens of a row: 15% of each span
flat = torch.cat([torch.randperm(S)[:count].sort().values + row * S for row in range(B)])
labels = ids.view(-1)[flat].clone()
relations = torch.arange(B) % 3
decayed = [p for p in model.parameters() if p.ndim > 1]
plain = [p for p in model.parameters() if p.ndim <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=1e-4, betas=(0.9, 0.98),
    eps=1e-6)


def step():
    optimizer.zero_grad(set_to_none=True)
    out = model.bert(input_ids=ids, token_type_ids=types)
    scores = model.cls.predictions(out.last_hidden_state.reshape(-1, hidden)[flat])
    loss = F.cross_entropy(scores, labels) + F.cross_entropy(model.cls.seq_relationship(out.pooler_output), relations)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


first = step()
assert abs(first - 11.42) < 0.5, first
step()
for _ in range(args.rounds):
    start = time.perf_counter()
    for _ in range(args.steps):
        step()
    rate = args.steps * B * S / (time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tokens_per_second": rate, "peak_rss_mb": memory}), flush=True)
