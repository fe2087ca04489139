"""The same networks as PyTorch programs write them: generators first, then discriminators on the same fakes."""

import itertools

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from worker import Contestant, Pool, noise, serve


class DiscoGANGenerator(nn.Module):
    def __init__(self, size, filters):
        super().__init__()
        widths = [filters * multiple for multiple in (1, 2, 4, 8, 8, 8, 8)]
        widths = widths[: min(7, size.bit_length() - 1)]
        self.downs = nn.ModuleList()
        channels = 3
        for level, width in enumerate(widths):
            down = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
            if 0 < level and size >> (level + 1) > 1:  # no norm on a 1x1 map: PyTorch has none
                down.append(nn.InstanceNorm2d(width, affine=True))
            self.downs.append(nn.Sequential(*down))
            channels = width
        self.ups = nn.ModuleList()
        for width in reversed(widths[:-1]):
            up = [*self.upsample(channels, width), nn.ReLU(), nn.InstanceNorm2d(width, affine=True)]
            self.ups.append(nn.Sequential(*up))
            channels = 2 * width
        self.final = nn.Sequential(*self.upsample(channels, 3), nn.Tanh())

    @staticmethod
    def upsample(channels, width):
        return nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(channels, width, 4, padding=1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.ups:
            x = torch.cat([up(x), skips.pop()], 1)
        return self.final(x)


def discogan_discriminator(filters):
    layers, channels = [], 3
    for level, multiple in enumerate((1, 2, 4, 8)):
        layers += [nn.Conv2d(channels, filters * multiple, 4, 2, 1), nn.LeakyReLU(0.2)]
        channels = filters * multiple
        if level:
            layers.append(nn.InstanceNorm2d(channels, affine=True))
    return nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(channels, 1, 4, padding=1))


def adam(*networks):
    parameters = itertools.chain(*(network.parameters() for network in networks))
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def least_squares(verdicts, target):
    return functional.mse_loss(verdicts, torch.full_like(verdicts, target))


def requires_grad(networks, flag):
    for network in networks:
        network.requires_grad_(flag)


class Game:
    """Generators learn first, while the discriminators are frozen."""

    def step(self):
        requires_grad(self.discriminators, False)
        self.generators_learn()
        requires_grad(self.discriminators, True)
        self.discriminators_learn()

    def descend(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()  # as programs do that print it


class DiscoGAN(Game):
    def __init__(self, setting):
        self.A, self.B = map(tensor, noise(setting))
        self.g_AB, self.g_BA = (DiscoGANGenerator(setting["size"], setting["filters"]) for _ in "AB")
        self.d_A, self.d_B = (discogan_discriminator(setting["filters"]) for _ in "AB")
        self.discriminators = [self.d_A, self.d_B]
        self.g_optimizer = adam(self.g_AB, self.g_BA)
        self.d_A_optimizer, self.d_B_optimizer = adam(self.d_A), adam(self.d_B)

    def generators_learn(self):
        self.fake_B, self.fake_A = self.g_AB(self.A), self.g_BA(self.B)
        loss = least_squares(self.d_A(self.fake_A), 1.0) + least_squares(self.d_B(self.fake_B), 1.0)
        loss = loss + functional.l1_loss(self.fake_B, self.B) + functional.l1_loss(self.fake_A, self.A)
        loss = loss + functional.l1_loss(self.g_BA(self.fake_B), self.A)
        loss = loss + functional.l1_loss(self.g_AB(self.fake_A), self.B)
        self.descend(self.g_optimizer, loss)

    def discriminators_learn(self):
        for discriminator, optimizer, real, fake in (
            (self.d_A, self.d_A_optimizer, self.A, self.fake_A),
            (self.d_B, self.d_B_optimizer, self.B, self.fake_B),
        ):
            loss = least_squares(discriminator(real), 1.0) + least_squares(discriminator(fake.detach()), 0.0)
            self.descend(optimizer, loss)


def tensor(pictures):
    """Channels last, as an array, to channels first."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


GAMES = {"discogan": DiscoGAN}


def build(setting):
    torch.manual_seed(0)
    game = GAMES[setting["model"]](setting)
    names = ("g_AB", "g_BA", "d_A", "d_B", "generator", "discriminator")
    return Contestant(
        step=game.step,
        networks={name: getattr(game, name) for name in names if hasattr(game, name)},
        count=lambda network: sum(parameter.numel() for parameter in network.parameters()),
        weight=lambda network: next(network.parameters()).detach().numpy().copy(),
        flop=lambda: flop(game.step),
        versions=f"PyTorch {torch.__version__}",
    )


def flop(step):
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


if __name__ == "__main__":
    serve(build)
