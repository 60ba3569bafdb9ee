"""The rows of google-research/bert's own `create_pretraining_data.py`, made by its functions from tokens at hand.

Two favours to it: its only flag that is read a token, `do_whole_word_mask`, is a plain attribute (a flag of absl takes two
thirds of the script's time), and reading and tokenizing are left out, since ours begins with tokens, too. What it does per
instance, `shuffle`, and its writing of TFRecords are as they come.
"""
import os
import random
import sys
import tempfile
import time
import types


class Script:
    def __init__(self, folder, words):
        """folder: a clone of the repository; words: the tokens of the vocabulary by id."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        import tensorflow.compat.v1 as tf  # Version 1, which the script was written for.

        sys.modules["tensorflow"] = tf
        sys.path.insert(0, folder)
        arguments, sys.argv = sys.argv, sys.argv[:1]
        import create_pretraining_data

        sys.argv = arguments
        tf.logging.set_verbosity(tf.logging.ERROR)
        self.script, self.words = create_pretraining_data, words
        self.script.FLAGS = types.SimpleNamespace(do_whole_word_mask=False)
        self.ids = {word: number for number, word in enumerate(words)}

    def convert_tokens_to_ids(self, tokens):
        return [self.ids[token] for token in tokens]

    def run(self, documents, length, seed):
        """One pass over documents (lists of lists of words): M tokens of rows, seconds of making and of storing them."""
        predictions = round(0.15 * length)
        rng, instances, start = random.Random(seed), [], time.process_time()
        for index in range(len(documents)):
            instances += self.script.create_instances_from_document(
                documents, index, length, 0.1, 0.15, predictions, self.words, rng)
        rng.shuffle(instances)
        made = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            self.script.write_instance_to_example_files(
                instances, self, length, predictions, [os.path.join(folder, "rows.tfrecord")])
        stored = time.process_time()
        return sum(len(instance.tokens) for instance in instances) / 1e6, made - start, stored - made
