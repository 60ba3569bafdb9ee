"""One process of the peer: a BERT pretraining step in PyTorch, as its users write it.

MLM at masked positions only, 3-way relation head, AdamW with two groups, clipping at 1.0, eager, dropout, fp32 or (--precision bf16) torch.autocast. Rows are of
full length without padding; with --rows, of the lengths of that file, padded to the longest of the batch. Prints a JSON line a round: {"tokens_per_second": ..., "peak_rss_mb": ...}. Started by
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
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
parser.add_argument("--rows", help="file of row lengths and where second texts begin, a line each")
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
relations = torch.arange(B) % 3


def batch(shapes):
    """Random text of these (length, begin of the second text), padded to the longest; flat places of the masks."""
    S = max(length for length, _ in shapes)
    ids, types, real = torch.zeros(B, S, dtype=torch.long), torch.zeros(B, S, dtype=torch.long), torch.zeros(B, S)
    flat = []
    for row, (length, second) in enumerate(shapes):
        ids[row, :length] = torch.randint(1000, V, (length,))
        types[row, second:length] = 1
        real[row, :length] = 1
        # Masked tokens of a row: 15% of each span.
        count = sum(max(1, round(0.15 * span)) for span in (second - 2, length - 1 - second))
        flat.append(torch.randperm(length)[:count].sort().values + row * S)
    flat = torch.cat(flat)
    padded = any(length < S for length, _ in shapes)
    return ids, types, real if padded else None, flat, ids.view(-1)[flat].clone()


if args.rows:
    with open(args.rows) as f:
        shapes = [tuple(map(int, line.split())) for line in f]
    batches = [batch(shapes[i:i + B]) for i in range(0, len(shapes) - B + 1, B)]
    tokens = [sum(length for length, _ in shapes[i:i + B]) for i in range(0, len(shapes) - B + 1, B)]
else:
    batches, tokens = [batch([(S, S // 2 + 1)] * B)], [B * S]
turn = 0
decayed = [p for p in model.parameters() if p.ndim > 1]
plain = [p for p in model.parameters() if p.ndim <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=1e-4, betas=(0.9, 0.98),
    eps=1e-6)


def step():
    """Trains on the next batch; returns the loss and the tokens that are not padding."""
    global turn
    ids, types, real, flat, labels = batches[turn % len(batches)]
    done = tokens[turn % len(batches)]
    turn += 1
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=args.precision == "bf16"):
        out = model.bert(input_ids=ids, token_type_ids=types, attention_mask=real)
        scores = model.cls.predictions(out.last_hidden_state.reshape(-1, hidden)[flat])
        relation = model.cls.seq_relationship(out.pooler_output)
    loss = F.cross_entropy(scores.float(), labels) + F.cross_entropy(relation.float(), relations)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item(), done


first, _ = step()
assert abs(first - 11.42) < 0.5, first
step()
for _ in range(args.rounds):
    start = time.perf_counter()
    done = sum(step()[1] for _ in range(args.steps))
    rate = done / (time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tokens_per_second": rate, "peak_rss_mb": memory}), flush=True)
