"""The same games on PyTorch, as its users write them: generators first, then discriminators on the same fakes.

While the generators learn, the discriminators are frozen, so no gradient is computed for their weights. The
discriminators learn from the sum of their losses on real pictures and on detached fakes.
"""

import itertools

import pytorch_networks as networks
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from worker import Contestant, Pool, noise, serve


def adam(*models):
    return torch.optim.Adam(parameters(models), lr=2e-4, betas=(0.5, 0.999))


def rmsprop(learning_rate, *models):
    return torch.optim.RMSprop(parameters(models), lr=learning_rate, alpha=0.9, eps=1e-7)


def parameters(models):
    return itertools.chain(*(model.parameters() for model in models))


def tensor(pictures):
    """Converts an array, channels last, to a tensor on the device, channels first."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().to(DEVICE)


def least_squares(verdicts, target):
    return functional.mse_loss(verdicts, torch.full_like(verdicts, target))


def cross_entropy(verdicts, target):
    return functional.binary_cross_entropy_with_logits(verdicts, torch.full_like(verdicts, target))


class Game:
    def step(self):
        for discriminator in self.discriminators:
            discriminator.requires_grad_(False)
        self.generators_learn()
        for discriminator in self.discriminators:
            discriminator.requires_grad_(True)
        self.discriminators_learn()

    def descend(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()  # programs print the loss, so they wait for it


class DiscoGAN(Game):
    def __init__(self, setting):
        self.A, self.B = map(tensor, noise(setting))
        size, filters = setting["size"], setting["filters"]
        self.g_AB, self.g_BA = (networks.discogan_generator(size, filters) for _ in "AB")
        self.d_A, self.d_B = self.discriminators = [networks.discogan_discriminator(filters) for _ in "AB"]
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


class CycleGAN(Game):
    """U-Nets: real and fake pictures share a batch (notebooks). ResNets: a pool of past fakes (paper)."""

    def __init__(self, setting):
        self.is_unet = setting["model"] == "cyclegan-unet"
        self.A, self.B = map(tensor, noise(setting, low=0.0 if self.is_unet else -1.0))
        a, b = setting["channels"]
        self.identity = a == b
        self.pool_A, self.pool_B = (Pool(0 if self.is_unet else 50) for _ in "AB")
        if self.is_unet:
            self.g_AB, self.g_BA = networks.unet(a, b), networks.unet(b, a)
            self.d_A, self.d_B = map(networks.unet_discriminator, (a, b))
            self.g_optimizer = rmsprop(1e-4, self.g_AB, self.g_BA)
            self.d_A_optimizer, self.d_B_optimizer = rmsprop(2e-4, self.d_A), rmsprop(2e-4, self.d_B)
        else:
            self.g_AB, self.g_BA = (networks.resnet(setting["blocks"]) for _ in "AB")
            self.d_A, self.d_B = (networks.patchgan_70(3, 64, nn.InstanceNorm2d) for _ in "AB")
            self.g_optimizer = adam(self.g_AB, self.g_BA)
            self.d_A_optimizer, self.d_B_optimizer = adam(self.d_A), adam(self.d_B)
        self.discriminators = [self.d_A, self.d_B]

    def generators_learn(self):
        self.fake_B, self.fake_A = self.g_AB(self.A), self.g_BA(self.B)
        loss = least_squares(self.d_A(self.fake_A), 1.0) + least_squares(self.d_B(self.fake_B), 1.0)
        loss = loss + 10 * functional.l1_loss(self.g_BA(self.fake_B), self.A)
        loss = loss + 10 * functional.l1_loss(self.g_AB(self.fake_A), self.B)
        if self.identity:
            loss = loss + 5 * functional.l1_loss(self.g_BA(self.A), self.A)
            loss = loss + 5 * functional.l1_loss(self.g_AB(self.B), self.B)
        self.descend(self.g_optimizer, loss)

    def discriminators_learn(self):
        for discriminator, optimizer, pool, real, fake in (
            (self.d_A, self.d_A_optimizer, self.pool_A, self.A, self.fake_A),
            (self.d_B, self.d_B_optimizer, self.pool_B, self.B, self.fake_B),
        ):
            if self.is_unet:
                verdicts = discriminator(torch.cat([real, fake.detach()]))
                of_real, of_fake = verdicts.chunk(2)
            else:
                of_real, of_fake = discriminator(real), discriminator(torch.stack(pool(fake.detach())))
            self.descend(optimizer, 0.5 * (least_squares(of_real, 1.0) + least_squares(of_fake, 0.0)))


class Pix2Pix(Game):
    def __init__(self, setting):
        self.A, self.B = map(tensor, noise(setting))
        self.generator = networks.pix2pix_generator(setting["size"], setting["filters"])
        self.discriminator = networks.patchgan_70(6, setting["filters"], nn.BatchNorm2d)
        self.discriminators = [self.discriminator]
        self.g_optimizer, self.d_optimizer = adam(self.generator), adam(self.discriminator)

    def generators_learn(self):
        self.fake = self.generator(self.A)
        loss = cross_entropy(self.discriminator(torch.cat([self.A, self.fake], 1)), 1.0)
        self.descend(self.g_optimizer, loss + 100 * functional.l1_loss(self.fake, self.B))

    def discriminators_learn(self):
        of_real = self.discriminator(torch.cat([self.A, self.B], 1))
        of_fake = self.discriminator(torch.cat([self.A, self.fake.detach()], 1))
        self.descend(self.d_optimizer, 0.5 * (cross_entropy(of_real, 1.0) + cross_entropy(of_fake, 0.0)))


def on_device(game, setting):
    """Moves the networks to the device and prepares them as the setting says; the names of a GPU's programs."""
    if setting.get("channels_last"):
        game.A, game.B = (batch.contiguous(memory_format=torch.channels_last) for batch in (game.A, game.B))
    for name in NETWORKS:
        network = getattr(game, name, None)
        if network is not None:
            network.to(DEVICE)
            if setting.get("channels_last"):
                network.to(memory_format=torch.channels_last)
            if setting.get("compile"):
                network.compile()
    if setting.get("dtype") == "bfloat16":
        generators_learn, discriminators_learn = game.generators_learn, game.discriminators_learn
        autocast = torch.autocast(DEVICE, torch.bfloat16)
        game.generators_learn, game.discriminators_learn = autocast(generators_learn), autocast(discriminators_learn)
    return game


DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NETWORKS = ("g_AB", "g_BA", "d_A", "d_B", "generator", "discriminator")
GAMES = {"discogan": DiscoGAN, "cyclegan-unet": CycleGAN, "cyclegan-resnet": CycleGAN, "pix2pix": Pix2Pix}


def build(setting):
    torch.manual_seed(0)
    game = on_device(GAMES[setting["model"]](setting), setting)
    return Contestant(
        step=game.step,
        networks={name: getattr(game, name) for name in NETWORKS if hasattr(game, name)},
        count=lambda network: sum(parameter.numel() for parameter in network.parameters()),
        weight=lambda network: next(network.parameters()).detach().cpu().numpy().copy(),
        flop=lambda: flop(game.step),
        versions=f"PyTorch {torch.__version__}",
    )


def flop(step):
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


if __name__ == "__main__":
    serve(build)
