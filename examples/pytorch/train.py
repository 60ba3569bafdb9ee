"""Trains a Hugging Face BERT with a 3-way relation head on Linkloom's shards, as they are.

    python train.py --shards SHARDS --checkpoint MODEL --steps 1000 --out DIR

SHARDS: a folder written by `linkloom export FILE STAGE --to SHARDS` of a `shard` stage with `masking: static`, or part
files, exported (.safetensors) or straight from a store (.zst). MODEL: a folder written by `linkloom export` of a
checkpoint. Needs torch, transformers, safetensors and zstandard (for .zst). Rows are read in stored order, as
Linkloom reads them, so that with dropout 0 the first step's loss is Linkloom's: see README.md.
"""
import argparse
import json
import pathlib

import numpy
import safetensors.numpy
import torch
import torch.nn.functional as F
from transformers import BertForPreTraining

RELATIONS = ["contiguous", "random", "linked"]


def read_part(path):
    """The columns of a part by name."""
    data = pathlib.Path(path).read_bytes()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        import io

        import zstandard
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return safetensors.numpy.load(data)


def part_files(paths):
    """Training parts in the order of the manifest, or the files as given."""
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            manifest = json.loads((path / "manifest.json").read_text())
            names = [part["name"] for part in manifest["parts"] if part["name"].startswith("train-")]
            yield from (path / f"{name}.safetensors" for name in names)
        else:
            yield path


def rows(paths):
    """Training rows in stored order, again and again."""
    while True:
        for path in part_files(paths):
            part = read_part(path)
            if "masked.offsets" not in part:
                raise SystemExit(f"{path} has no masks: write the shards with `masking: static`")
            for row in range(len(part["offsets"]) - 1):
                tokens = slice(*part["offsets"][row:row + 2])
                spans = slice(*part["span.offsets"][row:row + 2])
                masks = slice(*part["masked.offsets"][row:row + 2])
                yield {
                    "ids": part["input_ids"][tokens].astype(numpy.int64),
                    "second": int(part["span.begin"][spans][-1]),
                    "relation": int(part["span.relation"][spans][-1]),
                    "positions": part["masked.positions"][masks].astype(numpy.int64),
                    "labels": part["masked.labels"][masks].astype(numpy.int64),
                }


def batches(paths, size):
    """Padded batches: input ids, token types, attention mask, flat masked positions, their labels, relations."""
    source = rows(paths)
    while True:
        batch = [next(source) for _ in range(size)]
        longest = max(len(row["ids"]) for row in batch)
        ids, types, mask = (torch.zeros(size, longest, dtype=torch.long) for _ in range(3))
        for index, row in enumerate(batch):
            length = len(row["ids"])
            ids[index, :length] = torch.from_numpy(row["ids"])
            types[index, row["second"]:length] = 1
            mask[index, :length] = 1
        positions = [torch.from_numpy(row["positions"]) + index * longest for index, row in enumerate(batch)]
        labels = [torch.from_numpy(row["labels"]) for row in batch]
        relations = torch.tensor([row["relation"] for row in batch])
        yield ids, types, mask, torch.cat(positions), torch.cat(labels), relations


class LinkBert(torch.nn.Module):
    """BertForPreTraining with document relation prediction in place of next sentence prediction."""

    def __init__(self, checkpoint, dropout):
        super().__init__()
        rates = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
        self.model = BertForPreTraining.from_pretrained(checkpoint, **rates)
        self.model.cls.seq_relationship = torch.nn.Linear(self.model.config.hidden_size, len(RELATIONS))
        weights = safetensors.numpy.load((pathlib.Path(checkpoint) / "model.safetensors").read_bytes())
        if "drp.weight" in weights:
            head = {name: torch.from_numpy(weights[f"drp.{name}"]) for name in ("weight", "bias")}
            self.model.cls.seq_relationship.load_state_dict(head)

    def forward(self, ids, types, mask, positions, labels, relations):
        """MLM loss at the masked positions, and relation loss."""
        out = self.model.bert(input_ids=ids, token_type_ids=types, attention_mask=mask)
        hidden = out.last_hidden_state.flatten(0, 1)[positions]  # logits for masked positions only
        mlm = F.cross_entropy(self.model.cls.predictions(hidden), labels)
        return mlm, F.cross_entropy(self.model.cls.seq_relationship(out.pooler_output), relations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", nargs="+", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--drp-weight", type=float, default=1.0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", help="folder for the trained model")
    args = parser.parse_args()

    torch.manual_seed(0)
    model = LinkBert(args.checkpoint, args.dropout).to(args.device).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=args.learning_rate, betas=(0.9, 0.98), eps=1e-6)
    warmup = max(1, args.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warmup if s < warmup else (args.steps - s) / max(1, args.steps - warmup))
    for step, batch in zip(range(1, args.steps + 1), batches(args.shards, args.batch_size)):
        mlm, drp = model(*(tensor.to(args.device) for tensor in batch))
        loss = mlm + args.drp_weight * drp
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        print(json.dumps({"step": step, "loss": loss.item(), "mlm_loss": mlm.item(), "drp_loss": drp.item(),
                          "grad_norm": float(norm)}), flush=True)
    if args.out:
        state = {k.replace("cls.seq_relationship", "drp"): v for k, v in model.model.state_dict().items()}
        model.model.save_pretrained(args.out, state_dict=state)


if __name__ == "__main__":
    main()
