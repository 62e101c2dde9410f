"""The model as a folder that consumers read: weights, config, tokenizer, and a card in plain words."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from asciiloom.errors import CheckpointError, OutputError
from asciiloom.export.tokenizer_json import write_tokenizer
from asciiloom.model import Card, GridTransformer, load_model, save_model
from asciiloom.outputs import output_folder

# The files of an export.
MODEL_FILES = (
    "README.md",
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)


def export_model(
    target: Path, model: GridTransformer, card: Card, *, force: bool = False
) -> dict[str, Any]:
    """Write ``model`` for consumers into ``target``; returns the files' sizes in bytes.

    The files are read back before they get their names: an export that does not load is an error
    here, not at the consumer's.
    """
    with output_folder(target, names=MODEL_FILES, force=force) as folder:
        try:
            save_model(folder, model, card)
        except SafetensorError as error:
            raise OutputError(
                f"cannot write {target}: {error}; what was there before is unchanged"
            ) from error
        write_tokenizer(folder, model.config.tokenizer, model.config.context)
        (folder / "README.md").write_text(_card_text(model, card), encoding="utf-8")
        again, _ = load_model(folder)
        for name, value in model.state_dict().items():
            if not bool((again.state_dict()[name] == value.cpu()).all()):
                raise CheckpointError(f"the export to {target} does not read back: {name} differs")
        files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    return {"folder": str(target), "parameters": model.parameter_count(), "files": files}


def _card_text(model: GridTransformer, card: Card) -> str:
    training = card.training
    corpus = training.get("corpus", {})
    lines = [
        "---",
        "library_name: asciiloom",
        "pipeline_tag: text-generation",
        "tags: [ascii-art, text-art]",
        "---",
        "",
        "# A text-art model made with asciiloom",
        "",
        f"{model.parameter_count():,} parameters; charset {model.config.charset};"
        f" drawings of up to {model.config.context:,} characters.",
        "",
        "```python",
        "from asciiloom import Constraint, Generator",
        "",
        'generator = Generator.load("path/to/this/folder")',
        'print(generator.draw("cat", constraint=Constraint(max_width=40, max_height=12))[0].text)',
        "```",
        "",
        "## Training",
        "",
    ]
    if not training:
        return "\n".join([*lines, "None: the weights are random.", ""])
    lines += [
        f"Trained on {corpus.get('pieces', 0):,} pieces ({training.get('characters', 0):,} characters read)"
        f" for {training.get('seconds', 0):,} s; corpus digest `{corpus.get('digest', '')}`.",
        "",
        "| licence of the training pieces | pieces |",
        "| --- | ---: |",
        *(
            f"| {name.replace('|', '/')} | {n:,} |"
            for name, n in corpus.get("licences", {}).items()
        ),
        "",
    ]
    return "\n".join(lines)
