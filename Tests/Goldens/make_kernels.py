# Goldens of the kernels from PyTorch: torch==2.13.0, numpy==2.4.6.
# Command: python Tests/Goldens/make_kernels.py     (writes Tests/Goldens/kernels/<op>.txt)
#
# A file is lines of `name count` followed by one line of `count` hexadecimal fp32 bit patterns (ids as numbers).
# Inputs are stored too, so that the test needs no generator of its own.
import pathlib

import numpy
import torch
import torch.nn.functional as F

torch.manual_seed(20240711)
folder = pathlib.Path(__file__).parent / "kernels"
folder.mkdir(exist_ok=True)


def write(op, **tensors):
    with open(folder / f"{op}.txt", "w") as file:
        for name, tensor in tensors.items():
            flat = tensor.detach().contiguous().flatten()
            if flat.dtype == torch.int64:
                words = [str(int(i)) for i in flat]
            else:
                words = [f"{int(b):08x}" for b in flat.to(torch.float32).numpy().view(numpy.uint32)]
            file.write(f"{name} {len(words)}\n{' '.join(words)}\n")


def leaf(*shape, scale=1.0, shift=0.0):
    return (torch.randn(*shape) * scale + shift).requires_grad_()


# LayerNorm: N 5, C 37, BERT's epsilon; one row of great offset, where a one-pass variance would cancel.
x, weight, bias, d_out = leaf(5, 37, scale=2.0), leaf(37, shift=1.0), leaf(37), torch.randn(5, 37)
with torch.no_grad():
    x[3] += 100
out = F.layer_norm(x, (37,), weight, bias, eps=1e-12)
out.backward(d_out)
write("layer_norm", x=x, weight=weight, bias=bias, d_out=d_out, out=out, d_x=x.grad, d_weight=weight.grad,
      d_bias=bias.grad)

# GELU, the exact form, from far negative to far positive: N 3, C 67.
x = torch.linspace(-9, 9, 3 * 67).reshape(3, 67).requires_grad_()
bias, d_out = leaf(67, scale=0.1), torch.randn(3, 67)
out = F.gelu(x + bias, approximate="none")
out.backward(d_out)
write("gelu", x=x, bias=bias, d_out=d_out, out=out, d_x=x.grad, d_bias=bias.grad)

# Attention without dropout: sequences of 1, 7 and 33 tokens, 2 heads of 9.
lengths, heads, size = [1, 7, 33], 2, 9
offsets = [0] + numpy.cumsum(lengths).tolist()
n, hidden = offsets[-1], heads * size
qkv, d_out = leaf(n, 3 * hidden), torch.randn(n, hidden)
rows = []
for begin, end in zip(offsets, offsets[1:]):
    q, k, v = (t.reshape(end - begin, heads, size).transpose(0, 1) for t in qkv[begin:end].chunk(3, dim=1))
    rows.append(F.scaled_dot_product_attention(q, k, v).transpose(0, 1).reshape(end - begin, hidden))
out = torch.cat(rows)
out.backward(d_out)
write("attention", offsets=torch.tensor(offsets), qkv=qkv, d_out=d_out, out=out, d_qkv=qkv.grad)

# Cross-entropy: N 6, V 53, with bias; the gradient of the sum of losses times 1/6.
logits, bias, labels = leaf(6, 53, scale=4.0), leaf(53), torch.randint(0, 53, (6,))
z = logits + bias
losses = F.cross_entropy(z, labels, reduction="none")
(losses.sum() / 6).backward()
write("cross_entropy", logits=logits, bias=bias, labels=labels, losses=losses, d_logits=logits.grad,
      predicted=z.argmax(dim=1))

# AdamW: three steps on 19 parameters, gradients given.
start, grads = torch.randn(19), torch.randn(3, 19)
param = start.clone().requires_grad_()
optimizer = torch.optim.AdamW([param], lr=1e-2, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01)
for step in range(3):
    param.grad = grads[step].clone()
    optimizer.step()
state = optimizer.state[param]
write("adamw", start=start, grads=grads, param=param, m=state["exp_avg"], v=state["exp_avg_sq"])

# Embeddings: N 7 tokens, words, positions and types of C 19; ids repeat, so that their gradients add up.
words, positions, types, d_out = leaf(11, 19), leaf(9, 19), leaf(2, 19), torch.randn(7, 19)
ids, places = torch.tensor([3, 10, 3, 0, 7, 3, 10]), torch.tensor([0, 1, 2, 0, 1, 2, 8])
kinds = torch.tensor([0, 0, 1, 0, 0, 1, 1])
out = F.embedding(ids, words) + F.embedding(places, positions) + F.embedding(kinds, types)
out.backward(d_out)
write("embedding", word=words, position=positions, type=types, ids=ids, positions=places, types=kinds, d_out=d_out,
      out=out, d_word=words.grad, d_position=positions.grad, d_type=types.grad)

# Rows picked out of 9 of C 21, one of them three times.
x, rows, d_out = leaf(9, 21), torch.tensor([4, 0, 4, 8, 2, 4, 7]), torch.randn(7, 21)
out = x[rows]
out.backward(d_out)
write("rows", x=x, rows=rows, d_out=d_out, out=out, d_x=x.grad)

# Bias, residual and LayerNorm, no dropout: N 5, C 37.
x, x_bias, residual, d_out = leaf(5, 37), leaf(37), leaf(5, 37, scale=2.0), torch.randn(5, 37)
weight, bias = leaf(37, shift=1.0), leaf(37)
out = F.layer_norm(residual + F.dropout(x + x_bias, 0.0), (37,), weight, bias, eps=1e-12)
out.backward(d_out)
write("residual_layer_norm", x=x, x_bias=x_bias, residual=residual, weight=weight, bias=bias, d_out=d_out, out=out,
      d_x=x.grad, d_x_bias=x_bias.grad, d_residual=residual.grad, d_weight=weight.grad, d_bias=bias.grad)

# Tanh, with values where it is flat: N 3, C 67.
x = torch.linspace(-6, 6, 3 * 67).reshape(3, 67).requires_grad_()
bias, d_out = leaf(67, scale=0.1), torch.randn(3, 67)
out = torch.tanh(x + bias)
out.backward(d_out)
write("tanh", x=x, bias=bias, d_out=d_out, out=out, d_x=x.grad, d_bias=bias.grad)

# A linear layer, M 13, K 29, N 35, and its two backward products, each also with a bias of its own added to every row.
x, weight, bias, d_out = leaf(13, 29), leaf(35, 29), leaf(35), torch.randn(13, 35)
out = F.linear(x, weight, bias)
out.backward(d_out)
nn_bias, tn_bias = torch.randn(29), torch.randn(29)
write("linear", x=x, weight=weight, bias=bias, d_out=d_out, out=out, d_x=x.grad, d_weight=weight.grad, d_bias=bias.grad,
      nn_bias=nn_bias, nn=torch.addmm(nn_bias, d_out, weight.detach()), tn_bias=tn_bias,
      tn=torch.addmm(tn_bias, d_out.T, x.detach()))

# The vocabulary's loss: N 7 rows of C 19, V 83; the gradient of the sum of losses times 1/7.
x, word, bias, labels = leaf(7, 19), leaf(83, 19), leaf(83), torch.randint(0, 83, (7,))
losses = F.cross_entropy(F.linear(x, word, bias), labels, reduction="none")
(losses.sum() / 7).backward()
write("vocabulary_loss", x=x, word=word, bias=bias, labels=labels, losses=losses, d_x=x.grad, d_word=word.grad,
      d_bias=bias.grad)
