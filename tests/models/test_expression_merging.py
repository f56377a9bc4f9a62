from __future__ import annotations

import pytest
import torch

from norface.models.expression_merging import ExpressionMerging
from norface.models.transformer import Attention, attend


def test_attention_equals_a_plain_softmax() -> None:
    """Written out head by head and query by query."""
    attention = Attention(width=8, heads=2)
    queries, context = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    q = attention.query(queries)
    k, v = attention.key_value(context).split(8, dim=-1)
    rows = []
    for b in range(3):
        for i in range(5):
            heads = []
            for h in (slice(0, 4), slice(4, 8)):
                scores = torch.stack([q[b, i, h] @ k[b, j, h] / 2.0 for j in range(7)])
                weights = scores.exp() / scores.exp().sum()
                heads.append(sum(weights[j] * v[b, j, h] for j in range(7)))
            rows.append(torch.cat(heads))
    wanted = attention.out(torch.stack(rows).reshape(3, 5, 8))
    torch.testing.assert_close(attention(queries, context), wanted, atol=1e-5, rtol=1e-5)


def test_attention_equals_the_fused_kernel() -> None:
    q, k, v = torch.randn(2, 4, 9, 16), torch.randn(2, 4, 11, 16), torch.randn(2, 4, 11, 16)
    torch.testing.assert_close(
        attend(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v)
    )


def test_one_set_of_queries_serves_a_batch() -> None:
    attention = Attention(width=8, heads=2)
    queries, context = torch.randn(1, 5, 8), torch.randn(3, 7, 8)
    torch.testing.assert_close(
        attention(queries, context), attention(queries.expand(3, -1, -1), context)
    )


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="cannot be divided"):
        Attention(width=8, heads=3)


def test_the_target_lends_the_queries_and_the_original_what_is_read() -> None:
    """With silent attention the result is the target's alone; order among the original is free."""
    merging = ExpressionMerging(width=8, heads=2, blocks=0, mlp_ratio=2.0)
    original, target = torch.randn(2, 6, 8), torch.randn(2, 5, 8)
    merged = merging(original, target)
    assert merged.shape == target.shape
    torch.testing.assert_close(merging(original.flip(1), target), merged, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(merging(original[:, 1:], target), merged)
    torch.nn.init.zeros_(merging.attention.out.weight)
    torch.nn.init.zeros_(merging.attention.out.bias)
    torch.testing.assert_close(merging(original, target), merging.norm(target))
