"""Training: recipes, batches, the loop, checkpoints, and runs that tie them together."""

from tendigits.training.events import (
    EpochReport,
    Observer,
    Observers,
    RunResult,
    RunStart,
    StepReport,
)
from tendigits.training.recipe import Recipe, changed
from tendigits.training.recipes import DEFAULT_RECIPE, RECIPES, recipe_named
from tendigits.training.run import resume_run, start_run
from tendigits.training.run_folder import RunSettings

__all__ = [
    "DEFAULT_RECIPE",
    "RECIPES",
    "EpochReport",
    "Observer",
    "Observers",
    "Recipe",
    "RunResult",
    "RunSettings",
    "RunStart",
    "StepReport",
    "changed",
    "recipe_named",
    "resume_run",
    "start_run",
]
