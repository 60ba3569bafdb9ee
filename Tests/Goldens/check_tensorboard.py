"""Reads the TensorBoard event file of an exported checkpoint with the real package and compares it with training.jsonl.

Needs tensorboard==2.21.0:
    python Tests/Goldens/check_tensorboard.py EXPORTED
"""
import json
import pathlib
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(next(folder.glob("*tfevents*"))), size_guidance={"scalars": 0})
events.Reload()
read = {tag: {event.step: event.value for event in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
count = 0
for text in (folder / "training.jsonl").read_text().splitlines():
    line = json.loads(text)
    for name, value in line.items():
        if name in ("step", "tokens_per_second") or not isinstance(value, (int, float)) or isinstance(value, bool):
            continue
        side, _, rest = name.partition("_")
        tag = f"validation/{rest}" if side == "validation" else f"train/{name}"
        assert read[tag][line["step"]] == np.float32(value), (tag, line["step"])
        count += 1
assert count == sum(len(points) for points in read.values()), "points that training.jsonl does not have"
print(f"{count} points of {len(read)} curves are equal")
