"""The network of this model in PyTorch: PSPNet or DeepLabV3+ on a dilated ResNet-18.

Written by Sorby; the same file for every model; its keyword arguments say which. Modules are named as in
MMSegmentation, so that the weights load there too. Input: grey values, float32 `[N, 1, H, W]`. Output: probabilities
of the classes, float32 `[N, classes, H, W]`.
"""

import torch
from torch import nn
from torch.nn import functional as F


def resize(x, size):
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def conv(cin, cout, kernel, stride=1, padding=0, dilation=1, groups=1):
    return nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias=False)


class ConvModule(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, cin, cout, kernel, padding=0, dilation=1, groups=1):
        super().__init__()
        self.conv = conv(cin, cout, kernel, 1, padding, dilation, groups)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class SeparableConv(nn.Module):
    def __init__(self, cin, cout, dilation=1):
        super().__init__()
        self.depthwise_conv = ConvModule(cin, cin, 3, dilation, dilation, cin)
        self.pointwise_conv = ConvModule(cin, cout, 1)

    def forward(self, x):
        return self.pointwise_conv(self.depthwise_conv(x))


class BasicBlock(nn.Module):
    """Only the first convolution is dilated."""

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
    """ResNet-18; the first block of a dilated stage has half its dilation."""

    def __init__(self, stem, strides, dilations):
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
        cin = 64
        for i, (cout, stride, dilation) in enumerate(zip((64, 128, 256, 512), strides, dilations)):
            blocks = [BasicBlock(cin, cout, stride, max(dilation // 2, 1)), BasicBlock(cout, cout, 1, dilation)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            cin = cout

    def forward(self, x):
        x = self.stem(x) if self.deep_stem else F.relu(self.bn1(self.conv1(x)))
        stages = [F.max_pool2d(x, 3, 2, 1)]
        for i in range(4):
            stages.append(getattr(self, f"layer{i + 1}")(stages[-1]))
        return stages[1:]


class PSPHead(nn.Module):
    def __init__(self, classes, pool_scales, dilations):
        super().__init__()
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(s), ConvModule(512, 128, 1)) for s in pool_scales
        )
        self.bottleneck = ConvModule(512 + 128 * len(pool_scales), 128, 3, 1)
        self.conv_seg = nn.Conv2d(128, classes, 1)

    def forward(self, stages):
        x = stages[3]
        pooled = [resize(branch(x), x.shape[2:]) for branch in self.psp_modules]
        return self.conv_seg(self.bottleneck(torch.cat([x, *pooled], 1)))


class DeepLabV3PlusHead(nn.Module):
    def __init__(self, classes, pool_scales, dilations):
        super().__init__()
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(512, 128, 1))
        self.aspp_modules = nn.ModuleList([ConvModule(512, 128, 1)])
        self.aspp_modules.extend(SeparableConv(512, 128, d) for d in dilations)
        self.bottleneck = ConvModule(640, 128, 3, 1)
        self.c1_bottleneck = ConvModule(64, 12, 1)
        self.sep_bottleneck = nn.Sequential(SeparableConv(140, 128), SeparableConv(128, 128))
        self.conv_seg = nn.Conv2d(128, classes, 1)

    def forward(self, stages):
        x, low = stages[3], stages[0]
        branches = [resize(self.image_pool(x), x.shape[2:])]
        branches += [module(x) for module in self.aspp_modules]
        x = self.bottleneck(torch.cat(branches, 1))
        x = torch.cat([resize(x, low.shape[2:]), self.c1_bottleneck(low)], 1)
        return self.conv_seg(self.sep_bottleneck(x))


class Network(nn.Module):
    """Grey values in, probabilities out. `grey_range` is (black, white) of stored values, or None for 0..255."""

    def __init__(self, arch, stem, classes, strides, dilations, pool_scales, head_dilations, mean, std, grey_range):
        super().__init__()
        self.backbone = Backbone(stem, strides, dilations)
        head = {"pspnet": PSPHead, "deeplabv3plus": DeepLabV3PlusHead}[arch]
        self.decode_head = head(classes, pool_scales, head_dilations)
        self.grey_range = grey_range
        # Not part of the weights.
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, x):
        if self.grey_range is not None:
            black, white = self.grey_range
            steps = (x - black) * (65535.0 / (white - black))
            x = torch.floor(steps.clamp(0.0, 65535.0) + 0.5) / 257.0
        x = (x - self.mean) / self.std
        return torch.softmax(resize(self.decode_head(self.backbone(x)), x.shape[2:]), 1)
