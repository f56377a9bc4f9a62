from __future__ import annotations

import pytest
import torch

from norface.models import presets
from norface.models.masked_autoencoder import MaskedAutoencoder, MaskedOutput
from norface.models.vision_transformer import VisionTransformer


def _network(**options: bool | float) -> MaskedAutoencoder:
    encoder = VisionTransformer(image_size=64, width=16, depth=2, heads=2)
    return MaskedAutoencoder(encoder=encoder, width=16, depth=2, heads=2, **options)  # type: ignore[arg-type]


def test_the_least_noise_is_seen() -> None:
    network, noise = _network(mask_ratio=0.75), torch.rand(3, 16)
    mask = network(torch.rand(3, 3, 64, 64), noise).mask
    assert (mask.sum(1) == 12).all()
    for row in range(3):
        seen = noise[row].argsort()[:4]
        assert not mask[row, seen].any()


def test_the_guess_depends_on_what_is_seen_alone() -> None:
    network, image, noise = _network().eval(), torch.rand(1, 3, 64, 64), torch.rand(1, 16)
    other = image.clone()
    hidden = int(noise.argmax())
    row, column = divmod(hidden, 4)
    other[..., 16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = 0.25
    with torch.no_grad():
        first, second = network(image, noise), network(other, noise)
        assert torch.equal(first.prediction, second.prediction)
        changed = (first.loss_patches != second.loss_patches).nonzero()
        assert changed.tolist() == [[0, hidden]]
        seen = int(noise.argmin())
        row, column = divmod(seen, 4)
        other[..., 16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = 0.5
        assert not torch.equal(network(other, noise).prediction, first.prediction)


def test_every_patch_is_guessed_at_its_own_place() -> None:
    """Against a plain loop over the places."""
    network = _network().eval()
    latent, noise = torch.randn(2, 5, 16), torch.rand(2, 16)
    place = noise.argsort(1).argsort(1)
    with torch.no_grad():
        x = network.decoder_embed(latent)
        rows = []
        for face in range(2):
            tokens = [x[face, 0]]
            for cell in range(16):
                order = int(place[face, cell])
                tokens.append(x[face, 1 + order] if order < 4 else network.mask_token[0, 0])
            rows.append(torch.stack(tokens))
        y = torch.stack(rows) + network.decoder_pos_embed
        for block in network.decoder_blocks:
            y = block(y)
        wanted = network.decoder_pred(network.decoder_norm(y))[:, 1:]
        torch.testing.assert_close(network.decode(latent, place), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalize", [True, False])
def test_targets_are_the_pixels_row_by_row(normalize: bool) -> None:
    network, image = _network(normalize_patches=normalize), torch.rand(1, 3, 64, 64)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    patch = ((image[0] - mean) / deviation)[:, 16:32, 48:64].permute(1, 2, 0).reshape(-1)
    if normalize:
        patch = (patch - patch.mean()) / (patch.var() + 1e-6).sqrt()
    torch.testing.assert_close(network.target(image)[0, 7], patch, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalize", [True, False])
def test_a_perfect_guess_costs_nothing_and_shows_the_face(normalize: bool) -> None:
    network, image = _network(normalize_patches=normalize), torch.rand(2, 3, 64, 64)
    mask = (torch.rand(2, 16) < 0.5).float()
    perfect = MaskedOutput(torch.zeros(2, 16), network.target(image), mask)
    torch.testing.assert_close(network.picture(perfect, image), image, atol=1e-5, rtol=0)
    grey = perfect._replace(prediction=torch.zeros(2, 16, 768))
    changed = (network.picture(grey, image) - image).abs().amax(1)
    cells = changed.unflatten(1, (4, 16)).unflatten(3, (4, 16)).amax((2, 4)).flatten(1)
    assert torch.equal(cells > 0.01, mask.bool())


def test_it_learns_one_face() -> None:
    network = presets.masked_autoencoder("test-vit", normalize_patches=False)
    wave = torch.linspace(0, 6.3, 64).sin() * 0.4 + 0.5
    image = (wave[:, None] * wave).expand(4, 3, 64, 64)
    optimizer = torch.optim.Adam((p for p in network.parameters() if p.requires_grad), lr=5e-3)
    losses = []
    for _ in range(60):
        out = network(image)
        loss = (out.loss_patches * out.mask).sum() / out.mask.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_checkpointing_reaches_the_decoder() -> None:
    network, image, noise = _network(), torch.rand(2, 3, 64, 64), torch.rand(2, 16)
    gradients = []
    for on in (False, True):
        network.encoder.checkpointing = network.decoder_blocks.checkpointing = on
        network.zero_grad(set_to_none=True)
        network(image, noise).loss_patches.sum().backward()
        gradients.append([p.grad for p in network.parameters() if p.requires_grad])
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second)


def test_what_cannot_be_masked_is_told() -> None:
    with pytest.raises(ValueError, match="'tiny' has no transformer"):
        presets.masked_autoencoder("tiny")
    with pytest.raises(ValueError, match="mask_ratio must lie between 0 and 1"):
        _network(mask_ratio=1.0)
