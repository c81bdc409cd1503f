"""Networks that tell real waves from made ones, each by another view of them."""
