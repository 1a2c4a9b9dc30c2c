"""A recipe: everything that decides how a network is trained, in one frozen object.

It is saved as JSON with every run and read back for a resume. Those that have a name are in
`recipes`.
"""

import math
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tendigits.errors import SettingError, UnknownNameError
from tendigits.models import ModelConfig, config_from_dict, config_to_dict, count_networks
from tendigits.training.augmentation import Augmentation

OptimizerName = Literal["adam", "adamw", "muon"]
PrecisionName = Literal["float32", "bfloat16", "auto"]
ScheduleName = Literal["constant", "triangle"]

MOST_EPOCHS = 1_000_000  # more than a life: it keeps the steps countable


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        name: What it is called, in commands and in run folders.
        model: The network's settings.
        epochs: Passes over the training pictures, above 0, at most a million; a fraction ends
            inside a pass.
        batch_size: Pictures a step.
        drop_last: Leave out an epoch's last batch where it is smaller than the others.
        optimizer: Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), or Muon for filters
            with Adam for the rest (`muon`).
        precision: Of the numbers between the layers; weights and the optimizer are always float32.
            ``auto`` is bfloat16 on a device that computes in it, float32 elsewhere; a run settles
            it when it begins.
        lr: The highest learning rate, of all that Muon does not move.
        filter_lr: The same of Muon's filters, above 0 with it; `changed` keeps it in step.
        betas: Decay of the optimizer's mean and of its mean square, each in [0, 1).
        weight_decay: Share of each weight that is taken off at a step, times the learning rate.
        schedule: How the learning rate goes: ``constant``, or ``triangle``, straight up and down.
        warmup: Share of all steps in which the learning rate goes up, in [0, 1).
        final_lr: Learning rate of the last step, as a share of the highest one.
        label_smoothing: Share of what is learned of a digit, label and teacher's answer alike, that
            is spread over all ten classes, in [0, 1).
        shift: Most pixels by which a training picture is moved each way, at random; 0 for none.
        augmentation: How training pictures are changed besides; None for not at all.
        calm: Share of all steps, at the end, in [0, 1): after strong changes the network settles on
            digits that are changed less.
        calm_augmentation: How pictures are changed there instead, by its warp and its shares of
            `pen` and `foreign`; what is made once, and how many outliers there are, is still the
            other's, so here these shares are 0. None exactly where nothing is calm.
        hold_out: Training pictures, as `Digits.hold_out` chooses them, that the network never sees,
            and by which it is calibrated; whoever trains may say otherwise.
        teacher: Name of the shipped model whose answers are learned beside the labels
            (distillation, Hinton, Vinyals & Dean 2015); empty for none.
        teacher_share: How much of what is learned of a digit is the teacher's answer, in [0, 1];
            the rest is the label. Above 0 exactly where there is a teacher. The shipped models know
            all of MNIST's training digits but the 5,000 of ``Digits.hold_out(5000)``: where more is
            held out, the rest of it taught the teacher.
    """

    name: str
    model: ModelConfig
    epochs: float
    batch_size: int
    lr: float
    drop_last: bool = False
    optimizer: OptimizerName = "adam"
    precision: PrecisionName = "float32"
    filter_lr: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: ScheduleName = "constant"
    warmup: float = 0.0
    final_lr: float = 0.0
    label_smoothing: float = 0.0
    shift: int = 0
    augmentation: Augmentation | None = None
    calm: float = 0.0
    calm_augmentation: Augmentation | None = None
    hold_out: int = 0
    teacher: str = ""
    teacher_share: float = 0.0

    def __post_init__(self) -> None:
        expected = f"a number above 0, at most {MOST_EPOCHS:,}"
        require(0 < self.epochs <= MOST_EPOCHS, "epochs", self.epochs, expected)
        require(self.lr > 0, "learning rate", self.lr, "a number above 0")
        least = count_networks(self.model)
        expected = f"at least {least}"  # each member of an ensemble is shown some of a batch
        require(self.batch_size >= least, "batch size", self.batch_size, expected)
        shares = {
            "warmup": self.warmup,
            "label smoothing": self.label_smoothing,
            "calm": self.calm,
        }
        shares |= {f"beta {place}": beta for place, beta in enumerate(self.betas, 1)}
        for name, value in shares.items():
            require(0 <= value < 1, name, value, "a share from 0 to below 1")
        amounts = {"weight decay": self.weight_decay, "final learning rate": self.final_lr}
        amounts["filter learning rate"] = self.filter_lr
        for name, value in amounts.items():
            require(value >= 0, name, value, "at least 0")
        if self.optimizer == "muon":
            rate = self.filter_lr
            require(rate > 0, "filter learning rate", rate, "a number above 0, for muon")
            require(
                self.weight_decay == 0, "weight decay", self.weight_decay, "0, as muon has none"
            )
        if (self.calm > 0) != (self.calm_augmentation is not None):
            raise SettingError("a share above 0 of calm steps and a calm augmentation go together")
        if self.calm_augmentation is not None:
            for made in ("european", "rare_forms", "written", "outliers"):
                share = getattr(self.calm_augmentation, made)
                require(share == 0, f"{made} of calm steps", share, "0: the augmentation says it")
        expected = "a share from 0 to 1"
        require(0 <= self.teacher_share <= 1, "teacher share", self.teacher_share, expected)
        if (self.teacher_share > 0) != bool(self.teacher):
            raise SettingError("a teacher and a share above 0 of its answers go together")
        require(0 <= self.shift < 28, "shift", self.shift, "0 to 27 pixels")
        for kind, choice, known in (
            ("optimizer", self.optimizer, get_args(OptimizerName)),
            ("precision", self.precision, get_args(PrecisionName)),
            ("schedule", self.schedule, get_args(ScheduleName)),
        ):
            if choice not in known:
                raise UnknownNameError(kind, choice, known)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as a JSON object."""
        return {**asdict(self), "model": config_to_dict(self.model), "betas": list(self.betas)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "Recipe":
        """Return the recipe that `to_dict` wrote.

        Raises:
            TypeError: A setting is missing, unknown or of another type.
            KeyError: The network or the betas are missing.
            UsageError: A setting has no meaning.
        """
        settings = {**saved, "model": config_from_dict(saved["model"])}
        settings["betas"] = tuple(saved["betas"])
        for name in ("augmentation", "calm_augmentation"):
            if saved.get(name) is not None:
                settings[name] = Augmentation.from_dict(saved[name])
        recipe = cls(**settings)
        check_types(recipe)
        return recipe


def check_types(settings: Any) -> None:
    """Raise a `TypeError` unless the fields of a dataclass are what their annotations say.

    Args:
        settings: Its numbers, words and booleans are checked, what its tuples hold, and the
            dataclasses among all these.
    """
    for name, kind in get_type_hints(type(settings)).items():
        value = getattr(settings, name)
        if not is_of_type(value, kind):
            raise TypeError(f"{name} is {value!r}: expected {getattr(kind, '__name__', kind)}")
        for part in value if isinstance(value, tuple) else (value,):
            if is_dataclass(part):
                check_types(part)


def is_of_type(value: object, kind: Any) -> bool:
    """Say whether `value` may stand where `kind` is expected: plain types, and tuples of these."""
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = get_args(kind)
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        return len(value) == len(kinds) and all(map(is_of_type, value, kinds))
    if kind not in (bool, int, float, str):
        return True
    return type(value) is kind or (kind is float and type(value) is int)


def require(holds: bool, name: str, value: float, expected: str) -> None:
    """Raise a `SettingError` unless a setting `holds` and is finite."""
    if not (holds and math.isfinite(value)):
        raise SettingError(f"{name} is {value}: expected {expected}")


def changed(recipe: Recipe, **settings: Any) -> Recipe:
    """Return `recipe` with those of `settings` that are not None.

    Where the learning rate is among them and the filters' own is not, that changes with it.

    Raises:
        SettingError: A setting is outside its range.
        TypeError: A setting is unknown.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    unknown = given.keys() - {field.name for field in fields(recipe)}
    if unknown:
        raise TypeError(f"a recipe has no {', '.join(sorted(unknown))}")
    if "lr" in given:
        given.setdefault("filter_lr", recipe.filter_lr * (given["lr"] / recipe.lr))
    return replace(recipe, **given)


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """Return the learning rate of a step.

    Args:
        recipe: Its ``lr`` is the highest rate, its ``schedule`` the shape.
        step: 0 for the first.
        total_steps: Of the whole training.
    """
    if recipe.schedule == "constant":
        return recipe.lr
    progress = (step + 1) / total_steps  # the first step moves, the last one ends at final_lr
    if progress < recipe.warmup:
        return recipe.lr * progress / recipe.warmup
    left = (1 - progress) / (1 - recipe.warmup)  # 1 at the top, 0 at the end
    return recipe.lr * (recipe.final_lr + (1 - recipe.final_lr) * left)
