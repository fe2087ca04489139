"""The networks of keras_gan as PyTorch programs write them: the same layers, sizes and numbers of parameters."""

import torch
from torch import nn


class UNet(nn.Module):
    """Down layers, up layers whose outputs are joined with the down map of the same size, then a last layer."""

    def __init__(self, downs, ups, final):
        super().__init__()
        self.downs, self.ups, self.final = nn.ModuleList(downs), nn.ModuleList(ups), final

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.ups:
            x = torch.cat([up(x), skips.pop()], 1)
        return self.final(x)


def depth(size, deepest):
    return min(deepest, size.bit_length() - 1)


def discogan_generator(size, filters):
    def upsample(channels, width):
        return nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(channels, width, 4, padding=1)

    widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)][: depth(size, 7)]
    downs, channels = [], 3
    for level, width in enumerate(widths):
        down = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        if level > 0 and size >> (level + 1) > 1:  # PyTorch refuses to normalise a 1x1 map
            down.append(nn.InstanceNorm2d(width, affine=True))
        downs.append(nn.Sequential(*down))
        channels = width
    ups = []
    for width in reversed(widths[:-1]):
        ups.append(nn.Sequential(*upsample(channels, width), nn.ReLU(), nn.InstanceNorm2d(width, affine=True)))
        channels = 2 * width
    return UNet(downs, ups, nn.Sequential(*upsample(channels, 3), nn.Tanh()))


def discogan_discriminator(filters):
    layers, channels = [], 3
    for level, multiple in enumerate((1, 2, 4, 8)):
        layers += [nn.Conv2d(channels, filters * multiple, 4, 2, 1), nn.LeakyReLU(0.2)]
        channels = filters * multiple
        if level:
            layers.append(nn.InstanceNorm2d(channels, affine=True))
    return nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(channels, 1, 4, padding=1))


def unet(channels_in, channels_out):
    """The generator of the CycleGAN notebooks."""
    downs, channels = [], channels_in
    for filters, stride in ((32, 1), (64, 2), (128, 2), (128, 2)):
        norm = nn.InstanceNorm2d(channels, affine=True)
        downs.append(nn.Sequential(norm, nn.LeakyReLU(0.2), nn.Conv2d(channels, filters, 3, stride, 1)))
        channels = filters
    ups = []
    for filters, skip in ((128, 128), (64, 64), (64, 32)):
        norm = nn.InstanceNorm2d(channels, affine=True)
        up = nn.ConvTranspose2d(channels, filters, 3, 2, 1, output_padding=1)
        ups.append(nn.Sequential(norm, nn.ReLU(), up))
        channels = filters + skip
    return UNet(downs, ups, nn.Sequential(nn.ConvTranspose2d(channels, channels_out, 3, 1, 1), nn.Sigmoid()))


def unet_discriminator(channels):
    layers = []
    for filters in (32, 64, 128, 256):
        layers += [nn.LeakyReLU(0.2), nn.Conv2d(channels, filters, 3, 2, 1)]
        channels = filters
    return nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Conv2d(channels, 1, 3, padding=1))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        other_half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        self.block = nn.Sequential(*half, nn.ReLU(True), *other_half)

    def forward(self, x):
        return x + self.block(x)


def resnet(blocks):
    """The generator of the CycleGAN paper."""
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, 64, 7), nn.InstanceNorm2d(64), nn.ReLU(True)]
    for channels in (64, 128):
        layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), nn.InstanceNorm2d(2 * channels), nn.ReLU(True)]
    layers += [Residual(256) for _ in range(blocks)]
    for channels in (256, 128):
        layers.append(nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1))
        layers += [nn.InstanceNorm2d(channels // 2), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh())


def patchgan_70(channels, filters, norm):
    layers = [nn.Conv2d(channels, filters, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    channels = filters
    for multiple, stride in ((2, 2), (4, 2), (8, 1)):
        width = filters * multiple
        layers.append(nn.Conv2d(channels, width, 4, stride, 1, bias=norm is nn.InstanceNorm2d))
        layers += [norm(width), nn.LeakyReLU(0.2, True)]
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, 1, 1))


def pix2pix_generator(size, filters):
    widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8, 8)][: depth(size, 8)]
    downs, channels = [nn.Conv2d(3, widths[0], 4, 2, 1, bias=False)], widths[0]
    for level, width in enumerate(widths[1:], 2):
        down = [nn.LeakyReLU(0.2), nn.Conv2d(channels, width, 4, 2, 1, bias=False)]
        if level < len(widths):
            down.append(nn.BatchNorm2d(width))
        downs.append(nn.Sequential(*down))
        channels = width
    ups = []
    for number, width in enumerate(reversed(widths[:-1])):
        up = [nn.ReLU(), nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width)]
        ups.append(nn.Sequential(*up, *([nn.Dropout(0.5)] if number < 3 else [])))
        channels = 2 * width
    return UNet(downs, ups, nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh()))
