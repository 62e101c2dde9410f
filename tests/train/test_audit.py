"""No hyperparameter outside the settings: what decides a run is in the tree, and so in every checkpoint."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import asciiloom

PACKAGE = Path(asciiloom.__file__).parent
# Where such numbers belong; ``generate`` samples and ``tokens`` shows prompts by settings of their own.
SETTINGS = {"train/settings.py"}
ROOMS = ("train", "cli/training.py", "cli/demo/run.py")
NAMES = {
    "lr", "muon_lr", "betas", "beta1", "beta2", "momentum", "muon_momentum", "weight_decay", "ns_steps", "clip",
    "max_norm", "warmup", "decay", "floor", "dropout", "words", "sizes", "everything", "label_smoothing", "gamma",
    "temperature", "steps", "minutes", "epochs", "tokens", "accumulate", "eval_every", "eval_pieces",
    "save_every", "keep", "skips", "rollbacks",
}  # fmt: skip
# Whatever they are given decides what is learned, by any name or none.
CALLS = {
    "AdamW", "Adam", "SGD", "Muon", "clip_grad_norm_", "clip_grad_value_", "Dropout", "dropout", "cross_entropy",
    "LambdaLR", "OneCycleLR", "CosineAnnealingLR", "Optimizers",
}  # fmt: skip


def _number(node: ast.AST | None) -> bool:
    """Whether ``node`` is a number other than 0 (which leaves out), or holds one."""
    if node is None:
        return False
    return any(
        isinstance(n, ast.Constant) and type(n.value) in (int, float) and n.value
        for n in ast.walk(node)
    )


def hyperparameters(source: str) -> Iterator[str]:
    """Line and name of every hyperparameter that is a number in ``source``."""
    for node in ast.walk(ast.parse(source)):
        found: list[tuple[str, ast.AST | None]] = []
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [(k.arg or "", k.value) for k in node.keywords]
            found = [(name, v) for name, v in given if name in NAMES or called in CALLS]
            if called in CALLS:
                found += [(called, v) for v in node.args if isinstance(v, ast.Constant)]
        elif isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            found = [(str(k), v) for k, v in zip(keys, node.values, strict=True) if k in NAMES]
        elif isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            tail = arguments[len(arguments) - len(node.args.defaults) :]
            pairs = [
                *zip(tail, node.args.defaults, strict=True),
                *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
            ]
            found = [(a.arg, default) for a, default in pairs if a.arg in NAMES]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [getattr(t, "id", getattr(t, "attr", "")) for t in targets]
            alone = isinstance(node.value, ast.Constant | ast.UnaryOp)
            found = [(n, node.value) for n in names if alone and n.lower().strip("_") in NAMES]
        yield from (f"{node.lineno}: {name}" for name, value in found if _number(value))


def test_no_hyperparameter_outside_the_settings() -> None:
    files = [
        file
        for room in ROOMS
        for file in (
            sorted((PACKAGE / room).rglob("*.py")) if "." not in room else [PACKAGE / room]
        )
    ]
    assert len(files) > 10
    found = [
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in files
        if str(file.relative_to(PACKAGE)) not in SETTINGS
        for line in hyperparameters(file.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "torch.optim.Muon(p, lr=s.lr, momentum=0.95)",
        "AdamW(p, betas=(0.9, s.beta2))",
        "clip_grad_norm_(p, 1.0)",
        "AdamW([{'params': p, 'weight_decay': 0.1}], lr=s.lr)",
        "def rate(step, warmup=40): ...",
        "def rate(step, *, floor=0.02): ...",
        "WARMUP = 40",
        "RunSettings(minutes=2.5)",
        "F.cross_entropy(a, b, label_smoothing=0.1)",
    ],
)
def test_a_planted_one_is_seen(source: str) -> None:
    assert list(hyperparameters(source))


def test_the_settings_themselves_would_be_seen() -> None:
    text = (PACKAGE / "train/settings.py").read_text(encoding="utf-8")
    assert any("weight_decay" in line for line in hyperparameters(text))
