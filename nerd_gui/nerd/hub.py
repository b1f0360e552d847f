"""Exports a network as a folder for the Hugging Face Hub, which `PyTorchModelHubMixin` can read back."""

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
    """Write ``model.safetensors``, ``config.json``, ``README.md`` and, for the program's own networks, ``LICENSE``.

    The weights are a copy of the network's file. The configuration says that there is no weight norm, because the file
    holds the folded weights. The README is the network's card, if it has one, below the metadata that the Hub reads.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a network, or a ``.safetensors`` file.
    folder : Path
        Created if it does not exist.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    ModelError
        If the network cannot be read.
    OSError
        If a file cannot be written, or exists and may not be replaced.
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
    """The network's card with a YAML header; links to files that are not exported become plain text."""
    name, card = source.stem, source.with_suffix(".md")
    terms = ["license: other", "license_name: nerd-gui-networks", "license_link: LICENSE"] if ours else []
    head = ["library_name: nerd-gui", "pipeline_tag: image-to-image", *terms, "tags:", *(f"- {tag}" for tag in _TAGS)]
    text = card.read_text(encoding="utf-8") if card.is_file() else f"# {name}\n"
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", text)
    text = re.sub(r"\[([^\]]*)\]\((?!https?://|LICENSE\))[^)]*\)", r"\1", text)
    return "\n".join(["---", *head, "---", "", text.rstrip(), "", _LOADING.format(name=name)])
