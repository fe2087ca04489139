"""Exports a trained generator to SavedModel, ONNX or LiteRT (TensorFlow Lite), to use it without Keras.

python -m keras_gan.export MODEL --format savedmodel|onnx|tflite [--direction AtoB|BtoA] [--output PATH]

Each export is run in its target runtime and compared with Keras; an export that differs is deleted. It needs no code of
this package and carries metadata: value range, input and output sizes, direction. ONNX stores them as metadata
properties, SavedModel in `assets.extra/keras_gan.json`, .tflite in `keras_gan.json` of an appended ZIP archive.
"""

import errno
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from keras_gan import console, generators
from keras_gan.errors import BadValueError, UserError, check_here
from keras_gan.files import unfinished_folder

#: By format: the file extension, and the packages needed to write and run it.
ENDINGS = {"savedmodel": "", "onnx": ".onnx", "tflite": ".tflite"}
PACKAGES = {"savedmodel": [], "onnx": ["onnx", "tf2onnx", "onnxruntime"], "tflite": ["ai_edge_litert"]}
#: The largest difference of any value from Keras in float32, and the largest RMS difference from a float16 network.
#: RMS because float16 itself is off by up to 0.02 at single values, and differently on each processor.
TOLERANCE, TOLERANCE_FLOAT16 = 1e-4, 1e-2
DESCRIPTION = "keras_gan.json"


def export(model: Any, format: str, output: str | Path | None = None, direction: str | None = None) -> Path:
    """Exports a generator in another format, with a dynamic batch size.

    Mixed-precision networks are exported in float32, the dtype of their weights.

    Args:
        model, direction: see `keras_gan.generators.find`.
        format: "savedmodel" (a folder), "onnx" or "tflite".
        output: path to write; None: in `models/` of its run, beside its file, or in the working directory.

    Returns:
        The path of the export.

    Raises:
        NotFoundError: (a FileNotFoundError) if the model does not exist.
        BadValueError: (a ValueError) for an unsupported model or format, a missing package, an output that
            exists, or a result that differs from Keras.
    """
    check_format(format)
    path = checked_output(output) if output else None
    generator = generators.find(model, direction)
    check_backend()
    if path is None:
        source = generator.path or Path(generator.name)
        if generator.run and source.parent.parent != generator.run:  # kept networks and checkpoints may be replaced
            source = generator.run / "models" / f"{source.stem}-{source.parent.name}.keras"
        name = source.stem if format != "savedmodel" else f"{source.stem}_savedmodel"
        path = checked_output(source.with_name(name + ENDINGS[format]))
    with unfinished_folder(path) as beside, writable(str(beside)) as folder:
        unfinished, checked = (Path(place, "network" + ENDINGS[format]) for place in (folder, beside))
        try:
            write(generator, format, unfinished)
            run = RUNTIMES[format](unfinished)
            compare(generator, run, format)
        except (UserError, MemoryError):
            raise
        except Exception as error:  # converters and runtimes share no base class of errors
            reason = f"{type(error).__name__}: {str(error).strip().partition(os.linesep)[0]}"
            is_full = shutil.disk_usage(folder).free < 2**20
            todo = console.WAYS_OUT[errno.ENOSPC] if is_full else console.way_out(error, otherwise="")
            reason += f": {todo}." if todo else ""
            raise BadValueError(f"{generator.title} could not be written as {format}: {reason}") from error
        shutil.move(unfinished, checked)
        os.rename(checked, path)
    return path


def writable(folder: str) -> AbstractContextManager[str]:
    """The folder; or a temporary one, if its path is no UTF-8, which TensorFlow and the converters cannot write to."""
    try:
        folder.encode()
    except UnicodeEncodeError:
        return tempfile.TemporaryDirectory()
    return nullcontext(folder)


def check_format(format: str) -> None:
    """Raises BadValueError for an unknown format or a missing package."""
    if format not in ENDINGS:
        raise BadValueError(f"format must be one of {', '.join(ENDINGS)}, not {format!r}.")
    console.check_packages(f"format {format}", PACKAGES[format], "export")


def checked_output(path: str | Path) -> Path:
    """Makes the folder of the path; BadValueError if the path exists or cannot be written."""
    check_here(path)
    path = Path(path)
    if path.exists():
        raise BadValueError(f"{str(path)!r} exists: name another --output.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadValueError(f"cannot create the folder {str(path.parent)!r}: {error.strerror}.") from error
    if not os.access(path.parent, os.W_OK):
        raise BadValueError(f"{str(path.parent)!r} cannot be written: name another --output.")
    return path


def check_backend() -> None:
    """Raises BadValueError on JAX, where Keras needs TensorFlow or other packages for each of the three formats."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadValueError(
            f"Keras exports on TensorFlow, not {keras.backend.backend()}: set KERAS_BACKEND=tensorflow."
        )


def write(generator: generators.Generator, format: str, path: Path) -> None:
    """Writes the generator with Keras' own export, and adds the metadata."""
    network, about = in_full_precision(generator.model), description(generator)
    if format == "savedmodel":
        network.export(path, format="tf_saved_model", verbose=False)
        (path / "assets.extra").mkdir()
        (path / "assets.extra" / DESCRIPTION).write_text(json.dumps(about, indent=1), encoding="utf-8")
    elif format == "onnx":
        import onnx

        network(network.inputs)  # Keras exports only called networks to ONNX
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)  # Keras looks it up
            network.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
        onnx.helper.set_model_props(
            model, {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
        )
        onnx.save(model, path)
    else:
        network.export(path, format="litert", verbose=False)
        with zipfile.ZipFile(path, "a") as archive:  # readers of the network ignore appended bytes
            archive.writestr(DESCRIPTION, json.dumps(about, indent=1))


def description(generator: generators.Generator) -> dict[str, Any]:
    """The metadata of an exported network, JSON-serialisable."""
    import keras_gan

    arguments = generator.config.get("arguments", {})
    only = arguments.get("direction") if generator.kind == "translation" and generator.direction is None else None
    return {
        "made_by": f"keras_gan {keras_gan.__version__}",
        "model": generator.name,
        "kind": generator.kind,
        "direction": generator.direction or only,
        "value_range": list(generator.value_range),
        "inputs": [list(shape) for shape in generators.inputs_of(generator.model)],
        "output": [None, *generator.out_shape],
        "layout": "batch, height, width, channels; RGB where there are three",
        "fit": generator.fit if generator.kind == "translation" else None,
        "preparation": generator.preparation and generator.preparation._asdict(),
    }


def in_full_precision(model: Any) -> Any:
    """A float32 copy of the network, which the formats need; the model itself if it is float32."""
    import keras

    if all(layer.compute_dtype == "float32" for layer in model.layers if layer.variables):
        return model

    def float32(layer: Any) -> Any:
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    network = keras.models.clone_model(model, clone_function=float32)
    network.set_weights(model.get_weights())
    return network


def compare(generator: generators.Generator, run: Callable[..., np.ndarray], format: str) -> None:
    """Raises BadValueError if the export differs from Keras on a batch of one or of three."""
    full = generators.Generator(in_full_precision(generator.model), generator.path)
    references: list[tuple[Any, float, Callable]] = [(full, TOLERANCE, np.max)]
    if "float16" in {layer.compute_dtype for layer in generator.model.layers}:
        references.append((generator, TOLERANCE_FLOAT16, root_mean_square))
    for size in (1, 3):
        inputs = examples(generator, size)
        images = run(*inputs)
        for reference, tolerance, summary in references:
            expected = reference(*inputs)
            if images.shape != expected.shape:
                raise BadValueError(f"{format} gives shape {images.shape}, Keras {expected.shape}: nothing is saved.")
            difference = float(summary(np.abs(images - expected)))
            if not difference <= tolerance:  # also true for NaN
                raise BadValueError(
                    f"{generator.title} as {format} differs from Keras by {difference:.2g}, "
                    f"more than {tolerance:g}: nothing is saved."
                )


def root_mean_square(values: np.ndarray) -> float:
    return np.sqrt(np.mean(np.square(values)))


def examples(generator: generators.Generator, size: int) -> list[np.ndarray]:
    """A random input batch for a generator: pictures, or codes and labels."""
    rng = np.random.default_rng(0)
    if generator.kind == "translation":
        return [rng.uniform(*generator.value_range, (size, *generator.shape)).astype("float32")]
    codes = rng.standard_normal((size, generator.latent_dim)).astype("float32")
    return [codes] if generator.kind == "latent" else [codes, generator.labels(np.arange(size) % generator.classes)]


def savedmodel_runtime(path: Path) -> Callable[..., np.ndarray]:
    """Loads a SavedModel in TensorFlow as a function with the signature of `Generator.__call__`."""
    import keras

    layer = keras.layers.TFSMLayer(path, call_endpoint="serve")
    return lambda *inputs: np.asarray(layer(inputs[0] if len(inputs) == 1 else list(inputs)))


def onnx_runtime(path: Path) -> Callable[..., np.ndarray]:
    """Loads an ONNX file in onnxruntime; returns a function as `savedmodel_runtime` does."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [argument.name for argument in session.get_inputs()]
    return lambda *inputs: session.run(None, dict(zip(names, inputs, strict=True)))[0]


def tflite_runtime(path: Path) -> Callable[..., np.ndarray]:
    """Loads a .tflite file in LiteRT; returns a function as `savedmodel_runtime` does."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))

    def run(*inputs: np.ndarray) -> np.ndarray:
        details = sorted(interpreter.get_input_details(), key=lambda detail: -len(detail["shape"]))
        for detail, array in zip(details, inputs, strict=True):  # codes (2 axes) before labels (1)
            interpreter.resize_tensor_input(detail["index"], array.shape)
        interpreter.allocate_tensors()
        for detail, array in zip(details, inputs, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


RUNTIMES = {"savedmodel": savedmodel_runtime, "onnx": onnx_runtime, "tflite": tflite_runtime}


def main(argv: list[str] | None = None) -> None:
    needs = 'Needs the extra "export" for onnx and tflite.'
    parser = console.Parser.of("keras_gan.export", (__doc__ or "").partition("\n\n")[0], epilog=needs)
    parser.add_argument("model", metavar="MODEL", help="a .keras file, a run, RUN@best, or a checkpoint's folder")
    parser.add_argument("--format", required=True, choices=ENDINGS)
    text = "for a run with two generators (default: AtoB)"
    parser.add_argument("--direction", choices=generators.DIRECTIONS, help=text)
    parser.add_argument("--output", metavar="PATH", help="default: beside the generator's file")
    arguments = parser.parse_args(argv)
    with console.one_line_errors():
        check_format(arguments.format)
        with console.silence():  # native converters write to standard error
            path = export(arguments.model, arguments.format, arguments.output, arguments.direction)
        print(path)


if __name__ == "__main__":
    main()
