"""Golden gradients of whole models at their published sizes: tiny and mini, cased and uncased, all three objectives.

Made on 2026-11-28 with torch==2.13.0+cpu, transformers==5.23.0, safetensors==0.8.0, numpy==2.4.6:
    python Tests/Goldens/make_models.py

Weights and gradients of such models are too large to commit. Both sides make the same start values and rows from the
same counter-based draws (`RandomKey` of Linkloom), exactly representable in fp32, and the file keeps of every gradient
its norm and its products with eight vectors of +1 and -1 from the same draws. PyTorch computes in double precision
here, so that what the test sees is the rounding of Linkloom alone; printed beside it is what PyTorch's own fp32 is off.

Rows of five lengths, about 15% of their text masked, are padded and masked here, packed in Linkloom; dropout is 0.
Written: transformer/models.safetensors, for every case such as `tiny-cased-bert`
  <case>.losses     F64 (2): MLM, relation (0 without a relation head)
  <case>.gradients  F64 (tensors, 9): norm, then eight products; tensors by name, those that the objective trains
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining

OUT = pathlib.Path(__file__).parent / "transformer"
SIZES = {"tiny": (2, 128, 2, 512), "mini": (4, 256, 4, 1024)}
VOCABULARIES = {"cased": 28996, "uncased": 30522}
CLASSES = {"linkbert": 3, "bert": 2, "mlm": None}
LENGTHS = [61, 7, 33, 18, 45]
VALUES, SIGNS, ROWS = 41, 42, 43  # seeds
CLS, SEP, MASK, FIRST_WORD = 101, 102, 103, 999
GAMMA = np.uint64(0x9E3779B97F4A7C15)
np.seterr(over="ignore")  # 64-bit arithmetic wraps


def finalise(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def mix(a, b):
    return finalise((finalise(np.uint64(a) + GAMMA) ^ b) + GAMMA)


def named(seed, name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return mix(seed, np.uint64(value))


def draws(key, count):
    return mix(key, np.arange(count, dtype=np.uint64))


def below(key, index, bound):
    return int(mix(key, np.uint64(index))) * bound >> 64


def values(name, shape):
    """1/8 times 20 bits of a draw as a number in -1 ..< 1; around 1 for the weights of LayerNorm."""
    whole = (draws(named(VALUES, name), int(np.prod(shape))) >> np.uint64(44)).astype(np.int64) - 2**19
    return (whole * 2.0**-22 + (1 if name.endswith("LayerNorm.weight") else 0)).reshape(shape)


def rows(vocabulary, classes):
    result = []
    for row, length in enumerate(LENGTHS):
        key = mix(ROWS, np.uint64(row))
        ids = [FIRST_WORD + below(key, position, vocabulary - FIRST_WORD) for position in range(length)]
        second = 2 + below(key, 1000, length - 3)
        ids[0], ids[second - 1], ids[-1] = CLS, SEP, SEP
        masked = [p for p in range(length) if ids[p] >= FIRST_WORD and below(key, 2000 + p, 20) < 3]
        labels = [ids[position] for position in masked]
        for position in masked:
            kind = below(key, 3000 + position, 10)
            if kind < 8:
                ids[position] = MASK
            elif kind == 8:
                ids[position] = below(key, 4000 + position, vocabulary)
        result.append((ids, second, below(key, 1001, classes or 1), masked, labels))
    return result


def losses_of(model, batch, vocabulary, classes):
    ids, types, mask, labels = (torch.zeros(len(batch), max(LENGTHS), dtype=torch.long) for _ in range(4))
    labels -= 100
    for index, (row, second, _, masked, originals) in enumerate(batch):
        ids[index, :len(row)] = torch.tensor(row)
        types[index, second:len(row)] = 1
        mask[index, :len(row)] = 1
        labels[index, masked] = torch.tensor(originals, dtype=torch.long)
    relation = torch.tensor([row[2] for row in batch])
    own = {"labels": labels} | ({"next_sentence_label": relation} if classes == 2 else {})
    out = model(input_ids=ids, token_type_ids=types, attention_mask=mask, **({} if classes == 3 else own))
    logits = out.logits if classes is None else out.prediction_logits
    mlm = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    drp = torch.zeros_like(mlm) if classes is None else F.cross_entropy(out.seq_relationship_logits, relation)
    assert classes == 3 or torch.allclose(out.loss, mlm + drp, rtol=1e-6)  # the loss of transformers itself
    return mlm, drp


def run(size, vocabulary, classes, dtype):
    layers, hidden, heads, intermediate = SIZES[size]
    config = BertConfig(vocab_size=vocabulary, hidden_size=hidden, num_hidden_layers=layers,
                        num_attention_heads=heads, intermediate_size=intermediate, hidden_dropout_prob=0.0,
                        attention_probs_dropout_prob=0.0)
    config._attn_implementation = "eager"
    model = BertForMaskedLM(config) if classes is None else BertForPreTraining(config)
    if classes == 3:
        model.cls.seq_relationship = torch.nn.Linear(hidden, 3)
    model.to(dtype).train()
    parameters = {name.replace("cls.seq_relationship", "drp" if classes == 3 else "cls.seq_relationship"): parameter
                  for name, parameter in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(values(name, parameter.shape)))
    mlm, drp = losses_of(model, rows(vocabulary, classes), vocabulary, classes)
    (mlm + drp).backward()
    table = []
    for name in sorted(parameters):
        gradient = parameters[name].grad.double().flatten().numpy()
        bits = draws(named(SIGNS, name), gradient.size)
        products = [gradient @ (1.0 - 2.0 * (bits >> np.uint64(k) & np.uint64(1))) for k in range(8)]
        table.append([np.sqrt(gradient @ gradient), *products])
    return np.array([mlm.item(), drp.item()]), np.array(table), sorted(parameters)


golden = {}
for size in SIZES:
    for kind, vocabulary in VOCABULARIES.items():
        for objective, classes in CLASSES.items():
            losses, table, names = run(size, vocabulary, classes, torch.float64)
            golden[f"{size}-{kind}-{objective}.losses"] = losses
            golden[f"{size}-{kind}-{objective}.gradients"] = table
            single, rounded, _ = run(size, vocabulary, classes, torch.float32)
            seen = np.array([not name.endswith("key.bias") for name in names])  # whose gradient is 0 but for rounding
            off = (np.abs(rounded - table).max(axis=1) / table[:, 0])[seen].max()
            print(size, kind, objective, losses.round(5), f"{len(names)} tensors, norm", np.linalg.norm(table[:, 0]),
                  f"fp32 is off by {np.abs(single - losses).max():.1e} and {off:.1e}")
save_file(golden, OUT / "models.safetensors")
