"""Writes a trained generator for programs without Keras: as a SavedModel, for ONNX or for LiteRT (TensorFlow Lite).

python -m keras_gan.export MODEL --format savedmodel|onnx|tflite [--direction AtoB|BtoA] [--output PATH]

What is written is opened with the runtime that is to use it and compared with Keras before it gets its name; a file
that gives other pictures is not left behind. It needs no code of this package, and says of itself what its use takes:
the range of values of its pictures, their sizes, which way it translates. In ONNX these are metadata properties; in a
SavedModel `assets.extra/keras_gan.json`; a .tflite file is at the same time a ZIP archive that holds `keras_gan.json`.
"""

import importlib.util
import json
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

from keras_gan import console, generators
from keras_gan.errors import BadValueError, UserError

#: The ending of each format's file, and the packages that write and open it.
ENDINGS = {"savedmodel": "", "onnx": ".onnx", "tflite": ".tflite"}
PACKAGES = {"savedmodel": (), "onnx": ("onnx", "tf2onnx", "onnxruntime"), "tflite": ("ai_edge_litert",)}
#: How far any value may be from that of Keras, in full precision; and how far, as a root mean square, the values may be
#: from what a network in float16 gives itself: at single ones its own rounding is up to 0.02, other on every processor.
TOLERANCE, TOLERANCE_FLOAT16 = 1e-4, 1e-2
DESCRIPTION = "keras_gan.json"


def export(model, format, output=None, direction=None):
    """Writes a generator in another format.

    Networks that compute in half precision are written in full, in which their weights are. Any
    number of pictures makes a batch.

    Args:
        model, direction: see `keras_gan.generators.find`.
        format: "savedmodel" (a folder), "onnx" or "tflite".
        output: where; None: beside the generator's file, or in the working directory if there is none.

    Returns:
        The `pathlib.Path` of what was written.

    Raises:
        NotFoundError: (a FileNotFoundError) if there is no such model.
        BadValueError: (a ValueError) for another model or format, a package that is missing, an output that
            exists, or if the result differs from Keras.
    """
    check_format(format)
    path = checked_output(output) if output else None
    generator = generators.find(model, direction)
    check_backend()
    if path is None:
        source = generator.path or Path(generator.name)
        name = source.stem if format != "savedmodel" else f"{source.stem}_savedmodel"
        path = checked_output(source.with_name(name + ENDINGS[format]))
    with tempfile.TemporaryDirectory(prefix=".unfinished.", dir=path.parent) as folder:
        unfinished = Path(folder, "network" + ENDINGS[format])
        try:
            write(generator, format, unfinished)
            run = RUNTIMES[format](unfinished)
            compare(generator, run, format)
        except UserError:
            raise
        except Exception as error:  # what converters and runtimes raise has no base in common
            reason = f"{type(error).__name__}: {str(error).strip().partition(os.linesep)[0]}"
            raise BadValueError(f"{generator.title} could not be written as {format}: {reason}") from error
        os.rename(unfinished, path)
    return path


def check_format(format):
    """Raises BadValueError for a format that there is not, or one whose packages are missing."""
    if format not in ENDINGS:
        raise BadValueError(f"format must be one of {', '.join(ENDINGS)}, not {format!r}.")
    for package in PACKAGES[format]:
        if importlib.util.find_spec(package) is None:
            raise BadValueError(
                f'format {format} needs the package {package}: python -m pip install "keras-gan[export]", '
                'or ".[export]" in a clone.'
            )


def checked_output(path):
    """The path as a `Path`, its folder made; BadValueError if it exists or cannot be."""
    path = Path(path)
    if path.exists():
        raise BadValueError(f"{str(path)!r} exists: name another --output.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadValueError(f"{str(path.parent)!r} is no folder that can be made: {error.strerror}.") from error
    if not os.access(path.parent, os.W_OK):
        raise BadValueError(f"{str(path.parent)!r} cannot be written: name another --output.")
    return path


def check_backend():
    """Raises BadValueError on JAX: of the three formats Keras writes none there without TensorFlow or more packages."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadValueError(
            f"Keras runs on {keras.backend.backend()}, and exports on TensorFlow: set KERAS_BACKEND=tensorflow; "
            "what was trained on the other opens there."
        )


def write(generator, format, path):
    """Writes the generator and what is to be known of it, by Keras' own export."""
    network, about = in_full_precision(generator.model), description(generator)
    if format == "savedmodel":
        network.export(path, format="tf_saved_model", verbose=False)
        (path / "assets.extra").mkdir()
        (path / "assets.extra" / DESCRIPTION).write_text(json.dumps(about, indent=1), encoding="utf-8")
    elif format == "onnx":
        import onnx

        network(network.inputs)  # Keras writes no ONNX file of a network that was never called
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)  # which Keras looks for
            network.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
        onnx.helper.set_model_props(model, {name: as_text(value) for name, value in about.items()})
        onnx.save(model, path)
    else:
        network.export(path, format="litert", verbose=False)
        with zipfile.ZipFile(path, "a") as archive:  # behind the network, which ends where it says
            archive.writestr(DESCRIPTION, json.dumps(about, indent=1))


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def description(generator):
    """What a user of the exported network has to know, as JSON has it."""
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
    }


def in_full_precision(model):
    """The same network in float32, as the formats need it; the model itself where it is."""
    import keras

    if all(layer.compute_dtype == "float32" for layer in model.layers if layer.variables):
        return model

    def float32(layer):
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    network = keras.models.clone_model(model, clone_function=float32)
    network.set_weights(model.get_weights())
    return network


def compare(generator, run, format):
    """Raises BadValueError if what is written gives other pictures than Keras, of a batch of one and of three."""
    full = in_full_precision(generator.model)
    references = [(generators.Generator(full, generator.path), TOLERANCE, np.max)]
    if "float16" in {layer.compute_dtype for layer in generator.model.layers}:
        references.append((generator, TOLERANCE_FLOAT16, root_mean_square))
    for size in (1, 3):
        inputs = examples(generator, size)
        images = run(*inputs)
        for reference, tolerance, summary in references:
            expected = reference(*inputs)
            if images.shape != expected.shape:
                raise BadValueError(f"{format} makes pictures {images.shape}, Keras {expected.shape}: nothing is kept.")
            difference = float(summary(np.abs(images - expected)))
            if not difference <= tolerance:  # also where it is no number
                raise BadValueError(
                    f"{generator.title} as {format} differs from Keras by {difference:.2g}, "
                    f"more than {tolerance:g}: nothing is kept."
                )


def root_mean_square(values):
    return np.sqrt(np.mean(np.square(values)))


def examples(generator, size):
    """Inputs of a generator to compare by: pictures of noise, or codes and labels."""
    rng = np.random.default_rng(0)
    if generator.kind == "translation":
        return [rng.uniform(*generator.value_range, (size, *generator.shape)).astype("float32")]
    codes = rng.standard_normal((size, generator.latent_dim)).astype("float32")
    return [codes] if generator.kind == "latent" else [codes, np.arange(size, dtype="int32") % generator.classes]


def savedmodel_runtime(path):
    """A function of inputs, as `Generator` has them, that runs a SavedModel on TensorFlow."""
    import keras

    layer = keras.layers.TFSMLayer(path, call_endpoint="serve")
    return lambda *inputs: np.asarray(layer(inputs[0] if len(inputs) == 1 else list(inputs)))


def onnx_runtime(path):
    """The same for an ONNX file, on onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [argument.name for argument in session.get_inputs()]
    return lambda *inputs: session.run(None, dict(zip(names, inputs, strict=True)))[0]


def tflite_runtime(path):
    """The same for a .tflite file, on LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))

    def run(*inputs):
        details = sorted(interpreter.get_input_details(), key=lambda detail: -len(detail["shape"]))
        for detail, array in zip(details, inputs, strict=True):  # codes have an axis more than labels
            interpreter.resize_tensor_input(detail["index"], array.shape)
        interpreter.allocate_tensors()
        for detail, array in zip(details, inputs, strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


RUNTIMES = {"savedmodel": savedmodel_runtime, "onnx": onnx_runtime, "tflite": tflite_runtime}


def main(argv=None):
    needs = 'Needs the extra "export" for onnx and tflite.'
    parser = console.Parser.of("keras_gan.export", __doc__.partition("\n\n")[0], epilog=needs)
    parser.add_argument("model", metavar="MODEL", help="a .keras file or the folder of a run")
    parser.add_argument("--format", required=True, choices=ENDINGS)
    parser.add_argument("--direction", choices=generators.DIRECTIONS, help="which generator of a run that has two")
    parser.add_argument("--output", metavar="PATH", help="default: beside the generator's file")
    arguments = parser.parse_args(argv)
    with console.one_line_errors():
        check_format(arguments.format)
        with console.silence():  # of what the converters write past Python
            path = export(arguments.model, arguments.format, arguments.output, arguments.direction)
        print(path)


if __name__ == "__main__":
    main()
