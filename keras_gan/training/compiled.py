"""The compile configs of a run and its data loader: checkpoints keep them, so that a resumed run has the same."""

import json
import warnings
from typing import Any

import keras

from keras_gan.errors import BadValueError
from keras_gan.layers import trusted

#: Of a loader: what a run sets itself, and what its files tell.
PROGRESS = ("batch_size", "steps_per_epoch", "epoch", "played", "parts", "share", "seed", "preparation")


def compile_configs(model: Any) -> dict[str, Any]:
    """The compile config of each part, {name: JSON}. None for a part whose config Keras cannot serialize."""
    found = {}
    for part in model.parts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of lambdas, which are refused when a run resumes
            try:
                found[part.name] = json.loads(json.dumps(part.get_compile_config()))
            except (TypeError, ValueError, AttributeError):
                found[part.name] = None
    return found


def restore_compiled(model: Any, kept: dict[str, Any]) -> None:
    """Compiles each part as it was when a checkpoint or a whole model was saved, if it is compiled otherwise.

    Raises:
        BadValueError: if a part was compiled with something that Keras cannot restore, such as a lambda.
    """
    now = compile_configs(model)
    for part in model.parts:
        before = kept.get(part.name, now[part.name])
        if before is None and now[part.name] is not None:
            raise BadValueError(
                f"{part.name} was compiled in Python with objects that Keras cannot save: give them a get_config() and "
                "register them with keras.saving.register_keras_serializable, then train and save anew."
            )
        if before is None or comparable(before) == comparable(now[part.name]):
            continue
        try:
            trusted.check(before, part.name)
            part.compile(**keras.saving.deserialize_keras_object(before))
        except Exception as error:  # Keras raises errors of many kinds
            before.pop("optimizer", None)
            raise BadValueError(
                f"{part.name} was compiled in Python with {str(before)[:200]}, which cannot be restored: "
                "register the objects with keras.saving.register_keras_serializable, then train and save anew."
            ) from error


def comparable(config: dict[str, Any] | None) -> str:
    """A compile config as text, without the optimizer's name, which counts models, and its rate, which is a weight.

    Also without the names under which objects are registered, which may change between versions.
    """
    config = json.loads(json.dumps(config), object_hook=without_registration)
    settings = ((config or {}).get("optimizer") or {}).get("config", {})
    settings.pop("name", None)
    if not isinstance(settings.get("learning_rate"), dict):
        settings.pop("learning_rate", None)
    return json.dumps(config, sort_keys=True)


def without_registration(config: dict[str, Any]) -> dict[str, Any]:
    """A part of a config without `module` and `registered_name`."""
    return {name: value for name, value in config.items() if name not in ("module", "registered_name")}


def loader_config(loader: Any) -> dict[str, Any]:
    """The class of a data loader and its settings, as JSON."""
    plain = {name: value for name, value in vars(loader).items() if not name.startswith("_") and name not in PROGRESS}
    settings = {name: value for name, value in plain.items() if isinstance(value, str | int | float | bool | tuple)}
    return json.loads(json.dumps({"class": type(loader).__name__} | settings, default=str))


def check_loader(loader: Any, kept: dict[str, Any] | None) -> None:
    """Raises BadValueError if a run was trained with another data loader than its arguments make."""
    now = loader_config(loader)
    other = [name for name, value in (kept or {}).items() if now.get(name) != value]
    if other and kept:
        was = ", ".join(f"{name} was {kept[name]!r}, now {now.get(name)!r}" for name in other)
        raise BadValueError(
            f"the data_loader of this run was replaced in Python ({was}): a resumed run cannot replace it; train anew."
        )
