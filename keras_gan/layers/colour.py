"""Colouring that keeps the gray picture: a network makes two channels of colour, and this layer adds the lightness.

Zhang et al., "Colorful Image Colorization", 2016 (https://arxiv.org/abs/1603.08511), section 2, and pix2pix' authors'
colouring model predict the channels a and b of CIE Lab in the same way.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

#: sRGB to XYZ at the white D65 (IEC 61966-2-1), each row divided by its sum: white is (1, 1, 1), luminance the middle.
XYZ_OF_RGB = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
XYZ_OF_RGB /= XYZ_OF_RGB.sum(axis=1, keepdims=True)
RGB_OF_XYZ = np.linalg.inv(XYZ_OF_RGB)
AB = 110.0  # a and b of sRGB are in [-108, 99]
LUMA = 0.299, 0.587, 0.114  # of red, green and blue in a gray picture (ITU-R BT.601), as Pillow makes it
DELTA = 6 / 29  # below its cube, CIE Lab replaces the cube root by a line
TINY = 1e-12


def linear(values: Any) -> Any:
    """Values of sRGB in [0, 1] to light in [0, 1]."""
    curve = ((ops.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4
    return ops.where(values > 0.04045, curve, values / 12.92)


def encoded(light: Any) -> Any:
    """Light in [0, 1] to values of sRGB in [0, 1]. The power is kept from 0, where its slope is infinite."""
    curve = 1.055 * ops.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return ops.where(light > 0.0031308, curve, 12.92 * light)


def root(luminance: Any) -> Any:
    """CIE Lab's f: L* is 116 f(Y) - 16."""
    curve = ops.maximum(luminance, DELTA**3) ** (1 / 3)
    return ops.where(luminance > DELTA**3, curve, luminance / (3 * DELTA**2) + 4 / 29)


def cube(f: Any) -> Any:
    """The inverse of `root`."""
    return ops.where(f > DELTA, f**3, 3 * DELTA**2 * (f - 4 / 29))


def into_gamut(colour: Any, gray: Any) -> Any:
    """Fades colours that have a channel outside [0, 1] into the gray of the same lightness, until none has.

    Cutting channels off would change the lightness. The share of colour is a constant to the gradient: it then tells
    in which direction, and from a colour that is too strong it still says "less".
    """
    distance = colour - gray
    room, taken = ops.where(distance > 0, 1 - gray, gray), ops.abs(distance)
    share = ops.min(room / ops.maximum(ops.maximum(taken, room), TINY), axis=-1, keepdims=True)
    return gray + ops.stop_gradient(share) * distance


def from_lab(gray: Any, chroma: Any) -> Any:
    """Gray in [0, 1] and (a, b) / 110 to sRGB in [0, 1] of the same L*."""
    luminance = linear(gray)
    f = root(luminance)
    a, b = AB * chroma[..., :1], AB * chroma[..., 1:]
    xyz = cube(f + a / 500), luminance, cube(f - b / 200)
    # Sums, not a product of matrices: on a GPU that has 10 bits of precision
    light = [sum(float(share) * axis for share, axis in zip(row, xyz, strict=True)) for row in RGB_OF_XYZ]
    return encoded(into_gamut(ops.concatenate(light, axis=-1), luminance))


def from_ycbcr(gray: Any, chroma: Any) -> Any:
    """Gray in [0, 1] and 2 (Cb, Cr) to sRGB in [0, 1] of the same luma: what Pillow makes gray is `gray` again."""
    of_red, of_green, of_blue = LUMA
    blue, red = gray + (1 - of_blue) * chroma[..., :1], gray + (1 - of_red) * chroma[..., 1:]
    green = (gray - of_red * red - of_blue * blue) / of_green
    return into_gamut(ops.concatenate([red, green, blue], axis=-1), gray)


SPACES = {"lab": from_lab, "ycbcr": from_ycbcr}


@keras.saving.register_keras_serializable(package="keras_gan")
class AddLightness(keras.layers.Layer):
    """Adds the lightness of a gray picture to two channels of colour. The result has the gray picture's lightness.

    Args:
        space: "lab": CIE Lab at the white D65; the channels are a and b, divided by 110. The result has the picture's
            L*. "ycbcr": Y'CbCr of ITU-R BT.601; the channels are Cb and Cr, times 2. The result has the picture's luma.
        value_range: of all pictures, (-1, 1) or (0, 1). The middle of the range is "no colour" in both channels.

    Shapes: a list of gray pictures, (batch, height, width, 1), and colours, (batch, height, width, 2), to RGB pictures,
    (batch, height, width, 3), all in `value_range`. Colours that do not exist at this lightness are made paler.

    Raises:
        ValueError: for another space.
    """

    def __init__(self, space: str = "lab", value_range: Sequence[float] = (-1, 1), **kwargs: Any):
        super().__init__(**kwargs)
        if space not in SPACES:
            raise ValueError(f"space must be one of {', '.join(SPACES)}, not {space!r}.")
        self.space, self.value_range = space, tuple(value_range)

    def call(self, inputs: Any) -> Any:
        low, high = self.value_range
        gray, chroma = ((values - low) / (high - low) for values in inputs)
        return low + (high - low) * SPACES[self.space](gray, 2 * chroma - 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], 3)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"space": self.space, "value_range": list(self.value_range)}


def with_lightness(network: Any, space: str, value_range: Sequence[float]) -> Any:
    """A network that colours gray pictures, from one that makes their two channels of colour in the value range.

    Args:
        network: (batch, height, width, 1) to (batch, height, width, 2).
        space: see `AddLightness`.
        value_range: of its inputs and outputs.
    """
    add = AddLightness(space, value_range, dtype=keras.config.floatx())  # full precision, also in mixed precision
    return keras.Model(network.input, add([network.input, network.output]), name=network.name)
