import torch

from lungcad.train.augment import augment
from lungcad.train.recipe import Augmentation

NOTHING = Augmentation(rotate=0, zoom=0, shift=0, gain=0, bias=0, gamma=0, noise=0, flip=0, erase=0)
GREY = torch.rand(6, 24, 32, generator=torch.Generator().manual_seed(0))


def test_nothing_changes_nothing():
    torch.testing.assert_close(augment(GREY, NOTHING), GREY, atol=1e-5, rtol=0)


def test_flip_is_left_right():
    torch.testing.assert_close(augment(GREY, NOTHING.model_copy(update={"flip": 1.0})), GREY.flip(2), atol=1e-5, rtol=0)


def test_range_shape_and_variety():
    torch.manual_seed(0)
    out = augment(GREY[:1].expand(6, -1, -1), Augmentation())
    assert out.shape == GREY.shape and out.min() >= 0 and out.max() <= 1
    assert all(not torch.equal(out[0], out[i]) for i in range(1, 6))


def test_erasing_blanks_a_rectangle_with_the_mean():
    torch.manual_seed(0)
    out = augment(GREY, NOTHING.model_copy(update={"erase": 1.0}))
    changed = (out - GREY).abs() > 1e-4
    assert 0 < changed.float().mean() < 0.2
    torch.testing.assert_close(out[0][changed[0]].mean(), GREY[0].mean(), atol=1e-4, rtol=0)


def test_seeded():
    torch.manual_seed(4)
    one = augment(GREY, Augmentation())
    torch.manual_seed(4)
    assert torch.equal(one, augment(GREY, Augmentation()))


def test_colour_is_changed_like_three_equal_greys():
    """The channels of one image move, brighten and are erased together."""
    how = Augmentation(noise=0, sharpness=0.5)
    torch.manual_seed(1)
    grey = augment(GREY, how)
    torch.manual_seed(1)
    colour = augment(GREY.unsqueeze(1).expand(-1, 3, -1, -1).contiguous(), how)
    assert colour.shape == (6, 3, 24, 32)
    for channel in range(1, 3):
        assert torch.equal(colour[:, channel], colour[:, 0])
    assert grey.shape == GREY.shape and colour.min() >= 0 and colour.max() <= 1


def test_sharpening_works_against_the_local_mean():
    torch.manual_seed(0)
    out = augment(GREY, NOTHING.model_copy(update={"sharpness": 1.0}))
    assert not torch.equal(out, GREY) and (out - GREY).abs().max() < 1
    flat = torch.full((2, 8, 8), 0.4)
    torch.testing.assert_close(augment(flat, NOTHING.model_copy(update={"sharpness": 1.0}))[:, 2:-2, 2:-2], flat[:, 2:-2, 2:-2])
