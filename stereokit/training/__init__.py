"""The only training loop: turns, draws, gradient averaging over ranks, EMA, schedules, checkpoints."""
