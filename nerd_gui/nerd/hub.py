"""A network as a folder that the Hugging Face Hub takes, and that its `PyTorchModelHubMixin` reads back."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

from nerd_gui.files import write_file
from nerd_gui.nerd.weights import load_config, model_path
from nerd_gui.places import data_folder

_TAGS = ("image-denoising", "deep-equilibrium-model", "nerd")
_LOADING = """\
## How to load it

```python
from huggingface_hub import hf_hub_download
from nerd_gui.nerd import load_model

net = load_model(hf_hub_download("OWNER/{name}", "model.safetensors"))
```

or, as a model of your own that has the Hub's methods:

```python
from huggingface_hub import PyTorchModelHubMixin
from nerd_gui.nerd import NERD

class HubNERD(NERD, PyTorchModelHubMixin):
    pass

net = HubNERD.from_pretrained("OWNER/{name}").fold()
```
"""


def export_hub(name_or_path: str | Path, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write ``model.safetensors``, ``config.json``, ``README.md`` and, with a network of the program, ``LICENSE``.

    The weights are the file of the network, byte by byte. The configuration is that of the folded network, without
    weight norm, whose tensors are in the file. The README is the network's card, as far as there is one, below the head
    that the Hub reads.

    Parameters
    ----------
    name_or_path : str or Path
        A network by its name, or a ``.safetensors`` file.
    folder : Path
        Made if it is not there.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    ModelError
        If the network cannot be read.
    OSError
        If a file cannot be written, or is there and may not be replaced.
    """
    source = model_path(name_or_path)
    config = replace(load_config(name_or_path), weight_norm=False)
    ours = data_folder("weights") in source.resolve().parents
    written = {
        "model.safetensors": source.read_bytes(),
        "config.json": f"{json.dumps(asdict(config), indent=2)}\n".encode(),
        "README.md": _readme(source, ours=ours).encode(),
    }
    if ours:
        written["LICENSE"] = (data_folder("weights") / "LICENSE").read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in written.items():
        write_file(folder / name, content, overwrite=overwrite)
    return [folder / name for name in written]


def _readme(source: Path, *, ours: bool) -> str:
    """The card with a head in YAML; links to files that do not go with it become plain words."""
    name, card = source.stem, source.with_suffix(".md")
    terms = ["license: other", "license_name: nerd-gui-networks", "license_link: LICENSE"] if ours else []
    head = ["library_name: nerd-gui", "pipeline_tag: image-to-image", *terms, "tags:", *(f"- {tag}" for tag in _TAGS)]
    text = card.read_text(encoding="utf-8") if card.is_file() else f"# {name}\n"
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", text)
    text = re.sub(r"\[([^\]]*)\]\((?!https?://|LICENSE\))[^)]*\)", r"\1", text)
    return "\n".join(["---", *head, "---", "", text.rstrip(), "", _LOADING.format(name=name)])
