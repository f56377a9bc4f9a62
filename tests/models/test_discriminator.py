from __future__ import annotations

import pytest
import torch

from norface.models.discriminator import PatchDiscriminator


def test_judges_patches_of_their_own() -> None:
    discriminator = PatchDiscriminator(widths=(4, 8), spectral=False)
    image = torch.rand(1, 3, 64, 64)
    before = discriminator(image)
    assert before.shape == (1, 1, 16, 16)
    image[:, :, :8, :8] = 0.0
    changed = (discriminator(image) != before)[0, 0]
    assert changed[0, 0]
    assert not changed[8:, 8:].any()


def test_spectral_normalization_bounds_and_rests_in_evaluation() -> None:
    discriminator = PatchDiscriminator(widths=(4,), spectral=True)
    for _ in range(30):
        discriminator(torch.rand(1, 3, 8, 8))
    kernel = discriminator.layers[0].weight.flatten(1)
    assert float(torch.linalg.matrix_norm(kernel.detach(), 2)) == pytest.approx(1.0, abs=0.05)
    state = {k: v.clone() for k, v in discriminator.state_dict().items()}
    discriminator.eval()(torch.rand(1, 3, 8, 8))
    assert all(torch.equal(v, state[k]) for k, v in discriminator.state_dict().items())


def test_needs_a_width() -> None:
    with pytest.raises(ValueError, match="widths"):
        PatchDiscriminator(widths=())
