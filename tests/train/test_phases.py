"""Two phases: which stages train in which epoch, and what rests."""

import torch

from lungcad.models import create_model
from lungcad.train.losses import make_loss
from lungcad.train.module import TrainingModule, thawed_stages
from lungcad.train.recipe import Monitor, Recipe, Schedule


def recipe(**changes) -> Recipe:
    return Recipe(name="x", backbone="efficientnet_lite0", **changes)


def test_the_backbone_thaws_from_its_end():
    plan = recipe(frozen_epochs=2, unfreeze_every=3, frozen_stages=4)
    assert [thawed_stages(epoch, 11, plan) for epoch in (0, 1, 2, 4, 5, 20, 40)] == [0, 0, 1, 1, 2, 7, 7]
    assert [thawed_stages(epoch, 11, recipe(frozen_epochs=1)) for epoch in (0, 1)] == [0, 11]


def test_resting_stages_keep_weights_and_statistics(monkeypatch):
    plan = recipe(frozen_epochs=0, frozen_stages=6, frozen_depthwise=True)
    module = TrainingModule(create_model("efficientnet_lite0"), plan, make_loss(plan, torch.ones(4)), steps_per_epoch=1)
    monkeypatch.setattr(TrainingModule, "current_epoch", 3)
    module.train()
    module.on_train_epoch_start()
    stages = module.network.features.stages()
    for index, stage in enumerate(stages):
        kernels = [layer for layer in stage.modules() if isinstance(layer, torch.nn.Conv2d)]
        assert stage.training == (index >= 6)
        for layer in kernels:
            assert layer.weight.requires_grad == (index >= 6 and not layer.groups > 1)


def test_every_schedule_and_monitor_configures():
    for schedule in Schedule:
        for monitor in Monitor:
            plan = recipe(schedule=schedule, monitor=monitor)
            module = TrainingModule(create_model("efficientnet_lite0"), plan, make_loss(plan, torch.ones(4)), steps_per_epoch=2)
            assert module.configure_optimizers()["optimizer"].param_groups[0]["weight_decay"] == plan.weight_decay


def test_frozen_normalisation_stays_in_evaluation_mode(monkeypatch):
    plan = recipe(frozen_epochs=0, frozen_norm=True)
    module = TrainingModule(create_model("efficientnet_lite0"), plan, make_loss(plan, torch.ones(4)), steps_per_epoch=1)
    module.train()
    module.on_train_epoch_start()
    norms = [layer for layer in module.network.features.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert norms and not any(layer.training for layer in norms) and all(layer.weight.requires_grad for layer in norms)
