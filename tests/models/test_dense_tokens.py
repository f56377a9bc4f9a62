from __future__ import annotations

import torch

from norface.models.dense_tokens import DenseTokens


def test_every_token_reaches_the_code_at_its_own_place() -> None:
    dense = DenseTokens(inputs=6, width=8, reduced=4, hidden=10, count=3).eval()
    tokens = torch.randn(2, 6, 8)
    with torch.no_grad():
        code, out = dense(tokens)
        assert code.shape == (2, 10)
        assert out.shape == (2, 3, 8)
        for i in range(6):
            changed = tokens.clone()
            changed[:, i] += 1.0
            assert not torch.allclose(dense(changed)[0], code)
        assert not torch.allclose(dense(tokens.roll(1, dims=1))[0], code)
