"""Making PyTorch's training fast enough, on a CPU above all."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Final

import torch
from torch import Tensor, nn

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGEST: Final = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed, for the next step to use again.

    glibc gives every large block back to the system at once, and the system clears its pages anew
    at each step: measured 11% of a step's time on two cores. The peak of memory stays the same.

    Returns:
        whether this C library can be told so.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(name, _LARGEST) == 1 for name in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD))


class _DepthwiseConvolution(torch.autograd.Function):
    """Depthwise convolution whose backward pass runs in float32, channels last.

    The bfloat16 backward kernels of PyTorch on CPU fall back to a slow path for depthwise
    convolutions: measured 3 to 5 times slower than float32.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: list[int], pad: list[int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.pad = stride, pad
        groups = len(weight)
        return torch.nn.functional.conv2d(x, weight.to(x.dtype), None, stride, pad, 1, groups)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        last = torch.channels_last
        need = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        grad_x, grad_w, _ = torch.ops.aten.convolution_backward(
            gradients[0].float().contiguous(memory_format=last),
            x.float().contiguous(memory_format=last),
            weight.float(),
            None,
            ctx.stride,
            ctx.pad,
            [1, 1],
            False,
            [0, 0],
            len(weight),
            need,
        )
        return (
            None if grad_x is None else grad_x.to(x.dtype),
            None if grad_w is None else grad_w.to(weight.dtype),
            None,
            None,
        )


def lay_channels_last(network: nn.Module) -> None:
    """Keep a network's weights in the memory layout in which convolutions are the quickest."""
    # The type annotation of nn.Module.to lacks memory_format alone.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def speed_up_depthwise(network: nn.Module) -> int:
    """Let the depthwise convolutions of a network use the fast backward pass on CPU.

    Parameters and results stay the same; only the rounding of gradients changes. On other devices
    they stay as they are.

    Returns:
        how many convolutions were changed.
    """
    count = 0
    for module in network.modules():
        if not isinstance(module, nn.Conv2d) or module.bias is not None:
            continue
        if module.groups == 1 or module.weight.shape[1] != 1 or isinstance(module.padding, str):
            continue
        stride, pad = list(module.stride), list(module.padding)

        def convolve(
            x: Tensor,
            weight: Tensor,
            bias: Tensor | None,
            stride: list[int] = stride,
            pad: list[int] = pad,
        ) -> Tensor:
            if x.device.type != "cpu":
                return torch.nn.functional.conv2d(x, weight, bias, stride, pad, 1, len(weight))
            if torch.is_autocast_enabled("cpu"):
                x = x.to(torch.get_autocast_dtype("cpu"))
            out: Tensor = _DepthwiseConvolution.apply(  # type: ignore[no-untyped-call]
                x, weight, stride, pad
            )
            return out

        # nn.Conv2d.forward calls self._conv_forward: an attribute of the instance goes first.
        object.__setattr__(module, "_conv_forward", convolve)
        count += 1
    return count
