# Made with Python 3.11, torch==2.13.0, transformers==5.23.0.
# Command: python Tests/Goldens/check_export.py LINKLOOM MODEL_DIR [TEXT …]
"""Compares an exported model with transformers: logits at every mask, through `linkloom fill-mask --json --top V`.

fill-mask prints probabilities of the whole vocabulary; their logarithms are the logits up to a constant, so both sides are
compared as log-probabilities. Exits 1 if any differs by 1e-4 or more, or if ids differ.
"""
import json
import math
import subprocess
import sys

import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

linkloom, directory, *texts = sys.argv[1:]
texts = texts or [
    "The [MASK] guides ships into the harbour.",
    "In [MASK] the capital of France was the largest [MASK] of Europe.",
    "Café naïve 東京 Straße [MASK] don't 3.14 U.S.A. " + "word " * 60 + "[MASK]",
]
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModelForMaskedLM.from_pretrained(directory).eval()
encoder = AutoModel.from_pretrained(directory)
print(type(model).__name__, type(encoder).__name__, type(tokenizer).__name__, len(tokenizer))
worst = 0.0
for text in texts:
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits[0]
    masks = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero().flatten().tolist()
    out = subprocess.run(
        [linkloom, "fill-mask", directory, text, "--json", "--top", str(len(tokenizer))], capture_output=True, check=True)
    answers = json.loads(out.stdout)
    if len(masks) == 1:
        answers = [answers]
    assert len(answers) == len(masks), (len(answers), len(masks))
    for position, guesses in zip(masks, answers):
        ours = torch.full((len(tokenizer),), -math.inf)
        for guess in guesses:
            ours[guess["id"]] = math.log(guess["score"])
            assert tokenizer.convert_ids_to_tokens(guess["id"]) == guess["token"], guess
        theirs = torch.log_softmax(logits[position].double(), -1)
        worst = max(worst, (ours.double() - theirs).abs().max().item())
print(json.dumps({"texts": len(texts), "largest_difference_of_log_probabilities": worst}))
sys.exit(0 if worst < 1e-4 else 1)
