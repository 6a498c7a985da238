"""Our preprocessing, tokenizer and towers beside open_clip's own, for random weights of five architectures.

Small ones of each: the same code with fewer and narrower layers. Needs the training extra; no weights and no network.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from havenfs.extract.clip import PictureEncoder, TextEncoder
from havenfs.extract.tokens import Tokens
from havenfs.models import manifest as manifests, registry

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    # torch's exporter and onnxscript announce changes in themselves that are no business of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),
]

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
TEXTS = [
    "a photo of a dog",
    "Two red cars, at NIGHT!",
    "beach " * 120,
    "café über_straße 日本語 &amp; 🎉",
    "",
    "don't  stop\n now",
]


def vit(_: Path) -> dict[str, Any]:
    vision = {"image_size": 96, "layers": 3, "width": 128, "patch_size": 32}
    return {"embed_dim": 64, "vision_cfg": vision, "text_cfg": TEXT}


def resnet(_: Path) -> dict[str, Any]:
    vision = {
        "image_size": 96,
        "layers": [1, 1, 1, 1],
        "width": 16,
        "head_width": 32,
        "patch_size": None,
    }
    return {"embed_dim": 64, "vision_cfg": vision, "text_cfg": TEXT}


def mobileclip(_: Path) -> dict[str, Any]:
    settings = importlib.import_module("open_clip").get_model_config("MobileCLIP2-S0")
    settings["text_cfg"] |= {"layers": 2, "width": 64, "heads": 2}
    settings["embed_dim"] = 64
    return settings


def siglip(folder: Path) -> dict[str, Any]:
    words(folder / "tokenizer", pad="<pad>", start=None, end="<eos>")
    vision = {
        "image_size": 224, "timm_model_name": "vit_tiny_patch16_224", "timm_model_pretrained": False, "timm_pool": "map",
        "timm_proj": "none",
    }  # fmt: skip
    text = {
        "context_length": 64, "vocab_size": 300, "hf_tokenizer_name": str(folder / "tokenizer"),
        "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 192, "heads": 3, "layers": 2, "no_causal_mask": True,
        "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"},
    }  # fmt: skip
    return {
        "embed_dim": 192, "init_logit_bias": -10, "custom_text": True, "vision_cfg": vision, "text_cfg": text,
    }  # fmt: skip


def roberta(folder: Path) -> dict[str, Any]:
    words(folder / "tokenizer", pad="<pad>", start="<s>", end="</s>")
    (folder / "text").mkdir()
    (folder / "text/config.json").write_text(
        json.dumps(
            {
                "model_type": "xlm-roberta", "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2,
                "num_attention_heads": 2, "intermediate_size": 128, "max_position_embeddings": 130, "pad_token_id": 1,
                "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1,
            }
        )
    )  # fmt: skip
    text = {
        "hf_model_name": str(folder / "text"), "hf_tokenizer_name": str(folder / "tokenizer"), "hf_pooler_type": "mean_pooler",
    }  # fmt: skip
    return {"embed_dim": 64, "vision_cfg": vit(folder)["vision_cfg"], "text_cfg": text}


def words(directory: Path, *, pad: str, start: str | None, end: str) -> None:
    """A tokenizer of the sort that multilingual models have (Unigram over marked spaces), with single characters."""
    special = ["<s>", "<pad>", "</s>", "<unk>"] if start else ["<pad>", "<eos>", "<bos>", "<unk>"]
    characters = [chr(n) for n in range(33, 127)] + ["▁", "é", "ü", "ß", "日"]
    pieces = [(piece, 0.0) for piece in special]
    pieces += [(c, -5.0) for c in characters] + [("▁photo", -2.0), ("▁dog", -2.0), ("▁a", -1.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    single = f"{start} $A {end}" if start else f"$A {end}"
    numbers = [(name, special.index(name)) for name in (start, end) if name]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=numbers)
    fast = importlib.import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        eos_token=end,
        unk_token="<unk>",
        bos_token=start or "<bos>",
    )
    fast.save_pretrained(str(directory))


ARCHITECTURES = {
    "ViT": vit, "ModifiedResNet": resnet, "MobileCLIP2": mobileclip, "SigLIP2": siglip, "XLM-R": roberta,
}  # fmt: skip


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    from havenfs.export import pictures

    return pictures.real(None)[::6][:20]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_product_gives_open_clips_vectors(
    name: str, tmp_path: Path, photos: list[Image.Image], record_property: Any
):
    from havenfs.export import original as originals, package, quantise, towers
    from havenfs.export.agreement import Vectors, agree
    from havenfs.extract.pixels import Pixels

    originals.let_torchvision_load()
    original = originals.load(
        f"small-{name}", pretrained=None, config=ARCHITECTURES[name](tmp_path)
    )
    fp32, int8 = tmp_path / "fp32", tmp_path / "int8"
    for directory in (fp32, int8):
        package.write_settings(directory, original.config, original.preprocess)
        originals.write_tokenizer(original, directory / "textual")
    ours, _ = Tokens(fp32).encode(TEXTS)
    theirs = importlib.import_module("open_clip").get_tokenizer(original.name)(TEXTS).numpy()
    np.testing.assert_array_equal(ours, theirs)

    towers.export(
        original.model, fp32 / manifests.VISUAL, fp32 / manifests.TEXTUAL, size=original.size, context=original.context
    )  # fmt: skip
    torch = Vectors(
        images=originals.images(original, photos), texts=originals.texts(original, theirs)
    )
    model = registry.load(fp32)
    exact = Vectors(
        images=PictureEncoder(model).encode(photos), texts=TextEncoder(model).encode_all(TEXTS)
    )
    found = agree(torch, exact)
    assert found.cosine_min >= 0.9999
    assert found.text_cosine_min >= 0.9999

    fit = Pixels(manifests.decode(fp32 / manifests.PREPROCESS, manifests.PREPROCESSES))
    pixels = np.stack([fit.array(photo) for photo in photos])
    quantise.visual(fp32 / manifests.VISUAL, int8 / manifests.VISUAL, pixels)
    quantise.textual(fp32 / manifests.TEXTUAL, int8 / manifests.TEXTUAL)
    model = registry.load(int8)
    small = agree(
        torch,
        Vectors(
            images=PictureEncoder(model).encode(photos), texts=TextEncoder(model).encode_all(TEXTS)
        ),
    )
    print(f"{name}: fp32 {found.cosine_min:.6f} / {found.text_cosine_min:.6f}; int8 {small}")
    assert small.cosine_mean >= 0.9
    assert small.text_cosine_mean >= 0.9
