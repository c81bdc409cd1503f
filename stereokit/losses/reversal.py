"""A gradient that is turned round on its way back."""

import torch


def gradient_reversed(values: torch.Tensor) -> torch.Tensor:
    """Return the values as they are, to the bit; what learns from them through this learns the opposite.

    Ganin and Lempitsky 2015, Unsupervised domain adaptation by backpropagation.

    >>> values = torch.tensor([2.0], requires_grad=True)
    >>> (3.0 * gradient_reversed(values)).sum().backward()
    >>> values.grad
    tensor([-3.])
    """
    return 2.0 * values.detach() - values
