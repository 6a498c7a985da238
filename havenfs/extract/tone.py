"""High dynamic range video to sRGB: PQ and HLG (ITU-R BT.2100) down to what a screen and a model of ordinary pictures expect.

Reference white (203 cd/m2, ITU-R BT.2408) comes out as white's neighbour, brighter light is rolled off; hues stay by
scaling the three channels alike. Pure functions of arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRANSFERS = {16: "pq", 18: "hlg"}
"""TransferCharacteristics of ITU-T H.273 that are high dynamic range."""
_WHITE = 203.0  # cd/m2
_PEAK = 1000.0  # cd/m2, of the display that HLG is made for here
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)  # from BT.2020, linear light (BT.2087)
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)


def mapped(pixels: NDArray[np.uint16], transfer: str) -> NDArray[np.uint8]:
    """RGB [height, width, 3] of 16-bit code values in BT.2020 with that *transfer* ("pq" or "hlg"), as sRGB."""
    codes = np.arange(65536, dtype=np.float64) / 65535
    table = (_pq(codes) if transfer == "pq" else _hlg(codes)).astype(np.float32)
    light = table[pixels]
    if (
        transfer == "hlg"
    ):  # the system's gamma of 1.2 on luminance turns scene light into display light
        scene = np.maximum(light @ _LUMA, 1e-6)[..., None]
        light = _PEAK * light * scene**0.2
    light = np.maximum(light @ _TO_709.T, 0) / _WHITE
    bright = light.max(axis=-1, keepdims=True)
    top = _PEAK / _WHITE
    # Reinhard's curve with a white point: 1 at the peak, nearly straight in the shadows
    rolled = bright * (1 + bright / top**2) / (1 + bright)
    scaled: NDArray[np.float32] = np.clip(1.55 * light * (rolled / np.maximum(bright, 1e-6)), 0, 1)
    curve = 1.055 * scaled ** (1 / 2.4) - 0.055
    dark = scaled <= 0.0031308
    curve[dark] = 12.92 * scaled[dark]
    return (curve * 255 + 0.5).astype(np.uint8)


def _pq(codes: NDArray[Any]) -> NDArray[Any]:
    """cd/m2 (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = codes ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg(codes: NDArray[Any]) -> NDArray[Any]:
    """Scene light, 0 to 1 (ARIB STD-B67)."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)
