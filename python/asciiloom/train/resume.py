"""Where a run begins, and whether what is there is this run: same settings, same corpus, same held-out pieces.

Settings are compared as they were given. What is changed on the way, on purpose or because the loss was not
finite, is a list of changes in the checkpoint, applied on top; so the same command goes on with them.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asciiloom.errors import AsciiloomError, CheckpointError, SettingsError
from asciiloom.train.checkpoint import RunState, cannot_resume, find_checkpoint, is_started
from asciiloom.train.recipes import override
from asciiloom.train.settings import OptimSettings, Settings
from asciiloom.typed import from_plain

# Of the run's settings: these decide what is learned and what ``best`` compares, others how long and how told.
_SAME_RUN = ("tokens", "accumulate", "seed", "weights", "eval_pieces", "eval_split", "eval_sources")
_FREE_SECTIONS = ("guard",)
# Another optimizer's moments mean nothing to this one.
_FIXED = ("matrix",)
HALVED = "the loss was not finite"


@dataclass(frozen=True, slots=True)
class Begin:
    """How a run begins: from the checkpoint ``resume`` (of this run, or of another into an empty folder);
    else from the folder's ``latest``; or, if ``fresh``, from nothing, what is there being set aside.

    ``changes``: settings of ``optim`` to change on resuming, as ``optim.lr=0.001``.
    """

    resume: Path | None = None
    fresh: bool = False
    changes: tuple[str, ...] = ()

    def checkpoint(self, run: Path) -> Path | None:
        """The checkpoint to go on from; ``CheckpointError`` where it cannot be this one."""
        if self.resume is not None and self.fresh:
            raise CheckpointError(
                "--resume goes on with a run and --no-resume begins one: not both"
            )
        folder = None
        if self.resume is not None:
            folder = find_checkpoint(self.resume)
            own = folder.resolve().parent == run.resolve()
            if not own and is_started(run):
                raise CheckpointError(
                    f"{run} holds a run of its own: leave --resume out to go on with it, name one of its"
                    " checkpoints, or choose another --out"
                )
        elif is_started(run) and not self.fresh:
            folder = find_checkpoint(run)
        if self.changes and folder is None:
            raise SettingsError(
                f"--resume-with changes a run that is resumed, and {run} holds none; use --set"
            )
        return folder


def check_same_run(folder: Path, state: RunState, settings: Settings) -> None:
    """Refuse a checkpoint that was trained with other settings."""
    try:
        theirs = Settings.from_dict(state.settings).to_dict()
    except AsciiloomError as error:
        raise cannot_resume(folder, str(error)) from error
    mine = settings.to_dict()
    changed = [
        f"{section}.{name}"
        for section in mine
        if section not in _FREE_SECTIONS
        for name in (_SAME_RUN if section == "run" else mine[section])
        if mine[section][name] != theirs[section][name]
    ]
    if not changed:
        return
    ways = "resume with the same, or choose another --out"
    if all(_changeable(name) for name in changed):
        values = (f"{name}={mine['optim'][name.partition('.')[2]]}" for name in changed)
        ways = f"change them on purpose with --resume-with {' --resume-with '.join(values)}, {ways}"
    raise CheckpointError(
        f"{folder.parent} holds a run with other settings ({', '.join(changed)}); {ways}"
    )


def check_same_pieces(
    folder: Path, state: RunState, fingerprint: dict[str, Any], held_out: str
) -> None:
    """Refuse a checkpoint of another corpus, or one whose ``best`` compares other pieces."""
    if state.fingerprint.get("digest") != fingerprint["digest"]:
        raise CheckpointError(
            f"the corpus changed since {folder.name} was trained (its selection has another"
            " fingerprint); choose another --out to train afresh"
        )
    if state.held_out != held_out:
        raise CheckpointError(
            f"the held-out pieces changed since {folder.name} was trained, so that `best` would compare"
            " different ones; choose another --out to train afresh"
        )


def asked_change(overrides: Iterable[str], settings: Settings, step: int) -> dict[str, Any] | None:
    """The change that ``--resume-with`` asks for at ``step``, None where all is so already."""
    tree: dict[str, Any] = {}
    override(tree, overrides)
    names = [f"{section}.{name}" for section, part in tree.items() for name in part]
    for name in names:
        if not _changeable(name):
            may = ", ".join(
                f.name for f in dataclasses.fields(OptimSettings) if f.name not in _FIXED
            )
            raise SettingsError(
                f"--resume-with changes settings of optim ({may}), not {name[:60]!r}"
            )
    wanted = from_plain(OptimSettings, tree.get("optim", {}), "optim", settings.optim)
    before, after = dataclasses.asdict(settings.optim), dataclasses.asdict(wanted)
    changed = {f"optim.{name}": after[name] for name in after if after[name] != before[name]}
    return {"step": step, "set": changed, "why": "asked for"} if changed else None


def halved_change(settings: Settings, step: int) -> dict[str, Any]:
    """The change to half the rates at ``step``."""
    rates = {"optim.lr": settings.optim.lr / 2, "optim.muon_lr": settings.optim.muon_lr / 2}
    return {"step": step, "set": rates, "why": HALVED}


def with_changes(settings: Settings, changes: Sequence[dict[str, Any]]) -> Settings:
    """``settings`` with every change made, in order."""
    for change in changes:
        values = {name.partition(".")[2]: value for name, value in change["set"].items()}
        settings = dataclasses.replace(
            settings, optim=from_plain(OptimSettings, values, "optim", settings.optim)
        )
    return settings


def lower_rates(settings: Settings) -> str:
    """Half the rates, as ``--set`` and ``--resume-with`` take them."""
    optim = settings.optim
    rates = [f"optim.lr={optim.lr / 2:g}"]
    if optim.matrix == "muon":
        rates.append(f"optim.muon_lr={optim.muon_lr / 2:g}")
    return " ".join(f"--resume-with {rate}" for rate in rates)


def _changeable(name: str) -> bool:
    section, _, key = name.partition(".")
    return section == "optim" and key not in _FIXED
