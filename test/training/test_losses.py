from deepsight_training.datasets.labels import ANY_BACKGROUND
from deepsight_training.datasets.labels import ANY_GROUND
from deepsight_training.datasets.labels import ANY_VERTICAL
from deepsight_training.datasets.labels import ANY_VERTICAL_OR_SKY
from deepsight_training.datasets.labels import MEMBERS
from deepsight_training.losses import set_cross_entropy
import numpy as np
import pytest
import torch

from deepsight_ros.geometry.scene_classes import SceneClass
from deepsight_ros.geometry.scene_classes import VOID

GROUND = [SceneClass.ROAD, SceneClass.PAVEMENT, SceneClass.TERRAIN]


def one_pixel(logits: torch.Tensor, label: int) -> float:
    labels = torch.full((1, 1, 1), label, dtype=torch.uint8)
    return float(set_cross_entropy(logits.view(1, 8, 1, 1), labels, torch.ones(8)))


def test_members_of_sets():
    assert np.flatnonzero(MEMBERS[ANY_GROUND]).tolist() == GROUND
    assert np.flatnonzero(MEMBERS[ANY_VERTICAL_OR_SKY]).tolist() == [3, 4, 5, 6, 7]
    assert np.flatnonzero(MEMBERS[ANY_VERTICAL]).tolist() == [3, 4, 5, 6]
    assert np.flatnonzero(MEMBERS[ANY_BACKGROUND]).tolist() == [3, 4]
    assert not MEMBERS[VOID].any()


def test_a_single_class_is_the_usual_cross_entropy():
    logits = torch.randn(8, generator=torch.Generator().manual_seed(0))
    expected = -torch.log_softmax(logits, 0)[SceneClass.PERSON]
    assert one_pixel(logits, SceneClass.PERSON) == pytest.approx(float(expected), rel=1e-5)


def test_a_set_asks_for_the_sum_of_probabilities():
    logits = torch.randn(8, generator=torch.Generator().manual_seed(1))
    expected = -torch.log(torch.softmax(logits, 0)[GROUND].sum())
    assert one_pixel(logits, ANY_GROUND) == pytest.approx(float(expected), rel=1e-5)


def test_a_set_does_not_say_which_member():
    logits = torch.zeros(8, requires_grad=True)
    labels = torch.full((1, 1, 1), ANY_GROUND, dtype=torch.uint8)
    set_cross_entropy(logits.view(1, 8, 1, 1), labels, torch.ones(8)).backward()
    assert (logits.grad[GROUND] < 0).all()
    assert torch.allclose(logits.grad[GROUND], logits.grad[SceneClass.ROAD])
    assert (logits.grad[3:] > 0).all()


def test_void_pixels_change_nothing():
    logits = torch.randn(1, 8, 2, 2, requires_grad=True)
    labels = torch.tensor([[[0, VOID], [VOID, ANY_GROUND]]], dtype=torch.uint8)
    loss = set_cross_entropy(logits, labels, torch.ones(8))
    loss.backward()
    assert torch.isfinite(loss)
    assert (logits.grad[0, :, 0, 1] == 0).all()
    only = set_cross_entropy(
        logits.detach().view(1, 8, 4, 1)[:, :, [0, 3]],
        torch.tensor([[[0], [ANY_GROUND]]], dtype=torch.uint8), torch.ones(8))
    assert float(loss.detach()) == pytest.approx(float(only), rel=1e-5)


def test_all_void_is_zero():
    labels = torch.full((1, 2, 2), VOID, dtype=torch.uint8)
    assert float(set_cross_entropy(torch.randn(1, 8, 2, 2), labels, torch.ones(8))) == 0.0
