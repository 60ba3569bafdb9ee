// The executable: the one place where the stages and the runner are both known.

import Runner
import Stages

LinkloomCommand.main(
    registry: LinkloomStages.registry,
    extraCommands: [FillMaskCommand.self, PredictCommand.self, EmbedCommand.self, RecipesCommand.self],
    prepare: LinkloomStages.useNamedLibraries)
