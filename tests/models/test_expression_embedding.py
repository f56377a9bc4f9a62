from __future__ import annotations

import torch

from norface.models import presets


def test_a_face_is_a_point_at_distance_one() -> None:
    network = presets.expression_embedding("test-vit").eval()
    images = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        points = network(images)
        laid = network.reduce(network.encoder(images)).flatten(1)
        read = torch.nn.functional.gelu(network.norm(network.read(laid)))
        plain = read @ network.out.weight.T + network.out.bias
    assert points.shape == (3, 16)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(
        points, plain / plain.square().sum(1, keepdim=True).sqrt(), atol=1e-5, rtol=1e-5
    )


def test_training_brings_like_faces_together() -> None:
    network = presets.expression_embedding("test-vit")
    images = torch.rand(3, 3, 64, 64)

    def margin() -> torch.Tensor:
        first, second, odd = network(images)
        return (first - second).square().sum() - (first - odd).square().sum()

    optimizer = torch.optim.Adam((p for p in network.parameters() if p.requires_grad), lr=3e-3)
    start = float(margin().detach())
    for _ in range(30):
        optimizer.zero_grad()
        margin().backward()
        optimizer.step()
    assert float(margin().detach()) < start - 1.0
