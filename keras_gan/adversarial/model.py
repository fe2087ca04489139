"""The game that every model plays: compiled parts define it, one fused step trains them.

A model file builds compiled Keras models: its discriminators, and one `Combined` with the generators' losses. In each
step `AdversarialModel` generates fakes once, updates the discriminators on them, then the generators on the same fakes.
"""

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from keras_gan import backend
from keras_gan.adversarial.augment import shown_by
from keras_gan.adversarial.losses import Adversarial
from keras_gan.adversarial.parts import PartsOptimizer, chosen
from keras_gan.adversarial.rules import Rules
from keras_gan.adversarial.state import StatefulModel
from keras_gan.adversarial.step import judge, play
from keras_gan.backend.memory import keep_freed_memory
from keras_gan.errors import BadValueError, check_rate
from keras_gan.training import hosts, old_runs
from keras_gan.training.run import Run


class FixedSample(NamedTuple):
    """What a model makes of fixed inputs, to compare different times of a run."""

    rows: Any  # rows of pictures (height, width, channels), in the value range of the data
    titles: list[str] | None  # one per column
    captions: Sequence[str] | None  # one per row
    figures: dict[str, float]  # held-out figures


class AdversarialModel(StatefulModel):
    """Base of all models: trains `discriminators` against `combined`, one fused step per batch.

    A batch is what the data loader yields: pictures of domains A and B, or pictures and their labels, or pictures
    only. A model sets `discriminators` (a list of compiled models), `combined` and `data_loader`, and has
        generator_inputs(batch): the inputs of `combined`; by default the batch itself;
        discriminator_batches(batch, fakes): the (discriminator, x, y) of all updates, in order;
        generator_targets(batch): the targets of `combined`, in the order of its outputs;
        sample_images(epoch, batch_i): saves a picture grid and returns its path;
        fixed_sample(): a `FixedSample` of what the networks make of the same pictures or noise each time.
    It may set `generators_first` (update the generators before the discriminators) or `discriminators_every` (if n:
    iterations 0, n, 2n, ... train only the discriminators, all others only the generators), and override
    `before_step()`, called at the beginning of each step.

    The logs of `fit()` (averages since the epoch began) and of `train_on_batch(return_dict=True)` (this batch only)
    name every term: `g_loss`, what `combined` minimises; `OUTPUT_loss` for each of its outputs; `D_loss` and `D_acc`
    for each discriminator D (its compiled loss, and the share of right verdicts, 0 to 1, both over real and fake);
    `D_penalty`, if there is one; `d_loss`, `d_acc` and `d_penalty`, their means over the discriminators.

    Args:
        name: the name of the model and of its command. Default run folders begin with it.
        seed: seed of weights, noise and data order, 0 to 2**32 - 1; default: a random one.
        output: folder of the run; default: the next free runs/NAME-DATASET-N.
        learning_rate: learning rate of the generators and, without d_learning_rate, of the discriminators; default:
            the recipe's, 0.0002 (CycleGAN: 0.0001, its discriminators 0.0002).
        d_learning_rate: learning rate of the discriminators; default: learning_rate or else the recipe's.
        beta_1: decay of the mean gradient in Adam; default: the recipe's, 0.5. CycleGAN has RMSprop, which knows none.
        diffaugment: how to transform what discriminators see, real or fake, so that few pictures are enough: some of
            color,translation,cutout with commas, all or none.
        instance_noise: noise added to what discriminators see: its standard deviation at the beginning, in half value
            ranges; it fades linearly; 0: none.
        noise_iterations: iterations until instance_noise has faded to zero.
        g_optimizer: Keras optimizer for the generators; None: the recipe's. The numbers above then change it, too.
        d_optimizer: the same for the discriminators; each gets its own copy.
        adversarial_loss: mse (least squares), bce (cross-entropy), hinge or wgan-gp; default: the recipe's.
        relativistic: whether verdicts count relative to the mean verdict on the other side.
        gradient_penalty: weight of the penalty on gradients that are not 1 between originals and fakes; default: 0,
            with wgan-gp 10.
        r1: gamma of the R1 penalty on gradients at originals, such as 10; 0: none.
        critic_steps: iterations in which the discriminators learn for one in which the generators learn, too; default:
            1, with wgan-gp 5.
        label_smoothing: how far the target of originals is below 1 for the discriminators, such as 0.1.
        spectral_norm: whether the discriminators' kernels are divided by their spectral norm.

    Raises:
        BadValueError: on a Keras backend other than TensorFlow or JAX, for an invalid seed, and for a number of an
            optimizer that cannot work or that the optimizer does not have.
    """

    TRAIN = {"epochs": 100, "batch_size": 1, "sample_interval": 200}  # defaults of `train()`
    QUICK: dict[str, dict[str, Any]] = {}  # a small run: "model", for the constructor, and "train", for `train()`

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if command := old_runs.command_of(cls.__name__, kwargs.get("recipe")):
            raise BadValueError(f"recipe={kwargs['recipe']!r} is a model of its own now: python -m keras_gan.{command}")
        model = super().__new__(cls, *args, **kwargs)
        model._constructed_with = inspect.signature(cls).bind(*args, **kwargs)
        return model

    def __init__(
        self,
        name: str,
        seed: int | None = None,
        output: str | None = None,
        learning_rate: float | None = None,
        d_learning_rate: float | None = None,
        beta_1: float | None = None,
        diffaugment: str = "none",
        instance_noise: float = 0.0,
        noise_iterations: int = 10_000,
        g_optimizer: Any = None,
        d_optimizer: Any = None,
        adversarial_loss: str | None = None,
        relativistic: bool = False,
        gradient_penalty: float | None = None,
        r1: float = 0.0,
        critic_steps: int | None = None,
        label_smoothing: float = 0.0,
        spectral_norm: bool = False,
    ) -> None:
        backend.check()
        keep_freed_memory()
        super().__init__(name=name)
        self.seed = hosts.shared_seed(seed, self._constructed_with.arguments)
        with backend.alone():
            keras.utils.set_random_seed(self.seed)
        check_rate(learning_rate=learning_rate, d_learning_rate=d_learning_rate)
        self.g_optimizer = chosen(g_optimizer, learning_rate, beta_1)
        self.d_optimizer = chosen(d_optimizer, learning_rate if d_learning_rate is None else d_learning_rate, beta_1)
        of_loss = adversarial_loss, relativistic, gradient_penalty, r1
        self.rules = Rules(*of_loss, critic_steps, label_smoothing, spectral_norm)
        self.penalties = {}
        if self.rules.gradient_penalty:
            self.penalty_seed = keras.random.SeedGenerator(self.seed)
        self.discriminators, self.combined = [], None  # a model's constructor makes them
        self.generators_first = False
        self.discriminators_every: int | None = None
        self.totals_before = None
        self.iteration = keras.Variable(0, dtype="int32", trainable=False, name="iteration")
        self.averages = None
        self.accumulate = 1  # the number of parts in which a step computes the gradients of a batch
        self.remat = False  # whether the networks compute anew what the gradients of the generators need
        self.augmentation = shown_by(self, diffaugment, instance_noise, noise_iterations)
        self.run = Run(self, output)
        self._step_made_of: Any = lambda: []  # a function: Keras would save the list's items a second time
        # The parts have the losses and optimizers; this call only enables fit().
        self.compile(optimizer=None, loss=None)
        self.optimizer = PartsOptimizer(self)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The outputs of `combined`."""
        return self.combined(inputs, training=training)

    def adversarial(self, recipe: str) -> Adversarial:
        """The losses of discriminators and generators and the metric of verdicts: the user's choice, or the recipe's.

        Args:
            recipe: the recipe's loss, a name that `keras_gan.adversarial.losses.adversarial_loss` takes.
        """
        return self.rules.adversarial(recipe)

    def generator_inputs(self, batch: list[Any]) -> list[Any]:
        """The inputs of `combined` for a batch."""
        return batch

    def before_step(self) -> None:
        """Called at the beginning of each step, for example to schedule loss weights."""

    def shown(self, x: Any, training: bool | None = None) -> Any:
        """What a discriminator sees of `x`: the same tensors, or in training augmented pictures (`augment.py`)."""
        return x if self.augmentation is None else self.augmentation(x, training=training)

    def train_step(self, *arguments: Any) -> Any:
        """What `fit()` compiles. On TensorFlow it takes a batch; on JAX also the values of all variables."""
        return backend.as_train_step(play)(self, *arguments)

    def test_step(self, *arguments: Any) -> Any:
        """What `evaluate()` compiles: the losses of the game. Takes what `train_step` takes, without optimizers."""
        return backend.as_test_step(judge)(self, *arguments)

    def train_on_batch(self, x: Any, y: Any = None, return_dict: bool = False) -> Any:
        """Runs one step on a batch.

        Args:
            x: pictures, of domain A if there are two: (batch, height, width, channels), float32, in
                the value range of the model.
            y: pictures of domain B, of the same shape, or labels (batch,), for models that use them.
            return_dict: whether to return a dict of named figures, not a list.

        Returns:
            The figures of this batch only, listed under `AdversarialModel`; as a list in the order of their names.
        """
        self.check_range(x)
        logs = super().train_on_batch(x, y, return_dict=True)
        return logs if return_dict else list(logs.values())

    def train(
        self,
        epochs: int | None = None,
        batch_size: int | None = None,
        sample_interval: int | None = None,
        steps_per_epoch: int | None = None,
        callbacks: Sequence[Any] = (),
        decay_epochs: int = 0,
        schedule: str = "constant",
        ema: float = 0.0,
        validation_interval: int = 0,
        checkpoint_interval: int | None = None,
        keep: int = 2,
        save_every: int = 0,
        best_by: str | None = None,
        patience: int = 0,
        validation_pictures: int = 64,
        start_from: str | None = None,
        with_optimizers: bool = False,
        accumulate: int = 1,
        remat: bool = False,
        deterministic: bool = False,
        quiet: bool = False,
        log: str | None = None,
    ) -> Any:
        """Trains. Saves sample grids and checkpoints regularly, and all networks at the end of every epoch.

        Args:
            epochs: passes over the data at the full learning rate.
            batch_size: pictures (or pairs) per iteration.
            sample_interval: iterations between sample grids; if not given, more where a run would save more than 60.
            steps_per_epoch: iterations per epoch; default: one pass over the data.
            callbacks: more Keras callbacks.
            decay_epochs: further epochs, in which the learning rates fall linearly to zero.
            schedule: learning rate schedule: constant, linear (to zero over the second half), cosine, or step (a tenth
                after half of the epochs, a hundredth after three quarters).
            ema: decay per iteration of the moving averages (EMA) of the generators' weights, such as 0.999. Samples and
                saved networks use the averages; 0: no averages.
            validation_interval: epochs between validations, which log the losses on test pictures and the held-out
                figures as val_NAME; 0: none, or 1 if there is a figure to be best by.
            checkpoint_interval: iterations between checkpoints, besides the end of each epoch; default: ten minutes.
            keep: number of newest checkpoints to keep.
            save_every: epochs between networks that are kept, in models/epoch-N; 0: none.
            best_by: held-out figure by which the best networks are kept, in models/best; less of it is better: FID,
                KID or one of the model's own, such as L1_A_to_B; default: none are kept.
            patience: validations in a row without a better figure that end the run early; 0: it does not end early.
            validation_pictures: number of held-out pictures that a validation looks at.
            start_from: trained networks to start from, with the weights of generators and discriminators: a run,
                RUN@best, RUN@12, a checkpoint's folder or a .keras file; layers that do not fit start afresh.
            with_optimizers: also take what the optimizers remember, from a run or a checkpoint's folder.
            accumulate: equal parts of a batch that pass through the networks one after another, for a batch that memory
                has no room for; the updates are those of the whole batch. Batch normalization sees parts.
            remat: compute most maps of the networks once more for the generators' gradients, instead of keeping them
                (rematerialisation): slower, in much less memory; the numbers are the same.
            deterministic: make every operation reproducible bit by bit, on a GPU too.
            quiet: print only the first and last lines, with the paths of the results.
            log: log elsewhere, too: wandb, mlflow, or tensorboard, whose files every run has; several with commas.

        `epochs`, `batch_size` and `sample_interval` default to the model's `TRAIN`, the last one at least.

        Returns:
            Keras' `History`.

        Raises:
            BadValueError: (a ValueError) for numbers below 1, a folder that cannot be written or in which another
                process trains, data of which more than half is broken, an unknown figure to be best by, networks to
                start from that do not fit, or a finished run.
            NotFoundError: (a FileNotFoundError) if there are no networks to start from.
            NotFiniteError: (an ArithmeticError) if a loss or a weight is not finite.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, once the step is done and a checkpoint is saved.
        """
        arguments = {name: value for name, value in locals().items() if name not in ("self", "callbacks")}
        own = {name: value for name, value in self.TRAIN.items() if name != "sample_interval"}
        arguments |= {name: value for name, value in own.items() if arguments[name] is None}
        return self.run.train(arguments, callbacks)

    def held_out(self, number: int, *batch: Any) -> tuple[dict[str, float], dict[str, tuple[Any, Any]]]:
        """The held-out figures of a batch of test pictures with this number; less of each is better.

        Returns:
            (figures that are means over pictures, {direction: (pictures made, real pictures)} for FID and KID).
        """
        return self.fixed_sample().figures, {}
