"""The model to export, as open_clip makes it: with its weights or random ones, its preprocessing and its tokenizer.

The only place that imports open_clip. Needs the training extra; reaches the network only for weights and tokenizers that
open_clip itself fetches because they were asked for by name.
"""

# torch, onnx and open_clip are an extra and come without types:
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import json
import os
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from havenfs.errors import ConfigError
from havenfs.export import bytepairs
from havenfs.models import manifest as manifests

UNLOADED = (RuntimeError, OSError, ValueError, KeyError, EOFError, pickle.UnpicklingError)
"""What open_clip and torch raise about weights that are out of reach, or are none, or another model's."""

_operators: list[Any] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A model in torch with everything around it."""

    name: str
    model: Any
    config: dict[str, Any]
    """open_clip's configuration: embed_dim, vision_cfg, text_cfg."""
    preprocess: dict[str, Any]
    """As open_clip's preprocess_cfg: size, mode, mean, std, interpolation, resize_mode, fill_color."""
    context: int
    """Tokens of one text."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input."""
        size = self.preprocess["size"]
        return (size, size) if isinstance(size, int) else (size[0], size[-1])


def let_torchvision_load() -> None:
    """Declare the operators of torchvision's binary part, which a CPU build of torch cannot load (open_clip needs none)."""
    if _operators:
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _operators.append(library)


def load(
    name: str, *, pretrained: str | None, config: dict[str, Any] | None = None, seed: int = 0
) -> Original:
    """open_clip's model *name* with the weights *pretrained* (a tag or a file), random ones without.

    *config* stands for open_clip's own configuration of that name. Raises ConfigError for names that open_clip does not know
    and for weights that cannot be had.
    """
    let_torchvision_load()
    import open_clip

    torch.manual_seed(seed)
    if config is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.json"
            path.write_text(json.dumps(config))
            open_clip.add_model_config(path)
    settings = open_clip.get_model_config(name)
    if settings is None:
        known = ", ".join(open_clip.list_models())
        raise ConfigError(f"open_clip has no model {name!r}; it has {known}")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained is not None and pretrained not in tags and not Path(pretrained).exists():
        raise ConfigError(
            f"open_clip has no weights {pretrained!r} of {name}; it has {', '.join(tags) or 'none'}"
        )
    try:
        model = open_clip.create_model(
            name, pretrained=pretrained, load_weights=pretrained is not None, pretrained_text=False
        )
    except UNLOADED as error:
        if pretrained is None:
            raise
        raise _unloaded(name, pretrained, error) from error
    model = _simplified(model.eval())
    preprocess = dict(open_clip.get_model_preprocess_cfg(model))
    preprocess |= {key: list(preprocess[key]) for key in ("mean", "std")}
    text = settings["text_cfg"]
    return Original(
        name=name, model=model, config=settings, preprocess=preprocess, context=text.get("context_length", 77)
    )  # fmt: skip


def _unloaded(name: str, pretrained: str, error: Exception) -> ConfigError:
    """What to say of weights that could not be fetched, or do not fit."""
    import open_clip

    # Its first sentence: torch goes on and says how to run what a strange file holds.
    why = " ".join(str(error).split()).partition(". ")[0][:300]
    if Path(pretrained).exists():
        return ConfigError(f"{pretrained} does not hold weights of {name} ({why})")
    entry = open_clip.get_pretrained_cfg(name, pretrained)
    if entry.get("hf_hub"):
        hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
        place = f"{hub}/{entry['hf_hub'].strip('/')}"
    else:
        place = entry.get("url", "the network")
    return ConfigError(
        f"the weights {pretrained!r} of {name} could not be fetched from {place} ({why}). Export on a machine that is online, "
        f"name a mirror with HF_ENDPOINT, or a file that you have: {name}:FILE. For a test without weights: --random"
    )


def _simplified(model: Any) -> Any:
    """Branches that training needed folded into one (MobileCLIP), where timm knows how."""
    from timm.utils.model import reparameterize_model

    return reparameterize_model(model)


def write_tokenizer(original: Original, directory: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into *directory*. Raises ConfigError when open_clip cannot get at it."""
    import open_clip

    text = original.config["text_cfg"]
    if text.get("hf_tokenizer_name") is None:
        bytepairs.write(directory, bytepairs.build(original.context))
        return
    try:
        open_clip.get_tokenizer(original.name).tokenizer.save_pretrained(str(directory))
    except (ImportError, OSError, ValueError) as error:
        raise ConfigError(
            f"the tokenizer {text['hf_tokenizer_name']} of {original.name} cannot be fetched ({str(error)[:200]}). "
            "Put its tokenizer.json and tokenizer_config.json into a folder and name that with --tokenizer DIR"
        ) from error
    if not (directory / Path(manifests.TOKENIZER).name).exists():
        raise ConfigError(f"the tokenizer of {original.name} has no tokenizer.json")


def images(original: Original, pictures: list[Any]) -> Any:
    """open_clip's own vectors of Pillow pictures, float32 [n, d], unit length, by its own preprocessing."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    settings = {**original.preprocess, "size": original.size}
    transform = image_transform_v2(PreprocessCfg(**settings), is_train=False)
    rows = []
    with torch.no_grad():
        for at in range(0, len(pictures), 8):
            batch = torch.stack([transform(picture) for picture in pictures[at : at + 8]])
            rows.append(original.model.encode_image(batch, normalize=True))
    return torch.cat(rows).float().numpy()


def texts(original: Original, ids: Any) -> Any:
    """open_clip's own vectors of token numbers int [n, context], float32 [n, d], unit length."""
    with torch.no_grad():
        return original.model.encode_text(torch.as_tensor(ids), normalize=True).float().numpy()
