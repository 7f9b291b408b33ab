"""PyTorch twin of the two segmentation networks.

PSPNet and DeepLabV3+ on a dilated ResNet-18 (output stride 8) with the module
names of MMSegmentation, so that state-dict keys agree with its checkpoints.
`stem="v1c"` is the three-convolution stem, `stem="v1"` the 7x7 one.
Run as a script, it checks parameter counts and feature shapes.
"""

import torch
from torch import nn
from torch.nn import functional as F

from formula import parameter


def resize(x, size):
    """Bilinear resize without aligned corners (the only kind used here)."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def conv(cin, cout, kernel, stride=1, padding=0, dilation=1, groups=1):
    return nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias=False)


class ConvModule(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, cin, cout, kernel, padding=0, dilation=1, groups=1):
        super().__init__()
        self.conv = conv(cin, cout, kernel, 1, padding, dilation, groups)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class SeparableConv(nn.Module):
    """Depthwise 3x3 then pointwise 1x1, each with batch norm and ReLU."""

    def __init__(self, cin, cout, dilation=1):
        super().__init__()
        self.depthwise_conv = ConvModule(cin, cin, 3, dilation, dilation, cin)
        self.pointwise_conv = ConvModule(cin, cout, 1)

    def forward(self, x):
        return self.pointwise_conv(self.depthwise_conv(x))


class BasicBlock(nn.Module):
    """Residual block; only its first convolution carries stride and dilation."""

    def __init__(self, cin, cout, stride, dilation):
        super().__init__()
        self.conv1 = conv(cin, cout, 3, stride, dilation, dilation)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = conv(cout, cout, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(conv(cin, cout, 1, stride), nn.BatchNorm2d(cout))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + identity)


class Backbone(nn.Module):
    """ResNet-18 with contracted dilations; the paper's output stride is 8."""

    STAGES = {  # by output stride: cin, cout, stride, dilation of block 0, dilation of block 1
        8: [(64, 64, 1, 1, 1), (64, 128, 2, 1, 1), (128, 256, 1, 1, 2), (256, 512, 1, 2, 4)],
        16: [(64, 64, 1, 1, 1), (64, 128, 2, 1, 1), (128, 256, 2, 1, 1), (256, 512, 1, 1, 2)],
        32: [(64, 64, 1, 1, 1), (64, 128, 2, 1, 1), (128, 256, 2, 1, 1), (256, 512, 2, 1, 1)],
    }

    def __init__(self, stem="v1c", output_stride=8):
        super().__init__()
        self.deep_stem = stem == "v1c"
        if self.deep_stem:
            layers = []
            for cin, cout, stride in [(3, 32, 2), (32, 32, 1), (32, 64, 1)]:
                layers += [conv(cin, cout, 3, stride, 1), nn.BatchNorm2d(cout), nn.ReLU()]
            self.stem = nn.Sequential(*layers)
        else:
            self.conv1 = conv(3, 64, 7, 2, 3)
            self.bn1 = nn.BatchNorm2d(64)
        for i, (cin, cout, stride, first, second) in enumerate(self.STAGES[output_stride]):
            blocks = [BasicBlock(cin, cout, stride, first), BasicBlock(cout, cout, 1, second)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))

    def forward(self, x):
        """Return [stem and pool, layer1, layer2, layer3, layer4]."""
        x = self.stem(x) if self.deep_stem else F.relu(self.bn1(self.conv1(x)))
        features = [F.max_pool2d(x, 3, 2, 1)]
        for i in range(4):
            features.append(getattr(self, f"layer{i + 1}")(features[-1]))
        return features


class PSPHead(nn.Module):
    SCALES = (1, 2, 3, 6)

    def __init__(self, num_classes, dropout, output_stride):
        super().__init__()
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(s), ConvModule(512, 128, 1)) for s in self.SCALES
        )
        self.bottleneck = ConvModule(1024, 128, 3, 1)
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(128, num_classes, 1)

    def forward(self, features):
        x = features[4]
        pooled = [resize(branch(x), x.shape[2:]) for branch in self.psp_modules]
        x = self.bottleneck(torch.cat([x, *pooled], 1))
        return self.conv_seg(self.dropout(x))


class DeepLabV3PlusHead(nn.Module):
    DILATIONS = (12, 24, 36)  # at output stride 8

    def __init__(self, num_classes, dropout, output_stride):
        super().__init__()
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(512, 128, 1))
        self.aspp_modules = nn.ModuleList([ConvModule(512, 128, 1)])
        self.aspp_modules.extend(
            SeparableConv(512, 128, d * 8 // output_stride) for d in self.DILATIONS)
        self.bottleneck = ConvModule(640, 128, 3, 1)
        self.c1_bottleneck = ConvModule(64, 12, 1)
        self.sep_bottleneck = nn.Sequential(SeparableConv(140, 128), SeparableConv(128, 128))
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(128, num_classes, 1)

    def forward(self, features):
        x, low = features[4], features[1]
        branches = [resize(self.image_pool(x), x.shape[2:])]
        branches += [module(x) for module in self.aspp_modules]
        x = self.bottleneck(torch.cat(branches, 1))
        x = torch.cat([resize(x, low.shape[2:]), self.c1_bottleneck(low)], 1)
        return self.conv_seg(self.dropout(self.sep_bottleneck(x)))


class AuxiliaryHead(nn.Module):
    """One-convolution FCN head on layer3, used in training only."""

    def __init__(self, num_classes, dropout):
        super().__init__()
        self.convs = nn.Sequential(ConvModule(256, 64, 3, 1))
        self.dropout = nn.Dropout2d(dropout)
        self.conv_seg = nn.Conv2d(64, num_classes, 1)

    def forward(self, features):
        return self.conv_seg(self.dropout(self.convs(features[3])))


class Segmentor(nn.Module):
    """Backbone, decode head and auxiliary head."""

    HEADS = {"pspnet": PSPHead, "deeplabv3plus": DeepLabV3PlusHead}

    def __init__(self, arch="pspnet", stem="v1c", num_classes=2, dropout=0.1, output_stride=8):
        super().__init__()
        self.backbone = Backbone(stem, output_stride)
        self.decode_head = self.HEADS[arch](num_classes, dropout, output_stride)
        self.auxiliary_head = AuxiliaryHead(num_classes, dropout)

    def forward(self, x):
        """Decode-head logits resized to the input size (inference)."""
        return resize(self.decode_head(self.backbone(x)), x.shape[2:])

    def forward_train(self, x):
        """Logits of both heads, each resized to the input size."""
        features = self.backbone(x)
        heads = (self.decode_head, self.auxiliary_head)
        return tuple(resize(head(features), x.shape[2:]) for head in heads)


def fill_by_formula(model):
    """Give every parameter and buffer the value that its key name stands for."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape))))
    return model


def initialise(model):
    """Random start without transfer: Kaiming fan-out; conv_seg N(0, 0.01); zero bn2."""
    for name, module in model.named_modules():
        if name.endswith("conv_seg"):
            nn.init.normal_(module.weight, 0.0, 0.01)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1]
            nn.init.normal_(module.weight, 0.0, (2.0 / fan_out) ** 0.5)
        elif isinstance(module, BasicBlock):
            nn.init.zeros_(module.bn2.weight)
    return model


def count(module, kind=None):
    """Parameters of `module`, or of its layers of one kind only."""
    if kind is None:
        return sum(p.numel() for p in module.parameters())
    layers = [m for m in module.modules() if isinstance(m, kind)]
    return sum(p.numel() for m in layers for p in m.parameters())


def check_counts():
    """Parameter counts of both networks at two classes."""
    expected_heads = {"pspnet": (1_442_050, 1_280), "deeplabv3plus": (1_116_526, 5_680)}
    expected_totals = {"pspnet": (12_639_074, 12_786_788), "deeplabv3plus": (12_317_950, 12_465_664)}
    for arch, (head_conv, head_norm) in expected_heads.items():
        model = Segmentor(arch)
        head = model.decode_head
        assert count(model.backbone, nn.Conv2d) == 11_186_016
        assert count(model.backbone, nn.BatchNorm2d) == 9_728
        assert (count(head, nn.Conv2d), count(head, nn.BatchNorm2d)) == (head_conv, head_norm)
        assert count(model.auxiliary_head, nn.Conv2d) == 147_586
        assert count(model.auxiliary_head, nn.BatchNorm2d) == 128
        inference = count(model.backbone) + count(head)
        assert (inference, count(model)) == expected_totals[arch]
    plain = Backbone("v1")
    assert (count(plain, nn.Conv2d), count(plain, nn.BatchNorm2d)) == (11_166_912, 9_600)


def check_shapes():
    """Feature sizes at 256x256 and at an odd size."""
    backbone = Backbone().eval()
    with torch.no_grad():
        even = [tuple(f.shape[2:]) for f in backbone(torch.zeros(1, 3, 256, 256))]
        odd = tuple(backbone(torch.zeros(1, 3, 253, 199))[4].shape[2:])
    assert even == [(64, 64), (64, 64), (32, 32), (32, 32), (32, 32)]
    assert odd == (32, 25)


if __name__ == "__main__":
    check_counts()
    check_shapes()
    print("parameter counts and shapes agree with the specification")
