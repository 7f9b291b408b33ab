"""Focal loss, cross-entropy and the poly schedule, as the specification has them."""

import torch
from torch.nn import functional as F

IGNORE = 255


def one_hot(label, classes):
    """Float [B,C,H,W] one-hot of the label (ignored pixels become class 0) and the mask."""
    mask = label != IGNORE
    safe = torch.where(mask, label, torch.zeros_like(label)).long()
    return F.one_hot(safe, classes).permute(0, 3, 1, 2), mask.unsqueeze(1)


def focal_entries(z, y, alpha=0.25, gamma=2.0):
    """Loss of every one-vs-rest entry: a * q^gamma * softplus(-u), u = +-z."""
    u = torch.where(y > 0, z, -z)
    a = torch.where(y > 0, alpha, 1.0 - alpha).to(z.dtype)
    return a * torch.sigmoid(-u) ** gamma * -F.logsigmoid(u)


def focal(logits, label, alpha=0.25, gamma=2.0):
    """Mean over all entries; ignored pixels add nothing but stay in the denominator."""
    y, mask = one_hot(label, logits.shape[1])
    return (focal_entries(logits, y, alpha, gamma) * mask).mean()


def cross_entropy(logits, label):
    """Sum over labelled pixels divided by the number of all pixels."""
    total = F.cross_entropy(logits, label.long(), ignore_index=IGNORE, reduction="sum")
    return total / label.numel()


def cross_entropy_dice(logits, label, smooth=1.0):
    """Cross-entropy plus one minus the mean of the classes' soft Dice over the whole batch."""
    y, mask = one_hot(label, logits.shape[1])
    y, p = y * mask, torch.softmax(logits, 1) * mask
    dice = (2 * (p * y).sum((0, 2, 3)) + smooth) / (p.sum((0, 2, 3)) + y.sum((0, 2, 3)) + smooth)
    return cross_entropy(logits, label) + 1 - dice.mean()


def total_loss(decode_logits, aux_logits, label, loss=focal):
    return loss(decode_logits, label) + 0.4 * loss(aux_logits, label)


def poly(t, iterations=8000, base=0.01, eta_min=0.0, power=0.9):
    """Learning rate of iteration t = 0 .. iterations - 1."""
    last = max(iterations - 1, 1)
    return eta_min + (base - eta_min) * (1.0 - t / last) ** power


def sgd(model):
    """SGD of the recipe; its learning rate is set before every step."""
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)


def train_step(model, optimiser, image, label, lr):
    """One forward, backward and update; returns the loss before the update."""
    for group in optimiser.param_groups:
        group["lr"] = lr
    optimiser.zero_grad(set_to_none=True)
    loss = total_loss(*model.forward_train(image), label)
    loss.backward()
    optimiser.step()
    return loss.item()
