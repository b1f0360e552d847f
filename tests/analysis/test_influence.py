"""A pixel's row of the solution's Jacobian, compared with dense matrices and with new solves."""

import numpy as np
import pytest
import torch
from equilibria import dense_solution_jacobian, make_net, picture, settle

from nerd_gui.analysis import Linearised, influence


def test_it_is_the_row_of_the_exact_implicit_jacobian(net, y, z, solution_jacobian):
    rows_agree(net, y, z, solution_jacobian)


@pytest.mark.soak
def test_it_is_the_row_in_colour_too():
    net, y = make_net(3), picture(3)
    z = settle(net, y)
    rows_agree(net, y, z, dense_solution_jacobian(net, y, z))


def rows_agree(net, y, z, exact):
    channels = y.shape[1]
    exact = exact.view(channels, 12, 12, channels, 12, 12)
    for channel, row, col in ((0, 3, 4), (channels - 1, 11, 0)):
        found = influence(net, y, z, row, col, channel, tol=1e-7)
        assert found.shape == (channels, 12, 12)
        assert (found - exact[channel, row, col]).norm() < 1e-4 * exact[channel, row, col].norm()


def test_it_is_what_the_pixel_does_when_the_picture_changes(net, y, z):
    found = influence(net, y, z, 5, 6)
    changes = 1e-5 * torch.eye(144, dtype=y.dtype).view(144, 1, 12, 12)  # a batch of single pixels
    above, below = (net.estimate(y + d, settle(net, y + d, 25))[0][:, 0, 5, 6] for d in (changes, -changes))
    differences = (above - below) / 2e-5
    assert np.corrcoef(found.flatten(), differences)[0, 1] > 0.999
    assert float(found.sum()) == pytest.approx(float(differences.sum()), rel=0.01)


@pytest.mark.soak
def test_the_image_as_equilibrium_and_a_told_level_have_rows_too():
    image, y = make_net(equilibrium="image"), picture()
    z = settle(image, y)
    exact = dense_solution_jacobian(image, y, z)[5 * 12 + 6].view(1, 12, 12)
    assert (influence(image, y, z, 5, 6, tol=1e-7) - exact).norm() < 1e-4 * exact.norm()
    told = make_net(level_input=True)
    told.f_inject.level_in.fill_(1.0)
    z = settle(told, y, level=20.0)
    found = influence(told, y, z, 5, 6, level=20.0, tol=1e-7)
    change = torch.zeros_like(y)
    change[0, 0, 5, 7] = 1e-5
    moved = [told.estimate(y + d, settle(told, y + d, 40, 20.0))[0][0, 0, 5, 6] for d in (change, -change)]
    assert float(found[0, 5, 7]) == pytest.approx(float(moved[0] - moved[1]) / 2e-5, rel=1e-3)


def test_the_map_is_linearised_both_ways(net, y, z):
    at = Linearised(net, y, z)
    generator = torch.Generator().manual_seed(3)
    v, w = torch.randn(2, *z.shape, generator=generator, dtype=z.dtype)
    assert float((at.forward(v) * w).sum()) == pytest.approx(float((v * at.transposed(w)).sum()), rel=1e-6)
    assert at.residual < 1e-9 and at.products == 2


def test_a_pixel_beside_the_picture_and_a_batch_are_refused(net, y, z):
    with pytest.raises(ValueError, match="row 12"):
        influence(net, y, z, 12, 0)
    with pytest.raises(ValueError, match="one picture"):
        influence(net, torch.cat([y, y]), torch.cat([z, z]), 0, 0)


def test_it_can_be_interrupted(net, y, z):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        influence(net, y, z, 0, 0, interrupt=interrupt)


@pytest.mark.parametrize("pixel", [(30, 33), (2, 62)])
def test_in_a_large_picture_it_is_begun_nearby_which_saves_products_and_changes_nothing(pixel):
    net, y = make_net().fold(), picture(rows=64, cols=64)
    z = settle(net, y)
    at = Linearised(net, y, z)
    local, (rows, cols) = at.near(*pixel)
    assert local.z.numel() < at.z.numel() / 4
    here = (..., pixel[0] - rows.start, pixel[1] - cols.start)  # too far from the borders of the part to be affected
    torch.testing.assert_close(local.f(local.z)[here], at.f_z[(..., *pixel)], rtol=0, atol=1e-5)
    products = []
    pulled_back = Linearised._pulled_back

    def counted(self, v):
        products.append(v.shape[2:])
        return pulled_back(self, v)

    whole = torch.Size([64, 64])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Linearised, "_pulled_back", counted)
        found = influence(net, y, z, *pixel, tol=1e-3)
        nearby = products.count(whole)
        products.clear()
        patch.setattr(Linearised, "near", lambda *_: None)
        without = influence(net, y, z, *pixel, tol=1e-3)
    assert 0 < nearby < products.count(whole)
    assert (found - without).norm() < 3e-3 * without.norm()
