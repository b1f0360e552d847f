"""The paper's equations in simple code with a network's own weights, for comparison in the tests of this room."""

import math

import torch
import torch.nn.functional as F


def scramble(net, seed=0):
    """Give every parameter and statistic a random value: norms start as 1 and 0, which would hide errors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*net.named_parameters(), *net.named_buffers()]:
            if value.is_floating_point() and value.dim() == 1:
                noise = torch.rand(value.shape, generator=generator, dtype=value.dtype)
                value.copy_(0.5 + noise if "weight" in name or "var" in name else noise - 0.5)
    return net


def batch_norm(x, norm):
    mean, variance, weight, bias = (
        value[:, None, None] for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / torch.sqrt(variance + norm.eps) * weight + bias


def group_norm(x, norm):
    return F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)


def inject(net, y):
    """Eq. 2: BN, Conv, ReLU, BN, Conv."""
    block = net.f_inject
    hidden = F.conv2d(batch_norm(y, block.norm_in), block.conv_in.weight, block.conv_in.bias, padding=1)
    return F.conv2d(batch_norm(F.relu(hidden), block.norm_out), block.conv_out.weight, block.conv_out.bias, padding=1)


def decode(net, z):
    """Eq. 4: BN, ReLU, Conv."""
    block = net.f_decode
    return F.conv2d(F.relu(batch_norm(z, block.norm)), block.conv.weight, block.conv.bias, padding=1)


def softmax_rows(net, u, window):
    """Eq. 7: the weights of every query over the whole picture, (B, H, pixels, pixels), zero outside the windows."""
    block, (rows, cols) = net.non_local, u.shape[2:]
    pixels = group_norm(u, block.norm).flatten(2)
    depth = u.shape[1] // block.heads
    row, col = (index.flatten() for index in torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij"))
    inside = torch.ones(rows * cols, rows * cols, dtype=torch.bool)
    for index in (row, col):
        offset = index[None, :] - index[:, None]
        inside &= (offset >= -(window // 2)) & (offset < window - window // 2)
    heads = []
    for head in range(block.heads):
        part = slice(head * depth, (head + 1) * depth)
        query, key = block.theta.weight[part] @ pixels, block.psi.weight[part] @ pixels
        scores = query.transpose(1, 2) @ key / math.sqrt(depth)
        heads.append(torch.softmax(torch.where(inside, scores, -torch.inf), dim=-1))
    return torch.stack(heads, dim=1)


def non_local(net, u, window):
    """Eq. 9: MSA(GN(u)) + u, the heads side by side (Eq. 8)."""
    block = net.non_local
    values = (block.g.weight @ group_norm(u, block.norm).flatten(2)).unflatten(1, (block.heads, -1))
    attended = torch.einsum("bhqk,bhdk->bhdq", softmax_rows(net, u, window), values).flatten(1, 2)
    return (block.out.weight @ attended).view_as(u) + u


def transformation(net, u):
    """Eq. 10: GN, Conv, GN, ReLU, Conv, GN."""
    block = net.transformation
    hidden = F.conv2d(group_norm(u, block.norm_in), block.conv_in.weight, padding=1)
    out = F.conv2d(F.relu(group_norm(hidden, block.norm_mid)), block.conv_out.weight, padding=1)
    return group_norm(out, block.norm_post) if net.config.post_normalization else out


def implicit(net, z, s, window=None):
    """Eq. 11: f(z) = Trans(NL(s + z)), with the sub-layers of the network."""
    u = s + z
    if net.config.non_local:
        u = non_local(net, u, window or net.config.window)
    if net.config.transformation:
        return transformation(net, u)
    return group_norm(u, net.norm_post) if net.config.post_normalization else u
